/**
 * What on-demand proxies had asked for, by node id, for when they come back with nothing in hand (a restarted Envoy): it is sent to them unasked,
 * in the first answer of each type. Kept in this process alone; a proxy that only lost its stream asks for everything again by itself.
 *
 * What always holds: a bounded number of nodes and of names each; what is old is forgotten.
 */

/** Names by type URL. */
type Wants = ReadonlyMap<string, readonly string[]>;

export interface WantsLimits {
  readonly nodesMax: number;
  /** Per node and type; beyond it nothing of that type is remembered. */
  readonly namesMax: number;
  readonly keepMs: number;
}

export const defaultWantsLimits: WantsLimits = { nodesMax: 10_000, namesMax: 1_000, keepMs: 60 * 60 * 1000 };

export class WantsMemory {
  readonly #limits: WantsLimits;
  readonly #now: () => number;
  /** The longest gone first. */
  readonly #byNode = new Map<string, { readonly wants: Wants; readonly atMs: number }>();

  /** `now`: ms, on any clock. */
  constructor(now: () => number, limits: WantsLimits = defaultWantsLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  get size(): number {
    return this.#byNode.size;
  }

  /** A node is gone, and had asked for these. */
  remember(nodeId: string, asked: ReadonlyMap<string, readonly string[]>): void {
    const { nodesMax, namesMax, keepMs } = this.#limits;
    const wants = new Map([...asked].filter(([, names]) => names.length > 0 && names.length <= namesMax));
    this.#byNode.delete(nodeId);
    const atMs = this.#now();
    if (wants.size > 0) this.#byNode.set(nodeId, { wants, atMs });
    for (const [oldest, entry] of this.#byNode) {
      if (this.#byNode.size <= nodesMax && atMs - entry.atMs <= keepMs) break;
      this.#byNode.delete(oldest);
    }
  }

  of(nodeId: string, typeUrl: string): readonly string[] {
    const entry = this.#byNode.get(nodeId);
    if (entry === undefined || this.#now() - entry.atMs > this.#limits.keepMs) return [];
    return entry.wants.get(typeUrl) ?? [];
  }
}
