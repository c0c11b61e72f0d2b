/**
 * Changes one after the other: some that are not counted, then those that are. In: a run, and how to make a change in it; out: how long each
 * took, and what the run had used before and after those that count. The run is checked at the end.
 */

import { pause } from './load/load-run.ts';

/** Not counted, for these find code that has not been compiled yet. */
const warmUps = 2;

export interface CountedChanges<Totals> {
  /** One sample for each change and proxy, ms. */
  readonly each: readonly number[];
  /** The slowest proxy of each change, ms. */
  readonly last: readonly number[];
  readonly before: Totals;
  readonly after: Totals;
}

export interface ChangeOptions<Totals> {
  readonly run: { totals(): Promise<Totals>; verify(): Promise<unknown> };
  readonly count: number;
  /** For the control plane to be quiet again. */
  readonly betweenMs: number;
  /** Makes a change, and resolves to how long it took until each proxy had it, ms. `at` counts from 0, anew after the warm-up. */
  readonly change: (at: number) => Promise<readonly number[]>;
}

export async function countChanges<Totals>(options: ChangeOptions<Totals>): Promise<CountedChanges<Totals>> {
  const { run, count, betweenMs, change } = options;
  for (let at = 0; at < warmUps; at++) {
    await change(at);
    await pause(betweenMs);
  }
  const before = await run.totals();
  const each: number[] = [];
  const last: number[] = [];
  for (let at = 0; at < count; at++) {
    const ms = await change(at);
    each.push(...ms);
    last.push(Math.max(...ms));
    await pause(betweenMs);
  }
  const after = await run.totals();
  await run.verify();
  return { each, last, before, after };
}
