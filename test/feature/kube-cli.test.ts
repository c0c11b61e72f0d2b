/** `fairway apply`, `get` and `delete` against a real kube-apiserver with Fairway's CRD. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { waitFor } from '../rig/wait.ts';
import { fairway, type Run } from './cli-run.ts';
import { temporaryFolder } from './kube-support.ts';

const crd = fileURLToPath(new URL('../../deploy/crds/trafficrules.fairway.dev.yaml', import.meta.url));

const ruleText = (name: string, version = 'v1'): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ${name}, namespace: shop}
spec:
  service: reviews
  routes:
  - backends:
    - {version: ${version}}
`;

describe('the fairway command on Kubernetes', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  const run = (args: readonly string[], input = ''): Promise<Run> =>
    fairway([...args, '--kubeconfig', api.kubeconfig, '--context', 'east'], { env: { HOME: folder.path }, input });
  const names = async (): Promise<string> => (await run(['get', 'rules', '-n', 'shop', '-o', 'name'])).out;

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  it('says that the CRD is missing before it is installed', async () => {
    const apply = await run(['apply', '-f', '-'], ruleText('a'));
    assert.deepEqual([apply.exit, apply.out], [1, '']);
    assert.match(apply.err, /FW-KUBE-021 [\s\S]*Install its CRD[\s\S]*Nothing was applied to context east\./);
  });

  describe('with the CRD', () => {
    before(async () => {
      await installCrds(api, ['-f', crd]);
      await api.kubectl(['create', 'namespace', 'shop']);
    });

    it('applies by server-side apply: created, unchanged, configured', async () => {
      const file = join(folder.path, 'rules.yaml');
      writeFileSync(file, `${ruleText('a')}---\n${ruleText('b')}`);
      const dry = await run(['apply', '-f', file, '--dry-run']);
      assert.match(dry.out, /^trafficrule\.fairway\.dev\/a created \(namespace shop\) \(dry run\) in context east$/m);
      assert.equal(await names(), '');

      const created = await run(['apply', '-f', file]);
      assert.deepEqual([created.exit, created.err], [0, '']);
      assert.equal(await names(), 'trafficrule.fairway.dev/a\ntrafficrule.fairway.dev/b\n');

      const again = await run(['apply', '-f', '-'], `${ruleText('a')}---\n${ruleText('b', 'v2')}`);
      assert.match(again.out, /\/a unchanged .*\n.*\/b configured /);
    });

    it('shows the status as the API holds it, and waits for it', async () => {
      const conditions = ['Accepted', 'ResolvedRefs', 'Programmed'].map((type) => ({
        type,
        status: 'True',
        reason: type,
        message: '',
        observedGeneration: 1,
        lastTransitionTime: new Date().toISOString(),
      }));
      const status = JSON.stringify({ status: { conditions, proxies: { acknowledged: 20, total: 20 } } });
      await api.kubectl([
        'patch',
        'trafficrule',
        'a',
        '-n',
        'shop',
        '--subresource=status',
        '--type=merge',
        '-p',
        status,
      ]);
      const table = await run(['get', 'rules', 'a']);
      assert.match(table.out, /^shop +a +reviews +primary +True +True +True 20\/20 +\d+s +context east$/m);
      assert.equal((await run(['apply', '-f', '-', '--wait'], ruleText('a'))).exit, 0);
      const late = await run(['apply', '-f', '-', '--wait', '--timeout', '1s'], ruleText('a', 'v9'));
      assert.equal(late.exit, 4, 'generation 2 has not been looked at by any pilot');
      assert.match(late.err, /FW-CLI-027/);
    });

    it('leaves all as it was when the API refuses one object', async () => {
      const before = await api.kubectl([
        'get',
        'trafficrules',
        '-n',
        'shop',
        '-o',
        'jsonpath={.items[*].metadata.resourceVersion}',
      ]);
      const elsewhere = ruleText('c').replace('namespace: shop', 'namespace: nowhere');
      const refused = await run(['apply', '-f', '-'], `${ruleText('a', 'v7')}---\n${elsewhere}`);
      assert.equal(refused.exit, 1);
      assert.equal(refused.out, '');
      assert.match(refused.err, /FW-KUBE-022 <stdin>:10:1[\s\S]*nowhere[\s\S]*Nothing was applied to context east\./);
      const after = await api.kubectl([
        'get',
        'trafficrules',
        '-n',
        'shop',
        '-o',
        'jsonpath={.items[*].metadata.resourceVersion}',
      ]);
      assert.equal(after, before);
    });

    it('tells who else manages a field, and takes it over with --force', async () => {
      await api.kubectl(['apply', '--server-side', '--field-manager=gitops', '-f', '-'], ruleText('d'));
      const conflict = await run(['apply', '-f', '-'], ruleText('d', 'v2'));
      assert.equal(conflict.exit, 1);
      assert.match(conflict.err, /FW-KUBE-023 [\s\S]*gitops[\s\S]*--force/);
      assert.equal((await run(['apply', '-f', '-', '--force'], ruleText('d', 'v2'))).exit, 0);
    });

    it('deletes, and says what is not there', async () => {
      const dry = await run(['delete', 'rule', 'shop/a', '--dry-run']);
      assert.equal(dry.out, 'trafficrule.fairway.dev/a deleted (namespace shop) (dry run) in context east\n');
      assert.match(await names(), /\/a\n/);
      assert.equal((await run(['delete', 'rule', 'a', 'b', 'd', '-n', 'shop'])).exit, 0);
      await waitFor('the rules to be gone', async () => ((await names()) === '' ? true : undefined));
      const missing = await run(['delete', 'rule', 'shop/a']);
      assert.equal(missing.exit, 1);
      assert.match(missing.err, /FW-CLI-041 there is no rule shop\/a in context east/);
    });
  });

  it('refuses a context that the kubeconfig does not have', async () => {
    const wrong = await fairway(['get', 'rules', '--kubeconfig', api.kubeconfig, '--context', 'nope'], {});
    assert.equal(wrong.exit, 1);
    assert.match(wrong.err, /FW-KUBE-002 .*\n.*there is no context nope \(there are: east\)/);
  });

  // A suite of its own, so that it comes last: the API does not come back.
  describe('without the API', () => {
    it('ends with 3', async () => {
      await api.kill();
      const lost = await run(['get', 'rules']);
      assert.equal(lost.exit, 3);
      assert.match(lost.err, /^error FW-KUBE-007 /);
    });
  });
});
