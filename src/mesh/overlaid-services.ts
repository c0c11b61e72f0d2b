/**
 * A table of services in which some are others than in the table below it: costs what differs, not what is the same. Live: what changes below
 * is seen. A key that is only in the overlay does not count; one that is hidden is not there.
 */

import type { MeshService } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';

type Services = ReadonlyMap<ServiceKey, MeshService>;

const none: ReadonlySet<ServiceKey> = new Set();

export class OverlaidServices implements Services {
  readonly #below: Services;
  readonly #own: Services;

  readonly #hidden: ReadonlySet<ServiceKey>;

  constructor(below: Services, own: Services, hidden: ReadonlySet<ServiceKey> = none) {
    this.#below = below;
    this.#own = own;
    this.#hidden = hidden;
  }

  get size(): number {
    return this.#hidden.size === 0 ? this.#below.size : [...this.keys()].length;
  }

  get(key: ServiceKey): MeshService | undefined {
    if (this.#hidden.has(key)) return undefined;
    const below = this.#below.get(key);
    return below === undefined ? undefined : (this.#own.get(key) ?? below);
  }

  has(key: ServiceKey): boolean {
    return this.#below.has(key) && !this.#hidden.has(key);
  }

  keys(): MapIterator<ServiceKey> {
    const keys = this.#below.keys();
    return this.#hidden.size === 0 ? keys : keys.filter((key) => !this.#hidden.has(key));
  }

  *entries(): MapIterator<[ServiceKey, MeshService]> {
    for (const [key, service] of this.#below) {
      if (!this.#hidden.has(key)) yield [key, this.#own.get(key) ?? service];
    }
  }

  *values(): MapIterator<MeshService> {
    for (const [, service] of this.entries()) yield service;
  }

  [Symbol.iterator](): MapIterator<[ServiceKey, MeshService]> {
    return this.entries();
  }

  forEach(callback: (value: MeshService, key: ServiceKey, map: Services) => void): void {
    for (const [key, service] of this.entries()) callback(service, key, this);
  }
}
