/**
 * When a status that was changed in the API by somebody is looked at again. In: ids of objects whose status is another, our own writes among them.
 * Out: ids that are due. What always holds: an object is looked at once for all that was noticed meanwhile, and the more rarely the more often it had
 * to be put right: two writers that do not want the same do not keep the API busy.
 */

export interface RepairPauses {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Somebody who writes several times in a row is let finish. */
const defaultPauses: RepairPauses = { firstMs: 1_000, maxMs: 60_000 };

export class StatusRepairs {
  readonly #now: () => number;
  readonly #pauses: RepairPauses;
  /** When each is due. */
  readonly #due = new Map<string, number>();
  /** How often in a row each was put right. */
  readonly #repairs = new Map<string, number>();
  readonly #underWay = new Set<string>();

  /** `now`: ms, monotonic. */
  constructor(now: () => number, pauses: RepairPauses = defaultPauses) {
    this.#now = now;
    this.#pauses = pauses;
  }

  /** The API holds another status than before. */
  notice(id: string): void {
    if (this.#due.has(id)) return;
    const { firstMs, maxMs } = this.#pauses;
    this.#due.set(id, this.#now() + Math.min(maxMs, firstMs * 2 ** (this.#repairs.get(id) ?? 0)));
  }

  /** Those that are to be looked at now; each once. */
  take(): readonly string[] {
    const now = this.#now();
    const ids = [...this.#due].flatMap(([id, dueMs]) => (dueMs <= now ? [id] : []));
    for (const id of ids) {
      this.#due.delete(id);
      this.#underWay.add(id);
    }
    return ids;
  }

  /** `written`: it had to be put right. */
  looked(id: string, written: boolean): void {
    if (this.#underWay.delete(id) && written) this.#repairs.set(id, Math.min(30, (this.#repairs.get(id) ?? 0) + 1));
  }

  /** It is to have another status from now on, or is gone. */
  forget(id: string): void {
    this.#repairs.delete(id);
    this.#underWay.delete(id);
  }
}
