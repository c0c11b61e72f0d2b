/** How the watch of one resource fares: whether it can be believed, and what it has counted. Plain values and pure questions. */

import type { ApiError } from './api-error.ts';

/** Why a list is not believed. */
export interface Suspicion {
  /** Objects held, while the list has none. */
  readonly held: number;
  readonly sinceMs: number;
}

export interface WatchHealth {
  /** A complete list has been taken. */
  readonly listed: boolean;
  /** It is watched, or being listed without trouble. */
  readonly error: ApiError | undefined;
  /** Since when, ms since the epoch; undefined without an error. */
  readonly failingSinceMs: number | undefined;
  readonly suspicion: Suspicion | undefined;
  /** The last list was longer than the limit. */
  readonly truncated: boolean;
}

export interface WatchCounters {
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  /** Times that the API had forgotten where the watch stood (410). */
  readonly expired: number;
  /** Answers and events that could not be read. */
  readonly malformed: number;
  /** Connections cut because nothing was heard. */
  readonly silences: number;
  /** Objects over the limit that were left out. */
  readonly excess: number;
}

export const untried: WatchHealth = {
  listed: false,
  error: undefined,
  failingSinceMs: undefined,
  suspicion: undefined,
  truncated: false,
};

export const noCounts: WatchCounters = {
  lists: 0,
  watches: 0,
  events: 0,
  expired: 0,
  malformed: 0,
  silences: 0,
  excess: 0,
};

/** By identity of what it holds. */
export function sameHealth(a: WatchHealth, b: WatchHealth): boolean {
  return (Object.keys(b) as (keyof WatchHealth)[]).every((key) => a[key] === b[key]);
}

export function addCounts(counters: WatchCounters, more: Partial<WatchCounters>): WatchCounters {
  const sum: { -readonly [Name in keyof WatchCounters]: number } = { ...counters };
  for (const [name, value] of Object.entries(more)) sum[name as keyof WatchCounters] += value;
  return sum;
}
