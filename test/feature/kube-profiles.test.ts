/** ClusterProfiles on real APIs: clusters registered from them by a program that gives a token, and profiles published for the others. */

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { unknownLocality } from '../../src/model/cluster.ts';
import { profileFindings } from '../../src/pilot/profile-findings.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { readProviders } from '../../src/registry/kube/access-providers.ts';
import { ProfileWriter } from '../../src/registry/kube/cluster-profile-writer.ts';
import { ProfileDiscovery } from '../../src/registry/kube/cluster-profiles.ts';
import { kubeSource } from '../../src/registry/kube/cluster-source.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { startAll } from '../rig/started.ts';
import { waitFor } from '../rig/wait.ts';
import { ensureNamespace, quickSettings, temporaryFolder } from './kube-support.ts';

const namespace = 'fairway-system';
const profiles = `/apis/multicluster.x-k8s.io/v1alpha1/namespaces/${namespace}/clusterprofiles`;

/** As much of the standard's as matters here: a status of its own, and lists whose entries are told apart by a key. */
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'clusterprofiles.multicluster.x-k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/issues/4322' },
  },
  spec: {
    group: 'multicluster.x-k8s.io',
    scope: 'Namespaced',
    names: {
      plural: 'clusterprofiles',
      singular: 'clusterprofile',
      kind: 'ClusterProfile',
      listKind: 'ClusterProfileList',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['clusterManager'],
                properties: {
                  displayName: { type: 'string' },
                  clusterManager: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
                },
              },
              status: {
                type: 'object',
                properties: {
                  version: { type: 'object', properties: { kubernetes: { type: 'string' } } },
                  conditions: keyed('type'),
                  properties: keyed('name'),
                  accessProviders: keyed('name'),
                },
              },
            },
          },
        },
      },
    ],
  },
};

function keyed(key: string): object {
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [key],
    items: {
      type: 'object',
      required: [key],
      properties: { [key]: { type: 'string' } },
      'x-kubernetes-preserve-unknown-fields': true,
    },
  };
}

