/**
 * Which rules the routes of the Gateway API would come to if some of its objects were applied. In: what is in force, and the objects. Out: by service
 * the rules that would be others, what would be wrong with the objects, and what TrafficRules might then refer to. What is in force is only read.
 */

import type { Finding } from '../../core/errors.ts';
import { gatewayApiKinds, referenceGrantKind } from '../../gateway-api/kinds.ts';
import { type GatewayRoute, type Grant, routeId } from '../../gateway-api/route.ts';
import { routeFindings } from '../../gateway-api/verdicts.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Permits } from '../../rules/traffic-rule/cross-namespace.ts';
import { type GatewayRoutes, permitsIn } from '../standards/gateway-routes.ts';
import type { GivenObject, TrialOptions } from './trial-options.ts';

export interface RouteTrial {
  /** undefined: there would be none. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule | undefined>;
  readonly findings: readonly Finding[];
  /** What other grants would let TrafficRules refer to. Left out: what they may now. */
  readonly grants?: { readonly permits: Permits; readonly namespaces: ReadonlySet<string> };
}

export const comparedRouteKinds: readonly string[] = gatewayApiKinds.map(({ kind }) => kind);

const nothing: RouteTrial = { rules: new Map(), findings: [] };

export function tryRoutes(gateway: GatewayRoutes, all: readonly GivenObject[], options: TrialOptions): RouteTrial {
  const given = all.filter(({ kind }) => comparedRouteKinds.includes(kind));
  if (given.length === 0) return nothing;
  const table = gateway.copy();
  const namespaces = new Set<string>();
  for (const { kind, parsed } of given) {
    const { namespace, name } = parsed;
    const before = gateway
      .objects(kind)
      ?.records()
      .find((record) => record.namespace === namespace && record.name === name);
    const key = before?.key ?? `${options.source}#${kind}/${namespace}/${name}`;
    // In the place of the object that is there, with its age.
    const createdAtMs = before?.createdAtMs ?? options.nowMs;
    if (kind === referenceGrantKind.kind) {
      table.setGrant(key, before?.lastGood as Grant | undefined, parsed.value as Grant);
      namespaces.add(namespace);
    } else if (gateway.isOn) {
      const after = { ...(parsed.value as GatewayRoute), createdAtMs };
      table.setRoute(key, before?.lastGood as GatewayRoute | undefined, after);
    }
  }
  table.update();
  const keys = new Set([...gateway.rules.keys(), ...table.rules.keys()]);
  const others = [...keys].filter((key) => gateway.rules.get(key)?.hash !== table.rules.get(key)?.hash);
  return {
    rules: new Map(others.map((key) => [key, table.rules.get(key)] as const)),
    ...(namespaces.size === 0
      ? {}
      : { grants: { namespaces, permits: (from, to): boolean => permitsIn(table, from, to) } }),
    findings: given.flatMap(({ kind, parsed, raw }) => {
      if (kind === referenceGrantKind.kind || !gateway.isOn) return [];
      const route = parsed.value as GatewayRoute;
      return routeFindings(route, table.outcomes(routeId(route)), () => undefined, raw);
    }),
  };
}
