/**
 * Which cluster serves which API (by the API's uid): one API registered under two names would be counted twice.
 *
 * What always holds: an API has at most one holder, a cluster at most one API; '' is no API, and held by nobody.
 */

import type { Registration } from './inventory-registration.ts';

export class ApiBindings {
  readonly #holders = new Map<string, Registration>();

  /** The other cluster that serves this API. */
  otherHolder(uid: string, registration: Registration): Registration | undefined {
    const holder = this.#holders.get(uid);
    return holder === registration ? undefined : holder;
  }

  bind(registration: Registration, uid: string, fromDisk: boolean): void {
    this.unbind(registration);
    registration.uid = uid;
    registration.boundFromDisk = fromDisk;
    if (uid !== '') this.#holders.set(uid, registration);
  }

  unbind(registration: Registration): void {
    if (this.#holders.get(registration.uid) === registration) this.#holders.delete(registration.uid);
    registration.uid = '';
    registration.boundFromDisk = false;
  }
}
