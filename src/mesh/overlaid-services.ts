/**
 * A table of services in which some are others than in the table below it: costs what differs, not what is the same. Live: what changes below
 * is seen. A key that is only in the overlay does not count.
 */

import type { MeshService } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';

type Services = ReadonlyMap<ServiceKey, MeshService>;

export class OverlaidServices implements Services {
  readonly #below: Services;
  readonly #own: Services;

  constructor(below: Services, own: Services) {
    this.#below = below;
    this.#own = own;
  }

  get size(): number {
    return this.#below.size;
  }

  get(key: ServiceKey): MeshService | undefined {
    const below = this.#below.get(key);
    return below === undefined ? undefined : (this.#own.get(key) ?? below);
  }

  has(key: ServiceKey): boolean {
    return this.#below.has(key);
  }

  keys(): MapIterator<ServiceKey> {
    return this.#below.keys();
  }

  *entries(): MapIterator<[ServiceKey, MeshService]> {
    for (const [key, service] of this.#below) yield [key, this.#own.get(key) ?? service];
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
