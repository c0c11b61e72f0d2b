/** Clusters found in a kubeconfig file and in Secrets, with the real inventory and a real kube-apiserver (as primary and as cluster). */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Inventory } from '../../src/registry/inventory.ts';
import { readKubeconfig, trustAll, trustNothing } from '../../src/registry/kube/access.ts';
import { discoverContexts, parseContexts } from '../../src/registry/kube/contexts.ts';
import type { Discovery } from '../../src/registry/kube/registrar.ts';
import { discoverSecrets } from '../../src/registry/kube/secrets.ts';
import { FolderLastGoodStore } from '../../src/registry/last-good.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { startAll } from '../rig/started.ts';
import { waitFor } from '../rig/wait.ts';
import { startGate } from './kube-gate.ts';
import { ensureNamespace, quickSettings, serviceObject, temporaryFolder } from './kube-support.ts';

const secrets = '/api/v1/namespaces/fairway-system/secrets';

describe('kube discovery, real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let second: KubeApi;
  const ends: (() => Promise<unknown>)[] = [];

  before(async () => {
    [api, second] = await startAll([
      startKubeApi({ name: 'primary', dir: folder.path, controllers: false }),
      startKubeApi({ name: 'second', dir: folder.path, controllers: false }),
    ]);
    await ensureNamespace(api, 'fairway-system');
    await second.client.must('POST', '/api/v1/namespaces/default/services', serviceObject('default', 'here'));
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  after(async () => {
    await Promise.all([api?.stop(), second?.stop()]);
    folder.remove();
  });

  function newInventory(): Inventory {
    const inventory = new Inventory({ clock: systemClock, logger: silentLogger });
    ends.push(() => inventory.close());
    return inventory;
  }
  function keep(discovery: Discovery): void {
    ends.push(() => discovery.stop());
  }
  const phase = (inventory: Inventory, name: string): string => inventory.clusters().get(name)?.state.phase ?? 'absent';
  const until = (what: string, inventory: Inventory, condition: () => boolean): Promise<unknown> =>
    waitFor(
      what,
      () => condition() || undefined,
      {},
      () =>
        JSON.stringify({
          clusters: [...inventory.clusters()].map(([name, { state }]) => [name, state]),
          refused: inventory.refused(),
        }),
    );

  it('contexts: registered, and a rotated credential takes over without losing anything', async () => {
    const file = join(folder.path, 'contexts.kubeconfig');
    writeFileSync(file, readFileSync(second.readerKubeconfig));
    const inventory = newInventory();
    keep(
      discoverContexts({
        file,
        contexts: parseContexts(['west=second']),
        registrar: inventory,
        clock: systemClock,
        logger: silentLogger,
        settings: quickSettings,
      }),
    );
    await until('west fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    assert.equal(inventory.clusters().get('west')?.info.origin, 'kubeconfig context second');
    const held = inventory.clusters().get('west')?.services.get('default/here');
    assert.ok(held);

    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const good = readFileSync(second.readerKubeconfig, 'utf8');
    replace(good.slice(0, good.length / 3).concat('\n\t: ['));
    await until('the broken file is said', inventory, () =>
      inventory.refused().some(({ problem }) => problem.code === 'FW-KUBE-001'),
    );
    assert.equal(phase(inventory, 'west'), 'fresh');

    replace(good.replaceAll(second.readerToken, 'nonsense'));
    await until(
      'the bad credential is said',
      inventory,
      () => inventory.clusters().get('west')?.rotation?.phase === 'refused',
    );
    assert.equal(phase(inventory, 'west'), 'fresh');
    assert.equal(inventory.clusters().get('west')?.services.get('default/here'), held);

    replace(readFileSync(second.kubeconfig, 'utf8'));
    await until(
      'the rotation',
      inventory,
      () => inventory.clusters().get('west')?.rotation === undefined && inventory.refused().length === 0,
    );
    await until('fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    assert.equal(inventory.clusters().get('west')?.services.get('default/here'), held);
    await second.client.must('POST', '/api/v1/namespaces/default/services', serviceObject('default', 'rotated'));
    await until('a change through the new source', inventory, () => inventory.shards('default/rotated').length === 1);
  });

  it('contexts: names that cannot be clusters’ are refused with an alias to use', () => {
    assert.throws(() => parseContexts(['arn:aws:eks:eu-west-1:1:cluster/a.b']), {
      code: 'FW-KUBE-017',
      hint: 'Give it a name of its own: --context arn-aws-eks-eu-west-1-1-cluster-a-b=arn:aws:eks:eu-west-1:1:cluster/a.b.',
    });
    assert.throws(() => parseContexts(['a=x', 'a=y']), { code: 'FW-KUBE-017' });
    assert.throws(() => parseContexts(['a=']), { code: 'FW-KUBE-017' });
    assert.deepEqual(parseContexts(['east', 'west=kind-west=2']), [
      { name: 'east', context: 'east' },
      { name: 'west', context: 'kind-west=2' },
    ]);
  });

  it('contexts: one that is not in the file is shown, the others are read', async () => {
    const inventory = newInventory();
    keep(
      discoverContexts({
        file: second.readerKubeconfig,
        contexts: parseContexts(['lost=nowhere', 'west=second']),
        registrar: inventory,
        clock: systemClock,
        logger: silentLogger,
        settings: quickSettings,
      }),
    );
    await until('west fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    const [refused] = inventory.refused();
    assert.equal(refused?.problem.code, 'FW-KUBE-002');
    assert.match(refused?.problem.message ?? '', /there is no context nowhere \(there are: second\)/);
    await inventory.whenSettled();
  });

  function startSecrets(inventory: Inventory, kubeconfig = readFileSync(api.kubeconfig, 'utf8')): void {
    keep(secretsOf(inventory, kubeconfig));
  }
  function secretsOf(inventory: Inventory, kubeconfig: string): Discovery {
    return discoverSecrets({
      access: readKubeconfig(kubeconfig, { trust: trustAll, where: {} }),
      namespace: 'fairway-system',
      registrar: inventory,
      clock: systemClock,
      logger: silentLogger,
      settings: quickSettings,
      watch: quickSettings.watch,
    });
  }
  const secretOf = (name: string, data: Readonly<Record<string, string>>, label = 'fairway.dev/cluster'): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: { [label]: 'true' }, annotations: { 'topology.istio.io/network': 'net-2' } },
    stringData: data,
  });
  const removeSecrets = async (): Promise<void> => {
    await api.client.must('DELETE', secrets);
  };

  it('secrets: added, rotated, malformed, removed, all at run time', async () => {
    const inventory = newInventory();
    startSecrets(inventory);
    await inventory.whenSettled();
    assert.equal(inventory.clusters().size, 0);
    const good = readFileSync(second.readerKubeconfig, 'utf8');
    await api.client.must('POST', secrets, secretOf('west-secret', { west: good }));
    await until('west fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    const record = () => inventory.clusters().get('west');
    assert.equal(record()?.info.origin, 'secret fairway-system/west-secret');
    assert.equal(record()?.info.network, 'net-2');
    const held = record()?.services.get('default/here');
    assert.ok(held);

    await api.client.must('PUT', `${secrets}/west-secret`, secretOf('west-secret', { west: 'nonsense' }));
    await until('malformed is said', inventory, () => inventory.refused()[0]?.problem.code === 'FW-KUBE-001');
    await api.client.must('PUT', `${secrets}/west-secret`, secretOf('west-secret', {}));
    await until('emptied is said', inventory, () => inventory.refused()[0]?.problem.code === 'FW-KUBE-013');
    assert.equal(phase(inventory, 'west'), 'fresh');
    assert.equal(record()?.services.get('default/here'), held);

    // Two updates at once: the last one wins.
    await api.client.must(
      'PUT',
      `${secrets}/west-secret`,
      secretOf('west-secret', { west: good.replaceAll(second.readerToken, 'bad') }),
    );
    await api.client.must(
      'PUT',
      `${secrets}/west-secret`,
      secretOf('west-secret', { west: readFileSync(second.kubeconfig, 'utf8') }),
    );
    await until(
      'the last one is in force',
      inventory,
      () => record()?.rotation === undefined && inventory.refused().length === 0,
    );
    await until('fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    assert.equal(record()?.services.get('default/here'), held);

    await api.client.must('DELETE', `${secrets}/west-secret`);
    await until('west gone', inventory, () => inventory.clusters().size === 0);
  });

  it('secrets: Istio’s remote secrets work as they are, and a second name for one API is refused', async () => {
    const inventory = newInventory();
    startSecrets(inventory);
    const good = readFileSync(second.readerKubeconfig, 'utf8');
    await api.client.must('POST', secrets, secretOf('istio-remote-secret-west', { west: good }, 'istio/multiCluster'));
    await until('west fresh', inventory, () => phase(inventory, 'west') === 'fresh');
    await api.client.must('POST', secrets, secretOf('again', { twin: good }));
    await until('the twin is refused', inventory, () => phase(inventory, 'twin') === 'refused');
    assert.equal(phase(inventory, 'west'), 'fresh');
    await removeSecrets();
    await until('all gone', inventory, () => inventory.clusters().size === 0);
  });

  it('secrets: what asks to run programs, read files or skip checks is refused', async () => {
    const user = (fields: object): string => changed({}, fields);
    const cluster = (fields: object): string => changed(fields, {});
    /** The reader's kubeconfig without its token or authority, and with these fields. */
    function changed(clusterFields: object, userFields: object): string {
      const config = parse(readFileSync(second.readerKubeconfig, 'utf8')) as {
        clusters: { cluster: object }[];
        users: { user: object }[];
      };
      const [entry] = config.clusters;
      const [person] = config.users;
      assert.ok(entry && person);
      if (Object.keys(userFields).length > 0) person.user = userFields;
      entry.cluster = { ...entry.cluster, 'certificate-authority-data': undefined, ...clusterFields };
      return JSON.stringify(config);
    }
    const cases: Readonly<Record<string, readonly [string, string]>> = {
      exec: [
        user({
          exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [join(folder.path, 'owned')] },
        }),
        'users[].user.exec',
      ],
      provider: [
        user({ 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/true' } } }),
        'users[].user.auth-provider',
      ],
      token: [user({ tokenFile: '/etc/hostname' }), 'users[].user.tokenFile'],
      key: [user({ 'client-key': '/etc/hostname' }), 'users[].user.client-key'],
      certificate: [user({ 'client-certificate': '/etc/hostname' }), 'users[].user.client-certificate'],
      authority: [cluster({ 'certificate-authority': '/etc/hostname' }), 'clusters[].cluster.certificate-authority'],
      insecure: [cluster({ 'insecure-skip-tls-verify': true }), 'clusters[].cluster.insecure-skip-tls-verify'],
      plain: [cluster({ server: 'http://127.0.0.1:1' }), 'clusters[].cluster.server'],
    };
    for (const [name, [kubeconfig, field]] of Object.entries(cases)) {
      assert.throws(
        () => readKubeconfig(kubeconfig, { trust: trustNothing, where: {} }),
        (error: { code?: string; where?: { field?: string } }) =>
          error.code === 'FW-KUBE-003' && error.where?.field === field,
        name,
      );
      readKubeconfig(kubeconfig, { trust: trustAll, where: {} });
    }
    const inventory = newInventory();
    startSecrets(inventory);
    await api.client.must('POST', secrets, secretOf('bad', { west: cases['exec']?.[0] ?? '' }));
    await until('refused', inventory, () => inventory.refused()[0]?.problem.code === 'FW-KUBE-003');
    assert.equal(inventory.clusters().size, 0);
    assert.ok(!existsSync(join(folder.path, 'owned')));
    await removeSecrets();
  });

  it('secrets: the primary out of reach removes nothing; what changed meanwhile is found', async () => {
    const gate = await startGate(api.port);
    ends.push(() => gate.close());
    const inventory = newInventory();
    startSecrets(inventory, readFileSync(api.kubeconfig, 'utf8').replaceAll(`:${api.port}`, `:${gate.port}`));
    const good = readFileSync(second.readerKubeconfig, 'utf8');
    await api.client.must('POST', secrets, secretOf('west', { west: good }));
    await api.client.must('POST', secrets, secretOf('stays', { other: readFileSync(api.readerKubeconfig, 'utf8') }));
    await until(
      'both fresh',
      inventory,
      () => phase(inventory, 'west') === 'fresh' && phase(inventory, 'other') === 'fresh',
    );
    gate.shut();
    await api.client.must('DELETE', `${secrets}/west`);
    await second.client.must('POST', '/api/v1/namespaces/default/services', serviceObject('default', 'meanwhile'));
    await until('west goes on', inventory, () => inventory.shards('default/meanwhile').length === 1);
    gate.open();
    await until('the deletion is found', inventory, () => !inventory.clusters().has('west'));
    assert.equal(phase(inventory, 'other'), 'fresh');
    await removeSecrets();
  });

  it('secrets: after a restart while the primary is out of reach, clusters are served; those whose Secret went are removed', async () => {
    const gate = await startGate(api.port);
    ends.push(() => gate.close());
    const through = readFileSync(api.kubeconfig, 'utf8').replaceAll(`:${api.port}`, `:${gate.port}`);
    const state = join(folder.path, 'state');
    const withState = (): Inventory => {
      const common = { clock: systemClock, logger: silentLogger };
      const lastGood = new FolderLastGoodStore({ folder: state, limits: { saveDelayMs: 10 }, ...common });
      return new Inventory({ lastGood, ...common });
    };
    const before = withState();
    const first = secretsOf(before, through);
    const good = readFileSync(second.readerKubeconfig, 'utf8');
    await api.client.must('POST', secrets, secretOf('west', { west: good }));
    await api.client.must('POST', secrets, secretOf('gone', { gone: readFileSync(api.readerKubeconfig, 'utf8') }));
    await until('both fresh', before, () => phase(before, 'west') === 'fresh' && phase(before, 'gone') === 'fresh');
    await first.stop();
    await before.close();

    gate.shut();
    await api.client.must('DELETE', `${secrets}/gone`);
    const after = withState();
    ends.push(() => after.close());
    keep(secretsOf(after, through));
    await until('both restored', after, () => phase(after, 'west') === 'stale' && phase(after, 'gone') === 'stale');
    assert.equal(after.shards('default/here').length, 1);
    gate.open();
    await until(
      'west fresh, the other gone',
      after,
      () => phase(after, 'west') === 'fresh' && !after.clusters().has('gone'),
    );
    await removeSecrets();
  });
});
