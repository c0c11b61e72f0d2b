/**
 * From a workload's address to the services that it backs, and so to the ports on which its sidecar takes requests.
 * Kept by service: a change to one service costs that service's endpoints.
 */

import type { InboundPort } from '../model/mesh.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';

export class WorkloadIndex {
  readonly #keysByAddress = new Map<string, Set<ServiceKey>>();
  readonly #addressesByKey = new Map<ServiceKey, ReadonlySet<string>>();

  /** `service` undefined: it is gone. Returns the addresses (as `addressKey`) that it backs now or did before. */
  update(key: ServiceKey, service: CatalogService | undefined): ReadonlySet<string> {
    const before = this.#addressesByKey.get(key) ?? new Set<string>();
    const now = new Set<string>();
    for (const [cluster, shard] of service?.shards ?? []) {
      for (const endpoint of shard.endpoints) now.add(addressKey(cluster, endpoint.address));
    }
    for (const address of before.difference(now)) this.#drop(address, key);
    for (const address of now.difference(before)) this.#add(address, key);
    if (now.size > 0) this.#addressesByKey.set(key, now);
    else this.#addressesByKey.delete(key);
    return before.union(now);
  }

  services(cluster: string, addresses: readonly string[]): ReadonlySet<ServiceKey> {
    const keys = new Set<ServiceKey>();
    for (const address of addresses) {
      for (const key of this.#keysByAddress.get(addressKey(cluster, address)) ?? []) keys.add(key);
    }
    return keys;
  }

  #add(address: string, key: ServiceKey): void {
    const keys = this.#keysByAddress.get(address);
    if (keys === undefined) this.#keysByAddress.set(address, new Set([key]));
    else keys.add(key);
  }

  #drop(address: string, key: ServiceKey): void {
    const keys = this.#keysByAddress.get(address);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByAddress.delete(address);
  }
}

export function addressKey(cluster: string, address: string): string {
  return `${cluster}|${address}`;
}

/**
 * The ports on which peers connect to the workload at `addresses`, sorted, by what its own cluster says of them; where services disagree on
 * a port's protocol, plain TCP.
 */
export function inboundPorts(
  services: Iterable<CatalogService>,
  cluster: string,
  addresses: readonly string[],
): InboundPort[] {
  const byPort = new Map<number, InboundPort>();
  for (const service of services) {
    const shard = service.shards.get(cluster);
    for (const endpoint of shard?.endpoints ?? []) {
      if (!addresses.includes(endpoint.address)) continue;
      for (const { name, protocol, transport } of shard?.ports ?? []) {
        const port = endpoint.ports.get(name);
        if (port === undefined || transport !== 'TCP') continue;
        const known = byPort.get(port);
        byPort.set(port, {
          port,
          targetPort: port,
          protocol: known === undefined || known.protocol === protocol ? protocol : 'tcp',
        });
      }
    }
  }
  return [...byPort.values()].sort((a, b) => a.port - b.port);
}
