/** What is said of an ExternalService: whether it is in force, whether the clusters that it names are registered, who holds it. */

import type { Finding } from '../core/errors.ts';
import type { ExternalLoss } from '../mesh/external.ts';
import { externalLossFinding, lossText, unknownClusterFinding } from '../mesh/external-findings.ts';
import type { ExternalService } from '../model/external.ts';
import type { ObjectRecord } from '../rules/objects/object-set.ts';
import { invalidVerdict, type Verdict } from '../rules/status/object-status.ts';
import type { Programming } from '../rules/status/programming.ts';
import type { Engine } from './engine.ts';
import { externalForm } from './external-history.ts';
import type { Externals } from './externals.ts';
import type { Judgement } from './status/object-stage.ts';

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
  const programming = isInForce
    ? engine.reach.since(externals.since(record), (scope) => reaches(lastGood, scope.cluster), externalForm(lastGood))
    : undefined;
  return {
    accepted: invalidVerdict(record) ?? acceptedVerdict(record, loss),
    resolvedRefs: resolvedVerdict(latest === undefined, unknown),
    ...(programming === undefined ? {} : { programming }),
    findings: [
      ...(loss === undefined ? [] : [externalLossFinding(record, loss)]),
      ...rejectedFindings(record, programming),
      ...unknown.map((cluster) => unknownClusterFinding(record, cluster)),
    ],
  };
}

/** One, however many proxies rejected it. */
function rejectedFindings(
  { namespace, name, raw }: ObjectRecord<ExternalService>,
  programming: Programming | undefined,
): Finding[] {
  const [first] = programming?.rejections ?? [];
  if (programming === undefined || first === undefined) return [];
  const count = programming.rejections.length;
  return [
    {
      code: 'FW-PILOT-011',
      severity: 'error',
      message: `${count === 1 ? 'one proxy' : `${count} proxies`} rejected the object, and kept an earlier form; ${first.node}: ${first.error}`,
      where: { ...raw.where([]), object: `ExternalService ${namespace}/${name}` },
      hint: 'Correct the object',
    },
  ];
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
