/** What is said of an ExternalService: whether it is in force, whether the clusters that it names are registered, who holds it. */

import type { ExternalLoss } from '../mesh/external.ts';
import { externalLossFinding, lossText, unknownClusterFinding } from '../mesh/external-findings.ts';
import type { ExternalService } from '../model/external.ts';
import type { ObjectRecord } from '../rules/object-set.ts';
import { invalidVerdict, type Verdict } from '../rules/object-status.ts';
import type { Engine } from './engine.ts';
import type { Externals } from './externals.ts';
import type { Judgement } from './object-stage.ts';

export interface ExternalVerdictInputs {
  readonly externals: Externals;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
}

export function judgeExternal(
  record: ObjectRecord<ExternalService>,
  { externals, engine, clusters }: ExternalVerdictInputs,
): Judgement {
  const { latest, lastGood } = record;
  const loss = externals.loss(record);
  const unknown = (latest ?? lastGood)?.clusters.filter((cluster) => !clusters().has(cluster)) ?? [];
  const isInForce = lastGood !== undefined && loss === undefined;
  return {
    accepted: invalidVerdict(record) ?? acceptedVerdict(record, loss),
    resolvedRefs: resolvedVerdict(latest === undefined, unknown),
    ...(isInForce
      ? { programming: engine.progressSince(externals.since(record), (scope) => reaches(lastGood, scope.cluster)) }
      : {}),
    findings: [
      ...(loss === undefined ? [] : [externalLossFinding(record, loss)]),
      ...unknown.map((cluster) => unknownClusterFinding(record, cluster)),
    ],
  };
}

function reaches({ clusters }: ExternalService, cluster: string): boolean {
  return clusters.length === 0 || clusters.includes(cluster);
}

function acceptedVerdict({ findings }: ObjectRecord<ExternalService>, loss: ExternalLoss | undefined): Verdict {
  if (loss !== undefined) return { status: 'False', reason: 'Conflicted', message: lossText(loss) };
  const warnings = findings.map(({ code, message }) => `${code} ${message}`);
  const message = ['the object is valid and its hosts are reached', ...warnings].join('; ');
  return { status: 'True', reason: 'Accepted', message };
}

function resolvedVerdict(isInvalid: boolean, unknown: readonly string[]): Verdict {
  if (isInvalid)
    return { status: 'Unknown', reason: 'Invalid', message: 'the references of an invalid object are not looked up' };
  if (unknown.length === 0)
    return { status: 'True', reason: 'ResolvedRefs', message: 'all clusters that it names are registered' };
  const message = `no cluster named ${unknown.join(', ')} is registered`;
  return { status: 'False', reason: 'ClusterNotFound', message };
}
