/**
 * Multi-Cluster Services when things go wrong, over two real APIs: a pilot that starts, a cluster that is out of reach, rights that are missing, two
 * pilots; and what clusters are called.
 */

import assert from 'node:assert/strict';
import { untilCrdsServed } from '../rig/kubernetes/crds.ts';
import { temporaryFolder } from './kube-support.ts';
import {
  forUser,
  helloExport,
  helloService,
  helloSlice,
  type McsCluster,
  McsScene,
  metricOf,
  type Plain,
} from './mcs-scene.ts';

/** In deploy/remote/mcs.yaml: the right to read ClusterProperties, as it was before they were watched. */
const onlyGet = {
  from: 'resourceNames: [cluster.clusterset.k8s.io]\n  verbs: [get, list, watch]',
  to: 'resourceNames: [cluster.clusterset.k8s.io]\n  verbs: [get]',
};

/** As much of KEP-2149's kind as is read. */
const clusterPropertyCrd: Plain = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'clusterproperties.about.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/2149' },
  },
  spec: {
    group: 'about.k8s.io',
    scope: 'Cluster',
    names: { kind: 'ClusterProperty', plural: 'clusterproperties', singular: 'clusterproperty' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { value: { type: 'string' } } } },
          },
        },
      },
    ],
  },
};

