/** What is said of an ExternalService: whether it is in force, whether the clusters that it names are registered, who holds it. */

import type { Finding } from '../core/errors.ts';
import type { ExternalLoss } from '../mesh/external.ts';
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
      ...(loss === undefined ? [] : [lossFinding(record, loss)]),
      ...unknown.map((cluster) => unknownCluster(record, cluster)),
    ],
  };
}

function reaches({ clusters }: ExternalService, cluster: string): boolean {
  return clusters.length === 0 || clusters.includes(cluster);
}

function acceptedVerdict({ findings }: ObjectRecord<ExternalService>, loss: ExternalLoss | undefined): Verdict {
  if (loss !== undefined) return { status: 'False', reason: 'Conflicted', message: wordsOf(loss) };
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

function wordsOf(loss: ExternalLoss): string {
  switch (loss.kind) {
    case 'service':
      return `${loss.host} is, or holds, a name of the service ${loss.service} of the mesh`;
    case 'duplicate':
      return `the same object from ${loss.by.origin} goes before this one`;
    case 'claimed': {
      const { namespace, name } = loss.by.ref;
      return `${loss.host} is a host of ExternalService ${namespace}/${name} (${loss.by.origin}): it is older, or first by name`;
    }
  }
}

function lossFinding({ namespace, name, raw }: ObjectRecord<ExternalService>, loss: ExternalLoss): Finding {
  const object = `ExternalService ${namespace}/${name}`;
  if (loss.kind === 'duplicate') {
    return {
      code: 'FW-RULE-041',
      severity: 'error',
      message: wordsOf(loss),
      where: { ...raw.where(['metadata', 'name']), object },
      hint: 'Keep it in one place',
    };
  }
  const where = { ...raw.where(['spec', 'hosts']), object, field: 'spec.hosts' };
  return loss.kind === 'service'
    ? {
        code: 'FW-RULE-171',
        severity: 'error',
        message: wordsOf(loss),
        where,
        hint: 'Remove the host; the mesh’s own services are reached without an ExternalService',
      }
    : {
        code: 'FW-RULE-170',
        severity: 'error',
        message: wordsOf(loss),
        where,
        hint: 'Remove the host from one of the two, or give both `from` with clusters of their own',
      };
}

function unknownCluster({ namespace, name, raw }: ObjectRecord<ExternalService>, cluster: string): Finding {
  return {
    code: 'FW-RULE-172',
    severity: 'warning',
    message: `no cluster named ${cluster} is registered`,
    where: {
      ...raw.where(['spec', 'from', 'clusters']),
      object: `ExternalService ${namespace}/${name}`,
      field: 'spec.from.clusters',
    },
    hint: 'Register the cluster, or correct the name',
  };
}