interface WrittenProfile {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: unknown;
  readonly status?: {
    readonly properties: unknown;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}

describe('ClusterProfiles, real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let primary: KubeApi;
  let west: KubeApi;
  const ends: (() => Promise<unknown>)[] = [];

  before(async () => {
    [primary, west] = await startAll([
      startKubeApi({ name: 'primary', dir: folder.path, controllers: false }),
      startKubeApi({ name: 'west', dir: folder.path, controllers: false }),
    ]);
    await ensureNamespace(primary, namespace);
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    await primary.client.must('DELETE', profiles).catch(() => undefined);
  });
  after(async () => {
    await Promise.all([primary?.stop(), west?.stop()]);
    folder.remove();
  });

  const access = (): ReturnType<typeof readKubeconfig> =>
    readKubeconfig(readFileSync(primary.kubeconfig, 'utf8'), { trust: trustAll, where: {} });

  function newInventory(): Inventory {
    const inventory = new Inventory({ clock: systemClock, logger: silentLogger });
    ends.push(() => inventory.close());
    return inventory;
  }

  /** A program that gives the token of west's reader to whoever asks for the right cluster. */
  function tokenProgram(): string {
    const file = join(folder.path, 'get-token');
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: west.readerToken },
    });
    writeFileSync(
      file,
      `#!/bin/sh\ncase "$KUBERNETES_EXEC_INFO" in *${west.url}*) echo '${credential}';; *) exit 3;; esac\n`,
    );
    chmodSync(file, 0o755);
    return file;
  }

  /** `first`: a provider that stands in the file before `tokens`. */
  function discover(inventory: Inventory, command = tokenProgram(), ...first: readonly string[]): void {
    const execConfig = { apiVersion: 'client.authentication.k8s.io/v1', command, provideClusterInfo: true };
    const discovery = new ProfileDiscovery({
      access: access(),
      namespace,
      providers: readProviders(
        JSON.stringify({ providers: [...first, 'tokens'].map((name) => ({ name, execConfig })) }),
        {},
      ),
      registrar: inventory,
      clock: systemClock,
      logger: silentLogger,
      watch: quickSettings.watch,
      settings: quickSettings,
    });
    ends.push(() => discovery.stop());
  }

  async function makeProfile(name: string, manager: string, status: object): Promise<void> {
    const head = { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ClusterProfile' };
    const metadata = { name, namespace, labels: { 'x-k8s.io/cluster-manager': manager } };
    const spec = { displayName: name, clusterManager: { name: manager } };
    await primary.client.must('POST', profiles, { ...head, metadata, spec });
    await setStatus(name, status);
  }

  async function setStatus(name: string, status: object): Promise<void> {
    const there = await primary.client.must<object>('GET', `${profiles}/${name}`);
    await primary.client.must('PUT', `${profiles}/${name}/status`, { ...there, status });
  }

  const waysIn = (provider: string): object => ({
    accessProviders: [
      {
        name: provider,
        cluster: {
          server: west.url,
          'certificate-authority-data': Buffer.from(west.certificateAuthority).toString('base64'),
        },
      },
    ],
  });

  /** Several; those that nobody should take lead nowhere. */
  const both = (...providers: readonly string[]): object => ({
    accessProviders: providers.map((name) =>
      name === 'second'
        ? { ...(waysIn(name) as { accessProviders: object[] }).accessProviders[0] }
        : { name, cluster: { server: 'https://127.0.0.1:1' } },
    ),
  });

  const condition = (type: string, status: string, reason: string): object => ({
    type,
    status,
    reason,
    message: 'said by the fleet',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });

  const until = (what: string, inventory: Inventory, condition: () => boolean): Promise<unknown> =>
    waitFor(
      what,
      () => condition() || undefined,
      {},
      () => JSON.stringify([[...inventory.clusters()].map(([name, { state }]) => [name, state]), inventory.refused()]),
    );

  it('keep nobody waiting where the API does not know them, and count once it does', async () => {
    const inventory = newInventory();
    discover(inventory);
    await waitFor('settled without the CRD', () => inventory.settled() || undefined);
    await primary.client.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
    await waitFor('the CRD is served', async () =>
      primary.client.must('GET', profiles).then(
        () => true,
        () => undefined,
      ),
    );
    await makeProfile('west', 'fleet', waysIn('tokens'));
    await until('west is fresh', inventory, () => inventory.clusters().get('west')?.state.phase === 'fresh');
    assert.equal(inventory.clusters().get('west')?.info.origin, 'clusterprofile fairway-system/west');
    await until(
      'its version is known',
      inventory,
      () => inventory.clusters().get('west')?.version?.startsWith('v1.') === true,
    );
  });

  it('are shown with the reason where they cannot be used, and go with their objects', async () => {
    const inventory = newInventory();
    discover(inventory);
    await makeProfile('west', 'fleet', waysIn('tokens'));
    await makeProfile('far', 'fleet', waysIn('unheard-of'));
    await until('west is fresh', inventory, () => inventory.clusters().get('west')?.state.phase === 'fresh');
    await until('far is refused', inventory, () =>
      inventory.refused().some(({ name, problem }) => name === 'far' && problem.code === 'FW-KUBE-026'),
    );
    // What can no longer be used changes nothing.
    await setStatus('west', waysIn('unheard-of'));
    await until('west is shown', inventory, () => inventory.refused().some(({ name }) => name === 'west'));
    assert.equal(inventory.clusters().get('west')?.state.phase, 'fresh');
    await primary.client.must('DELETE', `${profiles}/west`);
    await until('west is gone', inventory, () => !inventory.clusters().has('west'));
  });

  it('go by the first provider of the file, and say what the cluster manager and the program say', async () => {
    const inventory = newInventory();
    discover(inventory, tokenProgram(), 'second');
    await makeProfile('west', 'fleet', {
      ...both('first', 'tokens', 'second'),
      properties: [{ name: 'tier.example.com', value: 'gold' }],
      conditions: [condition('ControlPlaneHealthy', 'False', 'Unreachable')],
    });
    await until('west is fresh', inventory, () => inventory.clusters().get('west')?.state.phase === 'fresh');
    const origin = 'clusterprofile fairway-system/west';
    await until('its words', inventory, () => inventory.notes.get(origin)?.conditions.length === 1);
    const record = inventory.clusters().get('west');
    assert.ok(record);
    const [finding] = profileFindings(record, inventory.notes);
    assert.deepEqual([finding?.code, finding?.where.cluster], ['FW-KUBE-048', 'west']);
    assert.deepEqual(inventory.notes.get(origin)?.properties, [{ name: 'tier.example.com', value: 'gold' }]);
    // What is said of it begins no new reading.
    await setStatus('west', {
      ...both('first', 'tokens', 'second'),
      conditions: [condition('ControlPlaneHealthy', 'True', 'Ok')],
    });
    await until('it is healthy', inventory, () => profileFindings(record, inventory.notes).length === 0);
    assert.equal(inventory.clusters().get('west')?.rotation, undefined);
    await primary.client.must('DELETE', `${profiles}/west`);
    await until('west is gone', inventory, () => !inventory.clusters().has('west') && !inventory.notes.has(origin));
  });

  it('whose program fails are shown with its words, and are read once it does not', async () => {
    const inventory = newInventory();
    const file = tokenProgram();
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, '#!/bin/sh\necho no token today >&2\nexit 7\n');
    discover(inventory, file);
    await makeProfile('west', 'fleet', waysIn('tokens'));
    await until('its problem', inventory, () => inventory.clusters().get('west')?.state.problem !== undefined);
    const { problem } = inventory.clusters().get('west')?.state ?? {};
    assert.match(problem?.message ?? '', /exit code 7|exited with 7|no token today/);
    writeFileSync(file, good);
    await until('west is fresh', inventory, () => inventory.clusters().get('west')?.state.phase === 'fresh');
  });

  it('are written for clusters that are registered otherwise, once, and for no others', async () => {
    const inventory = newInventory();
    const place = { name: 'East_1', network: 'net-1', locality: { ...unknownLocality, region: 'eu' }, origin: 'test' };
    const found = inventory.beginDiscovery('test');
    const reach = readKubeconfig(readFileSync(west.readerKubeconfig, 'utf8'), { trust: trustAll, where: {} });
    const common = { clock: systemClock, logger: silentLogger };
    inventory.add('East_1', 'test', kubeSource({ access: reach, place, ...common, settings: quickSettings }));
    found();
    await makeProfile('theirs', 'fleet', {});
    let leads = false;
    const writer = new ProfileWriter({
      ...common,
      access: access(),
      namespace,
      clusters: () => inventory.clusters().values(),
      isComplete: () => inventory.settled(),
      isLeader: () => leads,
      lookMs: 50,
      pauseMs: 0,
    });
    ends.push(() => writer.stop());
    await until('East_1 is fresh', inventory, () => {
      const record = inventory.clusters().get('East_1');
      return record?.state.phase === 'fresh' && record.version !== '';
    });
    const names = async (): Promise<string[]> => {
      const { items } = await primary.client.must<{ items: { metadata: { name: string } }[] }>('GET', profiles);
      return items.map(({ metadata }) => metadata.name);
    };
    assert.deepEqual(await names(), ['theirs'], 'nobody but the leader writes');
    leads = true;
    const [own] = await waitFor('the profile', async () => {
      const written = (await names()).filter((name) => name !== 'theirs');
      return written.length > 0 ? written : undefined;
    });
    assert.match(own ?? '', /^east-1-[0-9a-f]{8}$/);
    const profile = await waitFor('its status', async () => {
      const read = await primary.client.must<WrittenProfile>('GET', `${profiles}/${own}`);
      return read.status === undefined ? undefined : read;
    });
    assert.deepEqual(profile.spec, { clusterManager: { name: 'fairway' }, displayName: 'East_1' });
    assert.deepEqual(profile.status?.properties, [
      { name: 'cluster.clusterset.k8s.io', value: 'East_1' },
      { name: 'topology.kubernetes.io/region', value: 'eu' },
      { name: 'topology.istio.io/network', value: 'net-1' },
    ]);
    assert.deepEqual(
      profile.status?.conditions.map(({ type, status }) => [type, status]),
      [
        ['ControlPlaneHealthy', 'True'],
        ['Joined', 'True'],
      ],
    );
    // Counted when it is answered, a moment after others may read it.
    await waitFor(
      'the object and its status are written',
      () => writer.written === 2,
      {},
      () => String(writer.written),
    );
    // Many more looks change nothing: what is there is what is wanted.
    const version = profile.metadata.resourceVersion;
    const { looks } = writer;
    await waitFor('ten more looks', () => (writer.looks >= looks + 10 ? true : undefined));
    const again = await primary.client.must<WrittenProfile>('GET', `${profiles}/${own}`);
    assert.equal(again.metadata.resourceVersion, version);
    assert.equal(writer.written, 2);
    // What is not registered any more has no profile; another manager's stays.
    inventory.remove('East_1', 'test');
    await waitFor('only theirs is left', async () => ((await names()).join() === 'theirs' ? true : undefined));
  });
});
