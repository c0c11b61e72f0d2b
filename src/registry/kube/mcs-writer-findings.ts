/** What is wrong with the writing of imports into one cluster, for people. In: how the writer fares. Out: at most one finding of each kind. Pure. */

import type { Finding } from '../../core/errors.ts';
import type { ServiceKey } from '../../model/service.ts';
import { mcsGroup } from './mcs-group.ts';

export interface WriterState {
  /** Its API does not have the kinds. */
  readonly isAbsent: boolean;
  readonly apiVersion: string;
  /** Fields that are wanted, and that the CRDs do not have. */
  readonly missing: readonly string[];
  /** A kind that cannot be read now. */
  readonly unread: { readonly name: string; readonly message: string } | undefined;
  /** By service, what went wrong with it last. */
  readonly failures: ReadonlyMap<ServiceKey, string>;
  readonly foreign: ReadonlySet<ServiceKey>;
  readonly heldBack: ReadonlySet<ServiceKey>;
}

export function writerFindings(cluster: string, state: WriterState): readonly Finding[] {
  const { isAbsent, apiVersion, missing, unread, failures, foreign, heldBack } = state;
  const findings: Finding[] = [];
  const say = (code: Finding['code'], message: string, hint: string): void => {
    findings.push({ code, severity: 'warning', message, where: { cluster }, hint });
  };
  if (isAbsent) {
    say(
      'FW-MCS-013',
      `its API has no ServiceImports (${mcsGroup}), so nothing is imported into it`,
      'Install the CRDs of the Multi-Cluster Services API there; they are found without a restart.',
    );
  }
  if (missing.length > 0) {
    say(
      'FW-MCS-015',
      `its CRDs (${apiVersion}) have no ${missing.join(', ')}: imports go without, and are served all the same`,
      'Install the CRDs of v0.5 or later there; nothing has to be restarted.',
    );
  }
  const failed = [...failures].sort(([a], [b]) => (a < b ? -1 : 1))[0];
  const trouble =
    unread === undefined
      ? failed && `${failures.size} services cannot be written, for instance ${failed[0]}: ${failed[1]}`
      : `its ${unread.name} cannot be read: ${unread.message}`;
  if (trouble !== undefined) {
    say(
      'FW-MCS-009',
      `what is imported cannot be written into it: ${trouble}`,
      'Apply deploy/remote/mcs.yaml and the CRDs of the Multi-Cluster Services API there; it is tried again all the time.',
    );
  }
  const [example] = [...foreign].sort();
  if (example !== undefined) {
    say(
      'FW-MCS-008',
      `${foreign.size} services are not imported, for their ServiceImport (or its Service) is somebody else’s, for instance ${example}`,
      'Delete or rename the object; nothing of it is overwritten.',
    );
  }
  const [held] = [...heldBack].sort();
  if (held !== undefined) {
    say(
      'FW-MCS-014',
      `${heldBack.size} imports keep what came from clusters of which nothing is known, for instance ${held}; the rest of them is followed`,
      'Bring back the clusters that were not read since the pilot started, or unregister them; `fairway get clusters` shows them.',
    );
  }
  return findings;
}
