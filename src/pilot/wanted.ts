/**
 * Which services proxyless clients ask for. In: the names in their requests, by stream. Out: the services that somebody asks for, so that only
 * these are made for such clients.
 *
 * What always holds: a service is wanted while some stream names something of it, whether the service is there or not. Cost: what a request says
 * anew. How much one stream may name is bounded by the protocol.
 */

import { hostOfName } from '../envoy/grpc/names.ts';
import { serviceNamedBy } from '../mesh/external.ts';
import { clustersetKey } from '../model/clusterset.ts';
import { clustersetDomain } from '../model/mesh.ts';
import { type CatalogService, type ServiceKey, serviceKey } from '../model/service.ts';

export interface WantedOptions {
  readonly clusterDomain: string;
  /** Those that are not of the mesh; live. */
  readonly outside: () => Iterable<CatalogService>;
}

/** What one stream's client asked for, in the namespace in which bare names are meant. */
interface Asker {
  readonly namespace: string;
  readonly names: Map<string, ReadonlySet<string>>;
  services: ReadonlySet<ServiceKey>;
}

export interface AskedNames {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

const nobody: ReadonlySet<ServiceKey> = new Set();

export class WantedServices {
  readonly #options: WantedOptions;
  readonly #askers = new Map<number, Asker>();
  /** How many streams ask. */
  readonly #counts = new Map<ServiceKey, number>();
  readonly #services = new Set<ServiceKey>();

  constructor(options: WantedOptions) {
    this.#options = options;
  }

  /** Live. */
  get services(): ReadonlySet<ServiceKey> {
    return this.#services;
  }

  /** A stream's request of a type; over SotW it names all. Returns the services that nobody asked for before, or nobody asks for any more. */
  asked(
    streamId: number,
    namespace: string,
    transport: 'sotw' | 'delta',
    typeUrl: string,
    { subscribe, unsubscribe }: AskedNames,
  ): ReadonlySet<ServiceKey> {
    let asker = this.#askers.get(streamId);
    if (asker === undefined) {
      asker = { namespace, names: new Map(), services: nobody };
      this.#askers.set(streamId, asker);
    }
    const before = asker.names.get(typeUrl) ?? new Set();
    const now =
      transport === 'sotw' ? new Set(subscribe) : new Set([...before, ...subscribe]).difference(new Set(unsubscribe));
    if (now.size === before.size && now.isSubsetOf(before)) return nobody;
    asker.names.set(typeUrl, now);
    return this.#review(asker);
  }

  /** A stream has ended. */
  gone(streamId: number): ReadonlySet<ServiceKey> {
    const asker = this.#askers.get(streamId);
    if (asker === undefined) return nobody;
    this.#askers.delete(streamId);
    return this.#replace(asker, nobody);
  }

  /** Names outside of the mesh may mean other services now. */
  outsideChanged(): ReadonlySet<ServiceKey> {
    const changed = new Set<ServiceKey>();
    for (const asker of this.#askers.values()) for (const key of this.#review(asker)) changed.add(key);
    return changed;
  }

  #review(asker: Asker): ReadonlySet<ServiceKey> {
    const hosts = new Set<string>();
    for (const [typeUrl, names] of asker.names) for (const name of names) hosts.add(hostOfName(typeUrl, name));
    hosts.delete('');
    const services = new Set<ServiceKey>();
    for (const host of hosts) {
      const key = host.includes('.')
        ? serviceNamedBy(host, this.#options.clusterDomain)
        : serviceKey(asker.namespace, host);
      if (key === undefined) continue;
      services.add(key);
      // Where only exported services merge, this name is a service of its own.
      if (host.endsWith(`.svc.${clustersetDomain}`)) services.add(clustersetKey(key));
    }
    if (hosts.size > 0)
      for (const { host, key } of this.#options.outside()) if (host !== undefined && hosts.has(host)) services.add(key);
    return this.#replace(asker, services);
  }

  #replace(asker: Asker, services: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    const changed = new Set<ServiceKey>();
    for (const key of services.difference(asker.services)) this.#count(key, 1, changed);
    for (const key of asker.services.difference(services)) this.#count(key, -1, changed);
    asker.services = services;
    return changed;
  }

  #count(key: ServiceKey, by: 1 | -1, changed: Set<ServiceKey>): void {
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    if (count > 0 === this.#services.has(key)) return;
    if (count > 0) this.#services.add(key);
    else this.#services.delete(key);
    changed.add(key);
  }
}
