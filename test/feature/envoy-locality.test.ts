/** Who asks and where it goes, in real Envoys: sources, nearness, spill-over, shares by place, and places that traffic must not leave. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Endpoint, ServiceShard } from '../../src/model/service.ts';
import { endpoint, port } from '../support/fixtures.ts';
import { assertShare, shareRequests } from '../support/share.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type Fleet, startFleet } from './envoy-fleet.ts';
import { startHttpWorkload, startTcpWorkload, type Workload } from './envoy-rig.ts';

interface Upstream {
  readonly cluster: 'east' | 'west';
  readonly at: string;
  readonly version?: string;
  readonly node?: string;
  readonly ready?: boolean;
}

describe('real Envoys in several places', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  const workloads = new Map<string, Workload>();

  before(async function () {
    const started = await startFleet([
      { name: 'web', cluster: 'east', labels: { app: 'web', tier: 'front' }, at: 'eu/eu-a', address: '10.1.0.1' },
      { name: 'job', cluster: 'west', labels: { app: 'job' }, at: 'us/us-a', address: '10.2.0.1' },
      { name: 'other', cluster: 'east', namespace: 'other', address: '10.1.0.2' },
    ]);
    if (started === undefined) return skip(this, noEnvoy);
    fleet = started;
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'u1', 'u2']) {
      workloads.set(name, await startHttpWorkload(name));
    }
    for (const name of ['t1', 't2']) workloads.set(name, await startTcpWorkload(name));
  });

  after(async () => {
    await fleet?.stop();
    for (const workload of workloads.values()) await workload.stop();
  });

  afterEach(() => fleet?.pilot.deleteRule());

  /** The service shop/reviews on port 80. */
  function reviews(upstreams: Readonly<Record<string, Upstream>>, fields: Partial<ServiceShard> = {}): void {
    for (const cluster of ['east', 'west'] as const) {
      const endpoints = Object.entries(upstreams)
        .filter(([, upstream]) => upstream.cluster === cluster)
        .map(([name, upstream]) => endpointOf(name, upstream));
      fleet.pilot.service(cluster, 'reviews', [], { endpoints, ...fields });
    }
  }

  function endpointOf(name: string, { cluster, at, ready = true, version = 'v1', node = '' }: Upstream): Endpoint {
    const [region = '', zone = ''] = at.split('/');
    return endpoint(cluster, '127.0.0.1', {
      ports: new Map([['http', workloads.get(name)?.port ?? 0]]),
      locality: { region, zone, subzone: '' },
      version,
      workload: name,
      node,
      ready,
      serving: ready,
    });
  }

  /** How many answers each workload gave; what is no answer of a workload counts by its status. */
  async function count(client: string, times = shareRequests): Promise<Map<string, number>> {
    const member = fleet.member(client);
    const counts = new Map<string, number>();
    for (let round = 0; round < times / 20; round++) {
      for (const { status, said } of await Promise.all(
        Array.from({ length: 20 }, () => member.ask('reviews.shop', { kept: true })),
      )) {
        const who = status === 200 ? said.name : String(status);
        counts.set(who, (counts.get(who) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** The share of those whose names begin so. */
  function assertShares(counts: ReadonlyMap<string, number>, expected: Readonly<Record<string, number>>): void {
    const total = [...counts.values()].reduce((sum, each) => sum + each, 0);
    const said = JSON.stringify([...counts].sort());
    let known = 0;
    for (const [prefix, share] of Object.entries(expected)) {
      const got = [...counts].filter(([name]) => name.startsWith(prefix)).reduce((sum, [, each]) => sum + each, 0);
      assertShare(got, share, total, `${prefix} of ${said}`);
      known += got;
    }
    assert.equal(known, total, said);
  }

  const everywhere: Readonly<Record<string, Upstream>> = {
    a1: { cluster: 'east', at: 'eu/eu-a' },
    a2: { cluster: 'east', at: 'eu/eu-a' },
    b1: { cluster: 'east', at: 'eu/eu-b', version: 'v2' },
    u1: { cluster: 'west', at: 'us/us-a' },
    u2: { cluster: 'west', at: 'us/us-b', version: 'v2' },
  };
  const gone = (given: Readonly<Record<string, Upstream>>, ...names: readonly string[]): Record<string, Upstream> =>
    Object.fromEntries(Object.entries(given).map(([name, each]) => [name, { ...each, ready: !names.includes(name) }]));

  it('choose routes by who asks: cluster, namespace, labels', async () => {
    reviews(everywhere);
    fleet.pilot.rule(`{service: reviews, routes: [
      {name: west, matches: [{source: {cluster: west}}], backends: [{zone: us-a}]},
      {name: web, matches: [{source: {labels: {app: web, tier: front}}, method: GET}], backends: [{zone: eu-b}]},
      {name: other, matches: [{source: {namespace: other}}, {source: {labels: {app: web, tier: back}}}], backends: [{zone: us-b}]},
      {backends: [{zone: eu-a}]}]}`);
    await fleet.settled();
    assert.deepEqual([...(await count('job', 40))], [['u1', 40]]);
    assert.deepEqual([...(await count('web', 40))], [['b1', 40]]);
    assert.deepEqual([...(await count('other', 40))], [['u2', 40]]);
    const { said } = await fleet.member('web').ask('reviews.shop', { method: 'POST' });
    assert.match(said.name, /^a/);
    // Another form of the rule asks for other labels.
    fleet.pilot.rule(`{service: reviews, routes: [
      {matches: [{source: {labels: {app: job}}}], backends: [{zone: us-b}]}, {backends: [{zone: eu-b}]}]}`);
    await fleet.settled();
    assert.deepEqual([...(await count('job', 40))], [['u2', 40]]);
    assert.deepEqual([...(await count('web', 40))], [['b1', 40]]);
  });

  it('choose for plain connections by who asks, too', async () => {
    const of = (name: string, version: string): Endpoint =>
      endpoint('east', '127.0.0.1', { ports: new Map([['tcp', workloads.get(name)?.port ?? 0]]), version });
    fleet.pilot.service('east', 'redis', [], {
      ports: [port(6379, 'tcp')],
      endpoints: [of('t1', 'v1'), of('t2', 'v2')].sort((a, b) => (a.version < b.version ? -1 : 1)),
    });
    fleet.pilot.rule(
      `{service: redis, routes: [
        {matches: [{source: {labels: {app: web}}, method: GET}, {source: {cluster: west}}], backends: [{version: v2}]},
        {backends: [{version: v1}]}]}`,
      'redis',
    );
    await fleet.settled();
    const hello = (client: string): Promise<string> => tunnel(fleet.member(client).proxyPort, 'redis.shop:6379');
    assert.equal(await hello('job'), 't2');
    assert.equal(await hello('web'), 't1');
    fleet.pilot.deleteRule('redis');
  });

  it('stay in their zone, and spill over in proportion from the threshold on', async () => {
    const five: Record<string, Upstream> = {};
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) five[name] = { cluster: 'east', at: 'eu/eu-a' };
    const all: Record<string, Upstream> = {
      ...five,
      b1: { cluster: 'east', at: 'eu/eu-b' },
      u1: { cluster: 'west', at: 'us/us-a' },
    };
    reviews(all);
    fleet.pilot.rule('{service: reviews, locality: {prefer: [zone, region]}}');
    await fleet.settled();
    assertShares(await count('web'), { a: 1 });
    assertShares(await count('job', 200), { u: 1 });
    // 4 of 5 ready: 80 % × 1.4 is more than all.
    reviews(gone(all, 'a1'));
    await fleet.settled();
    assertShares(await count('web'), { a: 1 });
    // 2 of 5: 40 % × 1.4 = 56 % stay.
    reviews(gone(all, 'a1', 'a2', 'a3'));
    await fleet.settled();
    assertShares(await count('web'), { a: 0.56, b: 0.44 });
    fleet.pilot.rule('{service: reviews, locality: {prefer: [zone, region]}, spillover: 100}');
    await fleet.settled();
    assertShares(await count('web'), { a: 0.4, b: 0.6 });
    // None: the region, then the rest of the world.
    reviews(gone(all, 'a1', 'a2', 'a3', 'a4', 'a5'));
    await fleet.settled();
    assertShares(await count('web', 200), { b: 1 });
    reviews(gone(all, 'a1', 'a2', 'a3', 'a4', 'a5', 'b1'));
    await fleet.settled();
    assertShares(await count('web', 200), { u: 1 });
  });

  it('share out by place, each client by its own, and give a lost place’s share to the others', async () => {
    reviews(everywhere);
    fleet.pilot.rule(`{service: reviews, locality: {shares: [
      {from: {region: eu}, to: [{region: eu, weight: 75}, {zone: us-a, weight: 25}]},
      {from: {cluster: west}, to: [{cluster: west, weight: 1}]}]}}`);
    await fleet.settled();
    // Of eu's 75 %, two endpoints of three are in eu-a.
    assertShares(await count('web'), { a: 0.5, b: 0.25, u1: 0.25 });
    assertShares(await count('job'), { u1: 0.5, u2: 0.5 });
    // Nothing is said for clients whose place is not known.
    assertShares(await count('other'), { a: 0.4, b: 0.2, u: 0.4 });
    reviews(gone(everywhere, 'u1'));
    await fleet.settled();
    assertShares(await count('web'), { a: 2 / 3, b: 1 / 3 });
    // Where no place with a share is left, the others help.
    reviews(gone(everywhere, 'a1', 'a2', 'b1', 'u1'));
    await fleet.settled();
    assertShares(await count('web', 200), { u2: 1 });
  });

  it('never leave the place that traffic must stay in, and say why they answer 503', async () => {
    reviews(everywhere);
    fleet.pilot.rule(`{service: reviews, within: {region: eu}, locality: {prefer: [cluster]},
      routes: [{backends: [{version: v2, weight: 1, fallback: [{}]}, {weight: 1}], retry: {attempts: 3, on: [5xx]}}]}`);
    await fleet.settled();
    for (const client of ['web', 'job', 'other']) {
      const counts = await count(client, 400);
      assert.equal((counts.get('u1') ?? 0) + (counts.get('u2') ?? 0), 0);
      assert.equal(counts.get('503'), undefined);
    }
    reviews(gone(everywhere, 'a1', 'a2', 'b1'));
    await fleet.settled();
    assertShares(await count('web', 400), { 503: 1 });
    const { body } = await fleet.member('job').ask('reviews.shop');
    assert.match(body, /^fairway: no healthy endpoint of .*reviews\.shop.* must stay within region eu/);
    // Nobody else's message speaks of it.
    fleet.pilot.rule('{service: reviews, routes: [{backends: [{version: v9}]}]}');
    await fleet.settled();
    const other = await fleet.member('job').ask('reviews.shop');
    assert.equal(other.status, 503);
    assert.match(
      other.body,
      /^fairway: no healthy endpoint of outbound\|80\|v9\|reviews\.shop\.svc\.cluster\.local \(UH\)/,
    );
  });

  it('keep weights while the levels of each backend’s own chain are lost', async () => {
    reviews(everywhere);
    fleet.pilot.rule(`{service: reviews, routes: [{backends: [
      {version: v1, region: eu, weight: 70, fallback: [{version: v1}]},
      {version: v2, cluster: west, weight: 30, fallback: [{version: v2}, {}]}]}]}`);
    await fleet.settled();
    assertShares(await count('web'), { a: 0.7, u2: 0.3 });
    reviews(gone(everywhere, 'a1', 'a2'));
    await fleet.settled();
    assertShares(await count('web'), { u1: 0.7, u2: 0.3 });
    reviews(gone(everywhere, 'a1', 'a2', 'u2'));
    await fleet.settled();
    assertShares(await count('web'), { u1: 0.7, b1: 0.3 });
    // Half of a level is lost: 50 % × 1.4 of its 70 % stay.
    reviews(gone(everywhere, 'a1'));
    await fleet.settled();
    assertShares(await count('web'), { a2: 0.49, u1: 0.21, u2: 0.3 });
  });

  it('honour what Kubernetes’ own fields say', async () => {
    const nodes: Record<string, Upstream> = {
      a1: { cluster: 'east', at: 'eu/eu-a', node: 'n1' },
      b1: { cluster: 'east', at: 'eu/eu-b', node: 'n2' },
      u1: { cluster: 'west', at: 'us/us-a', node: 'n1' },
    };
    // What cluster east says of the clients' own workloads tells their nodes, and the zone of the one that says none.
    fleet.pilot.service('east', 'clients', [], {
      endpoints: [
        endpoint('east', '10.1.0.1', { node: 'n1' }),
        endpoint('east', '10.1.0.2', { node: 'n2', locality: { region: 'eu', zone: 'eu-b', subzone: '' } }),
      ],
    });
    reviews(nodes, { trafficDistribution: 'PreferSameZone' });
    await fleet.settled();
    assertShares(await count('web', 100), { a1: 1 });
    assertShares(await count('other', 100), { b1: 1 });
    assertShares(await count('job', 100), { u1: 1 });
    reviews(gone(nodes, 'b1'), { trafficDistribution: 'PreferSameZone' });
    await fleet.settled();
    assertShares(await count('other', 100), { a1: 1 });
    reviews(nodes, { internalTrafficPolicy: 'Local' });
    await fleet.settled();
    assertShares(await count('web', 100), { a1: 1 });
    assertShares(await count('other', 100), { b1: 1 });
    reviews(gone(nodes, 'a1'), { internalTrafficPolicy: 'Local' });
    await fleet.settled();
    assertShares(await count('web', 100), { 503: 1 });
    fleet.pilot.rule('{service: reviews, locality: {prefer: [node]}}');
    await fleet.settled();
    assertShares(await count('web'), { b1: 0.5, u1: 0.5 });
  });
});

/** What a TCP service says first, through the sidecar as an HTTP proxy. */
function tunnel(proxyPort: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(proxyPort, '127.0.0.1', () =>
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const said = /\r\n\r\n(.*)\n/.exec(text)?.[1];
      if (said === undefined) return;
      socket.destroy();
      resolve(said);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the tunnel was closed after: ${text}`)));
  });
}
