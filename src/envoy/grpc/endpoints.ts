/**
 * Endpoint assignments (EDS) for proxyless gRPC clients: the levels that sidecars get (endpoints.ts), made so that a client which knows neither
 * endpoints that count and take nothing, nor levels that help each other, sends the same shares to the same endpoints.
 *
 * gRPC uses the first level alone, until nothing of it can be reached. Envoy lets the next level help as soon as one has lost much: so levels
 * that share the load now are one level here, each with its share of the weights, as the xDS protocol asks of servers for clients that do not
 * know overprovisioning. What always holds: priorities have no gap; a locality stands once in all levels, for gRPC for Java keeps only the last
 * that it reads of a name; an endpoint stands once; every locality has a weight, for one without is ignored.
 * https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md, A52 (weights of localities)
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import type { Locality } from '../../model/cluster.ts';
import type { MeshService, MeshSettings } from '../../model/mesh.ts';
import type { ExternalEndpoint } from '../../model/service.ts';
import { encodeAssignment, isHealthy, type TargetGroup } from '../assignment-bytes.ts';
import { socketAddress } from '../common.ts';
import { portGroups } from '../endpoints.ts';
import { byLocality, type OutsidePort } from '../external-clusters.ts';
import type { AssignmentKey } from '../locality-levels.ts';
import { outboundCluster, serviceHost } from '../names.ts';
import { priorityLoads } from '../priority-loads.ts';
import { encodeResource, type Plain } from '../proto/encode.ts';
import { leadsOut } from './clusters.ts';
import { askablePorts } from './names.ts';

/** Envoy's own. */
const defaultOverprovisioningPercent = 140;
/** Of one per cent of a level's load: fine enough for a thousandth of it. */
const weightScale = 100_000;

export function grpcAssignments(
  service: MeshService,
  key: AssignmentKey,
  settings: MeshSettings,
): readonly EncodedResource[] {
  const { catalog, chains, placement } = service;
  const host = serviceHost(catalog, settings.clusterDomain);
  return askablePorts(catalog).flatMap((port) => {
    const groupsOf = portGroups(service, port, key);
    return chains.map((chain) => {
      const name = outboundCluster(port.port, chain, host);
      if (catalog.upstream?.kind === 'static' && leadsOut(chain))
        return outsideAssignment(name, port.originate === undefined ? catalog.upstream.endpoints : [], port);
      const groups = sharedLevels(groupsOf(chain), placement?.overprovisioningPercent);
      return encodeAssignment(name, groups, { reader: 'grpc' });
    });
  });
}

/** Nothing to send to, said at once. */
export function noEndpoints(name: string): EncodedResource {
  return encodeAssignment(name, []);
}

interface Weighed {
  readonly group: TargetGroup;
  /** In proportion to others of its level. */
  readonly weight: number;
}

/** The groups as a client is to see them who uses one level at a time; of their targets, those that take requests. */
export function sharedLevels(
  groups: readonly TargetGroup[],
  overprovisioningPercent: number = defaultOverprovisioningPercent,
): readonly TargetGroup[] {
  const levels = [...Map.groupBy(groups, ({ priority }) => priority)].sort(([a], [b]) => a - b).map(([, of]) => of);
  const loads = priorityLoads(
    levels.map((of) => {
      const targets = of.flatMap((group) => group.targets);
      return { endpoints: targets.length, healthy: targets.filter(isHealthy).length };
    }),
    overprovisioningPercent,
    0,
  );
  const weighed = levels.map((of) => weigh(of, overprovisioningPercent));
  const percentOf = (level: number): number => loads[level]?.percent ?? 0;
  const sharing = [...weighed.keys()].filter((level) => percentOf(level) > 0);
  const waiting = [...weighed.keys()].filter((level) => percentOf(level) === 0 && weighed[level]?.length !== 0);
  const first =
    sharing.length > 1
      ? [sharing.flatMap((level) => shareOf(weighed[level] ?? [], percentOf(level)))]
      : sharing.map((level) => weighed[level] ?? []);
  return [...first, ...waiting.map((level) => weighed[level] ?? [])].flatMap((level, priority) =>
    level.map(({ group, weight }) => ({ ...group, priority, weight })),
  );
}

/** A locality that has lost endpoints keeps its share as long as the others are overprovisioned for it, as Envoy has it. */
function weigh(level: readonly TargetGroup[], overprovisioningPercent: number): Weighed[] {
  return level.flatMap((group) => {
    const targets = group.targets.filter(isHealthy);
    if (targets.length === 0) return [];
    const availability = Math.min(1, (overprovisioningPercent / 100) * (targets.length / group.targets.length));
    const weight = group.weight === undefined ? targets.length : Math.max(1, Math.round(group.weight * availability));
    return [{ group: { ...group, targets, locality: localityOf(group) }, weight }];
  });
}

/** Two levels may have a locality in common: so the sub-zone says the level, whatever the client's priority for it is just now. */
function localityOf(group: TargetGroup): Locality {
  const { region, zone, subzone } = group.locality ?? group.targets[0]?.endpoint.locality ?? nowhere;
  if (group.priority === 0) return { region, zone, subzone };
  return { region, zone, subzone: `${subzone === '' ? '' : `${subzone}/`}level-${group.priority}` };
}

/** A level's part of one that several share. */
function shareOf(level: readonly Weighed[], percent: number): Weighed[] {
  const total = level.reduce((sum, { weight }) => sum + weight, 0);
  return level.map(({ group, weight }) => ({
    group,
    weight: Math.max(1, Math.round((weightScale * percent * weight) / total)),
  }));
}

const nowhere: Locality = { region: '', zone: '', subzone: '' };

/** Addresses that somebody wrote down. Of weights, a client reads those of localities alone: so endpoints whose own differ have one each. */
function outsideAssignment(name: string, endpoints: readonly ExternalEndpoint[], port: OutsidePort): EncodedResource {
  const places = byLocality(endpoints).flatMap((group): readonly ExternalEndpoint[][] =>
    group.every(({ weight }) => weight === group[0]?.weight) ? [[...group]] : group.map((one) => [one]),
  );
  return encodeResource(typeUrl.endpoint, name, {
    cluster_name: name,
    endpoints: places.map((group, index) => place(group, port, `place-${index}`)),
  });
}

function place(group: readonly ExternalEndpoint[], port: OutsidePort, subZone: string): Plain {
  const { region, zone } = group[0]?.locality ?? nowhere;
  return {
    locality: { region, zone, sub_zone: subZone },
    lb_endpoints: group.map(({ address, targetPorts }) => ({
      endpoint: { address: socketAddress(address, targetPorts.get(port.port) ?? port.targetPort ?? port.port) },
    })),
    load_balancing_weight: group.reduce((sum, { weight }) => sum + weight, 0),
  };
}
