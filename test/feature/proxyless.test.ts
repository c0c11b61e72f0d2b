/**
 * Proxyless gRPC: clients as processes that have nothing of Fairway but a bootstrap get the routing, the weights and the failover of a sidecar.
 * The pilot, the servers and the clients are real; the clusters report what the test says.
 */

import assert from 'node:assert/strict';
import { systemClock } from '../../src/core/clock.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Endpoint, ServiceShard } from '../../src/model/service.ts';
import { proxyFindings } from '../../src/pilot/inspect/findings.ts';
import { waitFor } from '../rig/wait.ts';
import { port, shard } from '../support/fixtures.ts';
import { PilotRig } from '../support/pilot.ts';
import {
  type Answers,
  Backend,
  type ClientFields,
  type ClientProgram,
  type Load,
  ProxylessClient,
  programs,
} from './proxyless-rig.ts';

const target = 'xds:///reviews.shop:9080';
const none = {};

for (const { name, find } of programs) {
  describe(`proxyless clients: ${name}`, function () {
    this.timeout(120_000);
    let program: ClientProgram;
    let eastV1: Backend;
    let eastV2: Backend;
    let westV1: Backend;
    let westV2: Backend;
    let backends: Backend[];
    let rig: PilotRig;
    const clients: ProxylessClient[] = [];

    before(async function () {
      this.timeout(600_000);
      const found = await find();
      if (found === undefined) return this.skip();
      program = found;
    });

    beforeEach(async () => {
      [eastV1, eastV2, westV1, westV2] = await Promise.all([
        Backend.start('east', 'v1', '127.0.3.1'),
        Backend.start('east', 'v2', '127.0.3.2'),
        Backend.start('west', 'v1', '127.0.3.3'),
        Backend.start('west', 'v2', '127.0.3.4'),
      ]);
      backends = [eastV1, eastV2, westV1, westV2];
      rig = await PilotRig.start();
      report('east', [eastV1, eastV2]);
      report('west', [westV1, westV2]);
    });

    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.stop()));
      await rig.stop();
      for (const backend of backends) backend.stop();
    });

    function report(cluster: string, here: readonly Backend[], fields: Partial<Endpoint> = {}): void {
      put(
        cluster,
        here.map((backend) => backend.endpoint(fields)),
      );
    }

    function put(cluster: string, endpoints: readonly Endpoint[], fields: Partial<ServiceShard> = {}): void {
      rig.cluster(cluster).putService(shard(cluster, 'reviews', { ports: [port(9080, 'grpc')], endpoints, ...fields }));
    }

    async function client(fields: ClientFields = {}): Promise<ProxylessClient> {
      const started = await ProxylessClient.start(program, `127.0.0.1:${rig.port}`, fields);
      clients.push(started);
      return started;
    }

    /** Applies a rule for reviews, and fails if it is not accepted. */
    function apply(spec: string): void {
      rig.rule(spec);
      assert.equal(rig.condition('Accepted').status, 'True', rig.condition('Accepted').message);
    }

    function noneRefused(): void {
      assert.deepEqual(
        rig.events.filter(({ kind }) => kind === 'nacked'),
        [],
      );
    }

    async function until(load: Load, what: string, holds: (seen: Answers) => boolean): Promise<void> {
      await waitFor(what, async () => holds(await load.peek()), { timeoutMs: 30_000 });
    }

    /** The answers of calls that begin from now on. */
    async function from(load: Load): Promise<(seen: Answers) => Record<string, number>> {
      const before = (await load.peek()).by;
      return ({ by }) =>
        Object.fromEntries(
          Object.entries(by)
            .map(([who, count]) => [who, count - (before[who] ?? 0)] as const)
            .filter(([, count]) => count > 0),
        );
    }

    it('share calls by weight, to versions in clusters', async () => {
      apply(`{service: reviews, routes: [{backends: [
        {version: v1, cluster: east, weight: 90}, {version: v2, cluster: west, weight: 10}]}]}`);
      const { by, failed } = await (await client()).call(target, { count: 4000 });
      assert.deepEqual(failed, none);
      assert.deepEqual(Object.keys(by).sort(), ['east-v1', 'west-v2']);
      // Four standard deviations of 4000 are a narrower share than three of 2000, and seldom chance.
      const deviation = 4 * Math.sqrt(4000 * 0.1 * 0.9);
      const share = by['west-v2'] ?? 0;
      assert.ok(Math.abs(share - 400) <= deviation, `${share} of 4000`);
      noneRefused();
    });

    it('without a rule use every endpoint alike, by each of the service’s names', async () => {
      const one = await client();
      const { by, failed } = await one.call(target, { count: 400 });
      assert.deepEqual([Object.keys(by).length, failed], [4, none]);
      for (const [who, count] of Object.entries(by)) assert.ok(count >= 60 && count <= 140, `${who}: ${count}`);
      for (const other of [
        'reviews:9080',
        'reviews',
        'reviews.shop',
        'reviews.shop.svc:9080',
        'reviews.shop.svc.cluster.local',
        'reviews.shop.svc.cluster.local:9080',
      ]) {
        const answers = await one.call(`xds:///${other}`, { count: 4 });
        assert.deepEqual(answers.failed, none, other);
      }
      noneRefused();
    });

    it('match headers, methods of the service, and what is absent', async () => {
      apply(`{service: reviews, routes: [
        {matches: [{headers: [{name: x-group, value: beta}]}], backends: [{version: v2, cluster: east}]},
        {matches: [{headers: [{name: x-kind, regex: "a|b[0-9]"}]}], backends: [{version: v2, cluster: west}]},
        {matches: [{path: {exact: /shop.Reviews/List}}], backends: [{version: v1, cluster: west}]},
        {matches: [{path: {prefix: /shop.Ratings}}], backends: [{version: v2, cluster: west}]},
        {backends: [{version: v1, cluster: east}]}]}`);
      const one = await client();
      const who = async (options: object): Promise<string> => {
        const { by, failed } = await one.call(target, { count: 3, ...options });
        assert.deepEqual(failed, none);
        return Object.keys(by).join();
      };
      assert.equal(await who({}), 'east-v1');
      assert.equal(await who({ headers: { 'x-group': 'beta' } }), 'east-v2');
      assert.equal(await who({ headers: { 'x-group': 'gamma' } }), 'east-v1');
      assert.equal(await who({ headers: { 'x-kind': 'b7' } }), 'west-v2');
      assert.equal(await who({ headers: { 'x-kind': 'ax' } }), 'east-v1');
      assert.equal(await who({ method: '/shop.Reviews/List' }), 'west-v1');
      assert.equal(await who({ method: '/shop.Ratings/Get' }), 'west-v2');
      noneRefused();
    });

    it('go to the fallback while nothing of the wanted is ready, and back', async () => {
      apply('{service: reviews, routes: [{backends: [{version: v1, cluster: east, fallback: [{version: v1}]}]}]}');
      const load = await (await client()).load(target);
      await until(load, 'calls in east', ({ by }) => (by['east-v1'] ?? 0) > 20);
      report('east', [eastV1, eastV2], { ready: false, serving: false });
      await until(load, 'calls in west', ({ by }) => (by['west-v1'] ?? 0) > 20);
      const later = await from(load);
      await until(load, 'more calls in west', (seen) => (later(seen)['west-v1'] ?? 0) > 20);
      report('east', [eastV1, eastV2]);
      const back = await from(load);
      await until(load, 'calls in east again', (seen) => (back(seen)['east-v1'] ?? 0) > 20);
      const { by, failed } = await load.stop();
      assert.deepEqual(failed, none);
      assert.deepEqual(Object.keys(by).sort(), ['east-v1', 'west-v1']);
      noneRefused();
    });

    it('spill over in proportion where a part of the wanted is lost', async () => {
      // One of four is ready: 35 % of the load stays, as in Envoy.
      const lost = (at: number): Endpoint => ({
        ...eastV1.endpoint({ ready: false, serving: false }),
        address: `127.0.4.${at}`,
      });
      put('east', [eastV1.endpoint(), lost(1), lost(2), lost(3)]);
      apply('{service: reviews, routes: [{backends: [{version: v1, cluster: east, fallback: [{version: v1}]}]}]}');
      const { by, failed } = await (await client()).call(target, { count: 1000 });
      assert.deepEqual(failed, none);
      const deviation = 4 * Math.sqrt(1000 * 0.35 * 0.65);
      assert.ok(Math.abs((by['east-v1'] ?? 0) - 350) <= deviation, JSON.stringify(by));
      assert.deepEqual(Object.keys(by).sort(), ['east-v1', 'west-v1']);
    });

    it('follow a change of the rule under load without a failed call', async () => {
      apply('{service: reviews, routes: [{backends: [{version: v1, cluster: east}]}]}');
      const load = await (await client()).load(target);
      await until(load, 'calls to v1 in east', ({ by }) => (by['east-v1'] ?? 0) > 20);
      for (let turn = 0; turn < 5; turn++) {
        for (const [version, cluster] of [
          ['v2', 'west'],
          ['v1', 'west'],
          ['v1', 'east'],
        ]) {
          const later = await from(load);
          apply(`{service: reviews, routes: [{backends: [{version: ${version}, cluster: ${cluster}}]}]}`);
          await until(
            load,
            `calls to ${version} in ${cluster}`,
            (seen) => (later(seen)[`${cluster}-${version}`] ?? 0) > 5,
          );
        }
      }
      const { failed } = await load.stop();
      assert.deepEqual(failed, none);
      noneRefused();
      await waitFor('the rule to be acknowledged', () => rig.condition('Programmed').status === 'True');
    });

    it('follow a change of weights under load without a failed call', async () => {
      const split = (share: number): void =>
        apply(`{service: reviews, routes: [{backends: [
          {version: v1, weight: ${100 - share}}, {version: v2, weight: ${share}}]}]}`);
      split(1);
      const load = await (await client()).load(target);
      await until(load, 'calls', ({ by }) => (by['east-v1'] ?? 0) > 20);
      for (const share of [99, 1, 50, 99]) {
        split(share);
        const later = await from(load);
        const wanted = share >= 50 ? 'v2' : 'v1';
        await until(load, `calls to ${wanted}`, (seen) => (later(seen)[`east-${wanted}`] ?? 0) > 20);
      }
      assert.deepEqual((await load.stop()).failed, none);
      noneRefused();
    });

    it('fail as the rule says', async () => {
      apply(`{service: reviews, routes: [
        {matches: [{headers: [{name: x-fail, value: "all"}]}], fault: {abort: {percent: 100, grpcStatus: 10}},
         backends: [{version: v1}]},
        {matches: [{headers: [{name: x-fail, value: "half"}]}], fault: {abort: {percent: 50, grpcStatus: 7}},
         backends: [{version: v1}]},
        {matches: [{headers: [{name: x-answer, value: "503"}]}], respond: {status: 503}},
        {backends: [{version: v1}]}]}`);
      const one = await client();
      const codes = ({ failed }: Answers): string[] => Object.keys(failed).map((words) => words.split(' ')[0] ?? '');
      const all = await one.call(target, { count: 10, headers: { 'x-fail': 'all' } });
      assert.deepEqual([all.by, codes(all)], [none, ['10']]);
      const half = await one.call(target, { count: 200, headers: { 'x-fail': 'half' } });
      const failures = Object.values(half.failed)[0] ?? 0;
      assert.deepEqual(codes(half), ['7']);
      assert.ok(Math.abs(failures - 100) <= 4 * Math.sqrt(200 * 0.25), `${failures} of 200`);
      assert.deepEqual(codes(await one.call(target, { count: 4, headers: { 'x-answer': '503' } })), ['14']);
      assert.deepEqual((await one.call(target, { count: 10 })).failed, none);
      noneRefused();
    });

    it('try again what may be tried again, and end calls that take too long', async () => {
      apply(`{service: reviews, routes: [
        {matches: [{path: {exact: /shop.Reviews/List}}], retry: {attempts: 3, on: [unavailable]}, backends: [{}]},
        {retry: {attempts: 0}, backends: [{}]}]}`);
      const one = await client();
      eastV1.failsWith = 14;
      const plain = await one.call(target, { count: 100 });
      assert.ok((Object.values(plain.failed)[0] ?? 0) >= 10, JSON.stringify(plain));
      const retried = await one.call(target, { count: 100, method: '/shop.Reviews/List' });
      const failures = Object.values(retried.failed).reduce((sum, count) => sum + count, 0);
      assert.ok(failures <= 5, JSON.stringify(retried));
      noneRefused();
    });

    it('see what is for their source alone', async () => {
      apply(`{service: reviews, routes: [
        {matches: [{source: {labels: {app: web}}}], backends: [{version: v2}]}, {backends: [{version: v1}]}]}`);
      const web = await client({ workload: 'web', labels: { app: 'web' } });
      const other = await client({ workload: 'other' });
      const versions = ({ by }: Answers): string[] => [...new Set(Object.keys(by).map((who) => who.slice(-2)))];
      assert.deepEqual(versions(await web.call(target, { count: 20 })), ['v2']);
      assert.deepEqual(versions(await other.call(target, { count: 20 })), ['v1']);
      noneRefused();
    });

    it('hold nothing but what they ask for', async () => {
      for (let at = 0; at < 50; at++) {
        rig.service('east', `other-${at}`, ['10.1.0.1@v1'], { ports: [port(9080, 'grpc')] });
      }
      const one = await client();
      assert.deepEqual((await one.call(target, { count: 4 })).failed, none);
      const [view] = rig.engine.views();
      const names = [...(view?.resources(typeUrl.cluster).keys() ?? [])];
      assert.deepEqual(names, ['outbound|9080||reviews.shop.svc.cluster.local']);
      assert.deepEqual((await one.call(target, { count: 4 })).failed, none);
      noneRefused();
    });

    it('fail at once where there is no such service, which the pilot says, and go on when it comes', async () => {
      const one = await client();
      // The client itself would wait 15 s to see whether it comes, longer than a call may take here.
      const [words = ''] = Object.keys((await one.call('xds:///late.shop:9080', { timeoutMs: 10_000 })).failed);
      assert.match(words, /^14 /);
      const asked = proxyFindings({ engine: rig.engine, streamStatus: () => new Map(), clock: systemClock });
      assert.deepEqual(
        asked.map(({ code, where }) => `${code} ${where.object}`),
        ['FW-PILOT-014 Service shop/late'],
      );
      assert.deepEqual((await one.call(target, { count: 4 })).failed, none);
      const shardOf = (at: Backend): ServiceShard =>
        shard('east', 'late', { ports: [port(9080, 'grpc')], endpoints: [at.endpoint()] });
      rig.cluster('east').putService(shardOf(eastV1));
      const answered = async (): Promise<boolean> => (await one.call('xds:///late.shop:9080')).by['east-v1'] === 1;
      await waitFor('calls to be answered', answered);
      // There and back again, without another age.
      rig.cluster('east').removeService('shop', 'late');
      await waitFor('calls to fail', async () => !(await answered()));
      rig.cluster('east').putService(shardOf(eastV1));
      await waitFor('calls to be answered again', answered);
      noneRefused();
    });

    it('take the endpoint with fewer calls under way, where the client knows how, and go around otherwise', async () => {
      apply('{service: reviews, loadBalancing: {policy: leastRequest}}');
      for (const backend of [eastV2, westV1, westV2]) backend.stop();
      const second = await Backend.start('east', 'v3', '127.0.3.5');
      backends.push(second);
      eastV1.delayMs = 50;
      report('east', [eastV1, second]);
      report('west', []);
      const one = await client();
      const { by, failed } = await one.call(target, { count: 400 });
      assert.deepEqual(failed, none);
      const slow = by['east-v1'] ?? 0;
      if (name === 'gRPC for Go') assert.ok(slow < 150, `${slow} of 400`);
      else assert.ok(Math.abs(slow - 200) <= 8, `${slow} of 400`);
      noneRefused();
    });

    it('keep what belongs together at one endpoint, bound what is under way, and end what takes too long', async () => {
      apply(`{service: reviews, loadBalancing: {policy: ringHash}, affinity: {header: x-user},
        connections: {maxRequests: 2}, routes: [
        {matches: [{path: {exact: /shop.Reviews/List}}], timeouts: {request: 100ms}, retry: {attempts: 0}, backends: [{}]},
        {retry: {attempts: 0}, backends: [{}]}]}`);
      const one = await client();
      const homes = new Set<string>();
      for (let user = 0; user < 16; user++) {
        // In turn: more than two at a time would be too many.
        const answers = [];
        for (let at = 0; at < 3; at++) answers.push(await one.call(target, { headers: { 'x-user': `user-${user}` } }));
        const by = [...new Set(answers.flatMap((answer) => Object.keys(answer.by)))];
        assert.equal(by.length, 1, JSON.stringify(answers));
        homes.add(by[0] ?? '');
      }
      assert.ok(homes.size > 1, [...homes].join());
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const backend of backends) backend.until = promise;
      const arrived = (): number => backends.reduce((sum, { calls }) => sum + (calls.get('/shop.Reviews/Get') ?? 0), 0);
      const before = arrived();
      const first = one.call(target);
      await waitFor('a call', () => arrived() === before + 1);
      const second = one.call(target);
      await waitFor('another', () => arrived() === before + 2);
      const [third = ''] = Object.keys((await one.call(target)).failed);
      assert.match(third, /^14 /);
      resolve();
      assert.deepEqual([(await first).failed, (await second).failed], [none, none]);
      for (const backend of backends) backend.until = new Promise(() => {});
      const [late = ''] = Object.keys((await one.call(target, { method: '/shop.Reviews/List' })).failed);
      assert.match(late, /^4 /);
      noneRefused();
    });

    it('fail at once when the service is deleted, and go on when it comes back', async () => {
      const one = await client();
      assert.deepEqual((await one.call(target, { count: 4 })).failed, none);
      rig.cluster('east').removeService('shop', 'reviews');
      rig.cluster('west').removeService('shop', 'reviews');
      await waitFor('calls to fail', async () => Object.keys((await one.call(target)).failed)[0]?.startsWith('14 '));
      put('east', [eastV1.endpoint()], { createdAtMs: 1_700_000_000_000 });
      await waitFor('calls to be answered', async () => Object.keys((await one.call(target)).by).length > 0);
    });
  });
}
