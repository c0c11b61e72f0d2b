import assert from 'node:assert/strict';
import { HeldObjects, readHeld } from '../../../../src/registry/kube/mcs-held.ts';
import { WorkQueue } from '../../../../src/registry/kube/mcs-queue.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('registry: work on imports', () => {
  it('does each key by one at a time, and again what was asked for meanwhile', async () => {
    const running: string[] = [];
    const done: string[] = [];
    const ends: (() => void)[] = [];
    const queue = new WorkQueue<string>({
      clock: new ManualClock(),
      parallel: 2,
      async work(key) {
        assert.ok(!running.includes(key));
        running.push(key);
        await new Promise<void>((resolve) => ends.push(resolve));
        running.splice(running.indexOf(key), 1);
        done.push(key);
        return true;
      },
    });
    for (const key of ['a', 'a', 'b', 'c']) queue.add(key);
    await turn();
    assert.deepEqual(running, ['a', 'b']);
    queue.add('a');
    for (let ended = 0; ended < 4; ended++) {
      await turn();
      ends.shift()?.();
    }
    await turn();
    assert.deepEqual(done.toSorted(), ['a', 'a', 'b', 'c']);
    await queue.stop();
  });

  it('tries again what failed, after a pause, without holding up others', async () => {
    const clock = new ManualClock();
    const tries: string[] = [];
    const queue = new WorkQueue<string>({
      clock,
      parallel: 1,
      work(key, isRetry) {
        tries.push(`${key}${isRetry ? ' again' : ''}`);
        return Promise.resolve(key !== 'bad' || tries.length > 2);
      },
    });
    queue.add('bad');
    queue.add('good');
    for (let i = 0; i < 3; i++) await turn();
    assert.deepEqual(tries, ['bad', 'good']);
    clock.advance(60_000);
    for (let i = 0; i < 3; i++) await turn();
    assert.deepEqual(tries, ['bad', 'good', 'bad again']);
    clock.advance(600_000);
    await turn();
    assert.equal(tries.length, 3);
    await queue.stop();
    queue.add('late');
    await turn();
    assert.equal(tries.length, 3);
  });

  it('keeps the newer of what a watch and an answer say of an object', () => {
    const changed: string[] = [];
    const held = new HeldObjects(
      ({ labels }) => String(labels['of'] ?? ''),
      (key) => changed.push(key),
    );
    const object = (resourceVersion: string, uid = 'u', of = 'reviews'): ReturnType<typeof readHeld> =>
      readHeld({ metadata: { namespace: 'shop', name: 'x', uid, resourceVersion, labels: { of } } });
    held.put(object('9'));
    held.put(object('10'));
    held.put(object('9'));
    assert.equal(held.get('shop', 'x')?.version, '10');
    assert.deepEqual(changed, ['shop/reviews', 'shop/reviews']);
    held.put(object('11', 'u', 'ratings'));
    assert.deepEqual([...held.services()], ['shop/ratings']);
    // Another object of the same name has versions of its own.
    held.put(object('3', 'v'));
    assert.equal(held.get('shop', 'x')?.uid, 'v');
    held.delete(object('3', 'u'));
    assert.ok(held.get('shop', 'x'));
    held.delete(object('3', 'v'));
    assert.equal(held.get('shop', 'x'), undefined);
    assert.deepEqual([...held.services()], []);
  });
});
