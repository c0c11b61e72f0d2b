/**
 * Which view a stream gets, and when it gets another: ports follow the workload's services, streams of one node are one proxy, and what comes
 * back finds what it left.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { port } from '../support/fixtures.ts';
import { decode, type EnvoyLike, endpointOf, outbound, PilotRig } from '../support/pilot.ts';

const captured = { FAIRWAY_MODE: 'captured' };

/** The ports of the filter chains of `virtualInbound` that lead to the workload. */
function inboundPorts(envoy: EnvoyLike): number[] {
  const listener = envoy.get(typeUrl.listener, 'virtualInbound') as
    | { filter_chains?: { filter_chain_match?: { destination_port?: number } }[] }
    | undefined;
  return (listener?.filter_chains ?? [])
    .map(({ filter_chain_match: match }) => match?.destination_port ?? 0)
    .filter((number) => number !== 15_006);
}

describe('pilot: what a proxy sees', () => {
  let rig: PilotRig;

  beforeEach(async () => {
    rig = await PilotRig.start();
  });

  afterEach(() => rig.stop());

  for (const transport of ['delta', 'sotw'] as const) {
    it(`a captured workload's ports follow its services (${transport})`, async () => {
      rig.service('east', 'ratings', ['10.0.7.7@v1']);
      rig.service('east', 'reviews', ['10.0.0.2@v1']);
      const envoy = rig.openEnvoy({ transport, address: '10.0.0.1', name: 'reviews-1', metadata: captured });
      await rig.until(() => envoy.names(typeUrl.listener).includes('virtualInbound'));
      assert.deepEqual(inboundPorts(envoy), []);

      rig
        .cluster('east')
        .putEndpoints('shop', 'reviews', [endpointOf('east', '10.0.0.1@v1'), endpointOf('east', '10.0.0.2@v1')]);
      await rig.until(() => inboundPorts(envoy).join() === '8080', 'the port of a service that now has the workload');

      rig.service('east', 'admin', ['10.0.0.1@v1'], { ports: [port(90, 'tcp', 'tcp')] });
      rig
        .cluster('east')
        .putEndpoints('shop', 'admin', [{ ...endpointOf('east', '10.0.0.1'), ports: new Map([['tcp', 9999]]) }]);
      await rig.until(() => inboundPorts(envoy).join() === '8080,9999', 'the port of a second service');

      // Another cluster's endpoint of the same address is another workload.
      rig.service('west', 'other', ['10.0.0.1@v1'], { ports: [port(70)] });
      rig
        .cluster('west')
        .putEndpoints('shop', 'other', [{ ...endpointOf('west', '10.0.0.1'), ports: new Map([['http', 7070]]) }]);
      rig.cluster('east').removeService('shop', 'admin');
      await rig.until(() => inboundPorts(envoy).join() === '8080', 'the second service to go');

      rig.cluster('east').putEndpoints('shop', 'reviews', [endpointOf('east', '10.0.0.2@v1')]);
      await rig.until(() => inboundPorts(envoy).length === 0, 'the port to go');
      await rig.quiet();
      assert.ok(envoy.names(typeUrl.cluster).includes(outbound('ratings')));
    });
  }

  it('streams of one node are one proxy, each with its own type', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    const cds = rig.open({ onlyType: typeUrl.cluster });
    const eds = rig.open({ onlyType: typeUrl.endpoint });
    const lds = rig.open({ onlyType: typeUrl.listener });
    const rds = rig.open({ onlyType: typeUrl.route, transport: 'sotw' });
    cds.subscribe(typeUrl.cluster);
    eds.subscribe(typeUrl.endpoint, [outbound('reviews'), outbound('reviews', 'v1')]);
    lds.subscribe(typeUrl.listener);
    rds.subscribe(typeUrl.route, ['http_proxy']);
    await cds.untilHolds((held) => held(typeUrl.cluster).has(outbound('reviews')));
    await eds.untilHolds((held) => held(typeUrl.endpoint).has(outbound('reviews')));
    await lds.untilHolds((held) => held(typeUrl.listener).has('http_proxy'));
    await rds.untilHolds((held) => held(typeUrl.route).has('http_proxy'));
    assert.equal(rig.engine.proxies.size, 1);

    rig.rule('{service: reviews, routes: [{backends: [{version: v1}]}]}');
    await cds.untilHolds((held) => held(typeUrl.cluster).has(outbound('reviews', 'v1')));
    await eds.untilHolds((held) => held(typeUrl.endpoint).has(outbound('reviews', 'v1')));
    await rig.until(() => rig.condition('Programmed').message === '1 of 1 proxies acknowledged');
    rds.close();
    await rig.until(() => [...rig.xds.streams()].length === 3);
    assert.equal(rig.engine.proxies.size, 1);
    for (const client of [cds, eds, lds]) client.close();
    await rig.until(() => rig.engine.proxies.size === 0);
  });

  it('a refusal on one of its streams sets the rule aside on all', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@bad']);
    const cds = rig.open({ onlyType: typeUrl.cluster });
    const rds = rig.open({ onlyType: typeUrl.route, autoAck: false });
    cds.subscribe(typeUrl.cluster);
    rds.subscribe(typeUrl.route, ['http_proxy']);
    rds.ack(await rds.next());
    rig.rule('{service: reviews, routes: [{backends: [{version: bad}]}]}');
    rds.nack(await rds.next(), 'no such thing');
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
    await cds.untilHolds((held) => !held(typeUrl.cluster).has(outbound('reviews', 'bad')));
  });

  it('one node id with two settings is two proxies, each with what it asked for', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    const one = rig.openEnvoy({ metadata: { FAIRWAY_OUTBOUND: '127.0.0.1:15001' } });
    const two = rig.openEnvoy({ metadata: { FAIRWAY_OUTBOUND: '127.0.0.1:16001' } });
    await rig.until(() => one.names(typeUrl.listener).length > 0 && two.names(typeUrl.listener).length > 0);
    const portOf = (envoy: EnvoyLike): unknown =>
      JSON.stringify(envoy.get(typeUrl.listener, 'http_proxy')).match(/"port_value":(\d+)/)?.[1];
    assert.deepEqual([portOf(one), portOf(two)], ['15001', '16001']);
  });

  it('who reconnects is served from the same view, and is not sent what it holds', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews').length > 0);
    await rig.quiet();
    const [view] = rig.engine.views();
    const versions = Object.fromEntries(
      [...envoy.client.held(typeUrl.cluster)].map(([name, { version }]) => [name, version]),
    );
    envoy.client.close();
    await rig.until(() => rig.engine.proxies.size === 0);

    rig.service('east', 'ratings', ['10.0.1.1@v1']);
    const again = rig.open();
    again.send(typeUrl.cluster, { initial_resource_versions: versions });
    await again.untilHolds((held) => held(typeUrl.cluster).has(outbound('ratings')));
    assert.deepEqual(
      again.responses[0]?.resources.map(({ name }) => name),
      [outbound('ratings')],
    );
    assert.deepEqual([...rig.engine.views()], [view]);
  });

  it('proxies that see the same get the very same bytes', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    const [a, b] = [
      rig.openEnvoy({ name: 'a', address: '10.9.0.1' }),
      rig.openEnvoy({ name: 'b', address: '10.9.0.2' }),
    ];
    await rig.until(() => [a, b].every((envoy) => envoy.routes('reviews').length > 0));
    assert.equal([...rig.engine.views()].length, 1);
    for (const url of [typeUrl.cluster, typeUrl.listener, typeUrl.route]) {
      assert.deepEqual([...a.client.held(url)], [...b.client.held(url)]);
      for (const resource of a.client.held(url).values()) decode(url, resource);
    }
  });

  it('views without a proxy are bounded in number, cost nothing, and are brought up to date for whoever comes back', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    for (let i = 0; i < 50; i++) {
      const client = rig.open({ metadata: { FAIRWAY_OUTBOUND: `127.0.0.1:${20_000 + i}` } });
      client.subscribe(typeUrl.cluster);
      await client.next();
      client.close();
    }
    await rig.until(() => rig.engine.proxies.size === 0);
    const views = [...rig.engine.views()];
    assert.ok(views.length > 0 && views.length <= 32, `${views.length} views`);
    rig.service('east', 'ratings', ['10.0.1.1@v1']);
    rig.engine.flush();
    assert.ok(views.every((view) => !view.resources(typeUrl.cluster).has(outbound('ratings'))));
    const back = rig.open({ metadata: { FAIRWAY_OUTBOUND: '127.0.0.1:20049' } });
    back.subscribe(typeUrl.cluster);
    const { resources } = await back.next();
    assert.deepEqual(
      resources
        .map(({ name }) => name)
        .filter((name) => name.startsWith('outbound|'))
        .sort(),
      [outbound('ratings'), outbound('reviews')],
    );
    assert.ok(views.includes([...rig.engine.proxies.all()][0]?.view as (typeof views)[number]));
  });
});

