import assert from 'node:assert/strict';
import { FairwayError } from '../../../../src/core/errors.ts';
import { parseNode } from '../../../../src/pilot/proxies/node.ts';
import type { XdsNode } from '../../../../src/xds/view.ts';

const node = (id: string, metadata: Record<string, unknown> = {}): XdsNode => ({
  id,
  cluster: 'reviews.shop',
  metadata: { CLUSTER_ID: 'east', ...metadata },
  locality: { region: '', zone: '', subZone: '' },
  userAgentName: 'envoy',
  userAgentVersion: '1.40.0',
  clientFeatures: [],
});

const id = 'sidecar~10.1.2.3~reviews-v1-abc.shop~shop.svc.cluster.local';

describe("a proxy's node", () => {
  it('is read as Istio’s agents write it', () => {
    const { identity, settings } = parseNode(
      node(id, { SERVICE_ACCOUNT: 'reviews', LABELS: { app: 'reviews', n: 1 } }),
    );
    assert.deepEqual(identity, {
      nodeId: id,
      kind: 'sidecar',
      addresses: ['10.1.2.3'],
      workload: 'reviews-v1-abc',
      namespace: 'shop',
      cluster: 'east',
      network: '',
      labels: { app: 'reviews' },
      serviceAccount: 'reviews',
      envoyVersion: '1.40.0',
    });
    assert.equal(settings.mode, 'captured');
    assert.equal(settings.inbound, undefined);
  });

  it('may name no cluster', () => {
    assert.equal(parseNode(node(id, { CLUSTER_ID: undefined })).identity.cluster, '');
  });

  it('takes all addresses that INSTANCE_IPS names, and leaves out what is none', () => {
    assert.deepEqual(parseNode(node(id, { INSTANCE_IPS: '10.1.2.3, fd00::1,x' })).identity.addresses, [
      '10.1.2.3',
      'fd00::1',
    ]);
  });

  it('reads the settings of the explicit mode', () => {
    const { settings } = parseNode(
      node(id, {
        FAIRWAY_MODE: 'explicit',
        FAIRWAY_OUTBOUND: '127.0.0.1:15009',
        FAIRWAY_INBOUND: '18080:9080:grpc,9090:tcp,7000',
      }),
    );
    assert.deepEqual(settings, {
      mode: 'explicit',
      outbound: { address: '127.0.0.1', port: 15009 },
      inboundAddress: '0.0.0.0',
      routes: 'tables',
      inbound: [
        { port: 7000, targetPort: 7000, protocol: 'http' },
        { port: 9090, targetPort: 9090, protocol: 'tcp' },
        { port: 18080, targetPort: 9080, protocol: 'grpc' },
      ],
    });
  });

  it('says in which form it takes routes, and how much it wants to hold', () => {
    const { settings } = parseNode(node(id, { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'on-demand' }));
    assert.deepEqual([settings.routes, settings.config], ['vhds', 'on-demand']);
    assert.equal(parseNode(node(id)).settings.routes, 'tables');
  });

  it('keeps a bounded part of what is only shown', () => {
    const many = Array.from({ length: 500 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).join();
    const { identity } = parseNode(
      node(id, { NAME: 'x'.repeat(9999), INSTANCE_IPS: many, LABELS: { ['k'.repeat(9999)]: 'v' } }),
    );
    assert.equal(identity.workload.length, 1024);
    assert.equal(identity.addresses.length, 64);
    assert.deepEqual(Object.keys(identity.labels), ['k'.repeat(1024)]);
  });

  const refused: readonly [string, XdsNode, string][] = [
    ['an empty id', node(''), 'FW-NODE-001'],
    ['an id with too few parts', node('sidecar~10.1.2.3'), 'FW-NODE-001'],
    ['an id with too many parts', node(`${id}~more`), 'FW-NODE-001'],
    ['an id without an address', node('sidecar~here~a.shop~shop.svc.cluster.local'), 'FW-NODE-001'],
    ['an unknown kind', node('waypoint~10.1.2.3~a.shop~shop.svc.cluster.local'), 'FW-NODE-001'],
    ['an endless id', node(`sidecar~10.1.2.3~${'a'.repeat(5000)}.shop~shop.svc.cluster.local`), 'FW-NODE-001'],
    ['a cluster that is no name', node(id, { CLUSTER_ID: 'a.b' }), 'FW-NODE-002'],
    ['an unknown mode', node(id, { FAIRWAY_MODE: 'magic' }), 'FW-NODE-003'],
    ['an unknown form of routes', node(id, { FAIRWAY_ROUTES: 'rds' }), 'FW-NODE-003'],
    ['an unknown measure of configuration', node(id, { FAIRWAY_CONFIG: 'lazy' }), 'FW-NODE-003'],
    ['an inbound port out of range', node(id, { FAIRWAY_INBOUND: '70000:9080' }), 'FW-NODE-004'],
    ['an inbound protocol that is none', node(id, { FAIRWAY_INBOUND: '18080:9080:smtp' }), 'FW-NODE-004'],
    ['an inbound port twice', node(id, { FAIRWAY_INBOUND: '9080,9080:9081' }), 'FW-NODE-004'],
    [
      'no end of inbound ports',
      node(id, { FAIRWAY_INBOUND: Array.from({ length: 300 }, (_, i) => i + 1).join() }),
      'FW-NODE-004',
    ],
    ['an inbound address that is none', node(id, { FAIRWAY_INBOUND_ADDRESS: 'everywhere' }), 'FW-NODE-004'],
    ['an outbound address that is none', node(id, { FAIRWAY_OUTBOUND: 'localhost:15001' }), 'FW-NODE-004'],
  ];
  for (const [what, bad, code] of refused) {
    it(`is refused with ${what} (${code})`, () => {
      assert.throws(
        () => parseNode(bad),
        (error) =>
          error instanceof FairwayError && error.code === code && error.hint !== '' && error.message.length < 400,
      );
    });
  }
});
