import assert from 'node:assert/strict';
import { type ClusterObject, type ClusterObjectKind } from '../../../src/registry/cluster-objects.ts';
import { type DeriveSettings, defaultVersionLabels, localityOf } from '../../../src/registry/derive.ts';
import { indexOf } from '../../../src/registry/derive-index.ts';
import { readClusterObject } from '../../../src/registry/derive-objects.ts';
import { endpointAddress } from '../../../src/registry/endpoint-address.ts';

const settings: DeriveSettings = {
  cluster: 'east',
  network: 'net-east',
  locality: { region: 'r0', zone: 'z0', subzone: '' },
  versionLabels: defaultVersionLabels,
  allowLoopback: false,
};

function read(kind: ClusterObjectKind, raw: unknown): ClusterObject {
  const object = readClusterObject(kind, raw);
  if (object.kind === 'Unreadable') throw new Error(object.reason);
  return object;
}

const service = (spec: object = {}, metadata: object = {}): ClusterObject =>
  read('Service', {
    metadata: { namespace: 'shop', name: 'reviews', creationTimestamp: '2026-01-02T03:04:05Z', ...metadata },
    spec: {
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  });

const slice = (name: string, endpoints: readonly object[], more: object = {}, labels: object = {}): ClusterObject =>
  read('EndpointSlice', {
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': 'reviews', ...labels } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints,
    ...more,
  });

const pod = (name: string, labels: object, spec: object = {}, metadata: object = {}): ClusterObject =>
  read('Pod', {
    metadata: { namespace: 'shop', name, uid: `uid-${name}`, labels, ...metadata },
    spec: { serviceAccountName: 'reviewer', ...spec },
  });

const node = (name: string, labels: object): ClusterObject => read('Node', { metadata: { name, labels } });

function derive(...objects: ClusterObject[]) {
  const index = indexOf(objects, settings);
  const shard = index.snapshot().services.get('shop/reviews');
  return { shard, endpoints: shard?.endpoints ?? [], skips: index.skips() };
}

describe('registry: derive services from Kubernetes objects', () => {
  it('joins slice, pod and node', () => {
    const { shard, skips } = derive(
      service(),
      slice('a', [
        { addresses: ['10.1.0.2'], targetRef: { kind: 'Pod', name: 'p1', uid: 'uid-p1' }, nodeName: 'n1', zone: 'z9' },
      ]),
      pod('p1', { version: 'v1', app: 'reviews', 'topology.istio.io/network': 'other' }, { nodeName: 'n1' }),
      node('n1', {
        'topology.kubernetes.io/region': 'r1',
        'topology.kubernetes.io/zone': 'z1',
        'topology.istio.io/subzone': 's1',
      }),
    );
    assert.deepEqual(shard, {
      cluster: 'east',
      namespace: 'shop',
      name: 'reviews',
      createdAtMs: Date.parse('2026-01-02T03:04:05Z'),
      headless: false,
      vips: ['10.0.0.1'],
      ports: [{ name: 'http', port: 80, transport: 'TCP', protocol: 'http' }],
      endpoints: [
        {
          address: '10.1.0.2',
          ports: new Map([['http', 8080]]),
          cluster: 'east',
          network: 'other',
          locality: { region: 'r1', zone: 'z9', subzone: 's1' },
          version: 'v1',
          labels: { version: 'v1', app: 'reviews', 'topology.istio.io/network': 'other' },
          ready: true,
          serving: true,
          terminating: false,
          serviceAccount: 'reviewer',
          workload: 'p1',
          node: 'n1',
          hostname: '',
        },
      ],
    });
    assert.equal(skips.size, 0);
  });

  it('fills in conditions as the API defines them', () => {
    const conditions = [
      {},
      { ready: false },
      { ready: false, serving: true, terminating: true },
      { ready: null, serving: null, terminating: null },
      { ready: true, serving: false },
    ];
    const { endpoints } = derive(
      service(),
      slice(
        'a',
        conditions.map((given, index) => ({ addresses: [`10.1.0.${index + 1}`], conditions: given })),
      ),
    );
    assert.deepEqual(
      endpoints.map(({ ready, serving, terminating }) => [ready, serving, terminating]),
      [
        [true, true, false],
        [false, false, false],
        [false, true, true],
        [true, true, false],
        [true, false, false],
      ],
    );
  });

  it('an endpoint without a pod stands with the cluster’s network and locality', () => {
    const { endpoints } = derive(service(), slice('a', [{ addresses: ['10.1.0.2'] }]));
    assert.equal(endpoints[0]?.network, 'net-east');
    assert.deepEqual(endpoints[0]?.locality, settings.locality);
    assert.equal(endpoints[0]?.version, '');
    assert.equal(endpoints[0]?.workload, '');
  });

  it('takes app.kubernetes.io/version where there is no version label', () => {
    const target = { kind: 'Pod', name: 'p1' };
    const { endpoints } = derive(
      service(),
      slice('a', [{ addresses: ['10.1.0.2'], targetRef: target }]),
      pod('p1', { 'app.kubernetes.io/version': '1.2' }),
    );
    assert.equal(endpoints[0]?.version, '1.2');
  });

  it('a pod replaced under the same name is not the one that the slice means', () => {
    const { endpoints } = derive(
      service(),
      slice('a', [{ addresses: ['10.1.0.2'], targetRef: { kind: 'Pod', name: 'p1', uid: 'uid-old' } }]),
      pod('p1', { version: 'v2' }),
    );
    assert.equal(endpoints[0]?.version, '');
  });

  it('publishNotReadyAddresses makes endpoints ready', () => {
    const { endpoints } = derive(
      service({ publishNotReadyAddresses: true, clusterIP: 'None', clusterIPs: ['None'] }),
      slice('a', [{ addresses: ['10.1.0.2'], conditions: { ready: false }, hostname: 'db-0' }]),
    );
    assert.equal(endpoints[0]?.ready, true);
    assert.equal(endpoints[0]?.serving, false);
    assert.equal(endpoints[0]?.hostname, 'db-0');
  });

  it('reads how near a service wants its traffic', () => {
    const said = (spec: object) => {
      const { shard } = derive(service(spec));
      return [shard?.internalTrafficPolicy, shard?.trafficDistribution];
    };
    assert.deepEqual(said({}), [undefined, undefined]);
    assert.deepEqual(said({ internalTrafficPolicy: 'Cluster' }), [undefined, undefined]);
    assert.deepEqual(said({ internalTrafficPolicy: 'Local' }), ['Local', undefined]);
    assert.deepEqual(said({ trafficDistribution: 'PreferClose' }), [undefined, 'PreferSameZone']);
    assert.deepEqual(said({ trafficDistribution: 'PreferSameZone' }), [undefined, 'PreferSameZone']);
    assert.deepEqual(said({ trafficDistribution: 'PreferSameNode' }), [undefined, 'PreferSameNode']);
    assert.deepEqual(said({ trafficDistribution: 'example.com/own' }), [undefined, undefined]);
  });

  it('knows headless services', () => {
    const { shard } = derive(service({ clusterIP: 'None', clusterIPs: ['None'] }));
    assert.equal(shard?.headless, true);
    assert.deepEqual(shard?.vips, []);
  });

  it('reads ExternalName as an alias, if it is a name that can be looked up', () => {
    const spec = { type: 'ExternalName', clusterIP: undefined, clusterIPs: undefined };
    const { shard } = derive(
      service({ ...spec, externalName: 'Pay.Example.com.', ports: [{ name: 'http', port: 80 }] }),
    );
    assert.equal(shard?.externalName, 'pay.example.com');
    assert.deepEqual([shard?.vips, shard?.endpoints, shard?.headless], [[], [], false]);
    assert.deepEqual(
      derive(service({ ...spec, externalName: 'pay.example.com', ports: [] })).shard?.ports,
      [],
      'without ports, so that somebody can say so',
    );
    for (const externalName of ['192.0.2.1', 'a b']) {
      const refused = derive(service({ ...spec, externalName }));
      assert.equal(refused.shard, undefined, externalName);
      assert.equal(refused.skips.get('external-name')?.count, 1);
    }
  });

  it('skips and counts ExternalName, FQDN and imported slices, and foreign claims', () => {
    const external = derive(service({ type: 'ExternalName' }));
    assert.equal(external.shard, undefined);
    assert.deepEqual(external.skips.get('external-name'), { count: 1, example: 'Service shop/reviews' });
    const foreign = derive(service({}, { annotations: { 'topology.istio.io/cluster': 'west' } }));
    assert.equal(foreign.shard, undefined);
    assert.equal(foreign.skips.get('foreign-claim')?.count, 1);
    const own = derive(service({}, { labels: { 'topology.istio.io/cluster': 'east' } }));
    assert.notEqual(own.shard, undefined);
    const slices = derive(
      service(),
      slice('fqdn', [{ addresses: ['a.example'] }, { addresses: ['b.example'] }], { addressType: 'FQDN' }),
      slice('imported', [{ addresses: ['10.9.0.1'] }], {}, { 'multicluster.kubernetes.io/source-cluster': 'west' }),
      slice('foreign', [{ addresses: ['10.9.0.2'] }], {}, { 'topology.istio.io/cluster': 'west' }),
    );
    assert.deepEqual(slices.endpoints, []);
    assert.deepEqual([...slices.skips].map(([reason, { count }]) => [reason, count]).toSorted(), [
      ['foreign-claim', 1],
      ['fqdn-slice', 2],
      ['imported-slice', 1],
    ]);
  });

  it('a pod’s claim of another cluster is dropped, the pod is not', () => {
    const { endpoints, skips } = derive(
      service(),
      slice('a', [{ addresses: ['10.1.0.2'], targetRef: { kind: 'Pod', name: 'p1' } }]),
      pod('p1', { version: 'v1', 'topology.istio.io/cluster': 'west' }),
    );
    assert.equal(endpoints[0]?.cluster, 'east');
    assert.deepEqual(endpoints[0]?.labels, { version: 'v1' });
    assert.equal(skips.get('foreign-claim')?.count, 1);
  });

  it('an address in two slices is kept once, the ready one', () => {
    const { endpoints, skips } = derive(
      service(),
      slice('a', [{ addresses: ['10.1.0.2'], conditions: { ready: false }, zone: 'first' }]),
      slice('b', [{ addresses: ['10.1.0.2'], conditions: { ready: true }, zone: 'second' }]),
    );
    assert.equal(endpoints.length, 1);
    assert.equal(endpoints[0]?.ready, true);
    assert.equal(endpoints[0]?.locality.zone, 'second');
    assert.equal(skips.get('duplicate-endpoint')?.count, 1);
  });

  it('an address with other ports in another slice keeps both, without repeating a port', () => {
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'admin', port: 9090 },
    ];
    const { endpoints } = derive(
      service(),
      slice('a', [{ addresses: ['10.1.0.2'] }]),
      slice('b', [{ addresses: ['10.1.0.2'] }], { ports }),
    );
    assert.deepEqual(
      endpoints.map((endpoint) => [...endpoint.ports.keys()]),
      [['admin'], ['http']],
    );
  });

  it('a dual-stack pod counts once, by the service’s first family', () => {
    const target = { kind: 'Pod', name: 'p1' };
    const objects = [
      slice('four', [{ addresses: ['10.1.0.2'], targetRef: target }]),
      slice('six', [{ addresses: ['fd00:0::2'], targetRef: target }], { addressType: 'IPv6' }),
    ];
    const four = derive(service({ ipFamilies: ['IPv4', 'IPv6'] }), ...objects);
    assert.deepEqual(
      four.endpoints.map(({ address }) => address),
      ['10.1.0.2'],
    );
    assert.equal(four.skips.get('other-family')?.count, 1);
    const six = derive(service({ ipFamilies: ['IPv6', 'IPv4'] }), ...objects);
    assert.deepEqual(
      six.endpoints.map(({ address }) => address),
      ['fd00::2'],
    );
    const only = derive(service({ ipFamilies: ['IPv6'] }), ...objects.slice(1));
    assert.deepEqual(
      only.endpoints.map(({ address }) => address),
      ['fd00::2'],
    );
  });

  it('refuses addresses that no endpoint may have', () => {
    for (const bad of [
      '0.0.0.0',
      '127.0.0.1',
      '169.254.169.254',
      '224.0.0.1',
      '255.255.255.255',
      '10.0.0',
      'x',
      '',
      'fd00::1',
    ]) {
      assert.equal(endpointAddress(bad, 'IPv4', false), undefined, bad);
    }
    for (const bad of [
      '::',
      '::1',
      'fe80::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      'fd00::1%eth0',
      '10.0.0.1',
    ]) {
      assert.equal(endpointAddress(bad, 'IPv6', false), undefined, bad);
    }
    assert.equal(endpointAddress('127.0.0.1', 'IPv4', true), '127.0.0.1');
    assert.equal(endpointAddress('::1', 'IPv6', true), '::1');
    assert.equal(endpointAddress('FD00:0:0::00A1', 'IPv6', false), 'fd00::a1');
    const { endpoints, skips } = derive(
      service(),
      slice('a', [{ addresses: ['127.0.0.1'] }, { addresses: [] }, {}, null as never]),
    );
    assert.deepEqual(endpoints, []);
    assert.equal(skips.get('bad-address')?.count, 4);
  });

  it('fills a missing region from the cluster, and nothing else', () => {
    const cluster = { region: 'r0', zone: 'z0', subzone: 's0' };
    assert.deepEqual(localityOf('', undefined, cluster), cluster);
    assert.deepEqual(localityOf('z1', undefined, cluster), { region: 'r0', zone: 'z1', subzone: '' });
    const named = read('Node', { metadata: { name: 'n', labels: { 'topology.kubernetes.io/region': 'r1' } } });
    assert.ok(named.kind === 'Node');
    assert.deepEqual(localityOf('', named, cluster), { region: 'r1', zone: '', subzone: '' });
  });

  it('objects that are nonsense are unreadable, not fatal', () => {
    const nonsense = [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { metadata: null },
      { metadata: { name: 7 } },
      { metadata: { name: '../x', namespace: 'a' } },
    ];
    for (const kind of ['Service', 'EndpointSlice', 'Pod', 'Node', 'Namespace'] as const) {
      for (const raw of nonsense) assert.equal(readClusterObject(kind, raw).kind, 'Unreadable');
    }
    const badPort = { metadata: { namespace: 'a', name: 'b' }, spec: { ports: [{ port: 70000 }] } };
    assert.deepEqual(readClusterObject('Service', badPort), {
      kind: 'Unreadable',
      reason: 'spec.ports[0].port: not a port number',
    });
  });

  it('labels named like Object’s own members are plain data', () => {
    const labels = JSON.parse('{"__proto__": "x", "constructor": "y", "version": "v1"}') as object;
    const object = pod('p1', labels);
    assert.ok(object.kind === 'Pod');
    assert.deepEqual(Object.keys(object.labels).toSorted(), ['__proto__', 'constructor', 'version']);
    assert.equal(Object.getPrototypeOf(object.labels), Object.prototype);
  });
});
