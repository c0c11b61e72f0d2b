/**
 * Names in `clusterset.local` through real Envoys of two clusters, under a real pilot over folders: another name of the merged service where all
 * services merge; and where only exported ones do, the exported part, beside a `cluster.local` that is each cluster's own.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { reviewsExport, reviewsService, trafficRule } from '../support/manifests.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { fairway } from './cli-run.ts';
import { askProxy, startHttpWorkload, type Workload } from './envoy-rig.ts';

const clusters = ['east', 'west'] as const;
type Cluster = (typeof clusters)[number];

const exported = reviewsExport({});

const rule = (cluster: string): string =>
  trafficRule(` {service: reviews, routes: [{backends: [{cluster: ${cluster}}]}]}\n`);

for (const merging of ['all', 'exported'] as const)
  describe(`names of exported services, where ${merging} services merge, with real Envoys`, function () {
    this.timeout(120_000);
    const dir = mkdtempSync(join(tmpdir(), 'fairway-mcs-'));
    const [clustersDir, rulesDir] = [join(dir, 'clusters'), join(dir, 'rules')];
    const workloads: Workload[] = [];
    const stops: (() => Promise<unknown>)[] = [];
    const ports = new Map<Cluster, number>();
    let pilot: Pilot | undefined;
    let admin = '';

    const put = (folder: string, name: string, text: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(dir, '.part'), text);
      renameSync(join(dir, '.part'), join(folder, name));
    };
    const drop = (folder: string, name: string): void => rmSync(join(folder, name));
    const folderOf = (cluster: Cluster): string => join(clustersDir, cluster);

    before(async function () {
      const found = await lookForEnvoy({ env: process.env, log: () => {} });
      if (found === undefined) return skip(this, noEnvoy);
      for (const cluster of clusters) {
        const workload = await startHttpWorkload(cluster);
        workloads.push(workload);
        put(folderOf(cluster), 'reviews.yaml', reviewsService({ port: workload.port }));
      }
      mkdirSync(rulesDir);
      const xds = `127.0.0.1:${await freePort()}`;
      admin = `127.0.0.1:${await freePort()}`;
      pilot = await startPilot({
        xds,
        admin,
        args: ['--clusters', clustersDir, '--rules', rulesDir, '--services', merging],
        logFile: join(dir, 'pilot.log'),
      });
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

    /** Who answers requests of a cluster's client; '' where none of them is answered by a workload. */
    async function answers(from: Cluster, host: string): Promise<string> {
      const all = await Promise.all(
        Array.from({ length: 8 }, () => askProxy(ports.get(from) ?? 0, host).catch(() => undefined)),
      );
      return [...new Set(all.flatMap((one) => (one?.status === 200 ? [one.said.name] : [])))].sort().join();
    }

    async function goes(from: Cluster, host: string, wanted: string): Promise<void> {
      let seen = '';
      await waitFor(
        `${host} from ${from} to go to ${wanted || 'nobody'}`,
        async () => {
          seen = await answers(from, host);
          return seen === wanted;
        },
        { timeoutMs: 30_000 },
        () => seen,
      );
    }

    const clusterset = 'reviews.shop.svc.clusterset.local';
    const ofCluster = 'reviews.shop.svc.cluster.local';

    it('are names of nothing before anybody exports', async () => {
      await goes('east', ofCluster, merging === 'all' ? 'east,west' : 'east');
      await goes('east', clusterset, '');
    });

    it('lead to the merged service, or to the clusters that export', async () => {
      put(folderOf('west'), 'export.yaml', exported);
      await goes('east', clusterset, merging === 'all' ? 'east,west' : 'west');
      await goes('west', clusterset, merging === 'all' ? 'east,west' : 'west');
      await goes('east', ofCluster, merging === 'all' ? 'east,west' : 'east');
      await goes('west', 'reviews', merging === 'all' ? 'east,west' : 'west');
    });

    it('follow the service’s rule', async () => {
      put(folderOf('east'), 'export.yaml', exported);
      await goes('east', clusterset, 'east,west');
      put(rulesDir, 'reviews.yaml', rule('west'));
      await goes('east', clusterset, 'west');
      await goes('west', ofCluster, 'west');
      // What is another cluster's is not to be had under a name that means the own cluster alone.
      await goes('east', ofCluster, merging === 'all' ? 'west' : '');
      drop(rulesDir, 'reviews.yaml');
      await goes('east', ofCluster, merging === 'all' ? 'east,west' : 'east');
    });

    it('can be asked for with `fairway endpoints`', async () => {
      const client = 'sidecar~10.9.0.1~client.shop~shop.svc.cluster.local';
      const flags = ['--admin', `http://${admin}`, '-o', 'json'];
      const { out, err } = await fairway(['endpoints', `${clusterset}:80`, '--as', client, ...flags]);
      assert.match(out, /"address": "127.0.0.1"/, err);
    });

    it('reach a cluster that has no such service, or stay unknown there', async () => {
      drop(folderOf('east'), 'export.yaml');
      drop(folderOf('east'), 'reviews.yaml');
      await goes('east', clusterset, 'west');
      await goes('east', ofCluster, merging === 'all' ? 'west' : '');
    });

    it('go with the last export', async () => {
      drop(folderOf('west'), 'export.yaml');
      await goes('east', clusterset, '');
      await goes('west', ofCluster, 'west');
    });

    it('are judged by `fairway analyze`', async () => {
      put(folderOf('east'), 'export.yaml', exported);
      put(folderOf('west'), 'export.yaml', exported.replace('2026', '1999'));
      const codes = async (): Promise<readonly string[]> => {
        const { out } = await fairway(['analyze', '--admin', `http://${admin}`, '-o', 'json']);
        return (JSON.parse(out) as { readonly findings: readonly { readonly code: string }[] }).findings.map(
          ({ code }) => code,
        );
      };
      await waitFor('the finding', async () => (await codes()).includes('FW-MCS-005'));
      assert.ok(
        (await codes()).some((code) => code === 'FW-FILE-012'),
        'an export of nothing, in a folder',
      );
    });
  });
