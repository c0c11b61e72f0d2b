/**
 * What is in force of each cluster: in comes that something may be different, out go the cluster's record, its events and what is saved of it.
 *
 * What always holds: the record is right before anybody is told; a cluster that stays without news for longer than its last good state is kept
 * ends with nothing, and one that comes back in time starts the time anew.
 */

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Board, ShownChange } from './inventory-board.ts';
import { Expiry } from './inventory-expiry.ts';
import { bringInLine } from './inventory-publish.ts';
import type { InventorySettings } from './inventory-record.ts';
import { infoOf, type Registration } from './inventory-registration.ts';
import type { Saving } from './inventory-saving.ts';
import { sameInfo } from './same-shard.ts';

export interface InForceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: InventorySettings;
  readonly board: Board;
  readonly saving: Saving;
  /** Whether this very registration has not ended. */
  readonly holds: (registration: Registration) => boolean;
}

export class InForce {
  readonly #options: InForceOptions;
  readonly #expiry: Expiry;

  constructor(options: InForceOptions) {
    this.#options = options;
    this.#expiry = new Expiry(options.clock);
  }

  /** Brings what is held in line with what was said, for the given keys (undefined: all), and tells the listeners what became different. */
  publish(registration: Registration, keys?: Iterable<ServiceKey>, names?: Iterable<string>): void {
    const { services, namespaces } = bringInLine(registration, keys, names);
    const { info } = registration.shown;
    const infoChanged = info === undefined || !sameInfo(info, infoOf(registration));
    if (services.size > 0 || namespaces.size > 0 || infoChanged) this.#options.saving.save(registration);
    this.show(registration, { services, namespaces });
  }

  /** Renews the cluster's record, and tells the listeners if anything is different. One that is not registered any more is not shown. */
  show(registration: Registration, change?: ShownChange): void {
    const { name } = registration;
    const { board, clock, holds, settings } = this.#options;
    if (!holds(registration)) return;
    const { stateMoved, tell } = board.renew(registration, clock.now(), change);
    if (stateMoved && registration.shown.state.phase === 'fresh') this.#expiry.cancel(name);
    else if (stateMoved && !registration.expired && registration.services.size > 0) {
      const now = clock.now();
      const ageMs = Math.max(0, now - (registration.lastNewsMs ?? now));
      this.#expiry.start(name, Math.max(0, settings.staleKeepMs - ageMs), () => this.#expire(registration));
    }
    tell();
  }

  /** The registration has ended. */
  forget(name: string): void {
    this.#expiry.cancel(name);
  }

  stop(): void {
    this.#expiry.cancelAll();
  }

  #expire(registration: Registration): void {
    const { name } = registration;
    if (!this.#options.holds(registration) || registration.shown.state.phase === 'fresh') return;
    registration.expired = true;
    this.#options.logger.error(
      'no news of the cluster for longer than its last good state is kept; its endpoints are taken away',
      {
        cluster: name,
        code: 'FW-CLUSTER-006',
        hint: 'Bring the cluster back, or unregister it; serve’s --stale-keep sets the time.',
        endpoints: registration.endpointCount,
        last_news: new Date(registration.lastNewsMs ?? 0).toISOString(),
      },
    );
    this.#options.saving.forget(name);
    this.publish(registration);
  }
}