describe('pilot: who is refused', () => {
  let rig: PilotRig;

  beforeEach(async () => {
    rig = await PilotRig.start({ limits: { maxRequestBytes: 64 * 1024 } });
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
  });

  afterEach(() => rig.stop());

  const bad: readonly (readonly [string, string, Parameters<PilotRig['open']>[0]])[] = [
    ['a stream without a node', 'FW-XDS-', { node: null }],
    ['an empty node', 'FW-NODE-001', { node: {} }],
    ['an id of another form', 'FW-NODE-001', { node: { id: 'envoy-1', cluster: 'x' } }],
    ['an id without an address', 'FW-NODE-001', { node: { id: 'sidecar~nowhere~a.shop~shop.svc.cluster.local' } }],
    [
      'an id of a kind that is not served',
      'FW-NODE-001',
      { node: { id: 'ztunnel~10.0.0.1~a.shop~shop.svc.cluster.local' } },
    ],
    ['an id that is too long', 'FW-NODE-001', { name: 'x'.repeat(2000) }],
    ['a cluster that cannot be', 'FW-NODE-002', { cluster: 'a.b|c' }],
    ['an unknown mode', 'FW-NODE-003', { metadata: { FAIRWAY_MODE: 'magic' } }],
    ['an inbound port that is none', 'FW-NODE-004', { metadata: { FAIRWAY_INBOUND: '99999:http' } }],
    ['an inbound port twice', 'FW-NODE-004', { metadata: { FAIRWAY_INBOUND: '9080:http,9080:9081:http' } }],
    [
      'more inbound ports than a workload has',
      'FW-NODE-004',
      { metadata: { FAIRWAY_INBOUND: Array.from({ length: 5000 }, (_, i) => i + 1).join() } },
    ],
    ['an outbound address that is none', 'FW-NODE-004', { metadata: { FAIRWAY_OUTBOUND: 'localhost:1' } }],
    ['an inbound address that is none', 'FW-NODE-004', { metadata: { FAIRWAY_INBOUND_ADDRESS: 'everywhere' } }],
  ];
  for (const transport of ['delta', 'sotw'] as const) {
    for (const [what, code, options] of bad) {
      it(`${what} (${transport})`, async () => {
        const good = rig.openEnvoy({ name: 'good', address: '10.9.9.9' });
        const client = rig.open({ transport, ...options });
        client.subscribe(typeUrl.cluster);
        const { code: status, details } = await client.ended;
        assert.equal(status, 3, details);
        assert.ok(details.includes(code), details);
        assert.ok(details.includes(' — '), `no hint: ${details}`);
        assert.equal(client.responses.length, 0);
        await rig.until(() => good.routes('reviews').length > 0);
        assert.equal(rig.engine.proxies.size, 1);
      });
    }
  }

  it('an oversized message, and nobody else on the pilot', async () => {
    const good = rig.openEnvoy({ name: 'good', address: '10.9.9.9' });
    await rig.until(() => good.routes('reviews').length > 0);
    const client = rig.open({ metadata: { NAME: 'x'.repeat(100 * 1024) } });
    client.subscribe(typeUrl.cluster);
    const { code } = await client.ended;
    assert.equal(code, 8);
    rig.service('east', 'ratings', ['10.0.1.1@v1']);
    await rig.until(() => good.routes('ratings').length > 0);
    const next = rig.openEnvoy({ name: 'next', address: '10.9.9.8' });
    await rig.until(() => next.routes('ratings').length > 0);
  });

  it('bytes that are no request', async () => {
    const client = rig.open();
    client.sendBytes(Buffer.from([0xff, 0xff, 0xff]));
    const { code, details } = await client.ended;
    assert.equal(code, 3, details);
    assert.match(details, /FW-XDS-\d+/);
  });
});
