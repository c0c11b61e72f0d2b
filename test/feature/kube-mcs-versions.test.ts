/**
 * Clusters that serve the Multi-Cluster Services API in different versions: the standard's present CRDs, the first ones (v1alpha1 alone, with fewer
 * fields), and none; and clusters that get newer ones while the pilot runs.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { standardCrds } from '../rig/standards.ts';
import { temporaryFolder } from './kube-support.ts';
import { helloExport, helloService, helloSlice, type McsCluster, McsScene, type Plain } from './mcs-scene.ts';

interface Crd {
  readonly kind: string;
  readonly metadata: Plain;
  readonly spec: Plain & { readonly versions: readonly Version[] };
}

/** As much of schemas as is changed below. */
interface Schemas {
  [name: string]: { properties: Schemas; items: { properties: Schemas }; maxItems?: number };
}

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema: { readonly openAPIV3Schema: { readonly properties: Schemas } };
}

/** As the standard has them now: v1beta1, and v1alpha1 too. */
function presentCrds(): readonly Crd[] {
  const folder = standardCrds('mcs');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => parse(readFileSync(join(folder, file), 'utf8')) as Crd);
}

/** v1alpha1 alone, without the fields that came after the standard's v0.1. */
function firstCrds(): readonly Crd[] {
  return presentCrds().map((crd) => {
    const [alpha] = crd.spec.versions.filter(({ name }) => name === 'v1alpha1');
    assert.ok(alpha);
    const schema = structuredClone(alpha.schema);
    const { spec, status } = schema.openAPIV3Schema.properties;
    if (spec?.properties.ips !== undefined) {
      for (const field of ['ipFamilies', 'internalTrafficPolicy', 'trafficDistribution']) delete spec.properties[field];
      spec.properties.ips.maxItems = 1;
      delete status?.properties.conditions;
    } else {
      delete schema.openAPIV3Schema.properties.spec;
      delete status?.properties.conditions?.items.properties.observedGeneration;
    }
    return { ...crd, spec: { ...crd.spec, versions: [{ ...alpha, storage: true, schema }] } };
  });
}

/** The present ones, once nobody asks for the older version any more. */
function laterCrds(): readonly Crd[] {
  return presentCrds().map((crd) => {
    const versions = crd.spec.versions.map((version) => ({ ...version, served: version.name === 'v1beta1' }));
    return { ...crd, spec: { ...crd.spec, versions } };
  });
}

/** Its kind has no spec. */
function firstExport(namespace: string): Plain {
  const { spec: _, ...rest } = helloExport(namespace, {}, 'v1alpha1') as { readonly spec: unknown };
  return rest;
}

function install({ api }: McsCluster, crds: readonly Crd[]): Promise<void> {
  const text = crds.map((crd) => JSON.stringify(crd)).join('\n---\n');
  return installCrds(api, ['--force-conflicts', '-f', '-'], text);
}

/** The pilot looks for other versions, and for kinds that are missing, this seldom. */
const lookMs = 100_000;

