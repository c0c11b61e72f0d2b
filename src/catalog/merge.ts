/**
 * Merges what all clusters say of one service into one: a pure function whose result does not depend on the order of the shards.
 *
 * Conflicts follow KEP-1645 (https://github.com/kubernetes/enhancements/tree/master/keps/sig-multicluster/1645-multi-cluster-services-api):
 * the oldest service wins, ties go to the cluster whose name sorts first; ports are the union of all clusters' ports, and a port on which
 * clusters disagree goes only to the clusters that expose it as the winner does. Every disagreement is reported.
 */

import { isDeepStrictEqual } from 'node:util';
import type { CatalogPort, CatalogService, ServiceConflict, ServicePort, ServiceShard } from '../model/service.ts';
import { serviceKey } from '../model/service.ts';
import { setAliasesAside } from './merge-aliases.ts';
import { mergeTraffic } from './merge-traffic.ts';
import { isOfEachCluster } from './own-cluster.ts';

/**
 * What `mergeService` gives for `shards`, for less: where nothing but endpoints and addresses differs from the shards that `before` was merged
 * from, everything else stays as it is.
 */
export function mergeAgain(before: CatalogService, shards: readonly ServiceShard[]): CatalogService {
  const isSame = shards.every((shard) => {
    const former = before.shards.get(shard.cluster);
    return former === shard || (former !== undefined && mergesAlike(former, shard));
  });
  if (!isSame || shards.length !== before.shards.size) return mergeService(shards);
  const merged = new Map(before.shards);
  // A key that is there keeps its place.
  for (const shard of shards) merged.set(shard.cluster, shard);
  return { ...before, shards: merged };
}

/** All fields count but these two, those too that are not thought of here. */
function mergesAlike(
  { vips: _, endpoints: __, ...one }: ServiceShard,
  { vips: ___, endpoints: ____, ...two }: ServiceShard,
): boolean {
  return isDeepStrictEqual(one, two);
}

/** `shards`: of one service, at most one per cluster, at least one. */
export function mergeService(shards: readonly ServiceShard[]): CatalogService {
  const all = shards.toSorted((a, b) => a.createdAtMs - b.createdAtMs || compare(a.cluster, b.cluster));
  const aliases = setAliasesAside(all);
  const byAge = aliases.shards;
  const oldest = byAge[0];
  if (oldest === undefined) throw new RangeError('mergeService needs at least one shard');
  const byName = byAge.toSorted((a, b) => compare(a.cluster, b.cluster));
  const { ports, conflicts } = mergePorts(byAge);
  const typeConflict = conflictOfType(oldest, byName);
  const traffic = mergeTraffic(oldest, byName);
  return {
    key: serviceKey(oldest.namespace, oldest.name),
    namespace: oldest.namespace,
    name: oldest.name,
    createdAtMs: oldest.createdAtMs,
    headless: oldest.headless,
    ...traffic.fields,
    ...(aliases.upstream === undefined ? {} : { upstream: aliases.upstream }),
    ...(isOfEachCluster(oldest.namespace, oldest.name)
      ? { ownClusterOnly: true, visibleIn: new Set(byName.map(({ cluster }) => cluster)) }
      : {}),
    ports,
    shards: new Map(all.toSorted((a, b) => compare(a.cluster, b.cluster)).map((shard) => [shard.cluster, shard])),
    conflicts: [
      ...aliases.conflicts,
      ...(typeConflict === undefined ? [] : [typeConflict]),
      ...conflicts,
      ...traffic.conflicts,
    ],
  };
}

interface MergingPort {
  readonly port: ServicePort;
  readonly owner: string;
  readonly clusters: string[];
  readonly otherNames: Map<string, string>;
  /** Clusters that disagree, with what they say instead. */
  readonly losers: Map<string, string>;
}

function mergePorts(byAge: readonly ServiceShard[]): { ports: CatalogPort[]; conflicts: ServiceConflict[] } {
  const byNumber = new Map<string, MergingPort>();
  const byName = new Map<string, MergingPort>();
  for (const shard of byAge) {
    for (const port of shard.ports) {
      const number = `${port.port}/${port.transport}`;
      const same = byNumber.get(number);
      if (same === undefined) {
        const merging: MergingPort = {
          port,
          owner: shard.cluster,
          clusters: [shard.cluster],
          otherNames: new Map(),
          losers: new Map(),
        };
        byNumber.set(number, merging);
        // The same name on another number stays a port of its own, served by those who expose it; the disagreement is said.
        const namesake = byName.get(port.name);
        if (namesake === undefined) byName.set(port.name, merging);
        else if (namesake.owner !== shard.cluster) namesake.losers.set(shard.cluster, `${number} "${port.name}"`);
        continue;
      }
      // One cluster's ports come in a row.
      if (same.clusters.at(-1) === shard.cluster) continue;
      if (port.protocol === same.port.protocol) {
        same.clusters.push(shard.cluster);
        if (port.name !== same.port.name) {
          same.otherNames.set(shard.cluster, port.name);
          same.losers.set(shard.cluster, `named "${port.name}"`);
        }
      } else {
        same.losers.set(shard.cluster, port.protocol);
      }
    }
  }
  const merged = [...byNumber.values()].sort(
    (a, b) =>
      a.port.port - b.port.port || compare(a.port.transport, b.port.transport) || compare(a.port.name, b.port.name),
  );
  return {
    ports: merged.map(({ port, clusters, otherNames }) => ({
      ...port,
      clusters: clusters.toSorted(compare),
      otherNames: sorted(otherNames),
    })),
    conflicts: merged.flatMap((merging) => conflictOfPort(merging) ?? []),
  };
}

function conflictOfPort({ port, owner, losers }: MergingPort): ServiceConflict | undefined {
  if (losers.size === 0) return undefined;
  const said = sorted(losers);
  const others = [...said].map(([cluster, what]) => `${what} in ${cluster}`).join(', ');
  return {
    reason: 'PortConflict',
    message: `port ${port.port}/${port.transport} "${port.name}" is ${port.protocol} in ${owner}, the oldest; it is ${others}`,
    winner: owner,
    losers: [...said.keys()],
  };
}

function conflictOfType(oldest: ServiceShard, byName: readonly ServiceShard[]): ServiceConflict | undefined {
  const losers = byName.filter((shard) => shard.headless !== oldest.headless).map((shard) => shard.cluster);
  if (losers.length === 0) return undefined;
  const word = (headless: boolean): string => (headless ? 'headless' : 'ClusterIP');
  return {
    reason: 'TypeConflict',
    message: `the service is ${word(oldest.headless)} in ${oldest.cluster}, the oldest, and ${word(!oldest.headless)} in ${losers.join(', ')}`,
    winner: oldest.cluster,
    losers,
  };
}

function sorted<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => compare(a, b)));
}

/** By code unit, the same on every machine (localeCompare is not). */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
