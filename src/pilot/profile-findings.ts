/** What a ClusterProfile says against its cluster. It is said, and changes nothing: whether the cluster can be read is found out by reading it. */

import type { Finding } from '../core/errors.ts';
import type { ClusterProfileReport } from '../model/report.ts';
import type { ClusterRecord } from '../registry/inventory-record.ts';

/** Of KEP-4322. */
const expected: ReadonlySet<string> = new Set(['ControlPlaneHealthy', 'Joined']);

/** `notes`: by origin of registrations. */
export function profileFindings(
  { info }: ClusterRecord,
  notes: ReadonlyMap<string, ClusterProfileReport>,
): readonly Finding[] {
  const profile = notes.get(info.origin);
  return (profile?.conditions ?? [])
    .filter(({ type, status }) => expected.has(type) && status === 'False')
    .map(({ type, reason, message }) => ({
      code: 'FW-KUBE-048',
      severity: 'warning',
      message: `its cluster manager (${profile?.manager}) says that ${type} is False${reason === '' ? '' : ` (${reason})`}${message === '' ? '' : `: ${message}`}; what can be read of it is in force`,
      where: { cluster: info.name, object: info.origin },
      hint: 'Look at the cluster, and at what its cluster manager says of it; delete the ClusterProfile of one that is gone.',
    }));
}
