import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/core/logger.ts';
import { History } from '../../../src/pilot/history.ts';
import { folderHistoryStore, type HistoryStore, memoryHistoryStore } from '../../../src/pilot/history-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const id = 'TrafficRule/shop/reviews';

describe('the history of objects in a rules folder', () => {
  let folder: string;
  const clock = new ManualClock();
  const open = (store: HistoryStore = folderHistoryStore(folder, silentLogger), maxWaiting?: number): History =>
    new History({
      store,
      clock,
      logger: silentLogger,
      isThere: () => true,
      ...(maxWaiting === undefined ? {} : { maxWaiting }),
    });
  const see = (history: History, spec: unknown, valid = true, labels?: object): void =>
    history.seen({
      id,
      object: { metadata: { name: 'reviews', labels }, spec },
      origin: 'a.yaml',
      generation: 1,
      valid,
    });
  const kept = async (history: History): Promise<readonly string[]> =>
    ((await history.of('TrafficRule', 'shop', 'reviews'))?.entries ?? []).map(
      ({ revision, spec }) => `${revision} ${JSON.stringify(spec)}`,
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-history-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('holds each new form once, over restarts too', async () => {
    const first = open();
    for (const spec of [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 2 }]) see(first, spec);
    assert.deepEqual(await kept(first), ['1 {"a":1,"b":2}', '2 {"a":2}']);
    const second = open();
    see(second, { a: 2 });
    see(second, { a: 1, b: 2 });
    assert.deepEqual(await kept(second), ['1 {"a":1,"b":2}', '2 {"a":2}', '3 {"a":1,"b":2}']);
    assert.equal((await second.of('TrafficRule', 'shop', 'reviews'))?.durable, true);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('holds the last ten', async () => {
    const history = open(memoryHistoryStore());
    for (let at = 1; at <= 13; at++) see(history, { at });
    const forms = await kept(history);
    assert.deepEqual([forms.length, forms[0], forms[9]], [10, '4 {"at":4}', '13 {"at":13}']);
  });

  it('says who wrote a form, and whether it was valid', async () => {
    const history = open();
    see(history, { a: 1 });
    const end = history.claim([id], 'admin API');
    see(history, { a: 2 }, false);
    end();
    see(history, { a: 3 });
    const { entries = [] } = (await history.of('TrafficRule', 'shop', 'reviews')) ?? {};
    assert.deepEqual(
      entries.map(({ by, valid }) => `${by} ${valid}`),
      ['file a.yaml true', 'admin API false', 'file a.yaml true'],
    );
  });

  it('keeps labels with the form that has them, which is no new one', async () => {
    const history = open();
    see(history, { a: 1 }, true, { team: 'a' });
    see(history, { a: 1 }, true, { team: 'b' });
    const { entries = [] } = (await history.of('TrafficRule', 'shop', 'reviews')) ?? {};
    assert.deepEqual(
      entries.map(({ metadata }) => metadata),
      [{ labels: { team: 'b' } }],
    );
  });

  it('begins anew where a file is damaged', async () => {
    see(open(), { a: 1 });
    const first = open();
    see(first, { a: 1 });
    await first.close();
    const [name = ''] = readdirSync(folder);
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"a":1', '"a":7'));
    const history = open();
    see(history, { a: 2 });
    assert.deepEqual(await kept(history), ['1 {"a":2}']);
  });

  it('is bounded: what does not fit, or cannot be written down, is counted', async () => {
    const history = open(memoryHistoryStore(), 2);
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    see(history, loop);
    for (const a of [1, 2, 3]) see(history, { a });
    assert.deepEqual(await kept(history), ['1 {"a":1}', '2 {"a":2}']);
    assert.equal(history.dropped, 2);
  });

  it('knows nothing of what was never seen', async () => {
    assert.equal(await open().of('TrafficRule', 'shop', 'nothing'), undefined);
  });
});
