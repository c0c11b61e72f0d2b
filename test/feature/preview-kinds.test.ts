/** `fairway diff` of objects that are no TrafficRules: what they would change is said, and comes true. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { PreviewReport } from '../../src/model/preview.ts';
import { waitFor } from '../rig/wait.ts';
import { membersFirst, trafficRule } from '../support/manifests.ts';
import { writePreviewFiles } from '../support/preview-files.ts';
import type { XdsClient } from '../support/xds-client.ts';
import { fairway } from './cli-run.ts';
import { type PreviewPilot, startPreviewPilot } from './preview-pilot.ts';

const external = (address: string, hosts = 'api.example.com'): string => `apiVersion: fairway.dev/v1alpha1
kind: ExternalService
metadata: {name: pay, namespace: shop}
spec: {hosts: [${hosts}], ports: [{number: 80, protocol: http}], resolution: static, endpoints: [{address: ${address}}]}
`;

const drain = (place: string): string =>
  `apiVersion: fairway.dev/v1alpha1\nkind: Drain\nmetadata: {name: moved}\nspec: {${place}}\n`;

const policy = (namespaces: string): string => membersFirst('west', namespaces);

describe('fairway diff of other kinds', function () {
  this.timeout(90_000);
  let folder: string;
  let scene: PreviewPilot;
  const clients = new Map<string, XdsClient>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-preview-kinds-'));
    const files = writePreviewFiles(folder);
    const own = '\n  service: ratings\n  routes: [{backends: [{cluster: west, fallback: [{}]}]}]\n';
    writeFileSync(join(files.clusters, 'west', 'own.yaml'), trafficRule(own, 'ratings'));
    scene = await startPreviewPilot(folder, files);
    for (const cluster of ['east', 'west']) clients.set(cluster, await scene.follow(cluster, cluster));
  });

  after(async () => {
    await scene?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const diff = (text: string): ReturnType<PreviewPilot['diff']> => scene.diff(text);

  /** Envoy clusters that the proxy of a cluster would come to have, and lose. */
  const foretold = ({ proxies }: PreviewReport, cluster: string): Record<'added' | 'changed' | 'removed', string[]> => {
    const found = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
    const of = proxies.filter((set) => set.cluster === cluster).flatMap(({ resources }) => resources);
    for (const { type, name, change } of of) if (type === 'CDS') found[change].push(name);
    return found;
  };

  async function comesTrue(text: string, report: PreviewReport): Promise<void> {
    await scene.apply(text);
    for (const [cluster, client] of clients) {
      const { added, removed } = foretold(report, cluster);
      const held = (): ReadonlyMap<string, unknown> => client.held(typeUrl.cluster);
      await client.until(() => added.every((name) => held().has(name)) && removed.every((name) => !held().has(name)));
    }
  }

  it('an ExternalService that comes, and changes, with its rule', async () => {
    const pay = trafficRule('\n  service: pay\n  connections: {connectTimeout: 1s}\n', 'pay');
    const come = await diff(`${external('192.0.2.1')}---\n${pay}`);
    assert.equal(come.exit, 1);
    assert.deepEqual(
      come.objects.map(({ kind, action }) => `${kind} ${action}`),
      ['ExternalService created', 'TrafficRule created'],
    );
    for (const cluster of clients.keys())
      assert.deepEqual(foretold(come, cluster).added, ['outbound|80||api.example.com']);
    assert.deepEqual(
      come.services.map(({ service, ruleAfter }) => [service, ruleAfter]),
      [['api.example.com', 'shop/pay']],
    );
    await comesTrue(`${external('192.0.2.1')}---\n${pay}`, come);
    await waitFor('nothing to differ', async () => (await diff(`${external('192.0.2.1')}---\n${pay}`)).exit === 0);
    const other = await diff(external('192.0.2.2', 'other.example.com'));
    assert.deepEqual(other.objects[0]?.action, 'configured');
    const { added, removed } = foretold(other, 'east');
    assert.deepEqual([added, removed], [['outbound|80||other.example.com'], ['outbound|80||api.example.com']]);
    const ruled = await diff(trafficRule('\n  service: pay\n  connections: {connectTimeout: 2s}\n', 'pay'));
    assert.deepEqual(foretold(ruled, 'east').changed, ['outbound|80||api.example.com']);
    const claimed = await diff(external('192.0.2.1').replace('name: pay', 'name: zzz'));
    assert.equal(claimed.exit, 0, 'the older one has the host');
    assert.deepEqual(
      claimed.findings.map(({ code }) => code),
      ['FW-RULE-170'],
    );
  });

  it('a Drain, as it ends', async () => {
    const text = drain('cluster: west, over: 1h, services: [shop/reviews]');
    const report = await diff(text);
    assert.equal(report.exit, 1);
    const [move] = report.services[0]?.views[0]?.routes ?? [];
    const inWest = (shares: typeof move, when: 'before' | 'after'): number =>
      (shares?.[when]?.shares ?? [])
        .filter(({ cluster }) => cluster === 'west')
        .reduce((sum, { share }) => sum + share, 0);
    assert.ok(inWest(move, 'before') > 0.05, JSON.stringify(move));
    assert.equal(inWest(move, 'after'), 0);
    assert.deepEqual(
      report.services.map(({ service }) => service),
      ['shop/reviews'],
    );
    await comesTrue(text, report);
    assert.equal((await diff(text)).exit, 0);
    const back = await diff(drain('cluster: west, services: [shop/ratings]'));
    assert.deepEqual(back.services.map(({ service }) => service).sort(), ['shop/ratings', 'shop/reviews']);
    assert.equal((await fairway(['cluster', 'undrain', 'west', '--admin', scene.admin])).exit, 0);
  });

  it('a ClusterPolicy, for the proxies of the cluster that gets the right', async () => {
    const report = await diff(policy('shop'));
    assert.equal(report.exit, 1);
    assert.deepEqual([...new Set(report.proxies.map(({ cluster }) => cluster))], ['west']);
    assert.deepEqual(foretold(report, 'west').added, ['outbound|80|.west>*|ratings.shop.svc.cluster.local']);
    const view = report.services
      .find(({ service }) => service === 'shop/ratings')
      ?.views.find(({ from }) => from.includes('west'));
    assert.deepEqual(
      view?.routes[0]?.after?.shares.map(({ cluster, share }) => [cluster, share]),
      [['west', 1]],
    );
    await comesTrue(policy('shop'), report);
    assert.equal((await diff(policy('shop'))).exit, 0);
    const revoked = await diff(policy('other'));
    assert.deepEqual(foretold(revoked, 'west').removed, ['outbound|80|.west>*|ratings.shop.svc.cluster.local']);
  });

  it('says what of it is not valid, and compares nothing then', async () => {
    const { exit, err } = await fairway(['diff', '--admin', scene.admin, '-f', scene.file(drain('over: 5m'))]);
    assert.equal(exit, 2);
    assert.match(err, /FW-RULE-210/);
  });
});
