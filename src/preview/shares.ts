/**
 * Where a service's requests go, as far as the mesh knows it: for one route, one port and the proxies of one scope, the share of requests by
 * version, cluster, region and zone.
 *
 * In: the compiled service and the scope. Out: shares and what is answered by no endpoint, which sum to 1. What always holds: the levels are
 * those of the assignment that the proxies get (src/envoy/endpoints.ts makes both), and levels divide requests as Envoy does
 * (src/envoy/priority-loads.ts). What no control plane knows is left out: what proxies find out by themselves (outlier detection, health checks, slow
 * start), limits, retries, and what a hash makes of requests that belong together.
 */

import { isHealthy, type Target, type TargetGroup } from '../envoy/assignment-bytes.ts';
import { portGroups } from '../envoy/endpoints.ts';
import { assignmentKey } from '../envoy/locality-levels.ts';
import { connectionRoute, requestRoutes } from '../envoy/port-routes.ts';
import { priorityLoads } from '../envoy/priority-loads.ts';
import { fittingSources, seenFrom } from '../envoy/sources.ts';
import { isHttp } from '../envoy/virtual-hosts.ts';
import type { MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { ExpectedShares, Share, Unserved } from '../model/preview.ts';
import type { RuleRoute } from '../model/rule.ts';
import type { CatalogPort } from '../model/service.ts';

/** Envoy's own. */
const defaultOverprovisioningPercent = 140;
/** As src/envoy/cluster-balancing.ts gives it to every Envoy cluster without one. */
const defaultPanicPercent = 1;

export interface PortRoute extends Pick<RuleRoute, 'name' | 'backends' | 'redirect' | 'respond'> {
  readonly matches: RuleRoute['matches'];
}

/** What proxies of this scope do with what comes to a TCP port, in the order in which it is tried; a plain connection has one route. */
export function routesFor(
  service: MeshService,
  port: CatalogPort,
  settings: MeshSettings,
  scope: Scope,
): readonly PortRoute[] {
  const seen = seenFrom(service, fittingSources(service, scope));
  return isHttp(port, settings)
    ? requestRoutes(seen, port.port)
    : [{ ...connectionRoute(seen, port.port), matches: [] }];
}

/** `port`: one of the service's own, over TCP. */
export function expectedShares(
  service: MeshService,
  route: Pick<RuleRoute, 'backends' | 'redirect' | 'respond'>,
  port: CatalogPort,
  scope: Scope,
): ExpectedShares {
  if (route.redirect !== undefined || route.respond !== undefined) return nothing('answered-by-proxy');
  const total = route.backends.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return nothing('no-backend');
  const groupsOf = portGroups(service, port, assignmentKey(service, scope));
  const sums = new Sums();
  for (const { weight, chain, service: other, refused } of route.backends) {
    if (weight === 0) continue;
    const part = weight / total;
    if (refused !== undefined) sums.miss('refused', part);
    else if (other !== undefined) sums.miss('other-service', part);
    else if (service.catalog.upstream !== undefined) sums.miss('outside', part);
    else addChain(sums, service, groupsOf(chain), part);
  }
  return sums.result();
}

/** All requests that come to one chain, of which `part` is the share: to its levels, and there to its endpoints. */
function addChain(sums: Sums, service: MeshService, groups: readonly TargetGroup[], part: number): void {
  const { placement, policy } = service;
  const levels = [...Map.groupBy(groups, ({ priority }) => priority)]
    .sort(([a], [b]) => a - b)
    .map(([, ofLevel]) => ofLevel);
  const overprovisioning = placement?.overprovisioningPercent ?? defaultOverprovisioningPercent;
  const loads = priorityLoads(
    levels.map((ofLevel) => {
      const targets = ofLevel.flatMap((group) => group.targets);
      return { endpoints: targets.length, healthy: targets.filter(isHealthy).length };
    }),
    overprovisioning,
    policy?.panicThresholdPercent ?? defaultPanicPercent,
  );
  let served = 0;
  levels.forEach((ofLevel, level) => {
    const { percent = 0, panic = false } = loads[level] ?? {};
    if (percent === 0) return;
    served += percent;
    const byLocality = placement?.preference?.kind === 'shares' && !panic;
    for (const { targets, share } of divide(ofLevel, byLocality, panic, overprovisioning)) {
      for (const { endpoint } of targets) sums.add(endpoint, (part * (percent / 100) * share) / targets.length);
    }
  });
  if (served < 100)
    sums.miss(placement?.within === undefined ? 'no-endpoints' : 'nothing-within', part * (1 - served / 100));
}

interface Division {
  readonly targets: readonly Target[];
  /** Of the level. */
  readonly share: number;
}

/** A level's requests among its localities: by their endpoints, or by their weights where these count. */
function divide(
  groups: readonly TargetGroup[],
  byLocality: boolean,
  panic: boolean,
  overprovisioningPercent: number,
): readonly Division[] {
  const parts = groups.flatMap(({ targets, weight }) => {
    const used = panic ? targets : targets.filter(isHealthy);
    if (used.length === 0) return [];
    // A locality that has lost endpoints keeps its weight as long as the others are overprovisioned for it, as a level does.
    const availability = Math.min(1, (overprovisioningPercent / 100) * (used.length / targets.length));
    return [{ targets: used, weight: byLocality ? (weight ?? used.length) * availability : used.length }];
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  return parts.map(({ targets, weight }) => ({ targets, share: weight / total }));
}

class Sums {
  readonly #shares = new Map<string, Share>();
  readonly #missed = new Map<Unserved['reason'], number>();

  add({ version, cluster, locality: { region, zone } }: Target['endpoint'], share: number): void {
    const key = JSON.stringify([version, cluster, region, zone]);
    const before = this.#shares.get(key)?.share ?? 0;
    this.#shares.set(key, { version, cluster, region, zone, share: before + share });
  }

  miss(reason: Unserved['reason'], share: number): void {
    this.#missed.set(reason, (this.#missed.get(reason) ?? 0) + share);
  }

  result(): ExpectedShares {
    return {
      shares: [...this.#shares].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, share]) => share),
      unserved: [...this.#missed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, share]) => ({ reason, share })),
    };
  }
}

function nothing(reason: Unserved['reason']): ExpectedShares {
  return { shares: [], unserved: [{ reason, share: 1 }] };
}
