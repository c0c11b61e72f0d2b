/**
 * Multi-Cluster Services over two real APIs and a pilot with the rights of deploy/ and no others: what the standard asks of exports and imports,
 * case by case. What takes running pods (DNS answers, connections) is in the rig's tests.
 */

import assert from 'node:assert/strict';
import { pause } from '../rig/wait.ts';
import { temporaryFolder } from './kube-support.ts';
import {
  helloExport,
  helloService,
  helloSlice,
  type ImportView,
  type McsCluster,
  McsScene,
  type Plain,
} from './mcs-scene.ts';

describe('multi-cluster services, in two real clusters', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let scene: McsScene;
  let east: McsCluster;
  let west: McsCluster;
  let namespace: string;

  before(async () => {
    scene = new McsScene({ dir: folder.path });
    await scene.start();
    east = scene.cluster('east');
    west = scene.cluster('west');
  });
  after(async () => {
    await scene?.stop();
    folder.remove();
  });
  beforeEach(async () => {
    namespace = await scene.namespace();
  });

  /** In each cluster, once `isGood`. */
  const imports = async (isGood: (one: ImportView) => boolean = () => true): Promise<readonly ImportView[]> => {
    let found: readonly (ImportView | undefined)[] = [];
    await scene.until('the imports', async () => {
      found = await Promise.all(scene.clusters.map((cluster) => cluster.imported(namespace, 'hello')));
      return found.every((one) => one !== undefined && isGood(one));
    });
    return found as readonly ImportView[];
  };
  const noImports = (): Promise<void> =>
    scene.until('no imports', async () => {
      const found = await Promise.all(scene.clusters.map((cluster) => cluster.imported(namespace, 'hello')));
      return found.every((one) => one === undefined);
    });
  const conditions = (cluster: McsCluster, ...wanted: readonly string[]): Promise<void> =>
    scene.until(`${wanted.join(', ')} in ${cluster.name}`, async () => {
      const said = await cluster.conditions(namespace, 'hello');
      return wanted.every((one) => said.includes(one));
    });
  const exportFrom = async (cluster: McsCluster, spec: Plain = {}, exported: Plain = {}): Promise<void> =>
    cluster.apply(helloService(namespace, spec), helloExport(namespace, exported));
  /** The second export is younger: times are in whole seconds. */
  const exportLater = async (cluster: McsCluster, spec: Plain = {}, exported: Plain = {}): Promise<void> => {
    await imports();
    await pause(1_100);
    await exportFrom(cluster, spec, exported);
  };
  /** Without a selector Kubernetes gives headless Services both families, whether the cluster has them or not. */
  const headless = { clusterIP: 'None', ipFamilyPolicy: 'SingleStack' };
  const portsOf = ({ spec }: ImportView): readonly string[] =>
    spec.ports.map(({ name, port, protocol }) => `${String(name)} ${String(port)}/${String(protocol)}`);

  it('an export makes an import with a virtual IP in every cluster, and its end removes all of it', async () => {
    await exportFrom(east);
    await east.apply(helloSlice(namespace, ['10.1.0.1', '10.1.0.2']));
    await conditions(east, 'Valid=True Valid', 'Ready=True Exported', 'Conflict=False NoConflicts');
    for (const [index, one] of (await imports()).entries()) {
      const cluster = scene.clusters[index] as McsCluster;
      assert.equal(one.spec.type, 'ClusterSetIP');
      assert.deepEqual(portsOf(one), ['tcp 42/TCP', 'udp 42/UDP']);
      assert.equal(one.spec['sessionAffinity'], 'ClientIP');
      assert.deepEqual(one.spec['sessionAffinityConfig'], { clientIP: { timeoutSeconds: 10 } });
      assert.equal(one.spec['internalTrafficPolicy'], 'Cluster');
      assert.deepEqual(one.spec.ipFamilies, ['IPv4']);
      const [service] = await cluster.derived(namespace);
      assert.deepEqual(one.spec.ips, service?.spec['clusterIPs']);
      assert.equal(service?.spec['selector'], undefined);
      await scene.until('the slices', async () => (await cluster.sources(namespace, 'hello')).length === 2);
      assert.deepEqual(await cluster.sources(namespace, 'hello'), ['east 10.1.0.1', 'east 10.1.0.2']);
      const [slice] = await cluster.slices(namespace, 'hello');
      assert.equal(slice?.metadata.labels['kubernetes.io/service-name'], service?.metadata['name']);
      assert.equal(slice?.metadata.labels['endpointslice.kubernetes.io/managed-by'], 'fairway-mcs');
      assert.equal(slice?.metadata.ownerReferences?.[0]?.['uid'], one.metadata.uid);
      assert.deepEqual(
        slice?.ports.map(({ name, port }) => `${name} ${port}`),
        ['tcp 8042', 'udp 8042'],
      );
    }
    await scene.until('the status', async () => {
      const [one] = await imports();
      return one?.status?.clusters?.[0]?.cluster === 'east';
    });
    await east.delete('serviceexport', namespace, 'hello');
    await noImports();
    for (const cluster of scene.clusters) {
      await scene.until('nothing is left', async () => {
        const left = [...(await cluster.slices(namespace, 'hello')), ...(await cluster.derived(namespace))];
        return left.length === 0;
      });
    }
  });

  it('an import lives as long as one cluster exports', async () => {
    await exportFrom(east);
    await imports();
    await exportFrom(west);
    await imports(({ status }) => status?.clusters?.length === 2);
    await east.delete('serviceexport', namespace, 'hello');
    const [one] = await imports(({ status }) => status?.clusters?.length === 1);
    assert.deepEqual(one?.status?.clusters, [{ cluster: 'west' }]);
    await west.delete('serviceexport', namespace, 'hello');
    await noImports();
  });

  it('carries exported labels and annotations, and none of the Service or the export', async () => {
    await exportFrom(east, {}, { exportedLabels: { tier: 'gold' }, exportedAnnotations: { note: 'yes' } });
    const [one] = await imports();
    assert.equal(one?.metadata.labels?.['tier'], 'gold');
    assert.equal(one.metadata.labels['own'], undefined);
    assert.equal(one.metadata.annotations?.['note'], 'yes');
    assert.equal(one.metadata.annotations['own'], undefined);
  });

  it('says where labels and annotations differ, and takes the oldest export’s', async () => {
    await exportFrom(east, {}, { exportedLabels: { a: '1' }, exportedAnnotations: { a: '1' } });
    await exportLater(west, {}, { exportedLabels: { b: '2' }, exportedAnnotations: { b: '2' } });
    for (const cluster of scene.clusters) await conditions(cluster, 'Conflict=True LabelsConflict,AnnotationsConflict');
    for (const { metadata } of await imports(({ status }) => status?.clusters?.length === 2)) {
      assert.deepEqual([metadata.labels?.['a'], metadata.labels?.['b']], ['1', undefined]);
      assert.deepEqual([metadata.annotations?.['a'], metadata.annotations?.['b']], ['1', undefined]);
    }
  });

  it('carries trafficDistribution as it is written', async () => {
    await exportFrom(east, { trafficDistribution: 'PreferClose' });
    const [one] = await imports();
    assert.equal(one?.spec['trafficDistribution'], 'PreferClose');
  });

  it('has the union of the ports, and says that they differ', async () => {
    await exportFrom(east);
    await exportLater(west, {
      ports: [
        { name: 'tcp', port: 42, protocol: 'TCP' },
        { name: 'stcp', port: 142, protocol: 'SCTP' },
      ],
    });
    for (const cluster of scene.clusters) await conditions(cluster, 'Conflict=True PortConflict');
    const [one] = await imports(({ spec }) => spec.ports.length === 3);
    assert.deepEqual(one && portsOf(one), ['tcp 42/TCP', 'udp 42/UDP', 'stcp 142/SCTP']);
  });

  it('gives a port to the oldest export, and its traffic to no cluster that means another', async () => {
    await exportFrom(east);
    await east.apply(helloSlice(namespace, ['10.1.0.1']));
    await exportLater(west, { ports: [{ name: 'tcp', port: 43, protocol: 'TCP' }] });
    await west.apply(helloSlice(namespace, ['10.2.0.1']));
    for (const cluster of scene.clusters) await conditions(cluster, 'Conflict=True PortConflict');
    const [one] = await imports(({ status }) => status?.clusters?.length === 2);
    assert.deepEqual(one && portsOf(one), ['tcp 42/TCP', 'udp 42/UDP']);
    await scene.until('the slices', async () => (await west.sources(namespace, 'hello')).length > 0);
    assert.deepEqual(await west.sources(namespace, 'hello'), ['east 10.1.0.1']);
  });

  it('imports a headless service without a virtual IP, with its workloads’ host names', async () => {
    await exportFrom(east, headless);
    await east.apply(helloSlice(namespace, ['10.1.0.1', '10.1.0.2']));
    for (const { spec } of await imports()) {
      assert.equal(spec.type, 'Headless');
      assert.equal(spec.ips, undefined);
      assert.deepEqual(spec.ipFamilies, ['IPv4']);
    }
    await scene.until('the slices', async () => (await west.sources(namespace, 'hello')).length === 2);
    const [slice] = await west.slices(namespace, 'hello');
    assert.deepEqual(
      slice?.endpoints.map(({ hostname }) => hostname),
      ['hello-0', 'hello-1'],
    );
    assert.deepEqual(await west.derived(namespace), []);
    await east.delete('serviceexport', namespace, 'hello');
    await noImports();
  });

  it('takes the oldest export’s word on whether a service is headless', async () => {
    await exportFrom(east);
    await exportLater(west, headless);
    for (const cluster of scene.clusters) await conditions(cluster, 'Conflict=True TypeConflict');
    for (const { spec } of await imports()) assert.equal(spec.type, 'ClusterSetIP');
  });

  it('refuses an alias, and says so', async () => {
    const alias = { type: 'ExternalName', externalName: 'example.com' };
    await exportFrom(east, alias);
    await conditions(east, 'Valid=False InvalidServiceType');
    assert.equal(await east.imported(namespace, 'hello'), undefined);
    await scene.until('a finding', async () => (await scene.findings('east')).includes('FW-MCS-002'));
  });

  it('says that there is nothing to export, until there is', async () => {
    await east.apply(helloExport(namespace));
    await conditions(east, 'Valid=False NoService', 'Ready=False Pending');
    await scene.until('a finding', async () => (await scene.findings('east')).includes('FW-MCS-003'));
    await east.apply(helloService(namespace));
    await conditions(east, 'Valid=True Valid', 'Ready=True Exported');
    await imports();
  });

  it('imports where the namespace is, and there as soon as it is', async () => {
    const own = `${namespace}-own`;
    await east.api.kubectl(['create', 'namespace', own]);
    await east.apply(helloService(own), helloExport(own));
    await scene.until('the import in east', async () => (await east.imported(own, 'hello')) !== undefined);
    assert.equal(await west.imported(own, 'hello'), undefined);
    await west.api.kubectl(['create', 'namespace', own]);
    await scene.until('the import in west', async () => (await west.imported(own, 'hello')) !== undefined);
  });

  it('puts right what somebody deletes or changes, and keeps its virtual IP', async () => {
    await exportFrom(east);
    await east.apply(helloSlice(namespace, ['10.1.0.1']));
    const [, before] = await imports(({ spec }) => spec.ips !== undefined);
    await scene.until('the slice', async () => (await west.slices(namespace, 'hello')).length === 1);
    await west.delete('serviceimport', namespace, 'hello');
    await scene.until('another import', async () => {
      const now = await west.imported(namespace, 'hello');
      return now !== undefined && now.metadata.uid !== before?.metadata.uid && now.status?.clusters?.length === 1;
    });
    assert.deepEqual((await west.imported(namespace, 'hello'))?.spec.ips, before?.spec.ips);
    const [slice] = await west.slices(namespace, 'hello');
    await west.api.kubectl(['delete', 'endpointslice', slice?.metadata.name ?? '', '-n', namespace]);
    await scene.until('the slice again', async () => (await west.sources(namespace, 'hello')).length === 1);
    await west.api.kubectl([
      ...['patch', 'serviceimport', 'hello', '-n', namespace, '--type=merge'],
      ...['-p', '{"spec":{"ports":[{"port":1}]}}'],
    ]);
    await scene.until(
      'the ports again',
      async () => (await west.imported(namespace, 'hello'))?.spec.ports.length === 2,
    );
  });

  it('leaves somebody else’s import alone, and says so', async () => {
    const foreign = {
      apiVersion: 'multicluster.x-k8s.io/v1beta1',
      kind: 'ServiceImport',
      metadata: { namespace, name: 'hello' },
      spec: { type: 'Headless', ports: [{ port: 7 }] },
    };
    await west.apply(foreign);
    await exportFrom(east);
    await scene.until('the import in east', async () => (await east.imported(namespace, 'hello')) !== undefined);
    await scene.until('a finding', async () => (await scene.findings('west')).includes('FW-MCS-008'));
    assert.deepEqual((await west.imported(namespace, 'hello'))?.spec.ports, [{ port: 7 }]);
    assert.deepEqual(await west.derived(namespace), []);
    await west.delete('serviceimport', namespace, 'hello');
    await imports(({ spec }) => spec.type === 'ClusterSetIP');
    await scene.until('no finding', async () => !(await scene.findings('west')).includes('FW-MCS-008'));
  });

  it('leaves a Service alone that has the name of a derived one', async () => {
    await exportFrom(east);
    const [, one] = await imports(({ spec }) => spec.ips !== undefined);
    const name = String((await west.derived(namespace))[0]?.metadata['name']);
    await east.delete('serviceexport', namespace, 'hello');
    await scene.until('nothing is left', async () => (await west.derived(namespace)).length === 0);
    const foreign = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name },
      spec: { ports: [{ port: 7 }] },
    };
    await west.apply(foreign);
    await east.apply(helloExport(namespace));
    await scene.until('the import in east', async () => (await east.imported(namespace, 'hello')) !== undefined);
    await scene.until('a finding', async () => (await scene.findings('west')).includes('FW-MCS-008'));
    assert.equal(await west.imported(namespace, 'hello'), undefined);
    assert.deepEqual(await west.derived(namespace), []);
    assert.ok(one !== undefined);
    await west.delete('service', namespace, name);
    await imports(({ spec }) => spec.ips !== undefined);
  });

  it('writes nothing when nothing is different', async () => {
    await exportFrom(east);
    await east.apply(helloSlice(namespace, ['10.1.0.1']));
    await imports(({ status }) => status?.clusters?.length === 1);
    await scene.until('the slice', async () => (await west.sources(namespace, 'hello')).length === 1);
    await conditions(east, 'Ready=True Exported');
    const versions = async (): Promise<string> =>
      JSON.stringify(
        await Promise.all(
          scene.clusters.map(async (cluster) => [
            (await cluster.imported(namespace, 'hello'))?.metadata,
            (await cluster.slices(namespace, 'hello')).map(({ metadata }) => metadata),
            (await cluster.derived(namespace)).map(({ metadata }) => metadata),
          ]),
        ),
      );
    const [before, written] = [await versions(), await scene.metric('fairway_mcs_writes_total', 'applied')];
    // Not a change of the export: only of the Service's own bookkeeping.
    await east.api.kubectl(['annotate', 'service', 'hello', '-n', namespace, 'touched=yes']);
    // A later change has gone through, so that the earlier one has too.
    const other = await scene.namespace();
    await east.apply(helloService(other), helloExport(other));
    await scene.until('the other import', async () => (await west.imported(other, 'hello')) !== undefined);
    assert.equal(await versions(), before);
    assert.ok((await scene.metric('fairway_mcs_writes_total', 'applied')) > written);
  });

  it('a Service that was derived from an import is no service of the mesh', async () => {
    await exportFrom(east);
    await imports(({ spec }) => spec.ips !== undefined);
    await scene.until('the mesh', async () => (await scene.pilot.clusters()).length === 2);
    const { admin } = scene.pilot.ready as { readonly admin: string };
    const answer = (await (await fetch(`http://${admin}/api/v1/services?namespace=${namespace}`)).json()) as {
      readonly items: readonly { readonly name: string }[];
    };
    assert.deepEqual(
      answer.items.map(({ name }) => name),
      ['hello'],
    );
  });
});
