import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { FileClusters } from '../../../../src/registry/file/file-clusters.ts';
import type { FolderLimits } from '../../../../src/registry/file/folder-look.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import { FolderLastGoodStore } from '../../../../src/registry/last-good.ts';
import { waitFor } from '../../../rig/wait.ts';
import { skip } from '../../../support/skips.ts';

function manifests(service: string, address: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${service}, namespace: shop}
spec: {selector: {app: ${service}}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${service}-1, namespace: shop, labels: {app: ${service}}}
status: {podIP: ${address}}
`;
}

describe('file clusters', () => {
  let root: string;
  let folder: string;
  let inventory: Inventory;
  let clusters: FileClusters;
  const opened: (() => Promise<void>)[] = [];

  function start(limits: Partial<FolderLimits> = {}): void {
    const common = { clock: systemClock, logger: silentLogger };
    inventory = new Inventory({
      ...common,
      lastGood: new FolderLastGoodStore({ folder: join(root, 'state'), limits: { saveDelayMs: 5 }, ...common }),
      settings: { lastGoodWaitMs: 50 },
    });
    clusters = new FileClusters({
      folder,
      inventory,
      folderLimits: { pollMs: 100, confirmMs: 50, ...limits },
      ...common,
    });
    opened.push(
      ((held, source) => async () => {
        await source.stop();
        await held.close();
      })(inventory, clusters),
    );
    clusters.start();
  }

  async function stop(): Promise<void> {
    for (const close of opened.splice(0)) await close();
  }

  function write(path: string, text: string): void {
    const full = join(folder, path);
    mkdirSync(join(full, '..'), { recursive: true });
    writeFileSync(full, text);
  }

  const until = (what: string, probe: () => boolean): Promise<unknown> =>
    waitFor(what, probe, { intervalMs: 5 }, () =>
      JSON.stringify([...inventory.clusters().values()].map(({ info, state }) => [info, state])),
    );
  const keys = (cluster: string): string =>
    [...(inventory.clusters().get(cluster)?.services.keys() ?? [])].sort().join(' ');
  const address = (cluster: string, name = 'web'): string | undefined =>
    inventory.clusters().get(cluster)?.services.get(`shop/${name}`)?.endpoints[0]?.address;
  const codes = (cluster: string): readonly string[] =>
    inventory
      .clusters()
      .get(cluster)
      ?.findings.map(({ code }) => code) ?? [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-clusters-'));
    folder = join(root, 'clusters');
    mkdirSync(folder);
  });

  afterEach(async () => {
    await stop();
    rmSync(root, { recursive: true, force: true });
  });

  it('registers a cluster per sub-folder, with or without a cluster.yaml', async () => {
    write('east/cluster.yaml', 'network: net-1\nregion: eu\nzone: eu-a\n');
    write('east/apps/web.yaml', manifests('web', '127.0.0.1'));
    write('west/web.json', '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}');
    mkdirSync(join(folder, 'empty'));
    write('notes.txt', 'x');
    start();
    await inventory.whenSettled();
    assert.deepEqual([...inventory.clusters().keys()], ['east', 'west']);
    const east = inventory.clusters().get('east');
    assert.equal(east?.state.phase, 'fresh');
    assert.deepEqual(east?.info, {
      name: 'east',
      network: 'net-1',
      locality: { region: 'eu', zone: 'eu-a', subzone: '' },
      uid: '',
      origin: `file ${join(folder, 'east')}`,
    });
    assert.equal(east?.services.get('shop/web')?.endpoints[0]?.network, 'net-1');
    assert.equal(inventory.clusters().get('west')?.namespaces.has('shop'), true);
  });

  it('hears of edits, new files, removed files, and files that editors replace', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    // A poll this slow cannot be what finds them.
    start({ pollMs: 3_600_000 });
    await until('the first look', () => address('east') === '10.0.0.1');
    write('east/web.yaml', manifests('web', '10.0.0.2'));
    await until('the edit', () => address('east') === '10.0.0.2');
    write('east/.web.yaml.swp', 'rubbish');
    write('east/new.tmp', manifests('web', '10.0.0.3'));
    renameSync(join(folder, 'east/new.tmp'), join(folder, 'east/web.yaml'));
    await until('the replacement', () => address('east') === '10.0.0.3');
    write('east/more/deep/api.yml', manifests('api', '10.0.0.4'));
    await until('the new folder', () => keys('east') === 'shop/api shop/web');
    write('east/more/deep/api.yml', manifests('api', '10.0.0.5'));
    await until('the edit in the new folder', () => address('east', 'api') === '10.0.0.5');
    rmSync(join(folder, 'east/more'), { recursive: true });
    await until('the removal', () => keys('east') === 'shop/web');
  });

  it('finds changes by its poll alone', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    start({ debounceMs: 3_600_000 });
    await until('the first look', () => address('east') === '10.0.0.1');
    write('east/web.yaml', manifests('web', '10.0.0.22'));
    await until('the edit', () => address('east') === '10.0.0.22');
  });

  it('does not flap when a file is removed or emptied for a moment', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    start({ confirmMs: 3_600_000 });
    await until('the first look', () => address('east') === '10.0.0.1');
    const lost: string[] = [];
    inventory.onChange(() => {
      if (keys('east') === '') lost.push('lost');
    });
    rmSync(join(folder, 'east/web.yaml'));
    write('east/other.yaml', manifests('other', '10.0.0.9'));
    await until('a look without the file', () => address('east', 'other') !== undefined);
    assert.equal(keys('east'), 'shop/other shop/web');
    write('east/web.yaml', '');
    write('east/other.yaml', manifests('other', '10.0.0.10'));
    await until('a look at the empty file', () => address('east', 'other') === '10.0.0.10');
    assert.equal(address('east'), '10.0.0.1');
    write('east/web.yaml', manifests('web', '10.0.0.2'));
    await until('the file back', () => address('east') === '10.0.0.2');
    assert.deepEqual(lost, []);
    rmSync(join(folder, 'east/web.yaml'));
    await clusters.rescan();
    assert.equal(keys('east'), 'shop/other');
  });

  it('keeps what a broken file held, says where it is broken, and takes the rest', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    write('east/api.yaml', manifests('api', '10.0.0.2'));
    start();
    await until('the first look', () => keys('east') === 'shop/api shop/web');
    write('east/web.yaml', 'kind: [\n');
    write('east/api.yaml', manifests('api', '10.0.0.3'));
    await until('the finding', () => codes('east').length > 0 && address('east', 'api') === '10.0.0.3');
    const record = inventory.clusters().get('east');
    assert.equal(record?.state.phase, 'fresh');
    assert.equal(address('east'), '10.0.0.1');
    assert.equal(record?.findings[0]?.code, 'FW-FILE-001');
    assert.equal(record?.findings[0]?.where.file, join(folder, 'east/web.yaml'));
    assert.equal(record?.findings[0]?.where.line, 2);
    write('east/web.yaml', Buffer.from([0xff, 0xfe, 0x00]).toString('latin1'));
    write('east/web.yaml', manifests('web', '10.0.0.4'));
    await until('the cure', () => address('east') === '10.0.0.4' && codes('east').length === 0);
  });

  it('takes a file that is broken from the start as unknown, not as empty', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    write('east/api.yaml', manifests('api', '10.0.0.2'));
    write('east/old.yaml', manifests('old', '10.0.0.3'));
    start();
    await until('the first look', () => keys('east') === 'shop/api shop/old shop/web');
    await stop();
    write('east/web.yaml', 'kind: [\n');
    start();
    await until('the restart', () => inventory.clusters().get('east')?.state.phase === 'fresh');
    assert.equal(keys('east'), 'shop/api shop/old shop/web');
    rmSync(join(folder, 'east/old.yaml'));
    await until('a removal that was seen', () => keys('east') === 'shop/api shop/web');
    write('east/web.yaml', manifests('other', '10.0.0.4'));
    await until('the cure', () => keys('east') === 'shop/api shop/other');
  });

  it('registers and unregisters clusters as folders come and go', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    start();
    await until('east', () => inventory.clusters().has('east'));
    write('west/web.yaml', manifests('web', '10.1.0.1'));
    await until('west', () => address('west') === '10.1.0.1');
    rmSync(join(folder, 'east'), { recursive: true });
    await until('the removal', () => !inventory.clusters().has('east'));
    assert.equal(inventory.shards('shop/web').length, 1);
  });

  it('follows cluster.yaml: a new place, a new name', async () => {
    write('east/cluster.yaml', 'network: a\n');
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    start();
    await until('east', () => inventory.clusters().get('east')?.info.network === 'a');
    write('east/cluster.yaml', 'network: b\n');
    await until('the new network', () => inventory.clusters().get('east')?.info.network === 'b');
    assert.equal(inventory.clusters().get('east')?.services.get('shop/web')?.endpoints[0]?.network, 'b');
    write('east/cluster.yaml', 'netwrok: c\n');
    await until('the finding', () => codes('east')[0] === 'FW-FILE-009');
    assert.equal(inventory.clusters().get('east')?.info.network, 'b');
    write('east/cluster.yaml', 'name: orient\n');
    await until('the new name', () => address('orient') === '10.0.0.1' && !inventory.clusters().has('east'));
    assert.equal(inventory.clusters().get('orient')?.services.get('shop/web')?.cluster, 'orient');
  });

  it('refuses a cluster whose cluster.yaml was never readable, until it is', async () => {
    write('east/cluster.yaml', 'name: [\n');
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    start();
    await until('the refusal', () => inventory.refused().length === 1);
    assert.equal(inventory.refused()[0]?.problem.code, 'FW-FILE-001');
    assert.match(inventory.refused()[0]?.problem.message ?? '', /cluster\.yaml:2:1/);
    write('east/cluster.yaml', 'name: east\n');
    await until('the cure', () => address('east') === '10.0.0.1');
    assert.equal(inventory.refused().length, 0);
  });

  it('refuses the second of two folders with one name, and gives it its chance', async () => {
    write('a/cluster.yaml', 'name: east\n');
    write('a/web.yaml', manifests('web', '10.0.0.1'));
    write('b/cluster.yaml', 'name: east\n');
    write('b/web.yaml', manifests('web', '10.0.0.2'));
    start();
    await until('the refusal', () => inventory.refused()[0]?.problem.code === 'FW-CLUSTER-002');
    assert.equal(address('east'), '10.0.0.1');
    rmSync(join(folder, 'a'), { recursive: true });
    await until('the second', () => address('east') === '10.0.0.2');
  });

  it('keeps everything, stale, while the folder of them all is gone, and finds what changed meanwhile', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    write('west/web.yaml', manifests('web', '10.1.0.1'));
    start();
    await until('both', () => inventory.clusters().size === 2);
    renameSync(folder, `${folder}-away`);
    await until('the loss', () => inventory.clusters().get('east')?.state.phase === 'stale');
    assert.equal(inventory.clusters().get('west')?.state.problem?.code, 'FW-FILE-013');
    assert.equal(inventory.shards('shop/web').length, 2);
    rmSync(join(`${folder}-away`, 'west'), { recursive: true });
    renameSync(`${folder}-away`, folder);
    await until(
      'the return',
      () => inventory.clusters().get('east')?.state.phase === 'fresh' && !inventory.clusters().has('west'),
    );
    assert.equal(address('east'), '10.0.0.1');
  });

  it('serves what it knows from before the restart while its folder is gone', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    write('west/web.yaml', manifests('web', '10.1.0.1'));
    start();
    await until('both', () => inventory.clusters().size === 2);
    await stop();
    renameSync(folder, `${folder}-away`);
    start();
    await inventory.whenSettled();
    assert.equal(address('east'), '10.0.0.1');
    assert.equal(inventory.clusters().get('east')?.state.phase, 'stale');
    rmSync(join(`${folder}-away`, 'west'), { recursive: true });
    renameSync(`${folder}-away`, folder);
    await until(
      'the return',
      () => inventory.clusters().get('east')?.state.phase === 'fresh' && !inventory.clusters().has('west'),
    );
  });

  it('sets files aside that are too large or no text', async () => {
    write('east/web.yaml', manifests('web', '10.0.0.1'));
    write('east/large.yaml', `# ${'x'.repeat(5000)}\n`);
    writeFileSync(join(folder, 'east/binary.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    start({ maxFileBytes: 4000 });
    await until('east', () => address('east') === '10.0.0.1');
    assert.deepEqual(codes('east'), ['FW-FILE-005', 'FW-FILE-005']);
  });

  it('keeps what a folder held that cannot be read', async function () {
    if (process.getuid?.() === 0) return skip(this, 'root can read every folder; run it as another user');
    write('east/sub/web.yaml', manifests('web', '10.0.0.1'));
    start();
    await until('east', () => address('east') === '10.0.0.1');
    chmodSync(join(folder, 'east/sub'), 0);
    await until('the finding', () => codes('east').includes('FW-FILE-015'));
    assert.equal(address('east'), '10.0.0.1');
    chmodSync(join(folder, 'east/sub'), 0o755);
    await until('the cure', () => codes('east').length === 0);
  });
});
