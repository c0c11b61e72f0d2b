/** The `fairway` command as a person runs it: a child process against a real admin server, looked at by what it prints and how it ends. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { ownVersion } from '../../src/cli/commands/version.ts';
import type { RuleReport } from '../../src/model/report.ts';
import type { Condition } from '../../src/model/rule.ts';
import { type AdminRig, startRig } from './api-rig.ts';
import { sampleMesh } from './api-sample-mesh.ts';
import { fairway, mainFile, type Run } from './cli-run.ts';

const ruleText = (name: string, version = 'v1', namespace = 'shop'): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  service: reviews
  routes:
  - backends:
    - {version: ${version}, weight: 90}
`;

describe('the fairway command', function () {
  // Each test starts several processes; a busy machine takes its time with them.
  this.timeout(60_000);
  let rig: AdminRig;
  let folder: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    rig = await startRig({ mesh: { ...sampleMesh(Date.now()), version: ownVersion() } });
    folder = mkdtempSync(join(tmpdir(), 'fairway-cli-'));
    env = { FAIRWAY_ADMIN: rig.url, HOME: folder };
  });
  afterEach(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  describe('get', () => {
    it('fits every table to 60 and to 160 columns', async () => {
      for (const kind of ['clusters', 'services', 'endpoints', 'rules', 'proxies']) {
        for (const width of [60, 160]) {
          const { exit, out, err } = await fairway(['get', kind], { env: { ...env, COLUMNS: String(width) } });
          assert.equal(exit, 0);
          for (const line of `${out}${err}`.split('\n')) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
          assert.equal(err.includes('Not shown for lack of room'), width === 60, `${kind} at ${width}: ${err}`);
        }
      }
    });

    it('shows which cluster is stale since when, and why', async () => {
      const { out } = await fairway(['get', 'clusters'], { env: { ...env, COLUMNS: '160' } });
      assert.match(out, /^NAME +STATE +SINCE +SERVICES +ENDPOINTS +PROXIES +NETWORK +LOCALITY +ORIGIN$/m);
      assert.match(out, /^east +fresh +60m +12 +340 +170 +n1 +eu-west +kubeconfig context kind-east$/m);
      assert.match(out, /^west +STALE +12m /m);
      assert.match(
        out,
        /└ FW-KUBE-003 https:\/\/10\.0\.0\.9:6443 does not answer: .* → Check the cluster's API server/,
      );
      assert.match(out, /└ what it said 12m ago is in force/);
    });

    it('shows per type what a proxy holds, waits for, or rejected and why', async () => {
      const { out } = await fairway(['get', 'proxies'], { env: { ...env, COLUMNS: '160' } });
      assert.match(out, /^web-1\.shop +west +synced +pending \d+s +synced +REJECTED +/m);
      assert.match(out, /└ RDS rejected 7\ds ago: Only unique values for domains are permitted\. Duplicate entry/);
    });

    it('shows how far a rule got, and what stopped it', async () => {
      const { out } = await fairway(['get', 'rules'], { env: { ...env, COLUMNS: '160' } });
      assert.match(out, /^shop +reviews +reviews +primary +True +True +True 214\/214 +3d +cluster east$/m);
      assert.match(out, /^shop +ratings-canary\S* +ratings +primary +True +False +False 3\/214 /m);
      assert.match(out, /└ not Programmed \(Rejected\): web-1\.shop: Only unique values/);
    });

    it('cuts nothing in a pipe, and shows all with wide', async () => {
      const pipe = await fairway(['get', 'rules'], { env });
      assert.match(pipe.out, /ratings-canary-with-a-long-name/);
      assert.equal(pipe.err, '');
      const wide = await fairway(['get', 'proxies', '-o', 'wide'], { env: { ...env, COLUMNS: '60' } });
      assert.match(wide.out, /sidecar~10\.1\.0\.7~web-1\.shop~shop\.svc\.cluster\.local/);
    });

    it('prints JSON and YAML as the API says it, and names for other commands', async () => {
      const list = JSON.parse((await fairway(['get', 'svc', '-o', 'json'], { env })).out) as { items: unknown[] };
      assert.deepEqual(list.items, JSON.parse(JSON.stringify(rig.mesh.services)));
      const one = JSON.parse((await fairway(['get', 'rule', 'shop/reviews', '-o', 'json'], { env })).out) as RuleReport;
      assert.equal(one.name, 'reviews', 'one object of one place is that object');
      assert.match(
        (await fairway(['get', 'cluster', 'east', '-o', 'yaml'], { env })).out,
        /^name: east\nphase: fresh\n/,
      );
      const names = await fairway(['get', 'rules', '-o', 'name'], { env });
      assert.equal(
        names.out,
        'trafficrule.fairway.dev/ratings-canary-with-a-long-name\ntrafficrule.fairway.dev/reviews\n',
      );
    });

    it('filters by namespace, name and cluster', async () => {
      assert.equal(
        (await fairway(['get', 'services', '-n', 'shop', 'ratings', '-o', 'name'], { env })).out,
        'service/ratings\n',
      );
      const west = await fairway(['get', 'ep', '--cluster', 'west', '-o', 'name'], { env });
      assert.equal(west.out, 'endpoint/reviews/10.2.0.30\nendpoint/reviews/fd00:10:2::1f\n');
      const proxy = await fairway(['get', 'proxies', 'web-1.shop', '-o', 'name'], { env });
      assert.equal(proxy.out, 'proxy/sidecar~10.1.0.7~web-1.shop~shop.svc.cluster.local\n');
    });

    it('says when there is nothing, and fails when what was named is not there', async () => {
      const none = await fairway(['get', 'services', '-n', 'empty'], { env });
      assert.deepEqual(none, { exit: 0, out: '', err: 'No services found in namespace empty.\n' });
      const missing = await fairway(['get', 'services', 'nope'], { env });
      assert.equal(missing.exit, 1);
      assert.equal(missing.out, '');
      assert.match(missing.err, /^error FW-CLI-032 no service "nope" is known\n {2}→ /);
    });

    it('colours only where that is wanted', async () => {
      const escape = '\u001b[';
      const colour = { ...env, FORCE_COLOR: '1' };
      assert.ok((await fairway(['get', 'clusters'], { env: colour })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters'], { env })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters', '--no-color'], { env: colour })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters'], { env: { ...colour, NO_COLOR: '1' } })).out.includes(escape));
    });

    it('prints nothing that could steer a terminal', async () => {
      rig.mesh.clusters = rig.mesh.clusters.map((cluster) => ({ ...cluster, origin: 'a\u001b]0;owned\u0007b' }));
      assert.ok(!(await fairway(['get', 'clusters'], { env })).out.includes('\u001b'));
    });
  });

  describe('apply', () => {
    const actions = (run: Run): string[] => run.out.trim().split('\n');

    it('applies files, folders and stdin', async () => {
      rig.mesh.rules = [];
      mkdirSync(join(folder, 'rules'));
      file('rules/a.yaml', `${ruleText('a')}---\n${ruleText('b')}`);
      const first = await fairway(['apply', '-f', join(folder, 'rules'), '-f', file('c.yaml', ruleText('c'))], { env });
      assert.deepEqual(first, {
        exit: 0,
        out: ['a', 'b', 'c'].map((name) => `trafficrule.fairway.dev/${name} created (namespace shop)\n`).join(''),
        err: '',
      });
      const again = await fairway(['apply', '-f', '-'], { env, input: `${ruleText('a')}---\n${ruleText('b', 'v2')}` });
      assert.deepEqual(actions(again), [
        'trafficrule.fairway.dev/a unchanged (namespace shop)',
        'trafficrule.fairway.dev/b configured (namespace shop)',
      ]);
    });

    it('puts objects without a namespace where -n says, or into default', async () => {
      rig.mesh.rules = [];
      const bare = file('r.yaml', ruleText('r').replace(', namespace: shop', ''));
      assert.match((await fairway(['apply', '-f', bare], { env })).out, /created \(namespace default\)/);
      assert.match((await fairway(['apply', '-f', bare, '-n', 'shop'], { env })).out, /created \(namespace shop\)/);
      const conflict = await fairway(['apply', '-f', file('s.yaml', ruleText('s')), '-n', 'other'], { env });
      assert.equal(conflict.exit, 1);
      assert.match(conflict.err, /FW-CLI-024 .*s\.yaml:3:/);
      assert.deepEqual(
        rig.mesh.rules.map(({ namespace }) => namespace),
        ['default', 'shop'],
      );
    });

    it('changes nothing in a dry run', async () => {
      const before = rig.mesh.rules;
      const run = await fairway(['apply', '--dry-run', '-f', file('r.yaml', ruleText('new'))], { env });
      assert.equal(run.out, 'trafficrule.fairway.dev/new created (namespace shop) (dry run)\n');
      assert.equal(rig.mesh.rules, before);
    });

    it('tells every mistake with file, line and column, and then applies none of it', async () => {
      const before = rig.mesh.rules;
      const good = file('a-good.yaml', ruleText('good'));
      const bad = file(
        'bad.yaml',
        [
          ruleText('typo').replace('weight', 'weigth'),
          'apiVersion: v1\nkind: Service\nmetadata: {name: x}\n',
          ruleText('zero').replace('weight: 90', 'weight: 0'),
          ruleText('regex').replace('  - backends', '  - matches: [{path: {regex: "(?=x)"}}]\n    backends'),
          'a: [1\nb: 2\n',
        ].join('---\n'),
      );
      const run = await fairway(['apply', '-f', good, '-f', bad], { env });
      assert.equal(run.exit, 1);
      assert.equal(run.out, '');
      const seen = [...run.err.matchAll(/^error (FW-\S+) \S*\/(bad\.yaml:\d+:\d+)/gm)].map(
        ([, code, where]) => `${code} ${where}`,
      );
      assert.deepEqual(
        seen.slice(0, 4).map((line) => line.replace(/:\d+$/, '')),
        ['FW-RULE-006 bad.yaml:8', 'FW-RULE-002 bad.yaml:11', 'FW-RULE-025 bad.yaml:20', 'FW-RULE-017 bad.yaml:29'],
      );
      const typo = file('typo.yaml', ruleText('typo').replace('weight', 'weigth'));
      const column = (ruleText('typo').split('\n')[7] ?? '').indexOf('weight') + 1;
      const own = await fairway(['apply', '-f', typo], { env });
      assert.ok(own.err.includes(`typo.yaml:8:${column},`), 'the mistyped key is what is named');
      assert.match(run.err, /FW-FILE-001 \S*bad\.yaml:3\d:/);
      assert.match(run.err, /Did you mean `weight`\?/);
      assert.match(run.err, /Nothing was applied\.\n$/);
      assert.equal(rig.mesh.rules, before, 'the good file was not applied either');
    });

    it('refuses one object given twice, no object, and a path that is not there', async () => {
      const twice = await fairway(['apply', '-f', '-'], { env, input: `${ruleText('a')}---\n${ruleText('a', 'v2')}` });
      assert.equal(twice.exit, 1);
      assert.match(twice.err, /FW-CLI-024 <stdin>:\d+:\d+, metadata\.name\n {2}TrafficRule shop\/a is given twice/);
      const empty = await fairway(['apply', '-f', '-'], { env, input: '# nothing\n' });
      assert.equal(empty.exit, 2);
      assert.match(empty.err, /FW-CLI-025/);
      const missing = await fairway(['apply', '-f', join(folder, 'nope.yaml')], { env });
      assert.equal(missing.exit, 2);
      assert.match(missing.err, /FW-CLI-020 .*nope\.yaml/);
    });

    describe('--wait', () => {
      const condition = (type: Condition['type'], status: Condition['status'], generation: number): Condition => ({
        type,
        status,
        reason: status === 'True' ? type : 'Invalid',
        message: status === 'True' ? '' : 'it cannot be',
        observedGeneration: generation,
        lastTransitionTime: new Date().toISOString(),
      });
      const update = (name: string, change: Partial<RuleReport>): void => {
        rig.mesh.rules = rig.mesh.rules.map((rule) => (rule.name === name ? { ...rule, ...change } : rule));
      };
      const waitingRig = async (onWrite: (rule: RuleReport) => void): Promise<void> => {
        await rig.stop();
        rig = await startRig({ mesh: rig.mesh, onWrite });
        env = { ...env, FAIRWAY_ADMIN: rig.url };
      };

      it('ends once every proxy holds the new generation, not the old', async () => {
        const conditions = (generation: number): Condition[] => [
          condition('Accepted', 'True', generation),
          condition('Programmed', 'True', generation),
        ];
        rig.mesh.rules = [];
        await fairway(['apply', '-f', '-'], { env, input: ruleText('r') });
        let isProgrammed = false;
        await waitingRig(({ generation }) => {
          // The old generation's conditions still stand: they must not be taken for the new one's.
          update('r', { conditions: conditions(generation - 1), programmed: { acknowledged: 2, total: 2 } });
          setTimeout(() => {
            isProgrammed = true;
            update('r', { conditions: conditions(generation) });
          }, 400);
        });
        const run = await fairway(['apply', '-f', '-', '--wait'], { env, input: ruleText('r', 'v2') });
        assert.deepEqual([run.exit, run.err], [0, '']);
        assert.equal(isProgrammed, true);
      });

      it('fails at once when the rule is refused', async () => {
        await waitingRig(({ name, generation }) =>
          update(name, { conditions: [condition('Accepted', 'False', generation)] }),
        );
        const run = await fairway(['apply', '-f', '-', '--wait', '--timeout', '60s'], { env, input: ruleText('r') });
        assert.equal(run.exit, 1);
        assert.match(run.err, /FW-CLI-026 shop\/r was not accepted \(Invalid\): it cannot be/);
      });

      it('gives up after --timeout with its own exit code, and says what it waited for', async () => {
        const run = await fairway(['apply', '-f', '-', '--wait', '--timeout', '100ms'], { env, input: ruleText('r') });
        assert.equal(run.exit, 4);
        assert.match(run.err, /FW-CLI-027 .*shop\/r: 0 of 2 proxies hold it/);
      });
    });
  });

  describe('delete', () => {
    it('takes names, kind/name, namespace/name and files', async () => {
      for (const args of [
        ['rule', 'reviews', '-n', 'shop'],
        ['rule/reviews', '-n', 'shop'],
        ['trafficrule.fairway.dev/reviews', '-n', 'shop'],
        ['tr', 'shop/reviews'],
        ['-f', file('r.yaml', ruleText('reviews'))],
      ]) {
        rig.mesh.rules = sampleMesh(Date.now()).rules;
        const run = await fairway(['delete', ...args], { env });
        assert.deepEqual([run.exit, run.err], [0, ''], args.join(' '));
        assert.equal(run.out, 'trafficrule.fairway.dev/reviews deleted (namespace shop)\n');
        assert.equal(
          rig.mesh.rules.some(({ name }) => name === 'reviews'),
          false,
          args.join(' '),
        );
      }
    });

    it('fails for what is not there, unless told not to', async () => {
      const run = await fairway(['delete', 'rule', 'reviews'], { env });
      assert.equal(run.exit, 1);
      assert.match(run.err, /FW-CLI-041 there is no rule default\/reviews/);
      assert.equal((await fairway(['delete', 'rule', 'reviews', '--ignore-not-found'], { env })).exit, 0);
    });

    it('says in a dry run what would become of it, and changes nothing', async () => {
      rig.mesh.rules = sampleMesh(Date.now()).rules;
      const before = rig.mesh.rules;
      const there = await fairway(['delete', '--dry-run', 'rule', 'reviews', '-n', 'shop'], { env });
      assert.equal(there.out, 'trafficrule.fairway.dev/reviews deleted (namespace shop) (dry run)\n');
      const missing = await fairway(['delete', '--dry-run', 'rule', 'nothing'], { env });
      assert.deepEqual([missing.exit, missing.out], [1, '']);
      assert.match(missing.err, /FW-CLI-041 there is no rule default\/nothing/);
      assert.equal(rig.mesh.rules, before);
    });

    it('refuses what makes no sense', async () => {
      for (const args of [[], ['rule'], ['service', 'x'], ['rule', 'a/b', '-n', 'c'], ['rule', 'x', '-f', 'y.yaml']]) {
        const run = await fairway(['delete', ...args], { env });
        assert.equal(run.exit, 2, args.join(' '));
        assert.match(run.err, /^error FW-CLI-04[0-3] /, args.join(' '));
      }
    });
  });

  describe('check', () => {
    it('groups what is well, what is doubtful and what is not, with cause and hint', async () => {
      const run = await fairway(['check'], { env: { ...env, COLUMNS: '60', PATH: '' } });
      assert.equal(run.exit, 1);
      assert.match(run.out, /^clusters\n-{8}\n× west is stale since 12m\n {4}FW-KUBE-003 /m);
      assert.match(run.out, /^‼ shop\/ratings has no ready endpoint\n {4}0 of 2 are ready in east\n {4}→ /m);
      assert.match(run.out, /^× web-1\.shop in west rejects configuration\n {4}RDS since 7\ds: Only unique/m);
      assert.match(run.out, /^‼ Envoy is found on this machine\n/m);
      for (const line of run.out.split('\n')) assert.ok(stringWidth(line) <= 60, line);
    });

    it('ends with 0 when nothing failed, and says the same in JSON', async () => {
      const mesh = sampleMesh(Date.now());
      rig.mesh.clusters = mesh.clusters.slice(0, 1);
      rig.mesh.rules = mesh.rules.slice(0, 1);
      rig.mesh.proxies = mesh.proxies.slice(0, 1);
      assert.equal((await fairway(['check'], { env })).exit, 0);
      const json = JSON.parse((await fairway(['check', '-o', 'json'], { env })).out) as {
        ok: boolean;
        groups: { title: string }[];
      };
      assert.equal(json.ok, true);
      assert.deepEqual(
        json.groups.map(({ title }) => title),
        ['pilot', 'clusters', 'services', 'rules', 'proxies', 'this machine'],
      );
    });

    it('waits until all is well', async () => {
      const mesh = sampleMesh(Date.now());
      rig.mesh.rules = [];
      rig.mesh.proxies = [];
      const waiting = fairway(['check', '--wait', '--timeout', '15s'], { env });
      setTimeout(() => {
        rig.mesh.clusters = mesh.clusters.slice(0, 1);
      }, 300);
      assert.equal((await waiting).exit, 0);
    });

    it('ends with 3 when no pilot answers', async () => {
      const run = await fairway(['check'], { env: { ...env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' } });
      assert.equal(run.exit, 3);
      assert.match(run.out, /^× the admin API answers\n {4}FW-CLI-010 /m);
    });
  });

  describe('the connection', () => {
    it('is said to be missing with exit code 3, whatever the command', async () => {
      const nowhere = { env: { ...env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' }, input: ruleText('r') };
      for (const args of [['get', 'rules'], ['apply', '-f', '-'], ['delete', 'rule', 'a'], ['config']]) {
        const run = await fairway(args, nowhere);
        assert.deepEqual([run.exit, run.out], [3, ''], args.join(' '));
        assert.match(
          run.err,
          /^error FW-CLI-010 the admin API at http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
        );
      }
    });

    it('is given up after --request-timeout, and not mistaken for another server', async () => {
      const silent = createServer(() => {});
      const other = createServer((_request, response) => response.end('<html>hello</html>'));
      for (const server of [silent, other])
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = (server: typeof silent): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        const late = await fairway(['get', 'rules', '--admin', url(silent), '--request-timeout', '200ms'], { env });
        assert.equal(late.exit, 3);
        assert.match(late.err, /did not answer in time/);
        const wrong = await fairway(['get', 'rules', '--admin', url(other)], { env });
        assert.equal(wrong.exit, 3);
        assert.match(wrong.err, /FW-CLI-011 .* is not Fairway's admin API/);
      } finally {
        for (const server of [silent, other]) {
          server.closeAllConnections();
          server.close();
        }
      }
    });

    it('carries a token from a file or the environment', async () => {
      await rig.stop();
      const token = 'a-token-of-the-right-length';
      rig = await startRig({ mesh: rig.mesh, token: () => token });
      const url = { ...env, FAIRWAY_ADMIN: rig.url };
      const none = await fairway(['get', 'clusters'], { env: url });
      assert.equal(none.exit, 1);
      assert.match(none.err, /FW-API-005/);
      assert.equal((await fairway(['get', 'clusters'], { env: { ...url, FAIRWAY_ADMIN_TOKEN: token } })).exit, 0);
      const args = ['get', 'clusters', '--admin-token-file', file('token', `${token}\n`)];
      assert.equal((await fairway(args, { env: url })).exit, 0);
    });
  });

  it('refuses flags and arguments that make no sense with exit code 2', async () => {
    for (const [code, ...args] of [
      ['FW-CLI-001', 'gett'],
      ['FW-CLI-001', 'get'],
      ['FW-CLI-001', 'get', 'rules', '--nope'],
      ['FW-CLI-001', 'get', 'rules', '-o', 'xml'],
      ['FW-CLI-001', 'apply'],
      ['FW-CLI-030', 'get', 'pods'],
      ['FW-CLI-031', 'get', 'rules', '-A', '-n', 'shop'],
      ['FW-CLI-005', 'get', 'rules', '--admin', 'ftp://x'],
      ['FW-CLI-006', 'get', 'rules', '--admin-token-file', '/nope'],
      ['FW-CLI-007', 'get', 'rules', '--admin', 'http://x', '--context', 'y'],
      ['FW-CLI-033', 'get', 'services', '--context', 'y'],
      ['FW-CLI-080', 'get', 'rules', '--kubeconfig', '/nope'],
      ['FW-CLI-004', 'get', 'rules', '--request-timeout', 'soon'],
      ['FW-CLI-050', 'serve'],
      ['FW-CLI-070', 'bootstrap', '--cluster', 'east', '--workload', 'web', '--inbound', 'x'],
    ]) {
      const run = await fairway(args, { env });
      assert.deepEqual([run.exit, run.out], [2, ''], args.join(' '));
      assert.ok(run.err.startsWith(`error ${code} `), `${args.join(' ')}: ${run.err}`);
      assert.match(run.err, /\n {2}→ /, 'every error says what to do');
    }
  });

  it('prints help for people and completes for shells', async () => {
    const help = await fairway(['--help'], { env });
    assert.equal(help.exit, 0);
    for (const name of [
      'serve',
      'apply',
      'delete',
      'get',
      'bootstrap',
      'check',
      'demo',
      'envoy',
      'version',
      'completion',
    ]) {
      assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
    }
    for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
      assert.match((await fairway(['completion', shell], { env })).out, /fairway/, shell);
    }
    assert.match((await fairway(['complete', '--', 'get', '--out'], { env })).out, /^--output\t/m);
    assert.match((await fairway(['complete', '--', 'get', ''], { env })).out, /^clusters\t\n(.*\n)*proxies\t$/m);
  });

  it('answers to kubectl as a plugin', async () => {
    const plugin = join(folder, 'kubectl-fairway');
    symlinkSync(mainFile, plugin);
    const run = await fairway(['--help'], { env, program: plugin });
    assert.match(run.out, /^Usage: kubectl fairway /);
  });

  it('tells versions, with or without a pilot', async () => {
    const both = await fairway(['version'], { env });
    assert.match(both.out, /^fairway \d+\.\d+\.\d+ .*\npilot {3}\d+\.\d+\.\d+ /);
    const alone = await fairway(['version'], { env: { ...env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' } });
    assert.equal(alone.exit, 0);
    assert.match(alone.err, /FW-CLI-010/);
    const own = await fairway(['version', '--client', '-o', 'json'], { env });
    assert.equal((JSON.parse(own.out) as { client: { version: string } }).client.version, ownVersion());
  });

  it('prints a bootstrap in YAML and JSON', async () => {
    const args = ['bootstrap', '--cluster', 'east', '--workload', 'web', '-n', 'shop', '--label', 'version=v1'];
    assert.match(
      (await fairway(args, { env })).out,
      /^ {2}id: sidecar~127\.0\.0\.1~web\.shop~shop\.svc\.cluster\.local$/m,
    );
    const json = JSON.parse((await fairway([...args, '-o', 'json'], { env })).out) as { node: { metadata: object } };
    assert.equal((json.node.metadata as { CLUSTER_ID: string }).CLUSTER_ID, 'east');
    const grpc = JSON.parse((await fairway([...args, '--grpc'], { env })).out) as { xds_servers: object[] };
    assert.equal(grpc.xds_servers.length, 1);
    assert.match((await fairway([...args, '--grpc', '--config', 'eager'], { env })).err, /FW-CLI-070 --config/);
  });

  it('prints where Envoy is, and runs it with its exit code', async () => {
    const envoy = file('my-envoy', '#!/bin/sh\necho "args: $*"\nexit 7\n');
    chmodSync(envoy, 0o755);
    const withEnvoy = { env: { ...env, ENVOY_BIN: envoy } };
    assert.deepEqual(await fairway(['envoy'], withEnvoy), { exit: 0, out: `${envoy}\n`, err: '' });
    const run = await fairway(['envoy', '--', '--version', '-c', 'x'], withEnvoy);
    assert.deepEqual(run, { exit: 7, out: 'args: --version -c x\n', err: '' });
    const none = await fairway(['envoy', '--no-install'], { env: { ...env, PATH: '' } });
    assert.equal(none.exit, 1);
    assert.match(none.err, /FW-CLI-060 .*\n.*ENVOY_BIN/);
  });
});
