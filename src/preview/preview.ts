/**
 * What a change would do, before it is made: which proxies would be sent what, and how requests would move.
 *
 * In: the services in question with what proxies see of them now and then, and sets of proxies that are given the same. Out: the parts of a
 * report that say so. What always holds: it reads and keeps nothing, so that asking costs the pilot only time; that time is taken in slices
 * (`pause`); lists are bounded, and what lies beyond a bound is counted.
 */

import type { EncodedResource } from '../core/resource.ts';
import { assignmentId, assignmentKey } from '../envoy/locality-levels.ts';
import { fittingSources } from '../envoy/sources.ts';
import type { MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type {
  PreviewedProxies,
  PreviewReport,
  ResourceChange,
  RouteMove,
  RouteShares,
  ServiceMove,
} from '../model/preview.ts';
import { ruleId } from '../model/rule.ts';
import type { ServiceKey } from '../model/service.ts';
import { type Side, scopeChanges } from './scope-changes.ts';
import { expectedShares, routesFor } from './shares.ts';

/** Proxies that are given the same now and then. */
export interface ProxySet {
  readonly before: Side;
  readonly after: Side;
  readonly transport: 'sotw' | 'delta';
  readonly proxies: number;
  /** `workload.namespace`, some of them. */
  readonly names: readonly string[];
  /** All that they are given now; live. */
  readonly live: (url: string) => ReadonlyMap<string, EncodedResource>;
}

export interface PreviewInput {
  readonly settings: MeshSettings;
  readonly sets: readonly ProxySet[];
  /**
   * The services in question for where no proxy is connected: as somebody sees them of whom nothing is known, or, where each cluster has its own,
   * of whom the cluster alone is.
   */
  readonly unseen: readonly { readonly before: Side; readonly after: Side }[];
  /** Services of which others' routes need something else: none of their own requests move. Default: none. */
  readonly led?: ReadonlySet<ServiceKey>;
  /** Lets others have their turn, if it is time. */
  readonly pause: () => Promise<void>;
}

export interface PreviewLimits {
  /** Sets of proxies that are looked at, those with the most proxies first. */
  readonly sets: number;
  readonly names: number;
  /** Of resources, and of virtual hosts, of one set. */
  readonly resources: number;
}

export const previewLimits: PreviewLimits = { sets: 500, names: 10, resources: 50 };

type Preview = Pick<PreviewReport, 'services' | 'proxies' | 'proxiesOmitted' | 'totals'>;

export async function preview(input: PreviewInput, limits: PreviewLimits = previewLimits): Promise<Preview> {
  const sets = [...input.sets].sort((a, b) => b.proxies - a.proxies).slice(0, limits.sets);
  const moves = new Moves(input.settings, input.led);
  const proxies: PreviewedProxies[] = [];
  for (const set of sets) {
    const { resources, virtualHosts, bytes } = scopeChanges(
      set.before,
      set.after,
      input.settings,
      set.transport,
      set.live,
    );
    await input.pause();
    moves.add(set.before, set.after, set.proxies);
    if (resources.length > 0) {
      const { cluster, namespace, mode, routes } = set.before.scope;
      const counts: Record<ResourceChange, number> = { added: 0, changed: 0, removed: 0 };
      for (const { change } of resources) counts[change] += 1;
      proxies.push({
        cluster,
        namespace,
        mode,
        transport: set.transport,
        config: routes,
        proxies: set.proxies,
        names: [...set.names].sort().slice(0, limits.names),
        resources: resources.slice(0, limits.resources),
        omitted: Math.max(0, resources.length - limits.resources),
        counts,
        virtualHosts: virtualHosts.slice(0, limits.resources),
        bytes,
      });
    }
    await input.pause();
  }
  if (sets.length === 0) for (const { before, after } of input.unseen) moves.add(before, after, 0);
  const services = moves.result();
  const changedProxies = proxies.reduce((sum, set) => sum + set.proxies, 0);
  return {
    services,
    proxies: proxies.sort(bySet),
    proxiesOmitted: input.sets.length - sets.length,
    totals: {
      proxies: input.sets.reduce((sum, set) => sum + set.proxies, 0),
      changed: changedProxies,
      bytes: proxies.reduce((sum, set) => sum + set.bytes * set.proxies, 0),
    },
  };
}

function bySet(a: PreviewedProxies, b: PreviewedProxies): number {
  const [one, two] = [a, b].map(({ cluster, namespace, mode, config, names }) =>
    JSON.stringify([cluster, namespace, mode, config, names]),
  );
  return (one ?? '') < (two ?? '') ? -1 : 1;
}

interface View {
  readonly from: Set<string>;
  proxies: number;
  readonly routes: readonly RouteMove[];
}

/** How requests move, for all sets; those for which they move alike are one view. */
class Moves {
  readonly #settings: MeshSettings;
  readonly #led: ReadonlySet<ServiceKey>;
  readonly #views = new Map<ServiceKey, Map<string, View>>();
  /** Of hosts outside. */
  readonly #hosts = new Map<ServiceKey, string>();
  readonly #rules = new Map<ServiceKey, Pick<ServiceMove, 'ruleBefore' | 'ruleAfter'>>();
  /** By all that decides the shares: many sets differ in nothing that a service asks for. */
  readonly #known = new Map<string, readonly RouteMove[]>();

  constructor(settings: MeshSettings, led: ReadonlySet<ServiceKey> = new Set()) {
    this.#settings = settings;
    this.#led = led;
  }

  add(before: Side, after: Side, proxies: number): void {
    for (const key of [...new Set([...before.services.keys(), ...after.services.keys()])].sort()) {
      const [was, is] = [seen(before, key), seen(after, key)];
      if ((was === undefined && is === undefined) || this.#led.has(key)) continue;
      if (!this.#rules.has(key)) {
        this.#rules.set(key, {
          ...(was?.rule === undefined ? {} : { ruleBefore: ruleId(was.rule) }),
          ...(is?.rule === undefined ? {} : { ruleAfter: ruleId(is.rule) }),
        });
      }
      const host = (is ?? was)?.catalog.host;
      if (host !== undefined) this.#hosts.set(key, host);
      const routes = this.#routes(key, was, before.scope, is, after.scope);
      const id = JSON.stringify(routes);
      const views = this.#views.get(key) ?? new Map<string, View>();
      this.#views.set(key, views);
      const view = views.get(id) ?? { from: new Set<string>(), proxies: 0, routes };
      views.set(id, view);
      view.proxies += proxies;
      if (before.scope.cluster !== '') view.from.add(before.scope.cluster);
    }
  }

  #routes(
    key: ServiceKey,
    was: MeshService | undefined,
    scopeBefore: Scope,
    is: MeshService | undefined,
    scopeAfter: Scope,
  ): readonly RouteMove[] {
    const id = JSON.stringify([key, identity(was, scopeBefore), identity(is, scopeAfter)]);
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const routes = routeMoves(
      was === undefined ? [] : portShares(was, scopeBefore, this.#settings),
      is === undefined ? [] : portShares(is, scopeAfter, this.#settings),
    );
    this.#known.set(id, routes);
    return routes;
  }

  result(): readonly ServiceMove[] {
    return [...this.#views]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, views]) => ({
        service: this.#hosts.get(key) ?? key,
        ...this.#rules.get(key),
        views: [...views.values()]
          .map(({ from, proxies, routes }) => ({ from: [...from].sort(), proxies, routes }))
          .sort((a, b) => b.proxies - a.proxies || (a.from.join() < b.from.join() ? -1 : 1)),
      }));
  }
}

