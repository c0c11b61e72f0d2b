/**
 * The first look of a discovery at the objects that register clusters. In: how its watches fare, as often as they like. Out: what is known from before a
 * restart is put in force while the objects cannot be read, and dropped as soon as they can be and no longer say so.
 *
 * What always holds: nobody waits for the discovery once it has been read or could not be; nothing is dropped before all has been listed.
 */

import type { ClusterRegistrar } from './registrar.ts';
import type { WatchHealth } from './watch-health.ts';

export interface FirstLookOptions {
  readonly registrar: ClusterRegistrar;
  /** For people: what is looked for. */
  readonly what: string;
  /** With which the origins of its clusters begin; the object's name follows. */
  readonly originPrefix: string;
  /** Whether the object of this name registers this cluster now. */
  readonly registers: (object: string, cluster: string) => boolean;
}

export class FirstLook {
  readonly #options: FirstLookOptions;
  readonly #found: (isWhole: boolean) => void;
  #restored = false;
  #listed = false;

  constructor(options: FirstLookOptions) {
    this.#options = options;
    this.#found = options.registrar.beginDiscovery(options.what);
  }

  /** The watches, all of them, fare like this. */
  heard(watches: readonly WatchHealth[]): void {
    if (this.#listed) return;
    const { registrar } = this.#options;
    if (watches.every(({ listed }) => listed)) {
      this.#listed = true;
      this.#dropGone();
      this.#found(true);
    } else if (!this.#restored && watches.some(({ error }) => error !== undefined)) {
      this.#restored = true;
      registrar.restore((origin) => origin.startsWith(this.#options.originPrefix));
      this.#found(false);
    }
  }

  /** What is known from before the restart, and whose object has gone meanwhile. */
  #dropGone(): void {
    const { registrar, originPrefix, registers } = this.#options;
    for (const [cluster, { info }] of [...registrar.clusters()]) {
      if (!info.origin.startsWith(originPrefix)) continue;
      if (!registers(info.origin.slice(originPrefix.length), cluster)) registrar.remove(cluster, info.origin);
    }
  }
}
