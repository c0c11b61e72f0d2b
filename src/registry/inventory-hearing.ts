/**
 * What sources say, weighed: in come the words of a cluster's sources (or of the disk), out goes which of them may speak for it.
 *
 * What always holds: a rotated source takes over only once it has synced, within the limits, and for an API that no other cluster serves; of
 * several clusters with one API the first that was registered is in force, and once streams are answered the one that serves it already.
 */

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ServiceKey } from '../model/service.ts';
import type { ApiBindings } from './inventory-apis.ts';
import type { InForce } from './inventory-in-force.ts';
import type { Link } from './inventory-link.ts';
import type { InventorySettings } from './inventory-record.ts';
import type { Registration } from './inventory-registration.ts';
import type { Saving } from './inventory-saving.ts';
import type { Settling } from './inventory-settling.ts';
import type { LastGood } from './last-good.ts';

export interface HearingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: InventorySettings;
  readonly apis: ApiBindings;
  readonly settling: Settling;
  readonly inForce: InForce;
  readonly saving: Saving;
  /** Ends a source that another one replaces. */
  readonly stop: (link: Link | undefined) => void;
  /** An API is free for whoever waits for it. */
  readonly freed: () => void;
}

export class Hearing {
  readonly #options: HearingOptions;
  readonly #inForce: InForce;

  constructor(options: HearingOptions) {
    this.#options = options;
    this.#inForce = options.inForce;
  }

  /** The state of the source in force is another: when was the last news? The caller shows it. */
  heardState(registration: Registration, link: Link): void {
    const { phase, sinceMs } = link.state;
    if (!link.synced) return;
    const now = this.#options.clock.now();
    const before = registration.lastNewsMs ?? 0;
    if (phase === 'fresh') {
      registration.lastNewsMs = now;
      // The source may come back without a word about what did not change.
      if (registration.expired) this.heard(registration, link, undefined, undefined);
    } else if (registration.shown.state.phase === 'fresh') {
      registration.lastNewsMs = phase === 'stale' ? Math.max(before, Math.min(now, sinceMs)) : now;
    }
  }

  /** The source has said something about these keys; undefined means that everything may be different. */
  heard(
    registration: Registration,
    link: Link,
    keys: Iterable<ServiceKey> | undefined,
    namespaces: Iterable<string> | undefined,
  ): void {
    // A new source that says too much does not take over.
    if (link === registration.next && link.said.excess() !== undefined) return this.#inForce.show(registration);
    // What a source said while it was not heard, or not believed, is news too, whatever word ends that.
    const whole =
      link === registration.next ||
      link.duplicateOf !== undefined ||
      registration.expired ||
      registration.excess !== undefined ||
      registration.fromLastGood;
    if (!this.#mayServe(registration, link)) {
      if (link === registration.active) this.#inForce.publish(registration);
      else this.#inForce.show(registration);
      this.#options.settling.check();
      return;
    }
    if (link === registration.next) this.#takeOver(registration, link);
    else if (link !== registration.active) return;
    registration.lastNewsMs = this.#options.clock.now();
    registration.expired = false;
    registration.fromLastGood = false;
    registration.missed = false;
    registration.loadFindings = [];
    const excess = link.said.excess();
    registration.excess =
      excess === undefined
        ? undefined
        : { sinceMs: registration.excess?.sinceMs ?? this.#options.clock.now(), message: excess };
    if (whole) this.#inForce.publish(registration);
    else this.#inForce.publish(registration, keys, namespaces);
    this.#options.settling.check();
  }

  #takeOver(registration: Registration, link: Link): void {
    this.#options.stop(registration.active);
    registration.active = link;
    registration.next = undefined;
    this.#options.logger.info('the new source of the cluster has synced and taken over', {
      cluster: registration.name,
    });
  }

  /** Binds the cluster to its API; false (and marked so) when another cluster serves that API. */
  #mayServe(registration: Registration, link: Link): boolean {
    const uid = link.said.info?.uid ?? '';
    const holder = this.#options.apis.otherHolder(uid, registration);
    if (holder !== undefined) {
      // Before anything has been served, order of registration decides rather than who was quicker.
      const first = !this.#options.settling.settled && registration.sequence < holder.sequence && !holder.boundFromDisk;
      if (!first) {
        link.duplicateOf = holder.name;
        if (link === registration.active) this.#dispossess(registration);
        return false;
      }
      if (holder.active !== undefined) holder.active.duplicateOf = registration.name;
      this.#dispossess(holder);
      this.#options.apis.bind(registration, uid, false);
      this.#inForce.publish(holder);
    }
    link.duplicateOf = undefined;
    if (registration.uid !== uid) {
      const freed = registration.uid !== '';
      if (freed)
        this.#options.logger.warn('the cluster is another API than before', { cluster: registration.name, uid });
      this.#options.apis.bind(registration, uid, false);
      if (freed) this.#options.freed();
    }
    return true;
  }

  /** Another cluster serves its API: what it said last must not come back after a restart either. */
  #dispossess(registration: Registration): void {
    this.#options.apis.unbind(registration);
    this.#options.saving.forget(registration.name);
  }

  /** Puts in force what is known from disk, unless it is too old or another cluster serves that API. Nothing of this registration is emitted. */
  applyLastGood(registration: Registration, state: LastGood): void {
    const { name } = registration;
    const ageMs = Math.max(0, this.#options.clock.now() - state.lastNewsMs);
    if (ageMs > this.#options.settings.staleKeepMs) {
      this.#options.logger.warn('the last good state on disk is older than it may be kept; it is not used', {
        cluster: name,
        age_ms: ageMs,
        code: 'FW-CLUSTER-006',
        hint: 'Nothing needs to be done once the cluster can be read; serve’s --stale-keep sets the time.',
      });
      this.#options.saving.forget(name);
      return;
    }
    const holder = this.#options.apis.otherHolder(state.info.uid, registration);
    if (holder !== undefined) {
      if (this.#options.settling.settled || holder.boundFromDisk) return;
      if (holder.active !== undefined) holder.active.duplicateOf = name;
      this.#dispossess(holder);
      this.#inForce.publish(holder);
    }
    this.#options.apis.bind(registration, state.info.uid, true);
    registration.info = state.info;
    registration.fromLastGood = true;
    registration.lastNewsMs = Math.min(state.lastNewsMs, this.#options.clock.now());
    for (const [key, shard] of state.services) registration.services.set(key, shard);
    for (const [key, shard] of state.namespaces) registration.namespaces.set(key, shard);
    for (const shard of state.services.values()) registration.endpointCount += shard.endpoints.length;
  }
}
