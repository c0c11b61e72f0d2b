/**
 * What a drain would do. In: the place, and the mesh as it is. Out: for each service with endpoints there, who takes how much before and after,
 * with what endpoints. Shares are those that proxies get of it now, from wherever they are; of a rule's routes the one that takes all requests
 * counts, for nobody knows how many match the others.
 *
 * What always holds: nothing changes by it; the drains in force count as if they were through; long lists are made in slices.
 */

import { setImmediate } from 'node:timers/promises';
import { connectionRoute } from '../envoy/port-routes.ts';
import { fittingSources, seenFrom } from '../envoy/sources.ts';
import { compileService } from '../mesh/compile.ts';
import { drainOutcome, hasEndpoints, readyEndpoints } from '../mesh/drain-outcome.ts';
import type { MemberRuleTable } from '../mesh/member-meshes.ts';
import { type DrainedPlace, drainedPlaceName, drainSteps, isDrained, serviceDrain } from '../model/drain.ts';
import type { DrainPlan, PlaceLoad, ServicePlan } from '../model/drain-plan.ts';
import type { MeshService, Scope } from '../model/mesh.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { CatalogPort, CatalogService, ServiceKey } from '../model/service.ts';
import { expectedShares } from '../preview/shares.ts';
import type { Drains } from './drains.ts';
import type { Engine } from './engine.ts';

export interface DrainWish {
  readonly place: DrainedPlace;
  /** [] means all. */
  readonly services: readonly string[];
  readonly force: boolean;
}

export interface DrainPlanInputs {
  readonly engine: Engine;
  readonly drains: Drains;
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule>;
  /** By cluster: what its own proxies see in place of these. Default: nothing. */
  readonly memberRules?: MemberRuleTable;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
}

/** How many kinds of proxies are asked for, the most used first. */
const viewpointsMax = 8;
const sliceMs = 4;

interface Viewpoint {
  readonly scope: Scope;
  readonly proxies: number;
}

