/**
 * One table of ExternalServices that are wrong, and what is said of each: by Fairway's own check, and by an API server that has the CRD. Both
 * are held to it, so that neither can take what the other refuses without a word here.
 */

export interface BadExternal {
  readonly name: string;
  /** YAML flow style. */
  readonly spec: string;
  readonly codes: readonly string[];
  readonly field: string;
  /** In the message or the hint. */
  readonly says: string;
  /** What the API server's message holds; undefined: it takes the object, and the status tells. */
  readonly api?: string;
}

const http = 'ports: [{number: 80, protocol: http}]';
const dns = `hosts: [api.example.com], ${http}, resolution: dns`;

const withTls = (tls: string, port = 'number: 80, protocol: http', hosts = 'api.example.com'): string =>
  `{hosts: ["${hosts}"], ports: [{${port}, tls: ${tls}}], resolution: static, endpoints: [{address: 192.0.2.1}]}`;
const tlsField = 'spec.ports[0].tls';

const badTls: readonly BadExternal[] = [
  {
    name: 'client certificates',
    spec: withTls('{mode: mutual}'),
    codes: ['FW-RULE-167'],
    field: `${tlsField}.mode`,
    says: 'proxies have no certificates of their own',
    api: `${tlsField}.mode`,
  },
  {
    name: 'a key of the client',
    spec: withTls('{privateKey: secret}'),
    codes: ['FW-RULE-006'],
    field: `${tlsField}.privateKey`,
    says: 'Use one of mode, sni',
    api: `unknown field "${tlsField}.privateKey"`,
  },
  {
    name: 'an address to ask for in TLS',
    spec: withTls('{sni: "*.example.com"}'),
    codes: ['FW-RULE-168'],
    field: `${tlsField}.sni`,
    says: 'must be a DNS name',
    api: `${tlsField}.sni`,
  },
  {
    name: 'a name in a certificate that is none',
    spec: withTls('{subjectAltNames: ["https://api"]}'),
    codes: ['FW-RULE-169'],
    field: `${tlsField}.subjectAltNames[0]`,
    says: 'must be a DNS name',
    api: `${tlsField}.subjectAltNames[0]`,
  },
  {
    name: 'a file of authorities',
    spec: withTls('{caCertificates: /etc/ssl/ca.pem}'),
    codes: ['FW-RULE-173'],
    field: `${tlsField}.caCertificates`,
    says: 'must be system, or certificates in PEM',
    api: `${tlsField}.caCertificates`,
  },
  {
    name: 'authorities that cannot be read',
    spec: withTls(String.raw`{caCertificates: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}`),
    codes: ['FW-RULE-173'],
    field: `${tlsField}.caCertificates`,
    says: 'certificate 1 cannot be read',
  },
  {
    name: 'authorities that are cut off',
    spec: withTls('{caCertificates: "-----BEGIN CERTIFICATE-----"}'),
    codes: ['FW-RULE-173'],
    field: `${tlsField}.caCertificates`,
    says: 'something else than whole certificates',
  },
  {
    name: 'an old version of TLS',
    spec: withTls('{minVersion: TLSv1.0}'),
    codes: ['FW-RULE-174'],
    field: `${tlsField}.minVersion`,
    says: 'must be TLSv1.2 or TLSv1.3',
    api: `${tlsField}.minVersion`,
  },
  {
    name: 'TLS around TLS',
    spec: withTls('{}', 'number: 443, protocol: tls'),
    codes: ['FW-RULE-175'],
    field: tlsField,
    says: 'clients speak TLS themselves',
    api: 'tls must not be given on a port of protocol tls',
  },
  {
    name: 'TLS around TCP to nobody in particular',
    spec: withTls('{}', 'number: 5432, protocol: tcp', '*.example.com'),
    codes: ['FW-RULE-176'],
    field: `${tlsField}.sni`,
    says: 'sni must be given',
    api: 'sni must be given with tls on a port of protocol tcp',
  },
];

