/**
 * A member's own rules in its own Kubernetes API, under a pilot that reads another as its primary: in force with a grant, shown without one where the
 * pilot may read them; under a grant a missing CRD or right is a finding; statuses are written there only where asked for and allowed.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleReport } from '../../src/model/report.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { startAll } from '../rig/started.ts';
import { waitFor } from '../rig/wait.ts';
import { badClusterPolicies, clusterPolicyText } from '../support/bad-cluster-policies.ts';
import { temporaryFolder } from './kube-support.ts';

const root = join(import.meta.dirname, '../..');
const ownRule = (version: string): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: own, namespace: shop}
spec: {service: reviews, routes: [{backends: [{version: ${version}}]}]}
`;

const policy = (more = ''): string =>
  clusterPolicyText(`{clusters: [edge-*], grants: [{namespaces: [shop], kinds: [TrafficRule]}]${more}}`);

/** For the rig's reader instead of the service account. */
function forReader(file: string): string {
  const text = readFileSync(join(root, 'deploy/remote', file), 'utf8');
  const account = '- {kind: ServiceAccount, name: fairway-reader, namespace: fairway-system}';
  assert.ok(text.includes(account), file);
  return text.replace(account, '- {kind: User, apiGroup: rbac.authorization.k8s.io, name: fairway-reader}');
}

describe('a member’s own rules in its own API', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let primary: KubeApi;
  let member: KubeApi;
  let pilot: Pilot;
  let start: () => Promise<Pilot>;

  before(async () => {
    const dirs = ['primary', 'member'].map((name) => join(folder.path, name));
    for (const dir of dirs) mkdirSync(dir);
    [primary, member] = await startAll([
      startKubeApi({ name: 'primary', dir: dirs[0] ?? '', controllers: false }),
      startKubeApi({ name: 'edge-1', dir: dirs[1] ?? '', controllers: false }),
    ]);
    await installCrds(primary, ['-f', join(root, 'deploy/crds')]);
    for (const api of [primary, member]) await api.kubectl(['create', 'namespace', 'shop']);
    const kubeconfig = join(folder.path, 'pilot.kubeconfig');
    const user = (api: KubeApi, context: string, token: string) => ({
      context,
      url: api.url,
      certificateAuthority: api.certificateAuthority,
      token,
    });
    writeKubeconfig(kubeconfig, user(primary, 'primary', primary.token), user(member, 'edge-1', member.readerToken));
    start = async () =>
      startPilot({
        xds: `127.0.0.1:${await freePort()}`,
        admin: `127.0.0.1:${await freePort()}`,
        args: ['--kubeconfig', kubeconfig, '--context', 'primary', '--context', 'edge-1'],
        logFile: join(folder.path, 'pilot.log'),
      });
    pilot = await start();
  });
  after(async () => {
    await pilot?.stop();
    await Promise.all([primary?.stop(), member?.stop()]);
    folder.remove();
  });

  const findings = async (): Promise<readonly string[]> =>
    ((await pilot.clusters()).find(({ name }) => name === 'edge-1')?.findings ?? []).map(({ code }) => code);
  const own = async (): Promise<RuleReport | undefined> =>
    (await pilot.rules()).find(({ holder }) => holder === 'edge-1');
  const accepted = async (): Promise<string> => {
    const condition = (await own())?.conditions.find(({ type }) => type === 'Accepted');
    return `${condition?.status} ${condition?.reason}`;
  };
  const until = (what: string, probe: () => Promise<boolean>): Promise<unknown> =>
    waitFor(what, probe, { timeoutMs: 60_000 });

  describe('the CRD of ClusterPolicy', () => {
    for (const { name, spec, api: says } of badClusterPolicies) {
      it(`refuses ${name}`, async () => {
        const { code, stderr } = await primary.tryKubectl(
          ['create', '--dry-run=server', '--validate=strict', '-f', '-'],
          clusterPolicyText(spec),
        );
        assert.notEqual(code, 0);
        assert.ok(stderr.includes(says), stderr);
      });
    }
  });

  it('are nobody’s trouble without a grant; with one a missing right is a finding', async () => {
    assert.deepEqual(await findings(), []);
    await primary.kubectl(['apply', '-f', '-'], policy());
    await until('the missing right to be said', async () => (await findings()).includes('FW-KUBE-018'));
  });

  it('are none while the CRD is missing, which is said', async () => {
    await member.kubectl(['apply', '-f', '-'], forReader('member-rules.yaml'));
    await until('the missing CRD to be said', async () => (await findings()).includes('FW-KUBE-014'));
  });

  it('are in force once they can be read, and judged where people look', async () => {
    await installCrds(member, ['-f', join(root, 'deploy/crds/trafficrules.fairway.dev.yaml')]);
    await member.kubectl(['apply', '-f', '-'], ownRule('v1'));
    await until('the rule to be accepted', async () => (await accepted()) === 'True Accepted');
    assert.deepEqual(await findings(), []);
    await until('the policy’s status', async () =>
      / +\[?"edge-\*"\]? .* True /.test(`${await primary.kubectl(['get', 'clusterpolicies'])} `),
    );
    // Nothing was written into the member.
    const held = await member.kubectl(['get', 'trafficrules', 'own', '-n', 'shop', '-o', 'jsonpath={.status}']);
    assert.equal(held, '');
  });

  it('carry their status where that is asked for and allowed', async () => {
    await member.kubectl(['apply', '-f', '-'], forReader('member-status.yaml'));
    await primary.kubectl(['apply', '-f', '-'], policy(', writeStatus: true'));
    await until('the status to be there', async () => {
      const text = await member.kubectl(['get', 'trafficrules', 'own', '-n', 'shop', '-o', 'json']);
      const { status } = JSON.parse(text) as {
        readonly status?: { readonly conditions: readonly { type: string; status: string }[] };
      };
      return status?.conditions.some(({ type, status: value }) => type === 'Accepted' && value === 'True') === true;
    });
  });

  it('go on while the primary is out of reach, and are shown as set aside once the grant is gone', async () => {
    primary.pause();
    try {
      await member.kubectl(['apply', '-f', '-'], ownRule('v2'));
      await until('the member’s change', async () => (await own())?.generation === 2);
      assert.equal(await accepted(), 'True Accepted');
    } finally {
      primary.resume();
    }
    await primary.kubectl(['delete', 'clusterpolicy', 'edges']);
    await until('the rule to be set aside', async () => (await accepted()) === 'False NotGranted');
  });

  it('are shown as set aside after a restart too, as they are, as long as they are there', async () => {
    await pilot.stop();
    pilot = await start();
    await until('the rule to be shown', async () => (await accepted()) === 'False NotGranted');
    assert.deepEqual(await findings(), []);
    await member.kubectl(['apply', '-f', '-'], ownRule('v3'));
    await until('the member’s change', async () => (await own())?.generation === 3);
    await member.kubectl(['delete', 'trafficrule', 'own', '-n', 'shop']);
    await until('the rule to be gone', async () => (await own()) === undefined);
  });
});