describe('multi-cluster services, over restarts and losses', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let scene: McsScene;
  let east: McsCluster;
  let west: McsCluster;

  before(async () => {
    scene = new McsScene({ dir: folder.path, args: ['--sync-wait', '3s'] });
    await scene.start();
    east = scene.cluster('east');
    west = scene.cluster('west');
  });
  after(async () => {
    await scene?.stop();
    folder.remove();
  });

  it('a pilot that starts cleans up what is exported no more, and keeps what a cluster out of reach exported', async () => {
    const [gone, kept] = [await scene.namespace(), await scene.namespace()];
    await east.apply(helloService(gone), helloExport(gone));
    await west.apply(helloService(kept), helloExport(kept), helloSlice(kept, ['10.2.0.1']));
    await scene.until('both imports', async () => {
      const found = await Promise.all([west.imported(gone, 'hello'), east.imported(kept, 'hello')]);
      return found.every((one) => one?.status?.clusters?.length === 1);
    });
    await scene.until('the slice', async () => (await east.sources(kept, 'hello')).length === 1);
    const before = await east.imported(kept, 'hello');
    const sliceUids = (await east.slices(kept, 'hello')).map(({ metadata }) => metadata.uid);
    await scene.stopPilot();
    await east.delete('serviceexport', gone, 'hello');
    west.api.pause();
    try {
      await scene.startPilot();
      await scene.until('the orphan in east is gone', async () => (await east.imported(gone, 'hello')) === undefined);
      assert.deepEqual(await east.sources(kept, 'hello'), ['west 10.2.0.1']);
      assert.ok((await scene.findings('east')).includes('FW-MCS-014'));
      assert.equal((await east.imported(kept, 'hello'))?.metadata.uid, before?.metadata.uid);
    } finally {
      west.api.resume();
    }
    await scene.until('the orphan in west is gone', async () => (await west.imported(gone, 'hello')) === undefined);
    // It is read now, and nothing of it was made anew.
    assert.equal((await east.imported(kept, 'hello'))?.metadata.uid, before?.metadata.uid);
    assert.deepEqual(
      (await east.slices(kept, 'hello')).map(({ metadata }) => metadata.uid),
      sliceUids,
    );
    await west.delete('serviceexport', kept, 'hello');
    await scene.until('the other is gone too', async () => (await east.imported(kept, 'hello')) === undefined);
  });

  it('a pilot that starts follows the clusters that it reads, and keeps what is of those that it does not', async () => {
    const namespace = await scene.namespace();
    await east.apply(helloService(namespace), helloExport(namespace), helloSlice(namespace, ['10.1.0.1']));
    await west.apply(helloService(namespace), helloExport(namespace), helloSlice(namespace, ['10.2.0.1']));
    const shows = (what: string, ...sources: readonly string[]): Promise<void> =>
      scene.until(what, async () => (await east.sources(namespace, 'hello')).join() === sources.join());
    await shows('both', 'east 10.1.0.1', 'west 10.2.0.1');
    const before = await east.imported(namespace, 'hello');
    await scene.stopPilot();
    west.api.pause();
    try {
      await scene.startPilot();
      await east.apply(helloSlice(namespace, ['10.1.0.2', '10.1.0.3']));
      await shows('what east has now', 'east 10.1.0.2', 'east 10.1.0.3', 'west 10.2.0.1');
      assert.ok((await scene.findings('east')).includes('FW-MCS-014'));
      await east.delete('serviceexport', namespace, 'hello');
      await shows('nothing of east', 'west 10.2.0.1');
      const kept = await east.imported(namespace, 'hello');
      assert.equal(kept?.metadata.uid, before?.metadata.uid);
      assert.deepEqual(kept?.spec, before?.spec);
      assert.deepEqual(kept?.status?.clusters, [{ cluster: 'west' }]);
      await east.apply(helloExport(namespace));
      await shows('east again', 'east 10.1.0.2', 'east 10.1.0.3', 'west 10.2.0.1');
      // Who is not registered any more is not waited for.
      await scene.stopPilot();
      await scene.startPilot(['--mcs'], [east]);
      await shows('nothing of west', 'east 10.1.0.2', 'east 10.1.0.3');
      assert.deepEqual((await east.imported(namespace, 'hello'))?.status?.clusters, [{ cluster: 'east' }]);
      assert.ok(!(await scene.findings('east')).includes('FW-MCS-014'));
    } finally {
      west.api.resume();
      await scene.stopPilot();
      await scene.startPilot();
    }
    await shows('west again', 'east 10.1.0.2', 'east 10.1.0.3', 'west 10.2.0.1');
  });

  it('knows a cluster by its ClusterProperty, and says what cannot be an id', async () => {
    const namespace = await scene.namespace();
    await west.apply(helloService(namespace), helloExport(namespace), helloSlice(namespace, ['10.2.0.9']));
    await scene.until('the slice', async () => (await east.sources(namespace, 'hello'))[0] === 'west 10.2.0.9');
    await west.apply(clusterPropertyCrd);
    await untilCrdsServed(west.api);
    const name = 'cluster.clusterset.k8s.io';
    const property = (value: string): Plain => ({
      apiVersion: 'about.k8s.io/v1',
      kind: 'ClusterProperty',
      metadata: { name },
      spec: { value },
    });
    await west.apply(property('prod-west'));
    await scene.stopPilot();
    await scene.startPilot();
    await scene.until('its id', async () => (await east.sources(namespace, 'hello')).join() === 'prod-west 10.2.0.9');
    await scene.until('its id in the status', async () => {
      const one = await east.imported(namespace, 'hello');
      return one?.status?.clusters?.[0]?.cluster === 'prod-west';
    });
    // An id that changes is another cluster to the standard: what is of it follows, and it is said.
    await west.apply(property('main-west'));
    await scene.until('its other id', async () => (await east.sources(namespace, 'hello'))[0] === 'main-west 10.2.0.9');
    assert.ok((await scene.findings('west')).includes('FW-MCS-016'));
    assert.equal((await east.slices(namespace, 'hello')).length, 1);
    await west.apply(property('prod-west'));
    await scene.until('it is as it was', async () => (await scene.findings('west')).length === 0);
    await west.apply(property('Not.A.Label'));
    await scene.until('a finding', async () => (await scene.findings('west')).includes('FW-MCS-007'));
    await scene.until('its name', async () => (await east.sources(namespace, 'hello')).join() === 'west 10.2.0.9');
    await west.api.kubectl(['delete', 'clusterproperty', name]);
    await scene.until('no property', async () => !(await scene.findings('west')).includes('FW-MCS-007'));
    // With no more than the right to get it.
    await west.api.kubectl(
      ['apply', '-f', '-'],
      forUser('mcs.yaml', 'fairway-reader').replace(onlyGet.from, onlyGet.to),
    );
    await west.apply(property('prod-west'));
    await scene.stopPilot();
    await scene.startPilot();
    await scene.until('its id', async () => (await east.sources(namespace, 'hello')).join() === 'prod-west 10.2.0.9');
    await west.api.kubectl(['delete', 'clusterproperty', name]);
    await west.api.kubectl(['apply', '-f', '-'], forUser('mcs.yaml', 'fairway-reader'));
  });

  it('says which rights a cluster does not give, and serves the others meanwhile', async () => {
    const namespace = await scene.namespace();
    await west.api.kubectl(['delete', 'clusterrolebinding', 'fairway-mcs-reader', 'fairway-mcs-writer']);
    await scene.stopPilot();
    await scene.startPilot();
    await scene.until('findings', async () => {
      const codes = await scene.findings('west');
      return codes.includes('FW-MCS-009') && codes.includes('FW-MCS-010');
    });
    await east.apply(helloService(namespace), helloExport(namespace));
    await scene.until('the import in east', async () => (await east.imported(namespace, 'hello')) !== undefined);
    assert.equal(await west.imported(namespace, 'hello'), undefined);
    await west.api.kubectl(['apply', '-f', '-'], forUser('mcs.yaml', 'fairway-reader'));
    await scene.until('the import in west', async () => (await west.imported(namespace, 'hello')) !== undefined);
    await scene.until('no findings', async () => {
      const codes = await scene.findings('west');
      return !codes.includes('FW-MCS-009') && !codes.includes('FW-MCS-010');
    });
  });

  it('of two pilots one writes, and the other goes on when it ends', async () => {
    const [first, second] = [await scene.namespace(), await scene.namespace()];
    const other = await scene.secondPilot();
    try {
      await east.apply(helloService(first), helloExport(first));
      await scene.until('the import', async () => (await west.imported(first, 'hello')) !== undefined);
      assert.equal(await metricOf(other, 'fairway_mcs_writes_total', 'applied'), 0);
      await scene.stopPilot();
      await east.apply(helloService(second), helloExport(second));
      await scene.until('the other import', async () => (await west.imported(second, 'hello')) !== undefined);
      assert.ok((await metricOf(other, 'fairway_mcs_writes_total', 'applied')) > 0);
    } finally {
      await other.stop();
    }
    await scene.startPilot();
  });

  it('writes nothing while it is not switched on', async () => {
    const namespace = await scene.namespace();
    await scene.stopPilot();
    await scene.startPilot([]);
    await east.apply(helloService(namespace), helloExport(namespace));
    await scene.until('the service is known', async () => {
      const { admin } = scene.pilot.ready as { readonly admin: string };
      const answer = await (await fetch(`http://${admin}/api/v1/services?namespace=${namespace}`)).json();
      return ((answer as { items: readonly unknown[] }).items ?? []).length === 1;
    });
    assert.deepEqual(await east.conditions(namespace, 'hello'), []);
    assert.equal(await east.imported(namespace, 'hello'), undefined);
    await scene.stopPilot();
    await scene.startPilot();
    await scene.until('the import', async () => (await east.imported(namespace, 'hello')) !== undefined);
  });
});
