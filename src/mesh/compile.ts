/**
 * Catalog and rules compiled into the mesh: which routes are in force for a service, and which chains of destinations they need.
 */

import type { MeshService } from '../model/mesh.ts';
import type { RuleBackend, RuleRoute, TrafficRule } from '../model/rule.ts';
import { anywhere, chainName } from '../model/rule.ts';
import type { CatalogService } from '../model/service.ts';
import { type DrainOf, drainedService } from './drain.ts';
import { asksOf, placementOf } from './placement.ts';

const noHeaderChange = { set: [], add: [], remove: [] } as const;

const anywhereChain = [anywhere] as const;

/** What a service without a rule does: everything, to any ready endpoint in any cluster. */
const defaultRoutes: readonly RuleRoute[] = [
  {
    name: 'default',
    matches: [],
    backends: [{ weight: 1, chain: anywhereChain }],
    requestHeaders: noHeaderChange,
    responseHeaders: noHeaderChange,
  },
];

const defaultChains: readonly RuleBackend['chain'][] = [anywhereChain];

/** What other services have to do with one: what their routes need of it, and where the load of those that its routes lead to is moved out. */
export interface Around {
  readonly needed: readonly RuleBackend['chain'][];
  readonly drainOf: DrainOf;
}

const alone: Around = { needed: [], drainOf: () => undefined };

export function compileService(
  catalog: CatalogService,
  rule: TrafficRule | undefined,
  around: Around = alone,
): MeshService {
  return drainedService(undrained(catalog, rule, around.needed), catalog.drain, around.drainOf);
}

function undrained(
  catalog: CatalogService,
  rule: TrafficRule | undefined,
  needed: readonly RuleBackend['chain'][],
): MeshService {
  const placement = placementOf(catalog, rule);
  const asks = asksOf(rule?.routes ?? defaultRoutes, placement);
  const places = { ...(placement === undefined ? {} : { placement }), ...(asks === undefined ? {} : { asks }) };
  const chains = rule === undefined && needed.length === 0 ? defaultChains : distinctChains(rule?.routes ?? [], needed);
  if (rule === undefined) return { catalog, routes: defaultRoutes, ...places, chains };
  const policy = rule.policy === undefined ? {} : { policy: rule.policy };
  return { catalog, routes: rule.routes, rule: rule.ref, ...policy, ...places, chains };
}

/** A backend of weight 0 takes no requests, so its chain needs no Envoy cluster. Copies of requests need one too. `needed`: by others' routes. */
function distinctChains(
  routes: readonly RuleRoute[],
  needed: readonly RuleBackend['chain'][],
): readonly RuleBackend['chain'][] {
  const byName = new Map<string, RuleBackend['chain']>([[chainName(anywhereChain), anywhereChain]]);
  for (const chain of needed) byName.set(chainName(chain), chain);
  for (const route of routes) {
    for (const { weight, chain, service } of route.backends) {
      if (weight > 0 && service === undefined) byName.set(chainName(chain), chain);
    }
    for (const { destination, service } of route.mirrors ?? []) {
      if (service === undefined) byName.set(chainName([destination]), [destination]);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chain]) => chain);
}