export async function planDrain(wish: DrainWish, inputs: DrainPlanInputs): Promise<DrainPlan> {
  const { engine, clusters } = inputs;
  const { place, services: wanted } = wish;
  const viewpoints = viewpointsOf(engine, clusters());
  const services: ServicePlan[] = [];
  let sinceMs = performance.now();
  for (const service of [...engine.catalog.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if ((wanted.length > 0 && !wanted.includes(service.key)) || !hasEndpoints(service, place)) continue;
    const plan = planService(service, wish, inputs, viewpoints);
    if (plan !== undefined) services.push(plan);
    if (performance.now() - sinceMs < sliceMs) continue;
    await setImmediate();
    sinceMs = performance.now();
  }
  return {
    place,
    isRegistered: place.cluster === '' || clusters().has(place.cluster),
    unknown: wanted.filter((key) => !engine.catalog.has(key as ServiceKey)),
    services,
  };
}

function planService(
  catalog: CatalogService,
  { place, force }: DrainWish,
  { engine, drains, rules, memberRules }: DrainPlanInputs,
  viewpoints: readonly Viewpoint[],
): ServicePlan | undefined {
  const before = engine.mesh.services.get(catalog.key);
  const port = catalog.ports.find(({ transport }) => transport === 'TCP');
  if (before === undefined || port === undefined) return undefined;
  const others = drains.inForce(catalog).filter((other) => drainedPlaceName(other) !== drainedPlaceName(place));
  const drain = serviceDrain([
    ...others.map((other) => ({ ...other, step: drainSteps })),
    { ...place, step: drainSteps, force },
  ]);
  if (drain === undefined) return undefined;
  const drained = { ...catalog, drain };
  const after = compileService(drained, rules.get(catalog.key));
  // A cluster's own proxies may see another rule.
  const own = new Map<string, { readonly before: MeshService; readonly after: MeshService }>();
  for (const [cluster, table] of memberRules ?? []) {
    const rule = table.get(catalog.key);
    const seen = engine.meshOf(cluster).services.get(catalog.key);
    if (rule !== undefined && seen !== undefined)
      own.set(cluster, { before: seen, after: compileService(drained, rule) });
  }
  const outcomes = [after, ...[...own.values()].map((forms) => forms.after)].map((form) => drainOutcome(form));
  const isKept = outcomes.some(({ kept }) => kept.has(drainedPlaceName(place)));
  const isEmptied = outcomes.some((outcome) => outcome.isEmptied);
  const places = new Map<string, PlaceLoad>();
  const add = (
    at: { cluster: string; zone: string },
    what: Partial<Record<'ready' | 'before' | 'after', number>>,
  ): void => {
    const name = place.zone === '' ? at.cluster : `${at.cluster}/${at.zone === '' ? '-' : at.zone}`;
    const known = places.get(name) ?? {
      name,
      isDrained: isDrained(place, { cluster: at.cluster, locality: { zone: at.zone } }),
      ready: 0,
      before: 0,
      after: 0,
    };
    const { ready = 0, before: now = 0, after: then = 0 } = what;
    places.set(name, { ...known, ready: known.ready + ready, before: known.before + now, after: known.after + then });
  };
  for (const { cluster, locality } of readyEndpoints(before, port)) add({ cluster, zone: locality.zone }, { ready: 1 });
  const used = own.size === 0 && isAlike(before) ? viewpoints.slice(0, 1) : viewpoints;
  const formOf = (when: 'before' | 'after', { scope }: Viewpoint): MeshService =>
    own.get(scope.cluster)?.[when] ?? (when === 'before' ? before : after);
  for (const when of ['before', 'after'] as const) {
    const shares = sharesOf((viewpoint) => formOf(when, viewpoint), port, used);
    for (const { cluster, zone, share } of shares) add({ cluster, zone }, { [when]: share });
  }
  return {
    namespace: catalog.namespace,
    name: catalog.name,
    port: port.port,
    outcome: isKept ? 'stays' : isEmptied ? 'refused' : 'moves',
    places: [...places.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Nothing depends on who asks: one viewpoint is like the other. */
function isAlike({ placement, asks }: MeshService): boolean {
  return placement === undefined && asks === undefined;
}

/** Of all requests of all viewpoints, each as many as it has proxies. */
function sharesOf(
  serviceOf: (viewpoint: Viewpoint) => MeshService,
  port: CatalogPort,
  viewpoints: readonly Viewpoint[],
): { readonly cluster: string; readonly zone: string; readonly share: number }[] {
  const total = viewpoints.reduce((sum, { proxies }) => sum + proxies, 0);
  return viewpoints.flatMap((viewpoint) => {
    const { scope, proxies } = viewpoint;
    const service = serviceOf(viewpoint);
    const route = connectionRoute(seenFrom(service, fittingSources(service, scope)), port.port);
    const { shares } = expectedShares(service, route, port, scope);
    return shares.map(({ cluster, zone, share }) => ({ cluster, zone, share: (share * proxies) / total }));
  });
}

/** Where the connected proxies are; without any, one in each cluster. */
function viewpointsOf(engine: Engine, clusters: ReadonlySet<string>): readonly Viewpoint[] {
  const byPlace = new Map<string, Viewpoint>();
  for (const { scope, users } of engine.views()) {
    if (users === 0) continue;
    const { region = '', zone = '', node = '', selectors = [] } = scope.answers ?? {};
    const id = JSON.stringify([scope.cluster, scope.network, scope.namespace, region, zone, node, selectors]);
    byPlace.set(id, { scope, proxies: (byPlace.get(id)?.proxies ?? 0) + users });
  }
  if (byPlace.size === 0) return [...clusters].map((cluster) => ({ scope: scopeIn(cluster), proxies: 1 }));
  return [...byPlace.values()].sort((a, b) => b.proxies - a.proxies).slice(0, viewpointsMax);
}

function scopeIn(cluster: string): Scope {
  return {
    cluster,
    network: '',
    namespace: '',
    mode: 'captured',
    outbound: { address: '127.0.0.1', port: 15_001 },
    inboundAddress: '0.0.0.0',
    inbound: [],
    routes: 'tables',
    rejected: [],
  };
}
