/**
 * One cluster's objects, indexed so that a change of one object costs only the services it touches.
 *
 * In: objects put and removed one by one, in any order. Out: on `snapshot`, everything; on `flush`, the shards that have become different
 * since the last of either. Any sequence of changes ends in the same shards as a cold start with the final objects. A shard that comes out
 * equal to the one before is not reported, and keeps its identity.
 */

import { isDeepStrictEqual } from 'node:util';
import type { ClusterSnapshot, NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import { serviceKey } from '../model/service.ts';
import { type DerivedService, type DeriveSettings, deriveNamespace, deriveService, type Lookup } from './derive.ts';
import { type ClusterLimits, defaultClusterLimits, ReportedShards } from './derive-limits.ts';
import {
  type ClusterObject,
  type ClusterObjectKind,
  clusterObjectKinds,
  type NamespaceObject,
  type NodeObject,
  objectKey,
  type PodObject,
  rawObjectKey,
  readClusterObject,
  type ServiceExportObject,
  type ServiceObject,
  type SliceObject,
} from './derive-objects.ts';
import type { Skip, SkipReason } from './derive-skips.ts';
import { Pool, shareParts } from './pool.ts';
import { sameShard, shareEndpoints } from './same-shard.ts';
import type { ClusterChange } from './source.ts';
import { Users } from './users.ts';

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
  /** Slice keys by service. */
  readonly #slicesOf = new Map<ServiceKey, Set<string>>();
  /** Services whose endpoints point at a pod, and at a node. Counted by slice, since two slices may point at one. */
  readonly #podUsers = new Users();
  readonly #nodeUsers = new Users();
  readonly #dirty = new Set<ServiceKey>();
  readonly #dirtyNamespaces = new Set<string>();
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
    if (held !== undefined) this.#unlink(key, held);
    const kept = shareParts(object, this.#pool, this.#lookup.pod);
    this.#objects[object.kind].set(key, kept);
    this.#link(key, kept);
  }

  remove(kind: ClusterObjectKind, key: string): void {
    this.#unreadable.delete(`${kind} ${key}`);
    const held = this.#objects[kind].get(key);
    if (held === undefined) return;
    this.#unlink(key, held);
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

  #link(key: string, object: ClusterObject): void {
    switch (object.kind) {
      case 'Service':
      case 'ServiceExport':
        this.#dirty.add(serviceKey(object.namespace, object.name));
        break;
      case 'EndpointSlice':
        this.#linkSlice(key, object, 1);
        break;
      case 'Pod':
        for (const user of this.#podUsers.of(key)) this.#dirty.add(user);
        this.#nodeOfPod(key, object, 1);
        break;
      case 'Node':
        for (const user of this.#nodeUsers.of(key)) this.#dirty.add(user);
        break;
      case 'Namespace':
        this.#dirtyNamespaces.add(key);
        break;
    }
  }

  #unlink(key: string, object: ClusterObject): void {
    switch (object.kind) {
      case 'Service':
      case 'ServiceExport':
        this.#dirty.add(serviceKey(object.namespace, object.name));
        break;
      case 'EndpointSlice':
        this.#linkSlice(key, object, -1);
        break;
      case 'Pod':
        for (const user of this.#podUsers.of(key)) this.#dirty.add(user);
        this.#nodeOfPod(key, object, -1);
        break;
      case 'Node':
        for (const user of this.#nodeUsers.of(key)) this.#dirty.add(user);
        break;
      case 'Namespace':
        this.#dirtyNamespaces.add(key);
        break;
    }
  }

  #linkSlice(key: string, slice: SliceObject, by: 1 | -1): void {
    if (slice.service === '') return;
    const service = serviceKey(slice.namespace, slice.service);
    this.#dirty.add(service);
    const slices = this.#slicesOf.get(service) ?? new Set();
    if (by === 1) slices.add(key);
    else slices.delete(key);
    if (slices.size === 0) this.#slicesOf.delete(service);
    else this.#slicesOf.set(service, slices);
    for (const endpoint of slice.endpoints) {
      if (endpoint.pod !== '') {
        const podKey = `${slice.namespace}/${endpoint.pod}`;
        this.#podUsers.count(podKey, service, by);
        // An endpoint that names no node takes its pod's.
        const pod = this.#objects.Pod.get(podKey) as PodObject | undefined;
        if (pod !== undefined && pod.node !== '') this.#nodeUsers.count(pod.node, service, by);
      }
      if (endpoint.node !== '') this.#nodeUsers.count(endpoint.node, service, by);
    }
  }

  /** A pod's node matters to the services that use the pod, once per use. */
  #nodeOfPod(key: string, pod: PodObject, by: 1 | -1): void {
    if (pod.node === '') return;
    for (const [service, uses] of this.#podUsers.uses(key)) this.#nodeUsers.count(pod.node, service, by * uses);
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
    for (const slice of this.#slicesOf.get(key) ?? []) {
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
