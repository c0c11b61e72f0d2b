/**
 * What of the clusters outlives the process: in comes which cluster is different, out goes its last good state to the store.
 *
 * What always holds: only what a source of this process has said is written; what is withheld (expired, or another cluster serves its API)
 * never replaces what was good; without a store all of it does nothing.
 */

import type { Clock, Timer } from '../core/clock.ts';
import { infoOf, isCurrent, type Registration } from './inventory-registration.ts';
import type { LastGoodStore } from './last-good.ts';

/** How often the file of a fresh cluster is marked as still true. */
const touchEveryMs = 30_000;

export interface SavingOptions {
  readonly clock: Clock;
  readonly store: LastGoodStore | undefined;
  readonly registrations: () => Iterable<Registration>;
}

export class Saving {
  readonly #options: SavingOptions;
  #touching: Timer | undefined;

  constructor(options: SavingOptions) {
    this.#options = options;
    if (options.store !== undefined) this.#touchRegularly();
  }

  save(registration: Registration): void {
    const { active, name, services, namespaces } = registration;
    // What came from disk is there already.
    if (active?.synced !== true) return;
    const { clock, store } = this.#options;
    store?.save(name, () => {
      // What is withheld must not replace what was good.
      if (registration.active?.duplicateOf !== undefined || registration.expired) return undefined;
      const now = clock.now();
      const lastNewsMs = isCurrent(registration) ? now : (registration.lastNewsMs ?? now);
      return { info: { ...infoOf(registration), origin: registration.origin }, lastNewsMs, services, namespaces };
    });
  }

  forget(name: string): void {
    this.#options.store?.remove(name);
  }

  /** Marks what is true now, for the last time. */
  stop(): void {
    this.#touching?.cancel();
    this.#touchCurrent();
  }

  #touchRegularly(): void {
    this.#touching = this.#options.clock.after(touchEveryMs, () => {
      this.#touchCurrent();
      this.#touchRegularly();
    });
  }

  #touchCurrent(): void {
    const { registrations, store } = this.#options;
    for (const registration of registrations()) if (isCurrent(registration)) store?.touch(registration.name);
  }
}
