/**
 * One cluster's objects, indexed so that a change of one object costs only the services it touches.
 *
 * In: objects put and removed one by one, in any order. Out: on `snapshot`, everything; on `flush`, the shards that have become different
 * since the last of either. Any sequence of changes ends in the same shards as a cold start with the final objects. A shard that comes out
 * equal to the one before is not reported, and keeps its identity.
 */

import { isDeepStrictEqual } from 'node:util';
import type { ClusterSnapshot, NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import {
  type ClusterObject,
  type ClusterObjectKind,
  clusterObjectKinds,
  type NamespaceObject,
  type NodeObject,
  objectKey,
  type PodObject,
  type ServiceExportObject,
  type ServiceObject,
  type SliceObject,
} from './cluster-objects.ts';
import { type DerivedService, type DeriveSettings, deriveNamespace, deriveService, type Lookup } from './derive.ts';
import { type ClusterLimits, defaultClusterLimits, ReportedShards } from './derive-limits.ts';
import { rawObjectKey, readClusterObject } from './derive-objects.ts';
import type { Skip, SkipReason } from './derive-skips.ts';
import { ObjectLinks } from './object-links.ts';
import { Pool, shareParts } from './pool.ts';
import { sameShard, shareEndpoints } from './same-shard.ts';
import type { ClusterChange } from './source.ts';

/** Unreadable objects remembered by name; more than these are not counted. */
const maxUnreadable = 10_000;

export interface SkipSummary {
  readonly count: number;
  /** The first object that it happened to, for people. */
  readonly example: string;
}

export class ClusterIndex {
  readonly #settings: DeriveSettings;
  readonly #objects: Readonly<Record<ClusterObjectKind, Map<string, ClusterObject>>> = {
    Service: new Map(),
    EndpointSlice: new Map(),
    Pod: new Map(),
    Node: new Map(),
    Namespace: new Map(),
    ServiceExport: new Map(),
  };
  readonly #dirty = new Set<ServiceKey>();
  readonly #dirtyNamespaces = new Set<string>();
  readonly #links = new ObjectLinks((key) => this.#objects.Pod.get(key) as PodObject | undefined);
  /** What derivation says, before limits. */
  readonly #derived = new Map<ServiceKey, ServiceShard>();
  readonly #skips = new Map<ServiceKey, readonly Skip[]>();
  /** Why, by `Kind namespace/name`. */
  readonly #unreadable = new Map<string, string>();
  /** What has been said to the outside. */
  readonly #reported: ReportedShards;
  readonly #reportedNamespaces = new Map<string, NamespaceShard>();
  #endpoints = 0;
  readonly #pool = new Pool();
  readonly #lookup: Lookup = {
    pod: (namespace, name) => this.#objects.Pod.get(`${namespace}/${name}`) as PodObject | undefined,
    node: (name) => this.#objects.Node.get(name) as NodeObject | undefined,
    locality: (value) => this.#pool.locality(value),
  };

  constructor(settings: DeriveSettings, limits: ClusterLimits = defaultClusterLimits) {
    this.#settings = settings;
    this.#reported = new ReportedShards(limits);
  }

  keys(kind: ClusterObjectKind): readonly string[] {
    return [...this.#objects[kind].keys()];
  }

  size(kind: ClusterObjectKind): number {
    return this.#objects[kind].size;
  }

  get(kind: ClusterObjectKind, key: string): ClusterObject | undefined {
    return this.#objects[kind].get(key);
  }

  /**
   * Stores an object as the API or a file gives it. One that cannot be read changes nothing: what is held under its name stays, and it is
   * counted in `skips` until it is put right or removed. Returns the object's key.
   */
  putRaw(kind: ClusterObjectKind, raw: unknown): string {
    const object = readClusterObject(kind, raw);
    if (object.kind === 'Unreadable') {
      const key = rawObjectKey(raw);
      this.putUnreadable(kind, key, object.reason);
      return key;
    }
    this.put(object);
    return objectKey(object);
  }

  /** Counts an object that could not be read; what is held under its key stays. */
  putUnreadable(kind: ClusterObjectKind, key: string, reason: string): void {
    const name = `${kind} ${key}`;
    if (this.#unreadable.size < maxUnreadable || this.#unreadable.has(name)) this.#unreadable.set(name, reason);
  }

  /** Removes all objects of a kind but those whose key is among a complete list's. */
  retain(kind: ClusterObjectKind, listed: (key: string) => boolean): void {
    for (const key of this.keys(kind)) if (!listed(key)) this.remove(kind, key);
    const prefix = `${kind} `;
    for (const name of [...this.#unreadable.keys()]) {
      if (name.startsWith(prefix) && !listed(name.slice(prefix.length))) this.#unreadable.delete(name);
    }
  }

  /** Stores an object; one that is equal to what is held changes nothing. */
  put(object: ClusterObject): void {
    const key = objectKey(object);
    this.#unreadable.delete(`${object.kind} ${key}`);
    const held = this.#objects[object.kind].get(key);
    if (held !== undefined && isDeepStrictEqual(held, object)) return;
    if (held !== undefined) this.#touch(key, held, -1);
    const kept = shareParts(object, this.#pool, this.#lookup.pod);
    this.#objects[object.kind].set(key, kept);
    this.#touch(key, kept, 1);
  }

  remove(kind: ClusterObjectKind, key: string): void {
    this.#unreadable.delete(`${kind} ${key}`);
    const held = this.#objects[kind].get(key);
    if (held === undefined) return;
    this.#touch(key, held, -1);
    this.#objects[kind].delete(key);
  }

  /** Everything, up to date; the next `flush` starts from here. */
  snapshot(): Omit<ClusterSnapshot, 'info'> {
    this.flush();
    return { services: new Map(this.#reported.shards), namespaces: new Map(this.#reportedNamespaces) };
  }

  /** What has changed since the last call, or undefined if nothing has. */
  flush(): ClusterChange | undefined {
    const namespaces = this.#flushNamespaces();
    for (const key of this.#dirty) this.#derive(key);
    const services = this.#reported.update(this.#derived, this.#dirty, this.#endpoints);
    this.#dirty.clear();
    return services.size === 0 && namespaces.size === 0 ? undefined : { services, namespaces };
  }

  /** What is left out at the moment, by reason. */
  skips(): ReadonlyMap<SkipReason, SkipSummary> {
    const sums = new Map<SkipReason, SkipSummary>();
    const add = ({ reason, object, count }: Skip): void => {
      const sum = sums.get(reason);
      sums.set(reason, { count: (sum?.count ?? 0) + count, example: sum?.example ?? object });
    };
    for (const skips of this.#skips.values()) skips.forEach(add);
    for (const [object, reason] of this.#unreadable) {
      add({ reason: 'unreadable', object: `${object}: ${reason}`, count: 1 });
    }
    const { services, endpoints } = this.#reported.overLimit;
    if (services > 0) add({ reason: 'over-limit', object: `${services} services`, count: services });
    if (endpoints > 0) add({ reason: 'over-limit', object: `${endpoints} endpoints`, count: endpoints });
    return sums;
  }

  /** How much is over the limits at the moment. */
  get overLimit(): { readonly services: number; readonly endpoints: number } {
    return this.#reported.overLimit;
  }

  /** An object comes (1) or goes (-1): what it touches is to be derived again. */
  #touch(key: string, object: ClusterObject, by: 1 | -1): void {
    if (object.kind === 'Namespace') this.#dirtyNamespaces.add(key);
    else this.#links.touch(key, object, by, this.#dirty);
  }

  #derive(key: ServiceKey): void {
    const service = this.#objects.Service.get(key) as ServiceObject | undefined;
    const before = this.#derived.get(key);
    const exported = this.#objects.ServiceExport.get(key) as ServiceExportObject | undefined;
    const derived = service === undefined ? withoutService(key, exported) : this.#deriveOne(key, service, exported);
    if (derived === undefined || derived.skips.length === 0) this.#skips.delete(key);
    else this.#skips.set(key, derived.skips);
    const fresh = derived?.shard;
    const shard = fresh === undefined || before === undefined ? fresh : shareEndpoints(fresh, before);
    this.#endpoints += (shard?.endpoints.length ?? 0) - (before?.endpoints.length ?? 0);
    if (shard === undefined) this.#derived.delete(key);
    else if (before === undefined || !sameShard(shard, before)) this.#derived.set(key, shard);
  }

  #deriveOne(
    key: ServiceKey,
    service: ServiceObject,
    exported: ServiceExportObject | undefined,
  ): ReturnType<typeof deriveService> {
    const slices: SliceObject[] = [];
    for (const slice of this.#links.slicesOf(key)) {
      const object = this.#objects.EndpointSlice.get(slice) as SliceObject | undefined;
      if (object !== undefined) slices.push(object);
    }
    return deriveService(service, slices, this.#lookup, this.#settings, exported);
  }

  #flushNamespaces(): Map<string, NamespaceShard | undefined> {
    const changes = new Map<string, NamespaceShard | undefined>();
    for (const name of this.#dirtyNamespaces) {
      const object = this.#objects.Namespace.get(name) as NamespaceObject | undefined;
      const shard = object === undefined ? undefined : deriveNamespace(object, this.#settings.cluster);
      if (isDeepStrictEqual(shard, this.#reportedNamespaces.get(name))) continue;
      changes.set(name, shard);
      if (shard === undefined) this.#reportedNamespaces.delete(name);
      else this.#reportedNamespaces.set(name, shard);
    }
    this.#dirtyNamespaces.clear();
    return changes;
  }
}

function withoutService(key: ServiceKey, exported: ServiceExportObject | undefined): DerivedService | undefined {
  if (exported === undefined) return undefined;
  return {
    shard: undefined,
    skips: [{ reason: 'export-without-service', object: `ServiceExport ${key}`, count: 1 }],
  };
}

/** A cold index over `objects`: for tests, and for sources that always read everything. */
export function indexOf(
  objects: Iterable<ClusterObject>,
  settings: DeriveSettings,
  limits: ClusterLimits = defaultClusterLimits,
): ClusterIndex {
  const index = new ClusterIndex(settings, limits);
  const byKind = Map.groupBy(objects, (object) => object.kind);
  for (const kind of clusterObjectKinds) for (const object of byKind.get(kind) ?? []) index.put(object);
  return index;
}
