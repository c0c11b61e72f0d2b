/**
 * Which services use an object (a pod, a node), and how often. Nearly every pod is used once by one service, and there are many pods: such a
 * one costs an entry, and no map of its own.
 */

import type { ServiceKey } from '../model/service.ts';

export class Users {
  /** A service alone uses it once. */
  readonly #byObject = new Map<string, ServiceKey | Map<ServiceKey, number>>();

  of(object: string): Iterable<ServiceKey> {
    const users = this.#byObject.get(object);
    if (users === undefined) return [];
    return typeof users === 'string' ? [users] : users.keys();
  }

  uses(object: string): Iterable<readonly [ServiceKey, number]> {
    const users = this.#byObject.get(object);
    if (users === undefined) return [];
    return typeof users === 'string' ? [[users, 1]] : users;
  }

  /** Adds to the uses, or takes from them. */
  count(object: string, service: ServiceKey, by: number): void {
    const users = this.#byObject.get(object);
    if (users === undefined && by === 1) {
      this.#byObject.set(object, service);
      return;
    }
    if (users === service && by === -1) {
      this.#byObject.delete(object);
      return;
    }
    const counts = typeof users === 'object' ? users : new Map<ServiceKey, number>();
    if (typeof users === 'string') counts.set(users, 1);
    const uses = (counts.get(service) ?? 0) + by;
    if (uses > 0) counts.set(service, uses);
    else counts.delete(service);
    if (counts.size === 0) this.#byObject.delete(object);
    else this.#byObject.set(object, counts);
  }
}
