/** describe, inspect, endpoints and analyze as people run them: processes that ask a real pilot with real streams about real rules. */

import assert from 'node:assert/strict';
import stringWidth from 'string-width';
import type {
  PodDescription,
  ProxyRequestPath,
  RuleInspection,
  ServiceDescription,
} from '../../src/model/inspection.ts';
import { nodeId, outbound } from '../support/pilot.ts';
import type { Run } from './cli-run.ts';
import { type InspectRig, startInspectRig } from './inspect-rig.ts';

const canary =
  '{service: reviews, routes: [{name: canary, backends: [{version: v1, weight: 90}, {version: v2, cluster: west, weight: 10, fallback: [{version: v1}]}]}]}';

const data = ({ exit, out, err }: Run): unknown => {
  assert.equal(exit, 0, err);
  return JSON.parse(out);
};

const fits = ({ out, err }: Run, width: number): void => {
  for (const line of `${out}${err}`.split('\n')) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
};

describe('commands that look closer', function () {
  // Each test starts several processes; a busy machine takes its time with them.
  this.timeout(60_000);
  let rig: InspectRig;

  beforeEach(async () => {
    rig = await startInspectRig();
    const { pilot } = rig;
    pilot.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v1', '10.0.0.3@bad']);
    pilot.service('west', 'reviews', ['10.1.0.1@v2']);
    pilot.service('east', 'ratings', ['10.0.1.1@v1']);
  });
  afterEach(() => rig.stop());

  const programmed =
    (name = 'reviews') =>
    (): boolean =>
      rig.pilot.condition('Programmed', name).status === 'True';

  describe('describe service', () => {
    it('says which rule is in force, which lost and why, and where requests go', async () => {
      const { pilot, run } = rig;
      pilot.rule(canary);
      pilot.rule('{service: reviews, routes: [{backends: [{version: v2}]}]}', 'second');
      await pilot.until(() => pilot.engine.mesh.services.get('shop/reviews')?.rule !== undefined);

      const text = await run(['describe', 'service', 'shop/reviews'], 72);
      fits(text, 72);
      assert.match(text.out, /^ {2}rule {2}shop\/reviews from reviews\.yaml, generation 1$/m);
      assert.match(text.out, /^TrafficRule shop\/second from second\.yaml, not in force$/m);
      assert.match(text.out, /Accepted +False: TrafficRule shop\/reviews is in force/);
      assert.match(text.out, /^ {2}1\. canary: all requests$/m);
      assert.match(text.out, /^ +90% {2}v1 \(2 ready\)$/m);
      assert.match(text.out, /^ +10% {2}v2\.west \(1 ready\), else v1 \(2 ready\)$/m);
      assert.match(text.out, /expected: v1 in east 90%, v2 in west 10%$/m);
      assert.match(text.out, /^ {2}v1 +east +.* 2 +0 +0/m);

      const json = data(await run(['describe', 'svc', 'reviews', '-n', 'shop', '-o', 'json'])) as ServiceDescription;
      assert.equal(json.rule?.name, 'reviews');
      assert.deepEqual(
        json.otherRules.map(({ name }) => name),
        ['second'],
      );
      assert.deepEqual(
        json.clusters.map(({ name, phase, ready, total }) => [name, phase, ready, total]),
        [
          ['east', 'fresh', 3, 3],
          ['west', 'fresh', 1, 1],
        ],
      );
      const [expected] = json.routes[0]?.expected ?? [];
      assert.deepEqual(expected?.from, ['east', 'west']);
      assert.equal(
        expected?.shares.reduce((sum, { share }) => sum + share, 0),
        1,
      );
      assert.match(
        (await run(['describe', 'svc', 'shop/reviews', '-o', 'yaml'])).out,
        /^namespace: shop\nname: reviews\n/,
      );
    });

    it('says what is taken over by a fallback, and what nobody serves', async () => {
      const { pilot, run } = rig;
      pilot.rule('{service: reviews, routes: [{backends: [{version: v2, cluster: west, fallback: [{version: v1}]}]}]}');
      pilot.service('west', 'reviews', []);
      pilot.service('east', 'lonely', []);
      await pilot.until(() => pilot.engine.catalog.get('shop/reviews')?.shards.get('west')?.endpoints.length === 0);
      const { out } = await run(['describe', 'service', 'shop/reviews']);
      assert.match(out, /FW-RULE-053/);
      assert.match(out, /100% {2}v2\.west \(no endpoint\), else v1 \(2 ready\)/);
      const lonely = await run(['describe', 'service', 'shop/lonely'], 72);
      assert.match(lonely.out, /rule {2}none: requests go to any endpoint/);
      assert.match(lonely.out, /FW-MESH-002/);
    });

    it('fails for what is not there, and for words that make no sense', async () => {
      const none = await rig.run(['describe', 'service', 'shop/nope']);
      assert.equal(none.exit, 1);
      assert.match(none.err, /^error FW-API-023 no service shop\/nope is known\n {2}→ /);
      assert.equal((await rig.run(['describe', 'thing', 'east'])).exit, 2);
      assert.equal((await rig.run(['describe', 'service', 'a/b/c'])).exit, 2);
      assert.equal((await rig.run(['describe', 'service', 'a/b', '-n', 'c'])).exit, 2);
      assert.match((await rig.run(['describe', 'service', '../..'])).err, /FW-CLI-034 ".*" is no name/);
    });
  });

  it('describe pod: what it stands behind, and what its proxy holds and rejected', async () => {
    const { pilot, run } = rig;
    pilot.rule(
      '{service: ratings, routes: [{name: mine, matches: [{source: {cluster: east}}], backends: [{version: v1}]}, {backends: [{}]}]}',
      'ratings',
    );
    const picky = pilot.openEnvoy({ name: 'picky', judge: () => undefined });
    await pilot.until(() => picky.routes('ratings').length > 0 && programmed('ratings')());
    const text = await run(['describe', 'pod', 'shop/picky'], 72);
    fits(text, 72);
    assert.match(text.out, /no cluster has it behind a service/);
    assert.match(text.out, /^ {2}mode +eager, explicit$/m);
    assert.match(text.out, /^ {2}CDS +synced +\d+s +\d+$/m);
    assert.match(text.out, /^ {2}shop\/ratings for shop\/ratings: mine$/m);
    const json = data(await run(['describe', 'pod', 'picky', '-n', 'shop', '-o', 'json'])) as PodDescription;
    assert.deepEqual(
      json.proxies.map(({ identity, config, interception }) => [identity.nodeId, config, interception]),
      [[nodeId({ name: 'picky' }), 'eager', 'explicit']],
    );
    assert.equal((await run(['describe', 'pod', 'shop/nobody'])).exit, 1);
  });

  it('inspect rule: who holds it, and who rejected it, since when, with which words, and goes on with which form', async () => {
    const { pilot, run } = rig;
    pilot.rule('{service: reviews, routes: [{backends: [{version: v1}]}]}');
    const picky = pilot.openEnvoy({
      name: 'picky',
      address: '10.9.0.2',
      judge: ({ resources }) =>
        resources.some(({ body }) => body?.includes('outbound|80|bad|') === true)
          ? 'no such thing, says Envoy'
          : undefined,
    });
    const other = pilot.openEnvoy({ name: 'other', address: '10.9.0.3' });
    await pilot.until(() => picky.routes('reviews').length > 0 && other.routes('reviews').length > 0 && programmed()());
    const before = data(await run(['inspect', 'rule', 'shop/reviews', '-o', 'json'])) as RuleInspection;
    assert.deepEqual(before.counts, { rejected: 0, 'in-doubt': 0, pending: 0, holds: 2 });

    pilot.rule('{service: reviews, routes: [{backends: [{version: bad}]}]}');
    await pilot.until(
      () => pilot.condition('Programmed').reason === 'Rejected' && pilot.report().programmed.acknowledged === 1,
    );
    const { counts, items, inForce } = data(
      await run(['inspect', 'rule', 'reviews', '-n', 'shop', '-o', 'json']),
    ) as RuleInspection;
    assert.deepEqual(counts, { rejected: 1, 'in-doubt': 0, pending: 0, holds: 1 });
    assert.equal(inForce, 2);
    assert.deepEqual(
      items.map(({ workload, state, error, has }) => [workload, state, error, has]),
      [
        ['picky', 'rejected', 'no such thing, says Envoy', { generation: 1, isPresent: false }],
        ['other', 'holds', '', { generation: 2, isPresent: true }],
      ],
    );
    assert.ok(Date.parse(items[0]?.since ?? '') <= Date.now());

    const text = await run(['inspect', 'rule', 'shop/reviews'], 72);
    fits(text, 72);
    assert.match(text.out, /^ {2}holds +1 of 2$/m);
    assert.match(text.out, /^ {2}picky\.shop +east +REJECTED +\d+s +1$/m);
    assert.match(text.out, /└ no such thing, says Envoy$/m);
    assert.match(text.out, /^ {2}other\.shop +east +holds +- +2$/m);
    const analysis = await run(['analyze', '-n', 'shop']);
    assert.equal(analysis.exit, 1);
    assert.match(analysis.out, /× FW-PILOT-011 /);
    const pod = await run(['describe', 'pod', 'shop/picky']);
    assert.match(pod.out, /× shop\/reviews, \d+s ago: no such thing, says Envoy/);
  });

  it('inspect rule: names few of many, all with --all, and those of one cluster', async () => {
    const { pilot, run } = rig;
    pilot.rule(canary);
    const many = Array.from({ length: 23 }, (_, i) =>
      pilot.openEnvoy({ name: `p${i}`, address: `10.9.1.${i + 1}`, cluster: i === 0 ? 'west' : 'east' }),
    );
    await pilot.until(
      () => many.every((one) => one.routes('reviews').length > 0) && pilot.report().programmed.acknowledged === 23,
    );
    const few = await run(['inspect', 'rule', 'shop/reviews'], 72);
    assert.equal(few.out.match(/ holds +- /g)?.length, 20);
    assert.match(few.out, /^ {2}and 3 more; name them all with --all$/m);
    assert.equal((await run(['inspect', 'rule', 'shop/reviews', '--all'])).out.match(/ holds +- /g)?.length, 23);
    const west = data(
      await run(['inspect', 'rule', 'shop/reviews', '--cluster', 'west', '-o', 'json']),
    ) as RuleInspection;
    assert.deepEqual(
      west.items.map(({ workload }) => workload),
      ['p0'],
    );
    assert.equal((await run(['inspect', 'rule', 'shop/nope'])).exit, 1);
    assert.equal((await run(['inspect', 'service', 'shop/reviews'])).exit, 2);
  });

  describe('endpoints', () => {
    it('shows routes, Envoy clusters and endpoints by level, out of what the proxy holds', async () => {
      const { pilot, run } = rig;
      pilot.rule(canary);
      const client = pilot.openEnvoy({});
      await pilot.until(() => client.routes('reviews').length > 0 && programmed()());
      const path = data(
        await run(['endpoints', 'reviews.shop:80', '--as', 'shop/client', '-o', 'json']),
      ) as ProxyRequestPath;
      const [http] = path.ways;
      assert.equal(http?.virtualHost?.name, 'reviews.shop.svc.cluster.local:80');
      const route = http?.routes.find(({ name }) => name === 'canary');
      assert.equal(route?.rule, 'shop/reviews');
      assert.deepEqual(route?.clusters, [
        { name: outbound('reviews', 'v1'), percent: 90 },
        { name: outbound('reviews', 'v2.west>v1'), percent: 10 },
      ]);
      const chain = path.clusters.find(({ name }) => name === outbound('reviews', 'v2.west>v1'));
      assert.deepEqual(
        chain?.endpoints.map(({ address, priority, version, cluster }) => [address, priority, version, cluster]),
        [
          ['10.1.0.1', 0, 'v2', 'west'],
          ['10.0.0.1', 1, 'v1', 'east'],
          ['10.0.0.2', 1, 'v1', 'east'],
        ],
      );
      for (const width of [72, 160]) {
        const text = await run(
          ['endpoints', 'reviews.shop.svc.cluster.local', '--as', nodeId({}), '--no-color'],
          width,
        );
        assert.equal(text.exit, 0, text.err);
        if (width === 160) fits(text, width);
        assert.match(text.out, /^ {2}\d\. canary of shop\/reviews: all$/m);
        assert.match(text.out, /^ {2}1 +10\.0\.0\.2:\d+ +HEALTHY +v1 +east/m);
      }
    });

    it('picks the route that a request takes', async () => {
      const { pilot, run } = rig;
      pilot.rule(
        '{service: reviews, routes: [{name: beta, matches: [{path: {prefix: /api}, headers: [{name: x-group, value: beta}]}], backends: [{version: v2}]}, {name: rest, matches: [{method: GET}], backends: [{version: v1}]}]}',
      );
      const client = pilot.openEnvoy({ name: 'picker', address: '10.9.0.77' });
      await pilot.until(() => client.routes('reviews').length > 0 && programmed()());
      const picked = async (...args: readonly string[]): Promise<ProxyRequestPath> =>
        data(
          await run(['endpoints', 'reviews.shop:80', '--as', 'shop/picker', '-o', 'json', ...args]),
        ) as ProxyRequestPath;
      const beta = await picked('--path', '/api/x?y=z', '--header', 'x-group: beta');
      assert.deepEqual(
        beta.ways[0]?.routes.map(({ name }) => name),
        ['beta'],
      );
      assert.deepEqual(
        beta.clusters.map(({ name }) => name),
        [outbound('reviews', 'v2')],
      );
      assert.deepEqual(
        (await picked('--path', '/api/x')).ways[0]?.routes.map(({ name }) => name),
        ['rest'],
      );
      const none = await picked('--method', 'POST');
      assert.deepEqual([none.ways[0]?.routes, none.ways[0]?.taken?.position, none.clusters], [[], 0, []]);
      const text = await run(['endpoints', 'reviews.shop:80', '--as', 'shop/picker', '--method', 'POST']);
      assert.match(text.out, /none of 3 routes takes such a request: it is answered with 404/);
      assert.match((await run(['endpoints', 'x:80', '--as', 'y', '--header', 'nothing'])).err, /FW-CLI-098/);
      assert.match((await run(['endpoints', 'x:80', '--as', 'y', '--path', 'nothing'])).err, /FW-API-026/);
      assert.match((await run(['endpoints', 'x:y', '--as', 'z'])).err, /HOST:PORT "x:y" is not HOST:PORT/);
      for (const host of ['reviews.shop.', 'reviews.shop.:80']) {
        assert.match((await run(['endpoints', host, '--as', 'shop/picker'])).out, /^reviews\.shop:80 as picker\.shop/);
      }
    });

    it('follows a captured connection to its listener', async () => {
      const { pilot, run } = rig;
      const port = { name: 'tcp', port: 6379, transport: 'TCP', protocol: 'tcp' } as const;
      pilot.service('east', 'redis', ['10.0.2.1@v1'], { vips: ['10.96.0.9'], ports: [port] });
      pilot.openEnvoy({ metadata: { FAIRWAY_MODE: 'captured' } });
      await pilot.until(() => [...pilot.engine.proxies.all()].some(({ view }) => view.isCurrent));
      for (const host of ['redis.shop:6379', '10.96.0.9:6379']) {
        const { listener, ways } = data(
          await run(['endpoints', host, '--as', 'client.shop', '-o', 'json']),
        ) as ProxyRequestPath;
        assert.equal(listener, '10.96.0.9_6379');
        assert.deepEqual(
          ways.map(({ traffic, routes }) => [traffic, routes[0]?.clusters[0]?.name]),
          [['TCP', outbound('redis', '', 6379)]],
        );
      }
      const web = data(await run(['endpoints', 'reviews:80', '--as', 'client.shop', '-o', 'json'])) as ProxyRequestPath;
      assert.equal(web.listener, '0.0.0.0_80');
      assert.equal(web.ways[0]?.virtualHost?.name, 'reviews.shop.svc.cluster.local');
      const unknown = await run(['endpoints', 'example.com:9999', '--as', 'client.shop']);
      assert.match(unknown.out, /listener +virtualOutbound/);
      assert.match(unknown.out, /PassthroughCluster\n {2}ORIGINAL_DST: on to the address/);
    });

    it('says which proxies are meant by a name that several have, and when none has it', async () => {
      const { pilot, run } = rig;
      for (const cluster of ['east', 'west'])
        pilot.openEnvoy({ cluster, address: cluster === 'east' ? '10.9.0.1' : '10.9.0.2' });
      await pilot.until(() => pilot.engine.proxies.size === 2);
      const several = await run(['endpoints', 'reviews.shop:80', '--as', 'shop/client']);
      assert.equal(several.exit, 1);
      assert.match(
        several.err,
        /FW-API-025 .* several proxies\n {2}→ Give one of their node ids: sidecar~10\.9\.0\.1~client/,
      );
      assert.match((await run(['endpoints', 'x:80', '--as', 'nobody'])).err, /FW-API-024/);
      assert.equal((await run(['endpoints', ':0', '--as', 'x'])).exit, 2);
      assert.equal((await run(['endpoints', 'x:80'])).exit, 2);
    });
  });

  it('the admin API gives lists in pages, and refuses what it does not understand', async () => {
    const { pilot, url } = rig;
    for (const name of ['a', 'b', 'c']) pilot.service('east', name, []);
    await pilot.until(() => pilot.engine.catalog.has('shop/c'));
    const get = async (path: string): Promise<{ status: number; body: { items?: unknown[]; continue?: string } }> => {
      const answer = await fetch(`${url}${path}`);
      return { status: answer.status, body: (await answer.json()) as { items?: unknown[]; continue?: string } };
    };
    const seen: unknown[] = [];
    let next: string | undefined = '';
    for (let pages = 0; next !== undefined && pages < 10; pages += 1) {
      const { body } = await get(
        `/debug/findings?limit=1${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`,
      );
      assert.equal(body.items?.length, 1);
      seen.push(...(body.items ?? []));
      next = body.continue;
    }
    assert.equal(new Set(seen.map((item) => JSON.stringify(item))).size, 3);
    assert.deepEqual((await get('/debug/findings?severity=error')).body, { items: [] });
    for (const [path, status] of [
      ['/debug/findings?severity=loud', 400],
      ['/debug/findings?what=ever', 400],
      ['/debug/endpoints?as=x&host=y&port=0', 400],
      ['/debug/endpoints?as=x&host=y&port=80', 404],
      ['/debug/rules/shop/nope', 404],
    ] as const) {
      assert.equal((await get(path)).status, status, path);
    }
  });

  it('completes kinds, flags and their values', async () => {
    assert.match((await rig.run(['complete', '--', 'describe', ''])).out, /^service\t\npod\t$/m);
    assert.match((await rig.run(['complete', '--', 'inspect', ''])).out, /^rule\t$/m);
    assert.match((await rig.run(['complete', '--', 'analyze', '--sev'])).out, /^--severity\t/m);
    assert.match((await rig.run(['complete', '--', 'endpoints', '--a'])).out, /^--as\t/m);
  });
});
