/**
 * Registrations that are not in force, in order of arrival: who was refused, why and since when, and what would start it if its chance came.
 */

import type { Clock } from '../core/clock.ts';
import type { Problem, RefusedRecord } from './inventory-record.ts';
import type { StartSource } from './source.ts';

export interface Waiting extends RefusedRecord {
  /** Absent for what a discovery itself refused. */
  readonly start: StartSource | undefined;
}

export class WaitingList {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly Waiting[] {
    return [...this.#waiting.values()];
  }

  /** True when this is news. Who is there already keeps its place. */
  put(name: string, origin: string, start: StartSource | undefined, problem: Problem): boolean {
    const key = keyOf(name, origin);
    const before = this.#waiting.get(key);
    const same = before?.problem.code === problem.code && before.problem.message === problem.message;
    this.#waiting.set(key, { name, origin, start, problem, sinceMs: same ? before.sinceMs : this.#clock.now() });
    return !same;
  }

  /** True when there was one. */
  delete(name: string, origin: string): boolean {
    return this.#waiting.delete(keyOf(name, origin));
  }
}

function keyOf(name: string, origin: string): string {
  return `${name}\n${origin}`;
}
