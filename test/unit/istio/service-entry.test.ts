/** ServiceEntries as ExternalServices, and rules for their hosts. */

import assert from 'node:assert/strict';
import { codes, convert, istioObject, specOf } from './istio-objects.ts';

const http = '[{number: 80, name: HTTP_1, protocol: HTTP}, {number: 443, name: tls, protocol: HTTPS}]';
const entry = (spec: string, name = 'pay'): unknown =>
  istioObject('ServiceEntry', name, `{ports: ${http}, location: MESH_EXTERNAL, ${spec}}`);

describe('a ServiceEntry', () => {
  it('with addresses is static', () => {
    const conversion = convert(
      entry(
        `hosts: [api.example.com, "*.example.org"], resolution: STATIC,
         endpoints: [{address: 192.0.2.1, ports: {tls: 8443}, locality: eu/eu-1/a, weight: 3}, {address: 192.0.2.2}]`,
      ),
    );
    assert.deepEqual(conversion.objects[0]?.object, {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'ExternalService',
      metadata: { name: 'pay', namespace: 'shop' },
      spec: {
        hosts: ['api.example.com', '*.example.org'],
        ports: [
          { number: 80, protocol: 'http', name: 'http-1' },
          { number: 443, protocol: 'tls', name: 'tls' },
        ],
        resolution: 'static',
        endpoints: [
          {
            address: '192.0.2.1',
            ports: [{ number: 443, targetPort: 8443 }],
            locality: { region: 'eu', zone: 'eu-1', subzone: 'a' },
            weight: 3,
          },
          { address: '192.0.2.2' },
        ],
      },
    });
    assert.deepEqual(codes(conversion), []);
  });

  it('without is looked up, whatever it says of it', () => {
    for (const [resolution, told] of [
      ['DNS', []],
      ['NONE', ['warning FW-ISTIO-004 spec.resolution']],
      ['DNS_ROUND_ROBIN', ['warning FW-ISTIO-004 spec.resolution']],
    ] as const) {
      const conversion = convert(entry(`hosts: [api.example.com], resolution: ${resolution}`));
      assert.equal(specOf(conversion)['resolution'], 'dns');
      assert.deepEqual(codes(conversion), told);
    }
  });

  it('has proxies begin TLS where a DestinationRule says so, on all ports or on some', () => {
    const ports =
      '[{number: 80, name: http, protocol: HTTP, targetPort: 443}, {number: 443, name: tls, protocol: TLS}]';
    const pay = istioObject('ServiceEntry', 'pay', `{hosts: [api.example.com], ports: ${ports}, resolution: DNS}`);
    const rule = (policy: string): unknown =>
      istioObject('DestinationRule', 'pay', `{host: api.example.com, trafficPolicy: ${policy}}`);
    const first = (...objects: readonly unknown[]): unknown => (specOf(convert(...objects))['ports'] as unknown[])[0];
    const port = { number: 80, protocol: 'http', name: 'http', targetPort: 443 };
    const general = rule('{tls: {mode: SIMPLE, sni: a.example.com, subjectAltNames: [b.example.com]}}');
    assert.deepEqual(first(pay, general), {
      ...port,
      tls: { sni: 'a.example.com', subjectAltNames: ['b.example.com'] },
    });
    assert.deepEqual(codes(convert(pay, general)), []);
    const ofPort = rule('{portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}');
    assert.deepEqual(first(pay, ofPort), { ...port, tls: {} });
    assert.deepEqual(codes(convert(pay, ofPort)), []);
    const other = rule('{tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 80}}]}');
    assert.deepEqual(first(pay, other), port);
    const told = convert(
      pay,
      rule('{tls: {mode: SIMPLE, caCertificates: /ca.pem, subjectAltNames: ["spiffe://a/b"]}}'),
    );
    assert.deepEqual(codes(told), [
      'warning FW-ISTIO-004 spec.trafficPolicy.tls.caCertificates',
      'warning FW-ISTIO-004 spec.trafficPolicy.tls.subjectAltNames',
    ]);
    const mutual = rule('{tls: {mode: MUTUAL, clientCertificate: /c.pem}}');
    assert.deepEqual(first(pay, mutual), port);
    assert.deepEqual(codes(convert(pay, mutual)), [
      'warning FW-ISTIO-002 spec.trafficPolicy.tls.mode',
      'warning FW-ISTIO-002 spec.trafficPolicy.tls.clientCertificate',
    ]);
    const third = istioObject(
      'ServiceEntry',
      'pay',
      '{hosts: [a.example.com, b.example.com], resolution: DNS, ports: []}',
    );
    assert.notDeepEqual(codes(convert(third, rule('{tls: {mode: SIMPLE}}'))), []);
  });

  it('without a list of hosts is nothing, and says so', () => {
    for (const [hosts, told] of [
      ['hosts: []', 'FW-ISTIO-019 spec.hosts'],
      ['hosts: api.example.com', 'FW-ISTIO-003 spec.hosts'],
      ['exportTo: ["*"]', 'FW-ISTIO-003 spec'],
    ] as const) {
      const conversion = convert(entry(`${hosts}, resolution: DNS`));
      assert.deepEqual(conversion.objects, []);
      assert.deepEqual(codes(conversion), [`error ${told}`]);
    }
  });

  it('is refused where there is no equal, and says why', () => {
    const refused: readonly (readonly [string, string])[] = [
      ['hosts: [api.example.com], resolution: DNS, location: MESH_INTERNAL', 'spec.location'],
      ['hosts: ["*.example.com"], resolution: NONE', 'spec.resolution'],
      ['hosts: [api.example.com], resolution: STATIC', 'spec.resolution'],
      ['hosts: [api.example.com], resolution: STATIC, endpoints: [{address: other.example.com}]', 'spec.resolution'],
      [
        'hosts: [api.example.com], resolution: STATIC, endpoints: [{address: "unix:///a"}]',
        'spec.endpoints[0].address',
      ],
      ['hosts: [api.example.com], resolution: DNS, endpoints: [{address: other.example.com}]', 'spec.endpoints'],
      [
        'hosts: [api.example.com], resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: [{address: 192.0.2.1}]',
        'spec.workloadSelector',
      ],
      ['hosts: [reviews.shop.svc.cluster.local], resolution: DNS', 'spec.hosts[0]'],
      ['hosts: [localname], resolution: DNS', 'spec.hosts[0]'],
    ];
    for (const [spec, field] of refused) {
      const text = `{ports: ${http}, ${spec}}`;
      const conversion = convert(istioObject('ServiceEntry', 'pay', text));
      assert.deepEqual(conversion.objects, [], spec);
      assert.ok(
        codes(conversion).some((line) => line === `error FW-ISTIO-019 ${field}`),
        `${spec}: ${codes(conversion).join('; ')}`,
      );
    }
    const odd = convert(
      istioObject(
        'ServiceEntry',
        'pay',
        '{hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: UDP}]}',
      ),
    );
    assert.deepEqual(codes(odd)[0], 'error FW-ISTIO-019 spec.ports[0].protocol');
  });

  it('has rules for all of its hosts together', () => {
    const vs = (hosts: string): unknown =>
      istioObject(
        'VirtualService',
        'v',
        `{hosts: [${hosts}], http: [{timeout: 1s, route: [{destination: {host: api.example.com, port: {number: 443}}}]}]}`,
      );
    const dr = istioObject(
      'DestinationRule',
      'd',
      '{host: api.example.com, trafficPolicy: {loadBalancer: {simple: RANDOM}}}',
    );
    const one = convert(vs('api.example.com'), dr, entry('hosts: [api.example.com], resolution: DNS'));
    assert.deepEqual(codes(one), []);
    assert.deepEqual(specOf(one), {
      service: 'pay',
      routes: [{ takes: 'requests', backends: [{ port: 443 }], timeouts: { request: '1s' } }],
      loadBalancing: { policy: 'random' },
    });
    const two = convert(vs('api.example.com'), entry('hosts: [api.example.com, b.example.com], resolution: DNS'));
    assert.equal(two.objects.length, 1);
    assert.deepEqual(codes(two), ['error FW-ISTIO-006 spec.hosts[0]']);
    const both = convert(
      vs('api.example.com, b.example.com'),
      entry('hosts: [api.example.com, b.example.com], resolution: DNS'),
    );
    assert.equal(both.objects.length, 2);
    assert.deepEqual(codes(both), []);
  });

  it('is refused for a host that another has, with the object that has it', () => {
    const second = entry('hosts: [api.example.com, b.example.com], resolution: DNS', 'more');
    const conversion = convert(second, entry('hosts: [API.example.com], resolution: DNS', 'more-still'));
    assert.equal(conversion.objects.length, 1);
    assert.deepEqual(codes(conversion), ['error FW-ISTIO-019 spec.hosts']);
    assert.match(conversion.findings[0]?.message ?? '', /api\.example\.com is a host of ServiceEntry shop\/more too/);
    assert.deepEqual(
      conversion.outcomes.map(({ outcome }) => outcome),
      ['whole', 'refused'],
    );
    const apart = convert(second, entry('hosts: [c.example.com], resolution: DNS', 'other'));
    assert.deepEqual(codes(apart), []);
  });
});
