/**
 * What is wrong with a cluster's objects while the rest of them is in force, in words.
 */

import type { ErrorCode, Finding } from '../../core/errors.ts';
import type { SkipSummary } from '../derive-index.ts';
import type { ClusterLimits } from '../derive-limits.ts';
import type { SkipReason } from '../derive-skips.ts';
import type { WatchSettings } from './lister-watcher.ts';

/** The other reasons are how Kubernetes works, not a fault: they are counted and not complained of. */
interface Complaint {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const complaints: Partial<Record<SkipReason, Complaint>> = {
  'export-without-service': {
    code: 'FW-MCS-003',
    what: 'ServiceExports have no Service of their name',
    hint: 'Create the Service of the same name in the namespace, or delete the ServiceExport.',
  },
  'export-of-alias': {
    code: 'FW-MCS-002',
    what: 'ServiceExports are of DNS aliases (ExternalName), which cannot be exported',
    hint: 'Export a Service with a cluster IP or a headless one; a DNS alias (ExternalName) has no endpoints to export.',
  },
  'fqdn-slice': {
    code: 'FW-KUBE-012',
    what: 'endpoints given as DNS names are left out',
    hint: 'Give these endpoints as IP addresses.',
  },
  'foreign-claim': {
    code: 'FW-KUBE-012',
    what: 'objects say that they belong to another cluster; the claim is not believed',
    hint: 'Remove the label or annotation topology.istio.io/cluster, or register the cluster under that name.',
  },
  'bad-address': {
    code: 'FW-KUBE-012',
    what: 'endpoints with an address that no endpoint may have are left out',
    hint: 'Find out who writes these EndpointSlices.',
  },
  unreadable: {
    code: 'FW-KUBE-012',
    what: 'objects cannot be read; what was held of them stays',
    hint: 'Correct these objects.',
  },
};

export function sourceFindings(
  cluster: string,
  skips: ReadonlyMap<SkipReason, SkipSummary>,
  truncated: readonly string[],
  settings: { readonly watch: WatchSettings; readonly limits: ClusterLimits },
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [reason, { count, example }] of skips) {
    const complaint = complaints[reason];
    if (complaint === undefined) continue;
    findings.push({
      code: complaint.code,
      severity: 'warning',
      message: `${complaint.what}: ${count}, for instance ${example}`,
      where: { cluster },
      hint: complaint.hint,
    });
  }
  const { limits, watch } = settings;
  const excess = skips.get('over-limit');
  if (excess !== undefined) {
    findings.push({
      code: 'FW-KUBE-011',
      severity: 'error',
      message: `it reports more than ${limits.services} services or ${limits.endpoints} endpoints; of the youngest services, ${excess.count} are left out (${excess.example})`,
      where: { cluster },
      hint: 'Find out what makes so many, and delete what is not needed; what is left out joins as soon as there is room.',
    });
  }
  for (const resource of truncated) {
    findings.push({
      code: 'FW-KUBE-011',
      severity: 'error',
      message: `it has more than ${watch.list.items} ${resource}; those after that are left out`,
      where: { cluster },
      hint: 'Find out what makes so many, and delete what is not needed; what is left out joins as soon as there is room.',
    });
  }
  return findings;
}