describe('multi-cluster services, in the versions that clusters serve', function () {
  this.timeout(300_000);
  const folder = temporaryFolder();
  let scene: McsScene;
  let east: McsCluster;
  let west: McsCluster;
  let north: McsCluster;

  before(async () => {
    scene = new McsScene({ dir: folder.path, clusters: ['east', 'west', 'north'], withCrds: ['east'] });
    await scene.start();
    [east, west, north] = ['east', 'west', 'north'].map((name) => scene.cluster(name)) as [
      McsCluster,
      McsCluster,
      McsCluster,
    ];
  });
  after(async () => {
    await scene?.stop();
    folder.remove();
  });

  it('a cluster without the kinds says so, exports and imports nothing, and does both once it has them', async () => {
    const namespace = await scene.namespace();
    await scene.until('findings', async () => {
      const all = await Promise.all(['east', 'west', 'north'].map((name) => scene.findings(name)));
      return all.map((codes) => codes.includes('FW-MCS-013')).join() === 'false,true,true';
    });
    await east.apply(helloService(namespace), helloExport(namespace), helloSlice(namespace, ['10.1.0.1']));
    await scene.until('the import in east', async () => (await east.sources(namespace, 'hello')).length === 1);
    assert.deepEqual(await north.derived(namespace), []);
    await install(west, firstCrds());
    await install(north, presentCrds());
    await scene.until(
      'the import in north',
      async () => (await north.sources(namespace, 'hello')).length === 1,
      lookMs,
    );
    await scene.until('the import in west', async () => (await west.sources(namespace, 'hello')).length === 1, lookMs);
    for (const name of ['west', 'north']) assert.ok(!(await scene.findings(name)).includes('FW-MCS-013'));
  });

  it('one that serves v1alpha1 alone exports and imports, without the fields that it does not have', async () => {
    const namespace = await scene.namespace();
    const dual = { trafficDistribution: 'PreferClose' };
    await west.apply(helloService(namespace, dual), firstExport(namespace), helloSlice(namespace, ['10.2.0.1']));
    await east.apply(helloService(namespace, dual), helloExport(namespace), helloSlice(namespace, ['10.1.0.1']));
    for (const cluster of [east, west, north])
      await scene.until(
        `both in ${cluster.name}`,
        async () => (await cluster.sources(namespace, 'hello')).join() === 'east 10.1.0.1,west 10.2.0.1',
        lookMs,
      );
    await scene.until('conditions in west', async () => {
      const said = await west.conditions(namespace, 'hello', 'v1alpha1');
      return said.join() === 'Conflict=False NoConflicts,Ready=True Exported,Valid=True Valid';
    });
    const [old, present] = [
      await west.imported(namespace, 'hello', 'v1alpha1'),
      await east.imported(namespace, 'hello'),
    ];
    assert.deepEqual(Object.keys(old?.spec ?? {}).sort(), [
      'ips',
      'ports',
      'sessionAffinity',
      'sessionAffinityConfig',
      'type',
    ]);
    assert.deepEqual(old?.status, { clusters: [{ cluster: 'east' }, { cluster: 'west' }] });
    assert.equal(present?.spec['trafficDistribution'], 'PreferClose');
    // Whoever serves it from there has all of it.
    assert.equal((await west.derived(namespace))[0]?.spec['trafficDistribution'], 'PreferClose');
    const codes = await scene.findings('west');
    assert.ok(codes.includes('FW-MCS-015') && !codes.includes('FW-MCS-009'), codes.join());
    // Nothing is written again and again for what the API cannot hold.
    const applied = await scene.metric('fairway_mcs_writes_total', 'applied');
    await west.apply(helloService(namespace, dual, { labels: { looked: 'at' } }));
    await east.apply(helloSlice(namespace, ['10.1.0.2']));
    await scene.until('the endpoint', async () => (await west.sources(namespace, 'hello'))[0] === 'east 10.1.0.2');
    await scene.until(
      'three slices are written',
      async () => (await scene.metric('fairway_mcs_writes_total', 'applied')) >= applied + 3,
    );
    assert.equal(await scene.metric('fairway_mcs_writes_total', 'applied'), applied + 3);
    assert.equal(await scene.metric('fairway_mcs_writes_total', 'failed'), 0);
  });

  it('one that moves to v1beta1 is followed, and keeps its imports', async () => {
    const namespace = await scene.namespace();
    await west.apply(helloService(namespace), firstExport(namespace), helloSlice(namespace, ['10.2.0.3']));
    await scene.until('the import', async () => (await west.sources(namespace, 'hello')).length === 1);
    const before = await west.imported(namespace, 'hello', 'v1alpha1');
    await install(west, presentCrds());
    await scene.until(
      'all fields are there',
      async () => {
        const [one, codes] = [await west.imported(namespace, 'hello'), await scene.findings('west')];
        return one?.spec.ipFamilies !== undefined && one.status?.conditions?.length === 1 && codes.length === 0;
      },
      lookMs,
    );
    await install(west, laterCrds());
    // kubectl remembers which versions there were.
    const path = `/apis/multicluster.x-k8s.io/v1beta1/namespaces/${namespace}/serviceexports/hello`;
    await west.api.client.must('DELETE', path);
    await scene.until('the export ends', async () => (await west.imported(namespace, 'hello')) === undefined, lookMs);
    await west.apply(helloExport(namespace));
    await scene.until(
      'it is exported again',
      async () => (await east.sources(namespace, 'hello')).join() === 'west 10.2.0.3',
      lookMs,
    );
    await scene.until('conditions', async () => (await west.conditions(namespace, 'hello')).length === 3, lookMs);
    const first = await west.imported('mcs-2', 'hello');
    assert.ok(first !== undefined && before !== undefined);
    assert.deepEqual(await scene.findings('west'), []);
  });
});
