/** The Kubernetes source against a real kube-apiserver. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { waitFor } from '../rig/wait.ts';
import {
  podObject,
  type Running,
  serviceObject,
  sliceObject,
  startSource,
  startSourceOf,
  temporaryFolder,
} from './kube-support.ts';

const services = (namespace: string): string => `/api/v1/namespaces/${namespace}/services`;
const slices = (namespace: string): string => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;

describe('kube source, real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  const running: Running[] = [];
  const start = (...args: Parameters<typeof startSource>): Running => {
    const source = startSource(...args);
    running.push(source);
    return source;
  };
  const until = (what: string, { sink }: Running, condition: () => boolean): Promise<unknown> =>
    waitFor(what, () => condition() || undefined, {}, sink.describe);

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ source }) => source.stop()));
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  async function makeNamespace(name: string): Promise<void> {
    await api.client.must('POST', '/api/v1/namespaces', { metadata: { name, labels: { team: 'a' } } });
  }
  async function makeService(
    namespace: string,
    name: string,
    addresses: readonly string[],
    pods = false,
  ): Promise<void> {
    await api.client.must('POST', services(namespace), serviceObject(namespace, name));
    await api.client.must('POST', slices(namespace), sliceObject(namespace, name, `${name}-1`, addresses, pods));
  }

  it('lists in pages, syncs once, and follows changes', async () => {
    await makeNamespace('first');
    for (let index = 0; index < 8; index++) await makeService('first', `s${index}`, [`10.1.0.${index + 1}`]);
    const east = start(api.readerKubeconfig, 'east');
    await until('fresh', east, () => east.sink.phase === 'fresh');
    assert.equal(east.sink.syncs, 1);
    assert.deepEqual(east.sink.states[0]?.phase, 'connecting');
    for (let index = 0; index < 8; index++)
      assert.deepEqual(east.sink.addresses(`first/s${index}`), [`10.1.0.${index + 1}`]);
    const system = await api.client.must<{ metadata: { uid: string } }>('GET', '/api/v1/namespaces/kube-system');
    assert.equal(east.sink.snapshot?.info.uid, system.metadata.uid);
    assert.equal(east.sink.namespaces.get('first')?.labels['team'], 'a');

    await api.client.must(
      'PUT',
      `${slices('first')}/s0-1`,
      sliceObject('first', 's0', 's0-1', ['10.1.0.1', '10.1.0.99']),
    );
    await until('a new endpoint', east, () => east.sink.addresses('first/s0').length === 2);
    await api.client.must('DELETE', `${services('first')}/s1`);
    await until('a removal', east, () => !east.sink.services.has('first/s1'));
    await makeService('first', 'later', ['10.1.1.1']);
    await until('a new service', east, () => east.sink.addresses('first/later').length === 1);
    assert.equal(east.sink.syncs, 1);
    assert.deepEqual(east.sink.removed, ['first/s1']);
    assert.equal(east.stats().watchers.get('services')?.lists, 1);
  });

  it('joins pods and nodes, and follows their labels', async () => {
    await makeNamespace('joined');
    await api.client.must('POST', '/api/v1/nodes', {
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/region': 'r1', 'topology.kubernetes.io/zone': 'z1' } },
    });
    await makeService('joined', 'db', ['10.2.0.1'], true);
    const pods = '/api/v1/namespaces/joined/pods';
    await api.client.must('POST', pods, podObject('joined', 'db-10-2-0-1', { version: 'v1' }, 'n1'));
    const east = start(api.readerKubeconfig, 'east');
    await until('fresh', east, () => east.sink.phase === 'fresh');
    const endpoint = () => east.sink.services.get('joined/db')?.endpoints[0];
    assert.equal(endpoint()?.version, 'v1');
    assert.equal(endpoint()?.workload, 'db-10-2-0-1');
    assert.deepEqual(endpoint()?.locality, { region: 'r1', zone: 'z1', subzone: '' });
    const patch = 'application/merge-patch+json';
    await api.client.must('PATCH', `${pods}/db-10-2-0-1`, { metadata: { labels: { version: 'v2' } } }, patch);
    await until('the new version', east, () => endpoint()?.version === 'v2');
    await api.client.must(
      'PATCH',
      '/api/v1/nodes/n1',
      { metadata: { labels: { 'topology.istio.io/subzone': 's1' } } },
      patch,
    );
    await until('the new subzone', east, () => endpoint()?.locality.subzone === 's1');
  });

  it('API killed and back: stale with everything held, then fresh, with deletions found and nothing twice', async () => {
    await makeNamespace('outage');
    for (let index = 0; index < 4; index++) await makeService('outage', `s${index}`, [`10.3.0.${index + 1}`]);
    const east = start(api.readerKubeconfig, 'east');
    await until('fresh', east, () => east.sink.phase === 'fresh');
    const before = new Map(east.sink.services);
    await api.kill();
    await until('stale', east, () => east.sink.phase === 'stale');
    assert.equal(east.sink.problem?.code, 'FW-KUBE-007');
    assert.deepEqual(east.sink.services, before);
    await api.restart();
    await until('fresh again', east, () => east.sink.phase === 'fresh');
    assert.deepEqual(east.sink.removed, []);
    assert.equal(east.sink.changes, 0);
    await api.client.must('DELETE', `${services('outage')}/s2`);
    await until('a removal after the outage', east, () => !east.sink.services.has('outage/s2'));
    assert.equal(east.sink.syncs, 1);
  });

  it('history compacted while away: 410, a new list, deletions found', async () => {
    await makeNamespace('compacted');
    for (let index = 0; index < 4; index++) await makeService('compacted', `s${index}`, [`10.4.0.${index + 1}`]);
    const gate = await import('./kube-gate.ts').then(({ startGate }) => startGate(api.port));
    try {
      const kubeconfig = readFileSync(api.readerKubeconfig, 'utf8').replaceAll(
        `127.0.0.1:${api.port}`,
        `127.0.0.1:${gate.port}`,
      );
      const east = startSourceOf(kubeconfig, 'east');
      running.push(east);
      await until('fresh', east, () => east.sink.phase === 'fresh');
      gate.shut();
      await until('stale', east, () => east.sink.phase === 'stale');
      await api.client.must('DELETE', `${services('compacted')}/s1`);
      await api.client.must('DELETE', `${slices('compacted')}/s3-1`);
      await makeService('compacted', 'new', ['10.4.0.50']);
      // A restarted API holds no events of before in memory, and etcd's are gone: 410 on any older version.
      await api.compact();
      await api.restart();
      await api.client.must('POST', services('compacted'), serviceObject('compacted', 'newer'));
      gate.open();
      await until('fresh again', east, () => east.sink.phase === 'fresh' && east.sink.services.has('compacted/newer'));
      await until('all changes', east, () => east.sink.addresses('compacted/s3').length === 0);
      assert.ok(!east.sink.services.has('compacted/s1'));
      assert.deepEqual(east.sink.addresses('compacted/new'), ['10.4.0.50']);
      assert.deepEqual(east.sink.removed, ['compacted/s1']);
      const expired = [...east.stats().watchers.values()].reduce((sum, counters) => sum + counters.expired, 0);
      assert.ok(expired > 0, 'a 410 was seen');
    } finally {
      await gate.close();
    }
  });

  it('an API that hangs: stale; when it goes on, fresh', async () => {
    const east = start(api.readerKubeconfig, 'east');
    await until('fresh', east, () => east.sink.phase === 'fresh');
    api.pause();
    try {
      await until('stale', east, () => east.sink.phase === 'stale');
    } finally {
      api.resume();
    }
    await until('fresh again', east, () => east.sink.phase === 'fresh');
    assert.deepEqual(east.sink.removed, []);
  });

  it('a wrong credential is refused, and says so', async () => {
    const kubeconfig = readFileSync(api.readerKubeconfig, 'utf8').replaceAll(api.readerToken, 'nonsense');
    const east = startSourceOf(kubeconfig, 'east');
    running.push(east);
    await until('refused', east, () => east.sink.phase === 'refused');
    assert.equal(east.sink.problem?.code, 'FW-KUBE-005');
    assert.equal(east.sink.syncs, 0);
  });

  it('a missing permission is refused, names what is missing, and heals by itself', async () => {
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/fairway-reader';
    const whole = await api.client.must<{ rules: { resources: string[] }[] }>('GET', role);
    const rules = whole.rules.map((rule) => ({ ...rule, resources: rule.resources.filter((name) => name !== 'pods') }));
    const patch = 'application/merge-patch+json';
    await api.client.must('PATCH', role, { rules }, patch);
    try {
      const east = start(api.readerKubeconfig, 'east');
      await until('refused', east, () => east.sink.phase === 'refused');
      assert.equal(east.sink.problem?.code, 'FW-KUBE-006');
      assert.match(east.sink.problem?.message ?? '', /may not read pods \(403\)/);
      await api.client.must('PATCH', role, { rules: whole.rules }, patch);
      await until('fresh', east, () => east.sink.phase === 'fresh');
    } finally {
      await api.client.must('PATCH', role, { rules: whole.rules }, patch);
    }
  });

  it('an untrusted certificate is refused, and says so', async () => {
    const kubeconfig = readFileSync(api.readerKubeconfig, 'utf8').replace(/\n.*certificate-authority-data.*\n/, '\n');
    const east = startSourceOf(kubeconfig, 'east');
    running.push(east);
    await until('refused', east, () => east.sink.phase === 'refused');
    assert.equal(east.sink.problem?.code, 'FW-KUBE-016');
  });
});
