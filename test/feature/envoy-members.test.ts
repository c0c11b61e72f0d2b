/**
 * Who decides, in real Envoys of two clusters under a real pilot over folders: a rule of the primary holds for both; the edge's own changes the
 * edge's proxies alone, as long as the primary grants it; and each side goes on without the other.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import type { RuleReport } from '../../src/model/report.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { fairway } from './cli-run.ts';
import { askProxy, startHttpWorkload, type Workload } from './envoy-rig.ts';

const clusters = ['edge', 'hub'] as const;
type Cluster = (typeof clusters)[number];

function slice(name: string, version: string, port: number): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: reviews, version: ${version}}}
status: {phase: Running, podIP: 127.0.0.1}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints:
- {addresses: [127.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: ${name}, namespace: shop}}
---
`;
}

const service = `apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {ports: [{name: http, port: 80, appProtocol: http}]}
---
`;

function rule(version: string, name = 'reviews'): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ${name}, namespace: shop}
spec: {service: reviews, routes: [{backends: [{version: ${version}}]}]}
`;
}

function policy(namespaces: string, precedence = 'member'): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: edges}
spec:
  clusters: [edge*]
  grants: [{namespaces: [${namespaces}], kinds: [TrafficRule]}]
  precedence: ${precedence}
`;
}

describe('a member that decides for its own proxies, with real Envoys', function () {
  this.timeout(120_000);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-members-'));
  const [clustersDir, rulesDir, stateDir] = ['clusters', 'rules', 'state'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  const workloads: Workload[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  const ports = new Map<Cluster, number>();
  let pilot: Pilot;
  let admin = '';
  let args: {
    readonly xds: string;
    readonly admin: string;
    readonly args: readonly string[];
    readonly logFile: string;
  };

  const put = (folder: string, name: string, text: string): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(dir, '.part'), text);
    renameSync(join(dir, '.part'), join(folder, name));
  };
  const drop = (folder: string, name: string): void => rmSync(join(folder, name));
  const edge = join(clustersDir, 'edge');

  before(async function () {
    const found = await lookForEnvoy({ env: process.env, log: () => {} });
    if (found === undefined) return skip(this, noEnvoy);
    for (const version of ['v1', 'v2', 'v3']) workloads.push(await startHttpWorkload(version));
    for (const cluster of clusters) {
      const slices = workloads.map(({ port }, i) => slice(`${cluster}-v${i + 1}`, `v${i + 1}`, port));
      put(join(clustersDir, cluster), 'reviews.yaml', service + slices.join(''));
    }
    put(rulesDir, 'reviews.yaml', rule('v1'));
    const xds = `127.0.0.1:${await freePort()}`;
    admin = `127.0.0.1:${await freePort()}`;
    args = {
      xds,
      admin,
      args: ['--clusters', clustersDir, '--rules', rulesDir, '--state', stateDir],
      logFile: join(dir, 'pilot.log'),
    };
    pilot = await startPilot(args);
    for (const [i, cluster] of clusters.entries()) {
      const [proxyPort, adminPort] = [await freePort(), await freePort()];
      ports.set(cluster, proxyPort);
      const bootstrap = renderBootstrap({
        mode: 'explicit',
        xds: [xds],
        cluster,
        namespace: 'shop',
        workload: 'client',
        serviceAccount: 'client',
        addresses: [`10.9.${i}.1`],
        labels: {},
        adminPort,
        outbound: `127.0.0.1:${proxyPort}`,
        inboundAddress: '127.0.0.1',
      });
      const envoy = await startEnvoyProcess({ command: found.path, bootstrap, dir, name: cluster });
      stops.push(() => envoy.stop());
    }
  });

  after(async () => {
    await pilot?.stop();
    await Promise.all(stops.map((stop) => stop()));
    for (const workload of workloads) await workload.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function answers(cluster: Cluster): Promise<string> {
    const all = await Promise.all(
      Array.from({ length: 6 }, () => askProxy(ports.get(cluster) ?? 0, 'reviews.shop').catch(() => undefined)),
    );
    return [...new Set(all.map((one) => (one?.status === 200 ? one.said.name : `${one?.status}`)))].sort().join();
  }

  /** Resolves once both Envoys send everything to these. */
  async function goes(wanted: Readonly<Record<Cluster, string>>): Promise<void> {
    let seen = '';
    await waitFor(
      `edge → ${wanted.edge}, hub → ${wanted.hub}`,
      async () => {
        const [there, here] = await Promise.all(clusters.map(answers));
        seen = `edge → ${there}, hub → ${here}`;
        return there === wanted.edge && here === wanted.hub;
      },
      { timeoutMs: 30_000 },
      () => seen,
    );
  }

  async function held(holder: string | undefined): Promise<RuleReport> {
    const found = (await pilot.rules()).find((report) => report.holder === holder);
    assert.ok(found, `no rule of ${holder ?? 'the primary'}`);
    return found;
  }

  async function accepted(holder: string | undefined): Promise<string> {
    const condition = (await held(holder)).conditions.find(({ type }) => type === 'Accepted');
    return `${condition?.status} ${condition?.reason}`;
  }

  it('obeys the primary without a grant, and its rule is shown with the reason', async () => {
    put(edge, 'own.yaml', rule('v2', 'own'));
    await waitFor('the rule to be seen', async () => (await pilot.rules()).length === 2);
    await goes({ edge: 'v1', hub: 'v1' });
    assert.equal(await accepted('edge'), 'False NotGranted');
    assert.equal(await accepted(undefined), 'True Accepted');
    const { findings } = await held('edge');
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['FW-RULE-200'],
    );
    const table = await fairway(['get', 'rules', '--admin', admin]);
    assert.match(table.out, /shop +own .* edge +False/);
    assert.match(table.out, /not Accepted \(NotGranted\)/);
  });

  it('decides for itself with a grant, and for nobody else', async () => {
    put(rulesDir, 'policy.yaml', policy('shop'));
    await goes({ edge: 'v2', hub: 'v1' });
    assert.equal(await accepted('edge'), 'True Accepted');
    await waitFor('both rules to be held by those that they are for', async () =>
      (await pilot.rules()).every(({ programmed }) => programmed.acknowledged === 1 && programmed.total === 1),
    );
    const policies = await fairway(['get', 'clusterpolicies', '--admin', admin]);
    assert.match(policies.out, /edges +edge\* +shop +member +True/);
    put(edge, 'own.yaml', rule('v3', 'own'));
    await goes({ edge: 'v3', hub: 'v1' });
  });

  it('follows the primary’s change where the primary goes first', async () => {
    put(rulesDir, 'policy.yaml', policy('shop', 'primary'));
    await goes({ edge: 'v1', hub: 'v1' });
    assert.equal(await accepted('edge'), 'False PrimaryFirst');
    drop(rulesDir, 'reviews.yaml');
    await goes({ edge: 'v3', hub: 'v1,v2,v3' });
    put(rulesDir, 'reviews.yaml', rule('v1'));
    put(rulesDir, 'policy.yaml', policy('"*"'));
    await goes({ edge: 'v3', hub: 'v1' });
  });

  it('cannot grant itself a right, nor say anything of another', async () => {
    put(join(clustersDir, 'hub'), 'grab.yaml', `${policy('"*"').replace('edge*', '"*"')}---\n${rule('v2')}`);
    await waitFor('the finding', async () =>
      (await pilot.clusters()).some(
        ({ name, findings }) => name === 'hub' && findings.some(({ code }) => code === 'FW-RULE-202'),
      ),
    );
    assert.equal(await accepted('hub'), 'False NotGranted');
    await goes({ edge: 'v3', hub: 'v1' });
    drop(join(clustersDir, 'hub'), 'grab.yaml');
    await waitFor('it to be gone', async () => (await pilot.rules()).every(({ holder }) => holder !== 'hub'));
  });

  it('goes on without the primary’s rules, over a restart too, and the primary without the member', async () => {
    renameSync(rulesDir, `${rulesDir}.away`);
    put(edge, 'own.yaml', rule('v2', 'own'));
    await goes({ edge: 'v2', hub: 'v1' });
    renameSync(`${rulesDir}.away`, rulesDir);
    await waitFor('what was said to be saved', async () => (await pilot.rules()).length === 2);
    await pilot.stop();
    // The clusters' folder cannot be read: what was saved of both counts.
    renameSync(clustersDir, `${clustersDir}.away`);
    pilot = await startPilot(args);
    await goes({ edge: 'v2', hub: 'v1' });
    put(rulesDir, 'reviews.yaml', rule('v3'));
    await goes({ edge: 'v2', hub: 'v3' });
    assert.equal(await accepted('edge'), 'True Accepted');
    renameSync(`${clustersDir}.away`, clustersDir);
    put(edge, 'own.yaml', rule('v1', 'own'));
    await goes({ edge: 'v1', hub: 'v3' });
  });

  it('obeys again when the grant is taken back', async () => {
    drop(rulesDir, 'policy.yaml');
    await goes({ edge: 'v3', hub: 'v3' });
    assert.equal(await accepted('edge'), 'False NotGranted');
    await waitFor('the primary’s rule to be held by all', async () => {
      const { programmed } = await held(undefined);
      return programmed.acknowledged === 2 && programmed.total === 2;
    });
  });
});
