/**
 * A clusterset service as a service of the mesh, where only exported services are one over all clusters. In: the clusterset service, and its names.
 * Out: a service under `clusterset.local` alone, whose endpoints are those of the exporting clusters.
 */

import { clustersetKey } from '../model/clusterset.ts';
import { clustersetDomain } from '../model/mesh.ts';
import type { CatalogPort, CatalogService, ClustersetNames, TrafficDistribution } from '../model/service.ts';
import type { ClustersetService } from './clusterset.ts';

export function meshService(service: ClustersetService, names: ClustersetNames): CatalogService {
  const { key, namespace, name, exports, oldest, internalTrafficPolicy, trafficDistribution } = service;
  const distribution = distributionOf(trafficDistribution);
  return {
    key: clustersetKey(key),
    namespace,
    name,
    host: `${name}.${namespace}.svc.${clustersetDomain}`,
    clusterset: names,
    createdAtMs: exports.get(oldest)?.createdAtMs ?? 0,
    headless: service.type === 'Headless',
    ...(internalTrafficPolicy === 'Local' ? { internalTrafficPolicy } : {}),
    ...(distribution === undefined ? {} : { trafficDistribution: distribution }),
    ports: service.ports.map(({ appProtocol: _, ...port }): CatalogPort => port),
    shards: exports,
    // They are said of the exports, by their own conditions and findings.
    conflicts: [],
  };
}

function distributionOf(text: string | undefined): TrafficDistribution | undefined {
  if (text === 'PreferClose') return 'PreferSameZone';
  return text === 'PreferSameZone' || text === 'PreferSameNode' ? text : undefined;
}
