/**
 * When streams may be answered: once every discovery has looked and every cluster has synced or is marked, or the wait is over.
 *
 * What always holds: it settles once, and stays so; a cluster for which nobody waited any longer is named aloud.
 */

import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { InventorySettings } from './inventory-record.ts';
import type { Registration } from './inventory-registration.ts';

export interface SettlingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: InventorySettings;
  readonly registrations: () => Iterable<Registration>;
  /** Streams are answered without this cluster. */
  readonly missed: (registration: Registration) => void;
}

export class Settling {
  readonly #options: SettlingOptions;
  readonly #startedMs: number;
  readonly #discoveries = new Map<number, string>();
  /** Those that have looked, and could not read everything. */
  readonly #partial = new Set<number>();
  readonly #timers: Timer[] = [];
  readonly #whenSettled: Promise<void>;
  #resolve: () => void = () => undefined;
  #settled = false;
  #stopped = false;
  #sequence = 0;

  constructor(options: SettlingOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
    this.#whenSettled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.lookAgainAfter(options.settings.initialWaitMs);
    this.lookAgainAfter(options.settings.unreachableWaitMs);
  }

  get settled(): boolean {
    return this.#settled;
  }

  get whenSettled(): Promise<void> {
    return this.#whenSettled;
  }

  /** Every discovery has read all that there is. */
  get isWhole(): boolean {
    return this.#discoveries.size + this.#partial.size === 0;
  }

  beginDiscovery(what: string): (isWhole?: boolean) => void {
    const id = this.#sequence++;
    this.#discoveries.set(id, what);
    return (isWhole = true) => {
      if (isWhole) this.#partial.delete(id);
      else this.#partial.add(id);
      if (this.#discoveries.delete(id)) this.check();
    };
  }

  lookAgainAfter(delayMs: number): void {
    if (this.#settled || delayMs === Number.POSITIVE_INFINITY) return;
    this.#timers.push(this.#options.clock.after(delayMs, () => this.check()));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
  }

  check(): void {
    if (this.#settled || this.#stopped) return;
    const { clock, settings, logger, registrations, missed } = this.#options;
    const over = clock.monotonic() - this.#startedMs >= settings.initialWaitMs;
    if (!over && this.#discoveries.size > 0) return;
    const missing: Registration[] = [];
    for (const registration of registrations()) {
      const wait = this.#waitFor(registration, over);
      if (wait === 'longer') return;
      if (wait === 'no longer') missing.push(registration);
    }
    this.#settled = true;
    for (const timer of this.#timers) timer.cancel();
    if (this.#discoveries.size > 0) {
      logger.error('the wait is over before all clusters were looked for; streams are answered with what there is', {
        code: 'FW-CLUSTER-007',
        hint: 'See what holds up the discovery of clusters: the log says it; what is found later joins.',
        waited_ms: settings.initialWaitMs,
        looking_for: [...this.#discoveries.values()],
      });
    }
    for (const registration of missing) {
      logger.error('the wait for the cluster is over before its first sync; streams are answered without it', {
        cluster: registration.name,
        code: 'FW-CLUSTER-007',
        hint: 'See whether its API can be reached from here; its endpoints join as soon as it syncs.',
      });
      missed(registration);
    }
    this.#resolve();
  }

  #waitFor(registration: Registration, over: boolean): 'not needed' | 'longer' | 'no longer' {
    const { active, shown, fromLastGood, addedMonotonicMs } = registration;
    const { clock, settings } = this.#options;
    if (active?.synced === true || shown.state.phase === 'refused') return 'not needed';
    const now = clock.monotonic();
    const troubled = active?.state.problem !== undefined || active?.state.phase === 'stale';
    if (fromLastGood) {
      const waited = now - addedMonotonicMs >= settings.lastGoodWaitMs;
      return troubled || over || waited ? 'not needed' : 'longer';
    }
    const unreachable = troubled && now - this.#startedMs >= settings.unreachableWaitMs;
    return over || unreachable ? 'no longer' : 'longer';
  }
}
