/** `fairway analyze` as people run it: over files without a pilot, and over a running mesh. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import type { Finding } from '../../src/core/errors.ts';
import { fairway, type Run } from './cli-run.ts';
import { startInspectRig } from './inspect-rig.ts';

const rule = (name: string, spec: string): string =>
  `---\napiVersion: fairway.dev/v1alpha1\nkind: TrafficRule\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;

const external = (name: string, host: string): string =>
  `---\napiVersion: fairway.dev/v1alpha1\nkind: ExternalService\nmetadata: {name: ${name}, namespace: shop}\nspec: {hosts: [${host}], ports: [{number: 443, protocol: tls}], resolution: dns}\n`;

const service = (name: string, port: string): string =>
  `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {selector: {app: ${name}}, clusterIP: 10.96.0.1, ports: [${port}]}\n`;

const pod = (app: string, version: string, address: string, ready = 'True'): string =>
  `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${app}-${version}, namespace: shop, labels: {app: ${app}, version: ${version}}}\nspec: {containers: [{name: app, image: app}]}\nstatus: {podIP: ${address}, conditions: [{type: Ready, status: "${ready}"}]}\n`;

interface Answer {
  readonly ok: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
}

describe('fairway analyze', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-analyze-'));
    mkdirSync(join(folder, 'clusters/east'), { recursive: true });
    mkdirSync(join(folder, 'clusters/west'), { recursive: true });
    write(
      'clusters/east/a.yaml',
      service('reviews', '{name: http, port: 80}') +
        service('redis', '{name: redis, port: 6379}') +
        pod('reviews', 'v1', '10.0.0.1') +
        pod('redis', 'v1', '10.0.0.2'),
    );
    write(
      'clusters/west/a.yaml',
      service('reviews', '{name: tcp, port: 80}') + pod('reviews', 'v2', '10.1.0.1', 'False'),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const analyze = (args: readonly string[], columns?: number): Promise<Run> =>
    fairway(['analyze', ...args], { env: columns === undefined ? {} : { COLUMNS: String(columns) } });
  const codes = ({ out }: Run): string[] => (JSON.parse(out) as Answer).findings.map(({ code }) => code).sort();

  it('needs no pilot, and finds nothing wrong with good files', async () => {
    const file = write('good.yaml', rule('reviews', '{service: reviews, routes: [{backends: [{version: v1}]}]}'));
    assert.deepEqual(await analyze(['-f', file]), { exit: 0, out: 'No problems found in 1 object.\n', err: '' });
  });

  it('finds conflicts between objects, and what can never be, without any cluster', async () => {
    const file = write(
      'bad.yaml',
      rule('a', '{service: reviews, routes: [{backends: [{version: v1}]}]}') +
        rule('b', '{service: reviews, routes: [{backends: [{version: v9}]}]}') +
        rule('c', '{service: other, routes: [{backends: [{version: v1}]}, {backends: [{version: v2}]}]}') +
        rule('d', '{service: broken, routes: [{backends: [{weight: -1}]}]}') +
        external('x', 'api.example.com') +
        external('y', 'api.example.com'),
    );
    const run = await analyze(['-f', file, '-o', 'json']);
    assert.equal(run.exit, 1);
    assert.deepEqual(codes(run), ['FW-RULE-024', 'FW-RULE-037', 'FW-RULE-040', 'FW-RULE-170']);
    const { findings } = JSON.parse(run.out) as Answer;
    assert.deepEqual(findings.map(({ where }) => [where.object, where.line]).sort(), [
      ['ExternalService shop/y', 30],
      ['TrafficRule shop/b', 10],
      ['TrafficRule shop/c', 15],
      ['TrafficRule shop/d', 20],
    ]);
  });

  it('looks up what rules name in a folder of clusters, and judges the clusters too', async () => {
    const file = write(
      'rules.yaml',
      rule(
        'reviews',
        '{service: reviews, within: {region: mars}, routes: [{name: a, backends: [{version: v9, cluster: north}, {version: v2, fallback: [{version: v1}]}]}]}',
      ) +
        rule(
          'redis',
          '{service: redis, routes: [{matches: [{path: {prefix: /x}}], backends: [{version: v1}]}, {backends: [{version: v1}]}]}',
        ) +
        rule('gone', '{service: gone, routes: [{backends: [{version: v1}]}]}') +
        external('mine', 'reviews.shop'),
    );
    const run = await analyze(['-f', file, '--clusters', join(folder, 'clusters'), '-o', 'json']);
    assert.equal(run.exit, 1, run.err);
    assert.deepEqual(codes(run), [
      'FW-MESH-001',
      'FW-MESH-004',
      'FW-MESH-005',
      'FW-RULE-050',
      'FW-RULE-051',
      'FW-RULE-132',
      'FW-RULE-171',
    ]);
    const alone = await analyze(['--clusters', join(folder, 'clusters'), '-o', 'json']);
    assert.equal(alone.exit, 0);
    assert.deepEqual(codes(alone), ['FW-MESH-001']);
  });

  it('groups by object, the gravest first, and fits the page', async () => {
    const file = write(
      'a.yaml',
      rule('warned', '{service: reviews, routes: [{matches: [{path: {prefix: /x}}], backends: [{version: v1}]}]}') +
        rule('wrong', '{service: redis, routes: []}'),
    );
    const run = await analyze(['-f', file], 60);
    for (const line of run.out.split('\n')) assert.ok(stringWidth(line) <= 60, line);
    const at = (text: string): number => run.out.indexOf(text);
    assert.ok(
      at('TrafficRule shop/wrong') >= 0 && at('TrafficRule shop/wrong') < at('TrafficRule shop/warned'),
      run.out,
    );
    assert.match(run.out, /\n1 error and 1 warning in 2 objects\.\n$/);
    const errors = await analyze(['-f', file, '--severity', 'error']);
    assert.match(errors.out, /1 error and 1 warning in 2 objects, 1 of them not shown/);
    assert.ok(!errors.out.includes('shop/warned'));
  });

  it('ends as --fail-on says', async () => {
    const warned = write(
      'w.yaml',
      rule('w', '{service: reviews, routes: [{matches: [{path: {prefix: /x}}], backends: [{version: v1}]}]}'),
    );
    assert.equal((await analyze(['-f', warned])).exit, 0);
    assert.equal((await analyze(['-f', warned, '--fail-on', 'warning'])).exit, 1);
    const wrong = write('e.yaml', rule('e', '{service: reviews, routes: 5}'));
    assert.equal((await analyze(['-f', wrong, '--fail-on', 'never'])).exit, 0);
    assert.equal((await analyze(['-f', join(folder, 'none.yaml')])).exit, 2);
    assert.equal((await analyze(['--clusters', join(folder, 'none')])).exit, 2);
    assert.equal((await analyze(['-f', warned, '--admin', 'http://127.0.0.1:1'])).exit, 2);
    assert.equal((await analyze(['--admin', 'http://127.0.0.1:1'])).exit, 3);
  });

  it('asks a running mesh: clusters, services, rules and proxies', async () => {
    const rig = await startInspectRig();
    try {
      const { pilot } = rig;
      pilot.service('east', 'reviews', ['10.0.0.1@v1']);
      await pilot.until(() => pilot.engine.catalog.has('shop/reviews'));
      assert.match((await rig.run(['analyze'])).out, /^No problems found in the mesh at http/);
      pilot.rule('{service: reviews, routes: [{backends: [{version: v9}]}]}');
      pilot.rule('{service: reviews, routes: [{backends: [{version: v1}]}]}', 'second');
      pilot.cluster('west', { reachable: false });
      pilot.service('east', 'empty', []);
      await pilot.until(() => pilot.engine.catalog.has('shop/empty'));
      const all = await rig.run(['analyze', '-o', 'json']);
      assert.equal(all.exit, 1);
      const found = codes(all);
      for (const code of ['FW-RULE-053', 'FW-RULE-040', 'FW-MESH-002']) assert.ok(found.includes(code), found.join());
      const { findings } = JSON.parse(all.out) as Answer;
      assert.ok(
        findings.some(({ where }) => where.cluster === 'west'),
        'a cluster that does not answer',
      );
      const west = JSON.parse((await rig.run(['analyze', '--cluster', 'west', '-o', 'json'])).out) as Answer;
      assert.ok(west.findings.length > 0 && west.findings.every(({ where }) => where.cluster === 'west'));
      const yaml = await rig.run(['analyze', '-n', 'elsewhere', '-o', 'yaml']);
      assert.match(yaml.out, /^ok: true\nerrors: 0\n/);
    } finally {
      await rig.stop();
    }
  });
});
