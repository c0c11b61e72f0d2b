/** What the server has counted since it started: a plain object that the metrics page reads. */

export interface XdsCounters {
  /** Streams that are open now. */
  readonly connected: number;
  readonly streamsTotal: number;
  readonly pushesByType: ReadonlyMap<string, number>;
  readonly nacksByType: ReadonlyMap<string, number>;
  readonly bytesTotal: number;
  readonly requestsTotal: number;
  readonly staleNoncesTotal: number;
  /** Streams that were refused or ended because of what the client sent, by code. */
  readonly refusedByCode: ReadonlyMap<string, number>;
  readonly droppedSlowReadersTotal: number;
  /** Answers of the client status service. */
  readonly statusAnswersTotal: number;
  /** Names of virtual hosts beyond a stream's limits. */
  readonly passedOverNamesTotal: number;
  readonly queueWaits: { readonly count: number; readonly totalMs: number; readonly maxMs: number };
  readonly queueLength: number;
  readonly cache: { readonly hits: number; readonly misses: number; readonly entries: number; readonly bytes: number };
}

export function addTo(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The mutable half, shared by the server and its streams. */
export interface Tally {
  streamsTotal: number;
  bytesTotal: number;
  requestsTotal: number;
  staleNoncesTotal: number;
  droppedSlowReadersTotal: number;
  statusAnswersTotal: number;
  passedOverNamesTotal: number;
  readonly pushesByType: Map<string, number>;
  readonly nacksByType: Map<string, number>;
  readonly refusedByCode: Map<string, number>;
}

export function newTally(): Tally {
  return {
    streamsTotal: 0,
    bytesTotal: 0,
    requestsTotal: 0,
    staleNoncesTotal: 0,
    droppedSlowReadersTotal: 0,
    statusAnswersTotal: 0,
    passedOverNamesTotal: 0,
    pushesByType: new Map(),
    nacksByType: new Map(),
    refusedByCode: new Map(),
  };
}