function seen({ scope, services }: Side, key: ServiceKey): MeshService | undefined {
  const service = services.get(key);
  return service?.catalog.visibleIn?.has(scope.cluster) === false ? undefined : service;
}

/** Sets that see other forms of a rule (they rejected this one, or their cluster has its own) differ in the rule's own words. */
function identity(service: MeshService | undefined, scope: Scope): readonly unknown[] {
  if (service === undefined) return [];
  const { rule, routes } = service;
  return [assignmentId(assignmentKey(service, scope)), fittingSources(service, scope), rule, routes];
}

interface PortShares {
  readonly port: number;
  readonly route: string;
  readonly shares: RouteShares;
}

function portShares(service: MeshService, scope: Scope, settings: MeshSettings): readonly PortShares[] {
  return service.catalog.ports
    .filter(({ transport }) => transport === 'TCP')
    .flatMap((port) =>
      routesFor(service, port, settings, scope).map((route) => ({
        port: port.port,
        route: route.name,
        shares: { matches: route.matches, ...expectedShares(service, route, port, scope) },
      })),
    );
}

/** Routes of one name are one route before and after; ports on which a route moves alike are one row. */
function routeMoves(before: readonly PortShares[], after: readonly PortShares[]): readonly RouteMove[] {
  const byRoute = new Map<string, { route: string; port: number; before?: RouteShares; after?: RouteShares }>();
  for (const { port, route, shares } of after) byRoute.set(`${port} ${route}`, { route, port, after: shares });
  for (const { port, route, shares } of before) {
    const id = `${port} ${route}`;
    byRoute.set(id, { ...(byRoute.get(id) ?? { route, port }), before: shares });
  }
  const rows = new Map<string, RouteMove>();
  for (const { port, ...move } of byRoute.values()) {
    const id = JSON.stringify([move.route, move.before, move.after]);
    const known = rows.get(id);
    rows.set(id, { ...move, ports: [...(known?.ports ?? []), port] });
  }
  return [...rows.values()];
}
