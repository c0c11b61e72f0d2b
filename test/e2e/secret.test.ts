/** A third cluster is registered, rotated and removed through a Secret in the primary, while the pilot runs. */

import assert from 'node:assert/strict';
import { type FaultProxy, startFaultProxy } from '../rig/fault-proxy.ts';
import { type Cluster, playCluster } from '../rig/hosts/cluster.ts';
import { startKubeApi } from '../rig/kubernetes/api.ts';
import { kubeconfigText } from '../rig/kubernetes/kubectl.ts';
import { waitFor } from '../rig/wait.ts';
import {
  checkLoads,
  everywhere,
  guardEachTest,
  namespace,
  runReviews,
  type Scene,
  theScene,
  untilAnswersAre,
  untilPhase,
} from './scene.ts';

const system = 'fairway-system';

describe('a cluster registered through a Secret', () => {
  let scene: Scene;
  let north: Cluster;
  let line: FaultProxy;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
    const api = await startKubeApi({ name: 'north', dir: scene.dir, serviceCidr: '10.98.0.0/16' });
    line = await startFaultProxy({ targetPort: api.port });
    north = playCluster({
      name: 'north',
      api,
      network: scene.network,
      podPrefix: '10.30',
      dir: scene.dir,
      xds: scene.xds,
    });
    await north.addNode('north-1', { region: 'eu-north', zone: 'eu-north-a' });
    await north.addNamespace(namespace);
    await north.addService(namespace, 'reviews');
    await north.runPod({
      namespace,
      name: 'reviews-v1',
      labels: { app: 'reviews', version: 'v1' },
      node: 'north-1',
      sidecar: 'none',
    });
    for (const account of ['fairway-a', 'fairway-b']) {
      await api.kubectl(['create', 'serviceaccount', account, '-n', system]);
      await api.kubectl([
        'create',
        'clusterrolebinding',
        account,
        '--clusterrole=fairway-reader',
        `--serviceaccount=${system}:${account}`,
      ]);
    }
  });
  after(async () => {
    await north?.stop();
    await line?.stop();
    await north?.api.stop();
  });
  guardEachTest();
  afterEach(async () => {
    await scene.east.api.kubectl(['delete', 'secret', '-n', system, '--all']);
    await waitFor(
      'north to be unregistered',
      async () => !(await scene.pilot.clusters()).some(({ name }) => name === 'north'),
    );
  });

  async function kubeconfig(account: string): Promise<string> {
    const token = (await north.api.kubectl(['create', 'token', account, '-n', system, '--duration', '1h'])).trim();
    const { certificateAuthority } = north.api;
    return kubeconfigText({ context: 'north', url: `https://127.0.0.1:${line.port}`, certificateAuthority, token });
  }

  async function putSecret(text: string, labels: Readonly<Record<string, string>>, name = 'north'): Promise<void> {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: system, labels },
      stringData: { north: text },
    };
    await scene.east.api.kubectl(['apply', '-f', '-'], JSON.stringify(secret));
  }

  const own = { 'fairway.dev/cluster': 'true' };
  const withNorth = [...everywhere, '200 v1 north'];

  it('is added, its credential rotated and revoked, and removed, without a lost request', async () => {
    const loads = await scene.startLoads(200);
    await untilAnswersAre(loads, everywhere);
    await putSecret(await kubeconfig('fairway-a'), own);
    await untilPhase(scene, 'north', 'fresh');
    await untilAnswersAre(loads, withNorth);

    await putSecret(await kubeconfig('fairway-b'), own);
    await north.api.kubectl(['delete', 'serviceaccount', 'fairway-a', '-n', system]);
    line.cut();
    // Only the new credential can have brought this.
    const pod = await runReviews(north, 'v3', 'explicit');
    await untilAnswersAre(loads, [...withNorth, '200 v3 north'], 45_000);
    await pod.delete();
    await untilAnswersAre(loads, withNorth);

    await scene.east.api.kubectl(['delete', 'secret', 'north', '-n', system]);
    await untilAnswersAre(loads, everywhere);
    assert.ok(!(await scene.pilot.clusters()).some(({ name }) => name === 'north'));
    await checkLoads();
  });

  it('takes Istio’s label and format as they are', async () => {
    await putSecret(await kubeconfig('fairway-b'), { 'istio/multiCluster': 'true' }, 'istio-remote-secret-north');
    await untilPhase(scene, 'north', 'fresh');
  });

  it('keeps what it knows when the Secret turns into nonsense, and says so', async () => {
    const loads = await scene.startLoads(100);
    await putSecret(await kubeconfig('fairway-b'), own);
    await untilAnswersAre(loads, withNorth);
    await putSecret('this: [is no kubeconfig', own);
    const problem = await waitFor('a finding about the Secret', async () => {
      return (await scene.pilot.clusters()).find(({ name, problem }) => name === 'north' && problem !== undefined)
        ?.problem;
    });
    assert.equal(problem.code, 'FW-KUBE-001');
    await untilPhase(scene, 'north', 'fresh');
    await untilAnswersAre(loads, withNorth);
    await checkLoads();
  });

  it('is refused when it is an API that is registered already', async () => {
    const { url, certificateAuthority, readerToken } = scene.west.api;
    const again = kubeconfigText({ context: 'north', url, certificateAuthority, token: readerToken });
    await putSecret(again, own);
    await untilPhase(scene, 'north', 'refused');
    const loads = await scene.startLoads(100);
    await untilAnswersAre(loads, everywhere);
    await checkLoads();
  });
});
