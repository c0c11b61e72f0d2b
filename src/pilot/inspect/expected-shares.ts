/** Where a route's requests are expected to go, by the clusters that they come from; clusters for which it is the same stand together. */

import type { ExpectedFrom } from '../../model/inspection.ts';
import type { MeshService, Scope } from '../../model/mesh.ts';
import type { RuleRoute } from '../../model/rule.ts';
import { expectedShares } from '../../preview/shares.ts';
import type { ClusterRecord } from '../../registry/inventory-record.ts';

/** For proxies of which no more is known than their cluster. Of the service's first TCP port; [] for a service without one. */
export function expectedByCluster(
  route: RuleRoute,
  service: MeshService,
  clusters: Iterable<ClusterRecord>,
): readonly ExpectedFrom[] {
  const port = service.catalog.ports.find(({ transport }) => transport === 'TCP');
  if (port === undefined) return [];
  const alike = new Map<string, { readonly from: string[]; readonly expected: ReturnType<typeof expectedShares> }>();
  for (const cluster of clusters) {
    const expected = expectedShares(service, route, port, scopeIn(cluster));
    const id = JSON.stringify(expected);
    const known = alike.get(id);
    if (known === undefined) alike.set(id, { from: [cluster.info.name], expected });
    else known.from.push(cluster.info.name);
  }
  return [...alike.values()].map(({ from, expected }) => ({ from: from.sort(), ...expected }));
}

function scopeIn({ info }: ClusterRecord): Scope {
  const { region, zone } = info.locality;
  return {
    cluster: info.name,
    network: info.network,
    namespace: '',
    mode: 'captured',
    outbound: { address: '', port: 0 },
    inboundAddress: '',
    inbound: [],
    routes: 'tables',
    answers: { region, zone, node: '', selectors: [] },
    rejected: [],
  };
}
