/**
 * Where a service's endpoints should be, and what must be known of a proxy to tell. In: the merged service and its rule. Out: the placement,
 * and what it and the routes' sources ask of a proxy; undefined where there is nothing to say or to ask.
 *
 * What always holds: a rule goes before what Kubernetes' own fields say.
 */

import type { Asks, Placement } from '../model/mesh.ts';
import type { RuleRoute, TrafficRule } from '../model/rule.ts';
import { selectorText } from '../model/rule.ts';
import type { CatalogService } from '../model/service.ts';
import type { LocalityPreference, NearnessStep } from '../model/service-policy.ts';

/** Kubernetes names the first step only; the next nearest come behind it. */
const distributions = {
  PreferSameZone: { kind: 'nearest', order: ['zone', 'region'] },
  PreferSameNode: { kind: 'nearest', order: ['node', 'zone', 'region'] },
} as const satisfies Readonly<Record<string, LocalityPreference>>;

export function placementOf(catalog: CatalogService, rule: TrafficRule | undefined): Placement | undefined {
  const { locality, within, overprovisioningPercent } = rule?.policy ?? {};
  const kubernetes = catalog.trafficDistribution === undefined ? undefined : distributions[catalog.trafficDistribution];
  const preference = locality ?? kubernetes;
  const nodeLocal = catalog.internalTrafficPolicy === 'Local' && (rule === undefined || !namesPlaces(rule));
  const clusterLocal = catalog.ownClusterOnly === true;
  const isPlaced = preference !== undefined || within !== undefined || overprovisioningPercent !== undefined;
  if (!isPlaced && !nodeLocal && !clusterLocal) return undefined;
  return {
    ...(preference === undefined ? {} : { preference }),
    ...(within === undefined ? {} : { within }),
    nodeLocal,
    ...(clusterLocal ? { clusterLocal } : {}),
    ...(overprovisioningPercent === undefined ? {} : { overprovisioningPercent }),
  };
}

/** The rule says itself where requests go. */
function namesPlaces({ policy, routes }: TrafficRule): boolean {
  if (policy?.locality !== undefined || policy?.within !== undefined) return true;
  return routes.some(({ backends }) =>
    backends.some(({ chain }) =>
      chain.some(({ cluster, region, zone }) => cluster !== '' || region !== '' || zone !== ''),
    ),
  );
}

export function asksOf(routes: readonly RuleRoute[], placement: Placement | undefined): Asks | undefined {
  const sources = routes.flatMap(({ matches }) => matches.flatMap(({ source }) => source ?? []));
  const preference = placement?.preference;
  const steps: readonly NearnessStep[] = preference?.kind === 'nearest' ? preference.order : [];
  const from = preference?.kind === 'shares' ? preference.entries.map((entry) => entry.from) : [];
  const asks: Asks = {
    sources: sources.length > 0,
    selectors: [...new Set(sources.map(({ labels }) => selectorText(labels)))].filter((text) => text !== '').sort(),
    // A zone of the same name in another region is another.
    region: steps.includes('region') || steps.includes('zone') || from.some(({ region }) => region !== ''),
    zone: steps.includes('zone') || from.some(({ zone }) => zone !== ''),
    node: steps.includes('node') || placement?.nodeLocal === true,
  };
  const nothing = !asks.sources && !asks.region && !asks.zone && !asks.node;
  // Clusters and networks are in every scope, but whoever prefers them needs to look at the scope all the same.
  const looks = steps.length > 0 || from.length > 0;
  return nothing && !looks ? undefined : asks;
}
