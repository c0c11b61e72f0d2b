/**
 * Endpoint assignments (EDS): one per TCP port and chain, with the chain's destinations as priority levels, each split into levels by how near
 * its endpoints are (locality-levels.ts).
 *
 * What always holds: an endpoint stands in the first level that names it and in no other; levels without ready endpoints are left out and the
 * others numbered from 0, so that a wanted destination with nothing to offer costs no request; the order depends on names and addresses only.
 * Who is in: ready endpoints. Where there are several levels, those that are not ready stand in theirs as unhealthy, so that Envoy sees which
 * share of a level is lost, and lets the next one help; those that terminate do not count, for what replaces them is there or on its way.
 * When the whole chain has no ready endpoint, those that terminate but still serve (as kube-proxy does), so that a drained chain goes on until
 * its last endpoint has ended.
 */

import type { EncodedResource } from '../core/resource.ts';
import { type Locality, unknownLocality } from '../model/cluster.ts';
import { placesInForce } from '../model/drain.ts';
import type { MeshService, MeshSettings } from '../model/mesh.ts';
import { namesEndpoint, type RuleBackend } from '../model/rule.ts';
import type { CatalogPort, CatalogService, Endpoint } from '../model/service.ts';
import { encodeAssignment, isHealthy, type Target, type TargetGroup } from './assignment-bytes.ts';
import { weighsLocalities } from './cluster-balancing.ts';
import { type AssignmentKey, type Nearness, nearness } from './locality-levels.ts';
import { outboundCluster, serviceHost } from './names.ts';

export function serviceAssignments(
  service: MeshService,
  key: AssignmentKey,
  settings: MeshSettings,
): readonly EncodedResource[] {
  const { catalog, chains, placement } = service;
  // Its Envoy clusters know where it is.
  if (catalog.upstream !== undefined) return [];
  const host = serviceHost(catalog, settings.clusterDomain);
  return catalog.ports
    .filter(({ transport }) => transport === 'TCP')
    .flatMap((port) => {
      const groupsOf = portGroups(service, port, key);
      return chains.map((chain) =>
        encodeAssignment(outboundCluster(port.port, chain, host), groupsOf(chain), {
          overprovisioningPercent: placement?.overprovisioningPercent,
          healthPort: service.policy?.healthCheck?.port,
          weighsLocalities: weighsLocalities(service.policy),
          tellsWho: settings.accessLog,
        }),
      );
    });
}

/** What stands in a port's assignment, by chain; also for whoever must know the same without bytes (src/preview/shares.ts). */
export function portGroups(
  { catalog, placement }: Pick<MeshService, 'catalog' | 'placement'>,
  port: CatalogPort,
  key: AssignmentKey,
): (chain: RuleBackend['chain']) => readonly TargetGroup[] {
  const near = nearness(placement, key);
  const targets = targetsOf(catalog, port, near);
  return (chain) => levelsOf(chain, targets, near).flatMap((level, priority) => localities(level, priority, near));
}

/** All endpoints behind a port, sorted. One address and port reported twice is one target: the first cluster by name keeps it. */
function targetsOf(catalog: CatalogService, port: CatalogPort, near: Nearness): readonly Target[] {
  const seen = new Set<string>();
  const targets: Target[] = [];
  for (const cluster of port.clusters) {
    const name = port.otherNames.get(cluster) ?? port.name;
    for (const endpoint of catalog.shards.get(cluster)?.endpoints ?? []) {
      const number = endpoint.ports.get(name);
      if (number === undefined || !near.counts(endpoint)) continue;
      const id = `${endpoint.address} ${number}`;
      if (seen.has(id)) continue;
      seen.add(id);
      targets.push({ endpoint, port: number });
    }
  }
  return targets.sort((a, b) => compareTargets(a, b));
}

function levelsOf(given: RuleBackend['chain'], targets: readonly Target[], near: Nearness): readonly Target[][] {
  const chain = standing(given, targets);
  const ready = spread(
    chain,
    targets.filter(({ endpoint }) => endpoint.ready),
    near,
  );
  const used = [...ready.keys()].filter((level) => ready[level]?.length !== 0);
  if (used.length === 1) return used.map((level) => ready[level] ?? []);
  const isIn = ({ ready: is, serving, terminating }: Endpoint): boolean =>
    used.length === 0 ? serving && terminating : is || !terminating;
  const levels = spread(
    chain,
    targets.filter(({ endpoint }) => isIn(endpoint)),
    near,
  );
  return used.length === 0 ? levels.filter(({ length }) => length > 0) : used.map((level) => levels[level] ?? []);
}

