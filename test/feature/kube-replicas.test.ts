/** Replicas of the pilot behind one address share the proxies: any serves any, and one of them writes statuses for all. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { waitFor } from '../rig/wait.ts';
import { envoyNode } from '../support/pilot.ts';
import { XdsClient } from '../support/xds-client.ts';
import { fairway } from './cli-run.ts';
import { temporaryFolder } from './kube-support.ts';
import { logOf, type Replica, type ReplicasScene, startReplicasScene } from './replicas-scene.ts';

const proxies = 4;
/** What Envoy took in, of any type. */
const taken =
  /^(cluster_manager\.cluster_|listener_manager\.listener_)(added|modified|removed)$|^(cluster_manager\.cds|listener_manager\.lds|cluster\..*|http\..*)\.update_success$|vhds.*\.update_success$/;

describe('two pilots behind one address, on a real API', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let scene: ReplicasScene;
  /** Those that run. */
  let replicas: Replica[] = [];

  before(async () => {
    scene = await startReplicasScene(folder.path, proxies);
    replicas = await Promise.all([scene.startReplica(), scene.startReplica()]);
    scene.address.set(replicas.map(({ xdsPort }) => xdsPort));
  });
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const replica of replicas) process.stdout.write(`--- a pilot’s last lines\n${logOf(replica)}\n`);
  });
  after(async () => {
    await scene?.stop();
    folder.remove();
  });

  const held = async (replica: Replica): Promise<number> => (await replica.pilot.proxies()).length;

  async function untilShared(counts: readonly number[]): Promise<void> {
    let seen: readonly number[] = [];
    const probe = async (): Promise<boolean> => {
      seen = await Promise.all(replicas.map(held));
      return JSON.stringify(seen) === JSON.stringify(counts);
    };
    await waitFor(`proxies ${counts.join(' and ')}`, probe, { timeoutMs: 60_000 }, () => seen.join(' and '));
  }

  /** The rule's newest generation is programmed, with these words. */
  async function untilProgrammed(words: string): Promise<void> {
    let seen = '';
    await waitFor(
      `Programmed: ${words}`,
      async () => {
        const { metadata, status } = await scene.rule();
        const programmed = status?.conditions.find(({ type }) => type === 'Programmed');
        seen = JSON.stringify(programmed);
        return (
          programmed?.status === 'True' &&
          programmed.observedGeneration === metadata.generation &&
          programmed.message === words
        );
      },
      { timeoutMs: 60_000 },
      () => seen,
    );
  }

  /** From now on. */
  async function untilAllAnswer(version: string): Promise<void> {
    const counts = scene.sidecars.map(({ answers }) => answers.length);
    await waitFor(
      `answers of ${version} alone`,
      () => scene.sidecars.every(({ answers }, i) => answers.length > (counts[i] ?? 0) && answers.at(-1) === version),
      { timeoutMs: 60_000 },
      () => scene.sidecars.map(({ answers }) => answers.at(-1)).join(),
    );
  }

  function noFailures(): void {
    const failures = scene.sidecars.flatMap((sidecar) => sidecar.failures);
    assert.deepEqual(failures.slice(0, 10), [], `${failures.length} requests failed`);
  }

  async function nameOf(replica: Replica): Promise<string> {
    return (await replica.version()).pilot ?? '';
  }

  it('share the proxies; one holds the lease, and its statuses count the proxies of both', async () => {
    await untilShared([2, 2]);
    await waitFor('answers', () => scene.sidecars.every(({ answers }) => answers.length > 0));
    await scene.applyRule('v1');
    await untilProgrammed('4 of 4 proxies acknowledged (2 pilots)');
    await untilAllAnswer('v1');
    const names = await Promise.all(replicas.map(nameOf));
    assert.deepEqual(await scene.leaseHolders(), names.toSorted());
    assert.ok(names.includes(await scene.holder()));
    for (const [index, replica] of replicas.entries()) {
      const [rule] = await replica.pilot.rules();
      assert.deepEqual(rule?.programmed, { acknowledged: 4, total: 4 });
      const { out, err } = await fairway(['get', 'proxies', '--admin', `http://127.0.0.1:${replica.adminPort}`]);
      assert.match(out, /client-/);
      const other = names[1 - index] ?? '';
      assert.match(
        err.replaceAll(/\s+/g, ' '),
        new RegExp(`the proxies of ${names[index]}, one of 2 pilots: ${other} has 2`),
      );
    }
    noFailures();
  });

  it('give equal proxies equal bytes under equal versions, so that a move sends nothing anew', async () => {
    const resources = await Promise.all(
      replicas.map(async ({ xdsPort }) => {
        const client = XdsClient.open({ port: xdsPort, transport: 'delta', node: envoyNode({ cluster: 'west' }) });
        try {
          client.subscribe(typeUrl.cluster);
          client.subscribe(typeUrl.listener);
          await client.untilHolds((of) => of(typeUrl.cluster).size > 0 && of(typeUrl.listener).size > 0);
          const clusters = [...client.held(typeUrl.cluster).keys()].filter((name) => name.startsWith('outbound|'));
          client.subscribe(typeUrl.endpoint, clusters);
          await client.untilHolds((of) => clusters.every((name) => of(typeUrl.endpoint).has(name)));
          return [typeUrl.cluster, typeUrl.listener, typeUrl.endpoint].map((type) =>
            [...client.held(type).values()]
              .map(({ name, version, body }) => ({ name, version, body: body?.toString('base64') }))
              .sort((a, b) => (a.name < b.name ? -1 : 1)),
          );
        } finally {
          client.close();
        }
      }),
    );
    assert.ok((resources[0]?.[0]?.length ?? 0) > 0);
    assert.deepEqual(resources[0], resources[1]);
    await untilShared([2, 2]);
  });

  it('the holder is killed: its proxies move and are sent nothing anew, a rule converges, another writes statuses', async () => {
    const holder = await scene.holder();
    const names = await Promise.all(replicas.map(nameOf));
    const [killed, survivor] = names[0] === holder ? replicas : replicas.toReversed();
    assert.ok(killed !== undefined && survivor !== undefined);
    const pushes = await survivor.pushes();
    const before = await Promise.all(scene.sidecars.map((sidecar) => sidecar.stats(taken)));
    await killed.pilot.kill();
    replicas = [survivor];
    await untilShared([proxies]);
    const inStep = async (): Promise<boolean> =>
      (await survivor.pilot.proxies()).every(({ types }) =>
        ['CDS', 'EDS', 'LDS'].every((type) => types[type]?.state === 'synced'),
      );
    await waitFor('all in step', inStep);
    const after = await Promise.all(scene.sidecars.map((sidecar) => sidecar.stats(taken)));
    assert.deepEqual(after, before);
    // Not even an empty message.
    assert.equal(await survivor.pushes(), pushes);

    await scene.applyRule('v2');
    await untilAllAnswer('v2');
    await untilProgrammed('4 of 4 proxies acknowledged');
    assert.equal(await scene.holder(), await nameOf(survivor));
    await waitFor('the lease of the one that was killed to be cleaned up', async () => {
      return (await scene.leaseHolders()).length === 1;
    });
    noFailures();
  });

  it('one is replaced: it drains, the new one takes its proxies over and writes statuses', async () => {
    const [old] = replicas;
    assert.ok(old !== undefined);
    const next = await scene.startReplica();
    scene.address.set([old.xdsPort, next.xdsPort]);
    const { code } = await old.pilot.stop();
    assert.equal(code, 0, logOf(old));
    replicas = [next];
    await untilShared([proxies]);
    await scene.applyRule('v1');
    await untilAllAnswer('v1');
    await untilProgrammed('4 of 4 proxies acknowledged');
    assert.equal(await scene.holder(), await nameOf(next));
    // Who ended took its lease away; that of the one that was killed was cleaned up.
    assert.deepEqual(await scene.leaseHolders(), [await nameOf(next)]);
    noFailures();
  });
});