export const badExternals: readonly BadExternal[] = [
  {
    name: 'no hosts',
    spec: `{${http}, resolution: dns}`,
    codes: ['FW-RULE-008'],
    field: 'spec.hosts',
    says: 'spec lacks hosts',
    api: 'spec.hosts',
  },
  {
    name: 'an empty list of hosts',
    spec: `{hosts: [], ${http}, resolution: dns}`,
    codes: ['FW-RULE-009'],
    field: 'spec.hosts',
    says: 'at least 1 item',
    api: 'should have at least 1 items',
  },
  ...['api', 'API.example.com', 'api.example.com.', '192.0.2.1', 'a b.example.com', '*', '*.*.example.com'].map(
    (host) => ({
      name: `the host ${host}`,
      spec: `{hosts: ["${host}"], ${http}, resolution: static, endpoints: [{address: 192.0.2.1}]}`,
      codes: ['FW-RULE-151'],
      field: 'spec.hosts[0]',
      says: 'must be a DNS name with a dot',
      api: 'spec.hosts[0]',
    }),
  ),
  {
    name: 'a host that stands there twice',
    spec: `{hosts: [a.example.com, a.example.com], ${http}, resolution: dns}`,
    codes: ['FW-RULE-011'],
    field: 'spec.hosts[1]',
    says: 'twice',
    api: 'Duplicate value',
  },
  {
    name: 'a wildcard that is to be looked up',
    spec: `{hosts: ["*.example.com"], ${http}, resolution: dns}`,
    codes: ['FW-RULE-158'],
    field: 'spec.hosts[0]',
    says: 'cannot be looked up by DNS',
    api: 'a host with a wildcard cannot be looked up by DNS',
  },
  {
    name: 'port 0',
    spec: '{hosts: [a.example.com], ports: [{number: 0, protocol: http}], resolution: dns}',
    codes: ['FW-RULE-152'],
    field: 'spec.ports[0].number',
    says: 'must be a port number',
    api: 'should be greater than or equal to 1',
  },
  {
    name: 'a protocol that is not there',
    spec: '{hosts: [a.example.com], ports: [{number: 80, protocol: https}], resolution: dns}',
    codes: ['FW-RULE-153'],
    field: 'spec.ports[0].protocol',
    says: 'must be one of http, http2, grpc, tcp and tls',
    api: 'Unsupported value: "https"',
  },
  {
    name: 'one port twice',
    spec: '{hosts: [a.example.com], ports: [{number: 80, protocol: http}, {number: 80, protocol: grpc}], resolution: dns}',
    codes: ['FW-RULE-155'],
    field: 'spec.ports[1].number',
    says: '80 stands there twice',
    api: 'Duplicate value',
  },
  {
    name: 'a bad port name',
    spec: '{hosts: [a.example.com], ports: [{number: 80, protocol: http, name: Web}], resolution: dns}',
    codes: ['FW-RULE-154'],
    field: 'spec.ports[0].name',
    says: 'must be lower-case letters',
    api: 'must be lower-case letters',
  },
  {
    name: 'an unknown resolution',
    spec: `{hosts: [a.example.com], ${http}, resolution: none}`,
    codes: ['FW-RULE-165'],
    field: 'spec.resolution',
    says: 'must be static or dns',
    api: 'Unsupported value: "none"',
  },
  {
    name: 'static without endpoints',
    spec: `{hosts: [a.example.com], ${http}, resolution: static}`,
    codes: ['FW-RULE-156'],
    field: 'spec.endpoints',
    says: 'endpoints must be given with resolution: static',
    api: 'endpoints must be given with resolution: static',
  },
  {
    name: 'dns with endpoints',
    spec: `{${dns}, endpoints: [{address: 192.0.2.1}]}`,
    codes: ['FW-RULE-157'],
    field: 'spec.endpoints',
    says: 'endpoints must not be given with resolution: dns',
    api: 'endpoints must not be given with resolution: dns',
  },
  ...['example.com', '192.0.2.256', '1.2.3'].map((address) => ({
    name: `the address ${address}`,
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: ${address}}]}`,
    codes: ['FW-RULE-162'],
    field: 'spec.endpoints[0].address',
    says: 'must be an IP address',
    api: 'spec.endpoints[0].address',
  })),
  ...['0.0.0.0', '224.0.0.1', '"ff02::1"'].map((address) => ({
    name: `the address ${address} that no host has`,
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: ${address}}]}`,
    codes: ['FW-RULE-162'],
    field: 'spec.endpoints[0].address',
    says: 'that one host can have',
  })),
  {
    name: 'IPv4 written as IPv6',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: "::ffff:192.0.2.1"}]}`,
    codes: ['FW-RULE-162'],
    field: 'spec.endpoints[0].address',
    says: 'that one host can have',
    api: 'address must be an IP address',
  },
  {
    name: 'one address twice',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: 192.0.2.1}, {address: 192.0.2.1}]}`,
    codes: ['FW-RULE-161'],
    field: 'spec.endpoints[1].address',
    says: 'stands there twice',
    api: 'Duplicate value',
  },
  {
    name: 'one address in two spellings',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: "2001:db8::1"}, {address: "2001:DB8:0::1"}]}`,
    codes: ['FW-RULE-161'],
    field: 'spec.endpoints[1].address',
    says: 'stands there twice',
  },
  {
    name: 'an endpoint with a port that is not there',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: 192.0.2.1, ports: [{number: 81, targetPort: 8080}]}]}`,
    codes: ['FW-RULE-159'],
    field: 'spec.endpoints[0].ports[0].number',
    says: '81 is none of them',
    api: 'an endpoint must name ports of the object alone',
  },
  {
    name: 'a weight of 0',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: 192.0.2.1, weight: 0}]}`,
    codes: ['FW-RULE-163'],
    field: 'spec.endpoints[0].weight',
    says: 'must be a whole number from 1 to 10000',
    api: 'should be greater than or equal to 1',
  },
  {
    name: 'a bad zone',
    spec: `{hosts: [a.example.com], ${http}, resolution: static, endpoints: [{address: 192.0.2.1, locality: {zone: "a b"}}]}`,
    codes: ['FW-RULE-164'],
    field: 'spec.endpoints[0].locality.zone',
    says: 'must be 1 to 63 letters',
    api: 'locality.zone',
  },
  {
    name: 'a bad cluster name',
    spec: `{${dns}, from: {clusters: [west.eu]}}`,
    codes: ['FW-RULE-166'],
    field: 'spec.from.clusters[0]',
    says: 'must be the name of a cluster',
    api: 'spec.from.clusters[0]',
  },
  {
    name: 'from without clusters',
    spec: `{${dns}, from: {}}`,
    codes: ['FW-RULE-008'],
    field: 'spec.from.clusters',
    says: 'lacks clusters',
    api: 'spec.from.clusters',
  },
  {
    name: 'a field of another API',
    spec: `{${dns}, location: MESH_EXTERNAL}`,
    codes: ['FW-RULE-006'],
    field: 'spec.location',
    says: 'Use one of hosts',
    api: 'unknown field "spec.location"',
  },
  {
    name: 'plain TCP behind DNS',
    spec: '{hosts: [a.example.com], ports: [{number: 5432, protocol: tcp}], resolution: dns}',
    codes: ['FW-RULE-160'],
    field: 'spec.ports[0].protocol',
    says: 'a captured workload cannot reach port 5432',
  },
  ...badTls,
];

export function externalText(spec: string, name = 'api'): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: ExternalService\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
}

/** The one that the documentation shows for TLS, word for word. */
export const exampleExternalTls = `
apiVersion: fairway.dev/v1alpha1
kind: ExternalService
metadata: {name: card, namespace: shop}
spec:
  hosts: [api.card.example.com]
  ports:
  - {number: 80, protocol: http, targetPort: 443, tls: {}}
  - {number: 443, protocol: tls}
  resolution: dns
`;

/** The one that the documentation shows, word for word. */
export const exampleExternal = `
apiVersion: fairway.dev/v1alpha1
kind: ExternalService
metadata: {name: pay, namespace: shop}
spec:
  hosts: [api.pay.example.com, "*.cdn.pay.example.com"]
  ports:
  - {number: 443, protocol: tls}
  - {number: 80, protocol: http}
  resolution: static
  endpoints:
  - {address: 192.0.2.10, weight: 3, locality: {region: eu, zone: eu-1}}
  - {address: 192.0.2.11, ports: [{number: 443, targetPort: 8443}]}
  from: {clusters: [east, west]}
`;
