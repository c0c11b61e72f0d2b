/**
 * How far a drain is at a time, and when that is another: the steps out, then, if it says so, the same steps back. Follows from the object and
 * the clock alone.
 */

import { type Drain, drainSteps } from '../model/drain.ts';

/**
 * - `waiting`: it has not begun.
 * - `out`: steps are taken, or all are.
 * - `back`: they are taken back.
 * - `over`: all of them have been; it counts for nothing.
 */
export type DrainPhase = 'waiting' | 'out' | 'back' | 'over';

export interface DrainMoment {
  readonly phase: DrainPhase;
  /** 0 to `drainSteps`; undefined: it counts for nothing. */
  readonly step: number | undefined;
  /** When this is another, unless the object is; undefined: never. */
  readonly untilMs: number | undefined;
}

export function drainAt(drain: Drain, startMs: number, nowMs: number): DrainMoment {
  const { back } = drain;
  if (back === undefined || nowMs < back.startAtMs) {
    const there = wayOut(drain, startMs, nowMs);
    return { ...there, untilMs: earliest(there.untilMs, back?.startAtMs) };
  }
  const reached = wayOut(drain, startMs, back.startAtMs).step ?? 0;
  const sinceMs = nowMs - back.startAtMs;
  if (reached === 0 || sinceMs >= back.overMs) return { phase: 'over', step: undefined, untilMs: undefined };
  // The first comes back at once, the last when the time is over.
  const taken = 1 + Math.floor((sinceMs * (reached - 1)) / back.overMs);
  const nextMs = reached === 1 ? back.overMs : (back.overMs * taken) / (reached - 1);
  return { phase: 'back', step: reached - taken, untilMs: back.startAtMs + Math.min(nextMs, back.overMs) };
}

/** The first step at the start, the last one when `overMs` have passed. */
function wayOut({ overMs }: Drain, startMs: number, nowMs: number): DrainMoment {
  if (nowMs < startMs) return { phase: 'waiting', step: undefined, untilMs: startMs };
  if (overMs === 0) return { phase: 'out', step: drainSteps, untilMs: undefined };
  const step = Math.min(drainSteps, 1 + Math.floor(((nowMs - startMs) * (drainSteps - 1)) / overMs));
  const nextMs = step === drainSteps ? undefined : startMs + (overMs * step) / (drainSteps - 1);
  return { phase: 'out', step, untilMs: nextMs };
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
