import assert from 'node:assert/strict';
import { systemClock } from '../../../src/core/clock.ts';
import { Turns } from '../../../src/xds/turns.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('give the event loop its turn after a number of jobs, first come first served, nobody twice before others', async () => {
    const done: string[] = [];
    const turns = new Turns(systemClock, 1_000, 2);
    const jobs = ['a', 'b', 'c', 'd'].map((name) => {
      const job = {
        left: name === 'a' ? 3 : 1,
        turn(): void {
          done.push(name);
          if (--job.left > 0) turns.enqueue(job);
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
    const turns = new Turns({ ...systemClock, monotonic: () => nowMs }, 8, 1_000);
    for (let i = 0; i < 10; i++) {
      turns.enqueue({
        turn() {
          count++;
          nowMs += 5;
        },
      });
    }
    await tick();
    assert.equal(count, 2);
    for (let i = 0; i < 10; i++) await tick();
    assert.equal(count, 10);
  });

  it('give work that streams wait for one turn before each slice of them, and neither keeps the other waiting', async () => {
    const done: string[] = [];
    const turns = new Turns(systemClock, 1_000, 2);
    const works = ['V', 'W'].map((name) => ({
      left: 3,
      turn(): void {
        done.push(name);
        if (--this.left > 0) turns.enqueueWork(this);
      },
    }));
    const streams = ['a', 'b', 'c'].map((name) => ({
      turn(): void {
        done.push(name);
        if (done.length < 24) turns.enqueue(this);
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
    const turns = new Turns(systemClock, 8, 8);
    const done: string[] = [];
    for (const name of ['a', 'b', 'c']) turns.enqueueWork({ turn: () => void done.push(name) });
    for (let i = 0; i < 3; i++) await tick();
    assert.deepEqual(done, ['a', 'b', 'c']);
  });

  it('forget a job that was taken back', async () => {
    const turns = new Turns(systemClock, 8, 8);
    const job = { turn: () => assert.fail('was taken back') };
    turns.enqueue(job);
    turns.remove(job);
    await tick();
  });
});