/** The chain with those of its exceptions that leave a ready endpoint, so that what is drained goes on where nothing else is left. */
function standing(chain: RuleBackend['chain'], targets: readonly Target[]): RuleBackend['chain'] {
  const except = chain[0]?.except;
  if (except === undefined) return chain;
  const named = chain.map(({ except: _all, ...destination }) => destination);
  const ready = targets.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint.ready);
  const counted = placesInForce(
    except,
    ready.filter((endpoint) => named.some((destination) => namesEndpoint(destination, endpoint))),
  );
  return named.map((destination) => ({ ...destination, except: counted }));
}

/** Each target to the first destination that names it, and there to its step. */
function spread(chain: RuleBackend['chain'], targets: readonly Target[], near: Nearness): Target[][] {
  const levels: Target[][] = Array.from({ length: chain.length * near.steps }, () => []);
  for (const target of targets) {
    const { endpoint } = target;
    const level = chain.findIndex((destination) => namesEndpoint(destination, endpoint));
    if (level >= 0) levels[level * near.steps + near.stepOf(endpoint)]?.push(target);
  }
  return levels;
}

function localities(level: readonly Target[], priority: number, near: Nearness): readonly TargetGroup[] {
  return near.shares.length > 0 ? sharedGroups(level, priority, near) : groupsOf(level, priority);
}

/** In the order of the targets, which is by locality. */
function groupsOf(level: readonly Target[], priority: number): TargetGroup[] {
  const groups: { targets: Target[]; priority: number }[] = [];
  let last: Locality | undefined;
  for (const target of level) {
    const { locality } = target.endpoint;
    if (last !== undefined && compareLocalities(last, locality) === 0) groups.at(-1)?.targets.push(target);
    else groups.push({ targets: [target], priority });
    last = locality;
  }
  return groups;
}

/** The sum of a level's weights where places have shares: fine enough for a thousandth of a per cent, far below Envoy's uint32. */
const weightScale = 10_000_000;

/**
 * A place's share of a level, divided among its localities by their endpoints. Two places may share a locality, and Envoy tells localities
 * apart by name alone: so the sub-zone says the share. A place without a healthy endpoint is left out: the others take its share, and it does
 * not count towards what the level has lost, so that nothing spills over on its account.
 */
function sharedGroups(level: readonly Target[], priority: number, near: Nearness): TargetGroup[] {
  const byShare = new Map<number, Target[]>();
  for (const target of level) {
    const share = near.shareOf(target.endpoint);
    const targets = byShare.get(share);
    if (targets === undefined) byShare.set(share, [target]);
    else targets.push(target);
  }
  for (const [share, targets] of byShare) if (share >= 0 && !targets.some(isHealthy)) byShare.delete(share);
  const total = [...byShare.keys()].reduce((sum, share) => sum + (near.shares[share] ?? 0), 0);
  return [...byShare]
    .sort(([a], [b]) => a - b)
    .flatMap(([share, targets]) => {
      const groups = groupsOf(targets, priority);
      const weight = near.shares[share];
      if (weight === undefined) return groups;
      return groups.map((group) => ({
        ...group,
        weight: Math.max(1, Math.round((weightScale * (weight / total) * group.targets.length) / targets.length)),
        locality: ofShare(group.targets[0]?.endpoint.locality ?? unknownLocality, share),
      }));
    });
}

function ofShare({ region, zone, subzone }: Locality, share: number): Locality {
  return { region, zone, subzone: subzone === '' ? `share-${share}` : `${subzone}/share-${share}` };
}

function compareTargets(a: Target, b: Target): number {
  const one = a.endpoint;
  const two = b.endpoint;
  return (
    compareLocalities(one.locality, two.locality) ||
    compare(one.cluster, two.cluster) ||
    compare(one.address, two.address) ||
    a.port - b.port
  );
}

function compareLocalities(a: Locality, b: Locality): number {
  if (a === b) return 0;
  return compare(a.region, b.region) || compare(a.zone, b.zone) || compare(a.subzone, b.subzone);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
