/**
 * The services that are exported to the clusterset, kept up with what clusters say: in come the shards of single services as they are now, out go the
 * clusterset services, the virtual IPs of their imports, and which of them are others than before.
 *
 * What always holds: what comes out depends on the shards as they are, not on the order in which they came; a service that nobody exports costs a
 * look at its shards and nothing else.
 */

import type { Finding } from '../../core/errors.ts';
import { clusterIds } from '../../mcs/cluster-ids.ts';
import { type ClustersetService, clustersetService } from '../../mcs/clusterset.ts';
import { derivedServiceName } from '../../mcs/derived-name.ts';
import type { ClusterInfo } from '../../model/cluster.ts';
import { type ServiceKey, type ServiceShard, serviceKey, splitServiceKey } from '../../model/service.ts';
import type { ClusterRecord } from '../../registry/inventory-record.ts';

/** By cluster: the addresses that a service's import has there. */
export type ImportVips = ReadonlyMap<string, readonly string[]>;

const noVips: ImportVips = new Map();

/** As much of a registered cluster as counts here. */
export interface ClusterWord extends Pick<ClusterInfo, 'name' | 'clusterId'> {
  /** It has said what it exports: now, or before a restart. */
  readonly isKnown: boolean;
}

export function* clusterWords(clusters: ReadonlyMap<string, ClusterRecord>): Generator<ClusterWord, undefined> {
  for (const { info, lastNewsMs, exportsUnknown, services } of clusters.values()) {
    const isTold = !exportsUnknown || services.values().some((shard) => shard.export !== undefined);
    yield { ...info, isKnown: lastNewsMs !== undefined && isTold };
  }
}

export class Clustersets {
  readonly #clusters: () => Iterable<ClusterWord>;
  readonly #services = new Map<ServiceKey, ClustersetService>();
  /** By key of the derived service. */
  readonly #imports = new Map<ServiceKey, { readonly of: ServiceKey; readonly vips: ImportVips }>();
  readonly #changed = new Set<ServiceKey>();
  readonly #listeners = new Set<(keys: ReadonlySet<ServiceKey>) => void>();
  /** The clusters that were known when changes were last taken, so that all that they export is part of `services`. */
  #known: ReadonlySet<string> = new Set();
  #ids: { readonly key: string; readonly value: ReturnType<typeof clusterIds> } | undefined;

  /** `clusters`: the registered ones. */
  constructor(clusters: () => Iterable<ClusterWord>) {
    this.#clusters = clusters;
  }

  /** Exported by some cluster; live. */
  get services(): ReadonlyMap<ServiceKey, ClustersetService> {
    return this.#services;
  }

  vips(key: ServiceKey): ImportVips {
    const { namespace, name } = splitServiceKey(key);
    return this.#imports.get(serviceKey(namespace, derivedServiceName(name)))?.vips ?? noVips;
  }

  /** By cluster, its id in the clusterset. */
  ids(): ReadonlyMap<string, string> {
    return this.#clusterIds().ids;
  }

  idFindings(): readonly Finding[] {
    return this.#clusterIds().findings;
  }

  /** Told what all clusters say of a service now; returns what of it is for the catalog. */
  see(key: ServiceKey, shards: readonly ServiceShard[]): readonly ServiceShard[] {
    const isExported = shards.some((shard) => shard.export !== undefined);
    if (isExported || this.#services.has(key)) this.#setService(key, isExported ? shards : []);
    const isImport = shards.some(({ importOf }) => importOf !== undefined);
    if (!isImport && !this.#imports.has(key)) return shards;
    this.#setImport(key, shards);
    return shards.filter(({ importOf }) => importOf === undefined);
  }

  /** Registered clusters of whose exports nothing is known, or not yet taken up. */
  unknown(): readonly string[] {
    return [...this.#clusters()].map(({ name }) => name).filter((name) => !this.#known.has(name));
  }

  /** Clusters have become known, or are no longer, since changes were last taken. */
  hasNews(): boolean {
    const known = this.#knownNow();
    return known.size !== this.#known.size || !known.isSubsetOf(this.#known);
  }

  /**
   * Those that came, changed or went, or whose virtual IPs did, since the last call. Listeners hear of them too. To be called when everything
   * that clusters have said has been shown to `see`.
   */
  take(): ReadonlySet<ServiceKey> {
    this.#known = this.#knownNow();
    if (this.#changed.size === 0) return nobody;
    const changed = new Set(this.#changed);
    this.#changed.clear();
    for (const listener of this.#listeners) listener(changed);
    return changed;
  }

  onChange(listener: (keys: ReadonlySet<ServiceKey>) => void): void {
    this.#listeners.add(listener);
  }

  #setService(key: ServiceKey, shards: readonly ServiceShard[]): void {
    const before = this.#services.get(key);
    const exporting = shards.filter((shard) => shard.export !== undefined);
    if (before !== undefined && isMadeOf(before, exporting)) return;
    const service = clustersetService(exporting);
    if (service === undefined && before === undefined) return;
    if (service === undefined) this.#services.delete(key);
    else this.#services.set(key, service);
    this.#changed.add(key);
  }

  #setImport(key: ServiceKey, shards: readonly ServiceShard[]): void {
    const { namespace, name } = splitServiceKey(key);
    const vips = new Map<string, readonly string[]>();
    let of: ServiceKey | undefined;
    for (const shard of shards.toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1))) {
      // Anybody may label a Service; only the name that an import leads to is believed.
      if (shard.importOf === undefined || derivedServiceName(shard.importOf) !== name) continue;
      of = serviceKey(namespace, shard.importOf);
      if (shard.vips.length > 0) vips.set(shard.cluster, shard.vips);
    }
    const before = this.#imports.get(key);
    if (of === undefined) this.#imports.delete(key);
    else if (before === undefined || !sameVips(before.vips, vips)) this.#imports.set(key, { of, vips });
    if (this.#imports.get(key) !== before)
      for (const each of [before?.of, of]) if (each !== undefined) this.#changed.add(each);
  }

  #knownNow(): ReadonlySet<string> {
    return new Set([...this.#clusters()].flatMap(({ name, isKnown }) => (isKnown ? [name] : [])));
  }

  #clusterIds(): ReturnType<typeof clusterIds> {
    const claims = [...this.#clusters()].map(({ name, clusterId }) => ({ name, claim: clusterId }));
    const key = JSON.stringify(claims);
    if (this.#ids?.key !== key) this.#ids = { key, value: clusterIds(claims) };
    return this.#ids.value;
  }
}

const nobody: ReadonlySet<ServiceKey> = new Set();

/** Shards are replaced when they change. */
function isMadeOf({ exports }: ClustersetService, shards: readonly ServiceShard[]): boolean {
  const counted = shards.filter(({ externalName, importOf }) => externalName === undefined && importOf === undefined);
  return exports.size === counted.length && counted.every((shard) => exports.get(shard.cluster) === shard);
}

function sameVips(a: ImportVips, b: ImportVips): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b]);
}
