/** What is wrong with the exports of one service, for people who ask before or after. In: all clusters' shards of it. Out: warnings. */

import type { Finding } from '../core/errors.ts';
import type { ServiceShard } from '../model/service.ts';
import { clustersetService } from './clusterset.ts';
import { mcsFinding } from './codes.ts';
import { isImpossible } from './order.ts';
import { hasAmbiguousZones } from './slice-hints.ts';
import { unusableCount } from './usable-metadata.ts';

/** `hasNamespace`: of a registered cluster; `clusters`: all that import. */
export function exportFindings(
  shards: readonly ServiceShard[],
  clusters: Iterable<string>,
  hasNamespace: (cluster: string, namespace: string) => boolean,
  nowMs: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { cluster, namespace, name, export: exported, externalName } of shards) {
    if (exported === undefined) continue;
    const where = { cluster, object: `ServiceExport ${namespace}/${name}` };
    if (externalName !== undefined)
      findings.push(mcsFinding('FW-MCS-002', `the Service is an alias of ${externalName} (ExternalName)`, where));
    if (isImpossible(exported.createdAtMs, nowMs)) {
      const claimed = new Date(exported.createdAtMs).toISOString();
      findings.push(mcsFinding('FW-MCS-005', `its creationTimestamp is ${claimed}, which cannot be`, where));
    }
    const unusable = unusableCount(exported);
    if (unusable > 0) {
      const what = 'exported labels and annotations cannot be any, or are too large, and are left out';
      findings.push(mcsFinding('FW-MCS-012', `${unusable} ${what}`, where));
    }
  }
  const service = clustersetService(shards);
  if (service === undefined) return findings;
  const object = `Service ${service.key}`;
  for (const { reason, message } of service.conflicts)
    findings.push(mcsFinding('FW-MCS-001', `${reason}: ${message}`, { object }));
  if (service.trafficDistribution !== undefined && hasAmbiguousZones(service)) {
    const what = `trafficDistribution is ${service.trafficDistribution}, and zones of several regions have one name: imported endpoints are hinted to no zone`;
    findings.push(mcsFinding('FW-MCS-017', what, { object }));
  }
  const without = [...clusters].filter((cluster) => !hasNamespace(cluster, service.namespace)).sort();
  if (without.length > 0) {
    const what = `the service is exported, and ${without.join(', ')} ${without.length === 1 ? 'has' : 'have'} no namespace ${service.namespace} to import it into`;
    findings.push(mcsFinding('FW-MCS-004', what, { object }));
  }
  return findings;
}
