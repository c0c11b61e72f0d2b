/**
 * From a workload's address to the services that it backs, and so to the ports on which its sidecar takes requests.
 * A change to one endpoint costs a look at its service's endpoints in its cluster; nothing is kept beside the names.
 */

import { isDeepStrictEqual } from 'node:util';
import type { InboundPort } from '../../model/mesh.ts';
import type { CatalogService, Endpoint, ServiceKey, ServiceShard } from '../../model/service.ts';

export class WorkloadIndex {
  /** By cluster and address; nearly every address backs one service alone. */
  readonly #keys = new Map<string, Map<string, ServiceKey | Set<ServiceKey>>>();
  /** What each service was at its last update. */
  readonly #shards = new Map<ServiceKey, CatalogService['shards']>();

  /**
   * `service` undefined: it is gone. Returns the addresses (as `addressKey`) at which something is different: an endpoint came, went or is
   * another, or its cluster says other ports of the service.
   */
  update(key: ServiceKey, service: CatalogService | undefined): ReadonlySet<string> {
    const before = this.#shards.get(key) ?? noShards;
    const now = service?.shards ?? noShards;
    const touched = new Set<string>();
    for (const [cluster, shard] of before) {
      const other = now.get(cluster);
      if (other !== shard) this.#replace(key, cluster, shard, other, touched);
    }
    for (const [cluster, shard] of now) {
      if (!before.has(cluster)) this.#replace(key, cluster, undefined, shard, touched);
    }
    if (now.size > 0) this.#shards.set(key, now);
    else this.#shards.delete(key);
    return touched;
  }

  services(cluster: string, addresses: readonly string[]): ReadonlySet<ServiceKey> {
    const keys = new Set<ServiceKey>();
    for (const address of addresses) {
      const found = this.#keys.get(cluster)?.get(address);
      if (typeof found === 'string') keys.add(found);
      else for (const key of found ?? []) keys.add(key);
    }
    return keys;
  }

  #replace(
    key: ServiceKey,
    cluster: string,
    before: ServiceShard | undefined,
    now: ServiceShard | undefined,
    touched: Set<string>,
  ): void {
    const [gone, come] = differing(before, now);
    const still = new Set(gone.length === 0 ? [] : now?.endpoints.map(({ address }) => address));
    for (const { address } of gone) {
      touched.add(addressKey(cluster, address));
      if (!still.has(address)) this.#drop(cluster, address, key);
    }
    for (const { address } of come) {
      touched.add(addressKey(cluster, address));
      this.#add(cluster, address, key);
    }
  }

  #add(cluster: string, address: string, key: ServiceKey): void {
    let ofCluster = this.#keys.get(cluster);
    if (ofCluster === undefined) {
      ofCluster = new Map();
      this.#keys.set(cluster, ofCluster);
    }
    const found = ofCluster.get(address);
    if (found === undefined || found === key) ofCluster.set(address, key);
    else if (typeof found === 'string') ofCluster.set(address, new Set([found, key]));
    else found.add(key);
  }

  #drop(cluster: string, address: string, key: ServiceKey): void {
    const ofCluster = this.#keys.get(cluster);
    const found = ofCluster?.get(address);
    if (found === undefined || ofCluster === undefined) return;
    if (typeof found !== 'string') found.delete(key);
    if (found === key || (typeof found !== 'string' && found.size === 0)) ofCluster.delete(address);
    if (ofCluster.size === 0) this.#keys.delete(cluster);
  }
}

const noShards: CatalogService['shards'] = new Map();

/** The endpoints that only the one or only the other has; all, where the ports are different. */
function differing(
  before: ServiceShard | undefined,
  now: ServiceShard | undefined,
): readonly [gone: readonly Endpoint[], come: readonly Endpoint[]] {
  if (before === undefined || now === undefined || !isDeepStrictEqual(before.ports, now.ports))
    return [before?.endpoints ?? [], now?.endpoints ?? []];
  const old = new Set(before.endpoints);
  const present = new Set(now.endpoints);
  return [
    before.endpoints.filter((endpoint) => !present.has(endpoint)),
    now.endpoints.filter((endpoint) => !old.has(endpoint)),
  ];
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
