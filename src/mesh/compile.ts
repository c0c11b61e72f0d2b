/**
 * Catalog and rules compiled into the mesh: which routes are in force for a service, and which chains of destinations they need.
 */

import type { MeshService } from '../model/mesh.ts';
import type { RuleBackend, RuleRoute, TrafficRule } from '../model/rule.ts';
import { anywhere, chainName } from '../model/rule.ts';
import type { CatalogService } from '../model/service.ts';
import { drainedService } from './drain.ts';
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

export function compileService(catalog: CatalogService, rule: TrafficRule | undefined): MeshService {
  const service = undrained(catalog, rule);
  return catalog.drain === undefined ? service : drainedService(service, catalog.drain);
}

function undrained(catalog: CatalogService, rule: TrafficRule | undefined): MeshService {
  const placement = placementOf(catalog, rule);
  const asks = asksOf(rule?.routes ?? defaultRoutes, placement);
  const places = { ...(placement === undefined ? {} : { placement }), ...(asks === undefined ? {} : { asks }) };
  if (rule === undefined) return { catalog, routes: defaultRoutes, ...places, chains: defaultChains };
  const policy = rule.policy === undefined ? {} : { policy: rule.policy };
  return { catalog, routes: rule.routes, rule: rule.ref, ...policy, ...places, chains: distinctChains(rule.routes) };
}

/** A backend of weight 0 takes no requests, so its chain needs no Envoy cluster. Copies of requests need one too. */
function distinctChains(routes: readonly RuleRoute[]): readonly RuleBackend['chain'][] {
  const byName = new Map<string, RuleBackend['chain']>([[chainName(anywhereChain), anywhereChain]]);
  for (const route of routes) {
    for (const backend of route.backends) {
      if (backend.weight > 0) byName.set(chainName(backend.chain), backend.chain);
    }
    for (const { destination } of route.mirrors ?? []) byName.set(chainName([destination]), [destination]);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chain]) => chain);
}
