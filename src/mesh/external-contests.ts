/**
 * Which ExternalServices have to do with one another: those that have a host in common, or are copies of one object. In: what counts of each record.
 * Out: for some records, all whose being in force may hang on theirs; and who has a service's name among its hosts.
 *
 * What always holds: whoever is not among them wins or loses without regard to them; a look costs what it finds.
 */

import type { ExternalService } from '../model/external.ts';
import type { ServiceKey } from '../model/service.ts';
import { type ExternalClaim, serviceNamedBy } from './external.ts';

interface Held {
  readonly claim: ExternalClaim;
  /** What it may have in common with others: its hosts, and its name. */
  readonly names: readonly string[];
  readonly services: readonly ServiceKey[];
}

export class ExternalContests {
  readonly #clusterDomain: string;
  readonly #held = new Map<string, Held>();
  readonly #byName = new Map<string, Set<string>>();
  readonly #byService = new Map<ServiceKey, Set<string>>();

  constructor(clusterDomain: string) {
    this.#clusterDomain = clusterDomain;
  }

  /** undefined: nothing of the record counts. */
  claim(key: string): ExternalClaim | undefined {
    return this.#held.get(key)?.claim;
  }

  set(key: string, external: ExternalService | undefined): void {
    const before = this.#held.get(key);
    for (const name of before?.names ?? []) drop(this.#byName, name, key);
    for (const service of before?.services ?? []) drop(this.#byService, service, key);
    this.#held.delete(key);
    if (external === undefined) return;
    const { ref, hosts } = external;
    const names = [`object ${ref.namespace}/${ref.name}`, ...hosts];
    const services = hosts.flatMap((host) => serviceNamedBy(host, this.#clusterDomain) ?? []);
    this.#held.set(key, { claim: { key, external }, names, services });
    for (const name of names) add(this.#byName, name, key);
    for (const service of services) add(this.#byService, service, key);
  }

  /** Records with hosts that are this service's name; live. */
  named(service: ServiceKey): Iterable<string> {
    return this.#byService.get(service) ?? [];
  }

  /** These records, and all that have to do with them, with those, and so on. */
  around(keys: Iterable<string>): Set<string> {
    const found = new Set(keys);
    // A set is gone through to what is added meanwhile.
    for (const key of found) {
      for (const name of this.#held.get(key)?.names ?? [])
        for (const other of this.#byName.get(name) ?? []) found.add(other);
    }
    return found;
  }
}

function add<K>(map: Map<K, Set<string>>, at: K, key: string): void {
  const keys = map.get(at);
  if (keys === undefined) map.set(at, new Set([key]));
  else keys.add(key);
}

function drop<K>(map: Map<K, Set<string>>, at: K, key: string): void {
  const keys = map.get(at);
  keys?.delete(key);
  if (keys?.size === 0) map.delete(at);
}
