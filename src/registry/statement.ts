/**
 * What one source has said of its cluster so far: in come its syncs and changes, out goes the sum of them, cleaned.
 *
 * What always holds: everything in it belongs to the one cluster it is for. A shard under another cluster's name, a shard under a key that
 * is not its own, and endpoints that claim another cluster are left out and counted; so are endpoints of one service beyond the limit (the
 * first ones, in the shard's own order, stay). The sum depends on the last word about each service alone, not on the order of events.
 */

import type { Finding } from '../core/errors.ts';
import type { ClusterInfo } from '../model/cluster.ts';
import {
  type ClusterSnapshot,
  type NamespaceShard,
  type ServiceKey,
  type ServiceShard,
  serviceKey,
} from '../model/service.ts';
import type { ClusterChange } from './source.ts';

/** What one cluster may say at most, so that a poisoned one hurts only itself. */
export interface StatementLimits {
  readonly maxServices: number;
  readonly maxNamespaces: number;
  /** Over all services of the cluster. */
  readonly maxEndpoints: number;
  readonly maxEndpointsPerService: number;
}

export const defaultStatementLimits: StatementLimits = {
  maxServices: 50_000,
  maxNamespaces: 20_000,
  maxEndpoints: 500_000,
  maxEndpointsPerService: 20_000,
};

/** What was left out of one service. */
interface Drop {
  readonly foreign: number;
  readonly excess: number;
}

/** How many services a finding names before it only counts them. */
const namedInFinding = 3;

export class Statement {
  readonly #cluster: string;
  readonly #limits: StatementLimits;
  readonly services = new Map<ServiceKey, ServiceShard>();
  readonly namespaces = new Map<string, NamespaceShard>();
  readonly #drops = new Map<string, Drop>();
  #endpointCount = 0;
  #droppedTotal = 0;
  info: ClusterInfo | undefined;

  constructor(cluster: string, limits: StatementLimits) {
    this.#cluster = cluster;
    this.#limits = limits;
  }

  get endpointCount(): number {
    return this.#endpointCount;
  }

  /** Shards and endpoints left out since the start; only ever grows. */
  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  sync(snapshot: ClusterSnapshot, partial: boolean): void {
    this.info = snapshot.info;
    if (!partial) {
      for (const key of [...this.services.keys()]) if (!snapshot.services.has(key)) this.#setService(key, undefined);
      for (const key of [...this.#drops.keys()]) if (!snapshot.services.has(key as ServiceKey)) this.#drops.delete(key);
      for (const name of [...this.namespaces.keys()]) if (!snapshot.namespaces.has(name)) this.namespaces.delete(name);
    }
    for (const [key, shard] of snapshot.services) this.#setService(key, shard);
    for (const [name, shard] of snapshot.namespaces) this.#setNamespace(name, shard);
  }

  change(change: ClusterChange): void {
    for (const [key, shard] of change.services) this.#setService(key, shard);
    for (const [name, shard] of change.namespaces) this.#setNamespace(name, shard);
  }

  /** Takes over what was held before, for a source that cannot say everything. */
  seed(services: ReadonlyMap<ServiceKey, ServiceShard>, namespaces: ReadonlyMap<string, NamespaceShard>): void {
    for (const [key, shard] of services) this.#setService(key, shard);
    for (const [name, shard] of namespaces) this.#setNamespace(name, shard);
  }

  /** Puts the very object that is held in the place of an equal one, so that only one of the two stays in memory. */
  intern(key: ServiceKey, held: ServiceShard): void {
    this.services.set(key, held);
  }

  /** Says so when the whole is more than one cluster may say. */
  excess(): string | undefined {
    const limits = this.#limits;
    if (this.services.size > limits.maxServices)
      return `${this.services.size} services, more than ${limits.maxServices}`;
    if (this.#endpointCount > limits.maxEndpoints) {
      return `${this.#endpointCount} endpoints, more than ${limits.maxEndpoints}`;
    }
    if (this.namespaces.size > limits.maxNamespaces) {
      return `${this.namespaces.size} namespaces, more than ${limits.maxNamespaces}`;
    }
    return undefined;
  }

  /** What is left out now. */
  findings(): readonly Finding[] {
    const findings: Finding[] = [];
    const foreign = [...this.#drops].filter(([, drop]) => drop.foreign > 0);
    if (foreign.length > 0) {
      findings.push({
        code: 'FW-CLUSTER-004',
        severity: 'warning',
        message: `it claims shards or endpoints of another cluster; they are left out: ${summarise(foreign.map(([key, drop]) => [key, drop.foreign]))}`,
        where: { cluster: this.#cluster },
        hint: 'Find out who writes these objects; a cluster may only speak for itself.',
      });
    }
    const excess = [...this.#drops].filter(([, drop]) => drop.excess > 0);
    if (excess.length > 0) {
      findings.push({
        code: 'FW-CLUSTER-015',
        severity: 'warning',
        message: `endpoints beyond ${this.#limits.maxEndpointsPerService} of one service are left out: ${summarise(excess.map(([key, drop]) => [key, drop.excess]))}`,
        where: { cluster: this.#cluster },
        hint: 'Split the service into several.',
      });
    }
    return findings;
  }

  #setService(key: ServiceKey, shard: ServiceShard | undefined): void {
    const before = this.services.get(key);
    if (before !== undefined) this.#endpointCount -= before.endpoints.length;
    const { clean, drop } = shard === undefined ? { clean: undefined, drop: undefined } : this.#clean(key, shard);
    if (drop === undefined) this.#drops.delete(key);
    else {
      this.#drops.set(key, drop);
      this.#droppedTotal += drop.foreign + drop.excess;
    }
    if (clean === undefined) {
      this.services.delete(key);
      return;
    }
    this.services.set(key, clean);
    this.#endpointCount += clean.endpoints.length;
  }

  #setNamespace(name: string, shard: NamespaceShard | undefined): void {
    const own = shard !== undefined && shard.cluster === this.#cluster && shard.name === name;
    if (own) this.namespaces.set(name, shard);
    else this.namespaces.delete(name);
    if (shard !== undefined && !own) this.#droppedTotal += 1;
  }

  #clean(key: ServiceKey, shard: ServiceShard): { clean: ServiceShard | undefined; drop: Drop | undefined } {
    if (shard.cluster !== this.#cluster || serviceKey(shard.namespace, shard.name) !== key) {
      return { clean: undefined, drop: { foreign: 1, excess: 0 } };
    }
    const limit = this.#limits.maxEndpointsPerService;
    const own = shard.endpoints.every((endpoint) => endpoint.cluster === this.#cluster)
      ? shard.endpoints
      : shard.endpoints.filter((endpoint) => endpoint.cluster === this.#cluster);
    const foreign = shard.endpoints.length - own.length;
    const excess = Math.max(0, own.length - limit);
    if (foreign === 0 && excess === 0) return { clean: shard, drop: undefined };
    return { clean: { ...shard, endpoints: own.slice(0, limit) }, drop: { foreign, excess } };
  }
}

/** `shop/a (3), shop/b (1) and 7 more`; sorted, so that equal states read the same. */
function summarise(drops: readonly (readonly [string, number])[]): string {
  const sorted = [...drops].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = sorted.slice(0, namedInFinding).map(([key, count]) => `${key} (${count})`);
  const more = sorted.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
