/** The registry's conformance suite over the Kubernetes source and a real kube-apiserver. */

import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { ServiceKey } from '../../src/model/service.ts';
import { readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { kubeSource } from '../../src/registry/kube/cluster-source.ts';
import type { ClusterSink, StartSource } from '../../src/registry/source.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { startGate } from './kube-gate.ts';
import { ensureNamespace, quickSettings, serviceObject, sliceObject, temporaryFolder } from './kube-support.ts';
import { type ClusterHarness, registryConformance } from './registry-conformance.ts';

const services = '/api/v1/namespaces/shop/services';
const slices = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';

describe('kube source conforms', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
    await ensureNamespace(api, 'shop');
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  /** Creates or replaces. */
  async function put(path: string, object: object): Promise<void> {
    const [, name] = /\/([^/]+)$/.exec(path) ?? [];
    const { status } = await api.client.request('PUT', path, object);
    if (status === 404) await api.client.must('POST', path.slice(0, -(name?.length ?? 0) - 1), object);
    else if (status !== 200 && status !== 201) throw new Error(`PUT ${path}: ${status}`);
  }

  async function makeHarness(cluster: string): Promise<ClusterHarness> {
    const gate = await startGate(api.port);
    const kubeconfig = readFileSync(api.readerKubeconfig, 'utf8').replaceAll(`:${api.port}`, `:${gate.port}`);
    const access = readKubeconfig(kubeconfig, { trust: trustAll, where: {} });
    const sourceFor = (name: string): StartSource => {
      const place = { name, network: '', locality: { region: '', zone: '', subzone: '' }, origin: `test ${name}` };
      const start = kubeSource({ access, place, clock: systemClock, logger: silentLogger, settings: quickSettings });
      return (sink) => start(withoutOwnService(sink));
    };
    return {
      start: sourceFor(cluster),
      alias: sourceFor,
      async putService(name, addresses) {
        await put(`${slices}/${name}-1`, sliceObject('shop', name, `${name}-1`, addresses));
        const { status } = await api.client.request('GET', `${services}/${name}`);
        if (status === 404) await api.client.must('POST', services, serviceObject('shop', name));
      },
      async removeService(name) {
        await api.client.must('DELETE', `${services}/${name}`);
        await api.client.must('DELETE', `${slices}/${name}-1`);
      },
      async putNamespace(name, labels) {
        await put(`/api/v1/namespaces/${name}`, { metadata: { name, labels } });
      },
      lose: () => Promise.resolve(gate.shut()),
      regain: () => Promise.resolve(gate.open()),
      async dispose() {
        await gate.close();
        await api.client.must('DELETE', services);
        await api.client.must('DELETE', slices);
      },
    };
  }

  registryConformance('kube', makeHarness, { uids: true });
});

/** Every API has the service `kubernetes`, which the suite does not know of. */
function withoutOwnService(sink: ClusterSink): ClusterSink {
  const without = <T>(map: ReadonlyMap<ServiceKey, T>): ReadonlyMap<ServiceKey, T> =>
    new Map([...map].filter(([key]) => key !== 'default/kubernetes'));
  return {
    state: (state) => sink.state(state),
    sync: (snapshot) => sink.sync({ ...snapshot, services: without(snapshot.services) }),
    change: (change) => sink.change({ ...change, services: without(change.services) }),
    findings: (findings) => sink.findings?.(findings),
  };
}
