/** `fairway apply` and `fairway delete` as people run them, looked at by what they print, how they end and what becomes of the rules. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleReport } from '../../src/model/report.ts';
import type { Condition } from '../../src/model/rule.ts';
import { sampleMesh } from './api-sample-mesh.ts';
import { fairway, type Run } from './cli-run.ts';
import { cliScene, ruleText } from './cli-scene.ts';

describe('the fairway command', function () {
  // Each test starts several processes; a busy machine takes its time with them.
  this.timeout(60_000);
  const scene = cliScene();
  const { file } = scene;

  describe('apply', () => {
    const actions = (run: Run): string[] => run.out.trim().split('\n');

    it('applies files, folders and stdin', async () => {
      scene.rig.mesh.rules = [];
      mkdirSync(join(scene.folder, 'rules'));
      file('rules/a.yaml', `${ruleText('a')}---\n${ruleText('b')}`);
      const first = await fairway(['apply', '-f', join(scene.folder, 'rules'), '-f', file('c.yaml', ruleText('c'))], {
        env: scene.env,
      });
      assert.deepEqual(first, {
        exit: 0,
        out: ['a', 'b', 'c'].map((name) => `trafficrule.fairway.dev/${name} created (namespace shop)\n`).join(''),
        err: '',
      });
      const again = await fairway(['apply', '-f', '-'], {
        env: scene.env,
        input: `${ruleText('a')}---\n${ruleText('b', 'v2')}`,
      });
      assert.deepEqual(actions(again), [
        'trafficrule.fairway.dev/a unchanged (namespace shop)',
        'trafficrule.fairway.dev/b configured (namespace shop)',
      ]);
    });

    it('puts objects without a namespace where -n says, or into default', async () => {
      scene.rig.mesh.rules = [];
      const bare = file('r.yaml', ruleText('r').replace(', namespace: shop', ''));
      assert.match((await fairway(['apply', '-f', bare], { env: scene.env })).out, /created \(namespace default\)/);
      assert.match(
        (await fairway(['apply', '-f', bare, '-n', 'shop'], { env: scene.env })).out,
        /created \(namespace shop\)/,
      );
      const conflict = await fairway(['apply', '-f', file('s.yaml', ruleText('s')), '-n', 'other'], { env: scene.env });
      assert.equal(conflict.exit, 1);
      assert.match(conflict.err, /FW-CLI-024 .*s\.yaml:3:/);
      assert.deepEqual(
        scene.rig.mesh.rules.map(({ namespace }) => namespace),
        ['default', 'shop'],
      );
    });

    it('changes nothing in a dry run', async () => {
      const before = scene.rig.mesh.rules;
      const run = await fairway(['apply', '--dry-run', '-f', file('r.yaml', ruleText('new'))], { env: scene.env });
      assert.equal(run.out, 'trafficrule.fairway.dev/new created (namespace shop) (dry run)\n');
      assert.equal(scene.rig.mesh.rules, before);
    });

    it('tells every mistake with file, line and column, and then applies none of it', async () => {
      const before = scene.rig.mesh.rules;
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
      const run = await fairway(['apply', '-f', good, '-f', bad], { env: scene.env });
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
      const own = await fairway(['apply', '-f', typo], { env: scene.env });
      assert.ok(own.err.includes(`typo.yaml:8:${column},`), 'the mistyped key is what is named');
      assert.match(run.err, /FW-FILE-001 \S*bad\.yaml:3\d:/);
      assert.match(run.err, /Did you mean `weight`\?/);
      assert.match(run.err, /Nothing was applied\.\n$/);
      assert.equal(scene.rig.mesh.rules, before, 'the good file was not applied either');
    });

    it('refuses one object given twice, no object, and a path that is not there', async () => {
      const twice = await fairway(['apply', '-f', '-'], {
        env: scene.env,
        input: `${ruleText('a')}---\n${ruleText('a', 'v2')}`,
      });
      assert.equal(twice.exit, 1);
      assert.match(twice.err, /FW-CLI-024 <stdin>:\d+:\d+, metadata\.name\n {2}TrafficRule shop\/a is given twice/);
      const empty = await fairway(['apply', '-f', '-'], { env: scene.env, input: '# nothing\n' });
      assert.equal(empty.exit, 2);
      assert.match(empty.err, /FW-CLI-025/);
      const missing = await fairway(['apply', '-f', join(scene.folder, 'nope.yaml')], { env: scene.env });
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
        scene.rig.mesh.rules = scene.rig.mesh.rules.map((rule) => (rule.name === name ? { ...rule, ...change } : rule));
      };
      const waitingRig = (onWrite: (rule: RuleReport) => void): Promise<void> => scene.restart({ onWrite });

      it('ends once every proxy holds the new generation, not the old', async () => {
        const conditions = (generation: number): Condition[] => [
          condition('Accepted', 'True', generation),
          condition('Programmed', 'True', generation),
        ];
        scene.rig.mesh.rules = [];
        await fairway(['apply', '-f', '-'], { env: scene.env, input: ruleText('r') });
        let isProgrammed = false;
        await waitingRig(({ generation }) => {
          // The old generation's conditions still stand: they must not be taken for the new one's.
          update('r', { conditions: conditions(generation - 1), programmed: { acknowledged: 2, total: 2 } });
          setTimeout(() => {
            isProgrammed = true;
            update('r', { conditions: conditions(generation) });
          }, 400);
        });
        const run = await fairway(['apply', '-f', '-', '--wait'], { env: scene.env, input: ruleText('r', 'v2') });
        assert.deepEqual([run.exit, run.err], [0, '']);
        assert.equal(isProgrammed, true);
      });

      it('fails at once when the rule is refused', async () => {
        await waitingRig(({ name, generation }) =>
          update(name, { conditions: [condition('Accepted', 'False', generation)] }),
        );
        const run = await fairway(['apply', '-f', '-', '--wait', '--timeout', '60s'], {
          env: scene.env,
          input: ruleText('r'),
        });
        assert.equal(run.exit, 1);
        assert.match(run.err, /FW-CLI-026 shop\/r was not accepted \(Invalid\): it cannot be/);
      });

      it('gives up after --timeout with its own exit code, and says what it waited for', async () => {
        const run = await fairway(['apply', '-f', '-', '--wait', '--timeout', '100ms'], {
          env: scene.env,
          input: ruleText('r'),
        });
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
        scene.rig.mesh.rules = sampleMesh(Date.now()).rules;
        const run = await fairway(['delete', ...args], { env: scene.env });
        assert.deepEqual([run.exit, run.err], [0, ''], args.join(' '));
        assert.equal(run.out, 'trafficrule.fairway.dev/reviews deleted (namespace shop)\n');
        assert.equal(
          scene.rig.mesh.rules.some(({ name }) => name === 'reviews'),
          false,
          args.join(' '),
        );
      }
    });

    it('fails for what is not there, unless told not to', async () => {
      const run = await fairway(['delete', 'rule', 'reviews'], { env: scene.env });
      assert.equal(run.exit, 1);
      assert.match(run.err, /FW-CLI-041 there is no rule default\/reviews/);
      assert.equal((await fairway(['delete', 'rule', 'reviews', '--ignore-not-found'], { env: scene.env })).exit, 0);
    });

    it('says in a dry run what would become of it, and changes nothing', async () => {
      scene.rig.mesh.rules = sampleMesh(Date.now()).rules;
      const before = scene.rig.mesh.rules;
      const there = await fairway(['delete', '--dry-run', 'rule', 'reviews', '-n', 'shop'], { env: scene.env });
      assert.equal(there.out, 'trafficrule.fairway.dev/reviews deleted (namespace shop) (dry run)\n');
      const missing = await fairway(['delete', '--dry-run', 'rule', 'nothing'], { env: scene.env });
      assert.deepEqual([missing.exit, missing.out], [1, '']);
      assert.match(missing.err, /FW-CLI-041 there is no rule default\/nothing/);
      assert.equal(scene.rig.mesh.rules, before);
    });

    it('refuses what makes no sense', async () => {
      for (const args of [[], ['rule'], ['service', 'x'], ['rule', 'a/b', '-n', 'c'], ['rule', 'x', '-f', 'y.yaml']]) {
        const run = await fairway(['delete', ...args], { env: scene.env });
        assert.equal(run.exit, 2, args.join(' '));
        assert.match(run.err, /^error FW-CLI-04[0-3] /, args.join(' '));
      }
    });
  });
});
