import assert from 'node:assert/strict';
import { systemClock } from '../../../src/core/clock.ts';
import { Turns, type TurnsOptions } from '../../../src/xds/turns.ts';

function newTurns(options: Partial<TurnsOptions>): Turns {
  return new Turns({
    clock: systemClock,
    sliceMs: 1_000,
    sliceJobs: 1_000,
    pace: { minBytes: 1_000, maxBytes: 1_000, lateMs: 1_000 },
    ...options,
  });
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('give the event loop its turn after a number of jobs, first come first served, nobody twice before others', async () => {
    const done: string[] = [];
    const turns = newTurns({ sliceJobs: 2 });
    const jobs = ['a', 'b', 'c', 'd'].map((name) => {
      const job = {
        left: name === 'a' ? 3 : 1,
        turn(): number {
          done.push(name);
          if (--job.left > 0) turns.enqueue(job);
          return 0;
        },
      };
      return job;
    });
    for (const job of jobs) turns.enqueue(job);
    for (const job of jobs) turns.enqueue(job);
    assert.equal(turns.waiting, 4);
    await tick();
    assert.deepEqual(done, ['a', 'b']);
    for (let i = 0; i < 5; i++) await tick();
    assert.deepEqual(done, ['a', 'b', 'c', 'd', 'a', 'a']);
    assert.equal(turns.waits.count, 6);
  });

  it('stop when their time is up', async () => {
    let nowMs = 0;
    let count = 0;
    const turns = newTurns({ clock: { ...systemClock, monotonic: () => nowMs }, sliceMs: 8 });
    for (let i = 0; i < 10; i++) {
      turns.enqueue({
        turn() {
          count++;
          nowMs += 5;
          return 0;
        },
      });
    }
    await tick();
    assert.equal(count, 2);
    for (let i = 0; i < 10; i++) await tick();
    assert.equal(count, 10);
  });

  it('stop when enough was handed to sockets, which is less after the event loop was away for long', async () => {
    let nowMs = 0;
    const done: string[] = [];
    const turns = newTurns({
      clock: { ...systemClock, monotonic: () => nowMs },
      pace: { minBytes: 100, maxBytes: 400, lateMs: 10 },
    });
    const add = (count: number): void => {
      for (let i = 0; i < count; i++) turns.enqueue({ turn: () => done.push('sent') && 100 });
    };
    const slice = async (awayMs: number): Promise<number> => {
      const before = done.length;
      nowMs += awayMs;
      await tick();
      return done.length - before;
    };
    add(40);
    const slices: number[] = [];
    for (const awayMs of [0, 0, 0, 0, 0, 11, 11, 11, 10]) slices.push(await slice(awayMs));
    // 150, 225, 337.5, 400, 400, then 200, 100, 100, and 150 bytes; the message that goes above is the last.
    assert.deepEqual(slices, [2, 3, 4, 4, 4, 2, 1, 1, 2]);
  });

  it('tell work that brings more with it how much of it is wanted', async () => {
    let nowMs = 0;
    const shares: number[] = [];
    const turns = newTurns({
      clock: { ...systemClock, monotonic: () => nowMs },
      pace: { minBytes: 100, maxBytes: 400, lateMs: 10 },
    });
    const work = {
      turn(share: number): void {
        shares.push(share);
        if (shares.length < 6) turns.enqueueWork(work);
      },
    };
    turns.enqueueWork(work);
    for (const awayMs of [0, 0, 0, 0, 11, 50]) {
      nowMs += awayMs;
      await tick();
    }
    assert.deepEqual(shares, [0.375, 0.5625, 0.84375, 1, 0.5, 0.25]);
  });

  it('give work that streams wait for one turn before each slice of them, and neither keeps the other waiting', async () => {
    const done: string[] = [];
    const turns = newTurns({ sliceJobs: 2 });
    const works = ['V', 'W'].map((name) => ({
      left: 3,
      turn(): void {
        done.push(name);
        if (--this.left > 0) turns.enqueueWork(this);
      },
    }));
    const streams = ['a', 'b', 'c'].map((name) => ({
      turn(): number {
        done.push(name);
        if (done.length < 24) turns.enqueue(this);
        return 0;
      },
    }));
    for (const stream of streams) turns.enqueue(stream);
    for (const work of works) turns.enqueueWork(work);
    for (let i = 0; i < 20; i++) await tick();
    assert.equal(done.slice(0, 18).join(''), 'VabWcaVbcWabVcaWbc');
    assert.ok(!/[VW]/.test(done.slice(18).join('')));
    assert.equal(turns.waiting, 0);
  });

  it('give work its turns though no stream waits', async () => {
    const turns = newTurns({});
    const done: string[] = [];
    for (const name of ['a', 'b', 'c']) turns.enqueueWork({ turn: () => void done.push(name) });
    for (let i = 0; i < 3; i++) await tick();
    assert.deepEqual(done, ['a', 'b', 'c']);
  });

  it('forget a job that was taken back', async () => {
    const turns = newTurns({});
    const job = { turn: () => assert.fail('was taken back') };
    turns.enqueue(job);
    turns.remove(job);
    await tick();
  });
});
