/**
 * ClusterPolicies at work: the objects of the primary go in; the policies that count, and the verdict on each object, come out. A policy whose
 * latest form is not valid counts in its last good form.
 */

import { compareText } from '../../core/compare-text.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import { type Grants, matchesPattern } from '../../rules/cluster-policy/grants.ts';
import { clusterPolicyHead } from '../../rules/cluster-policy/head.ts';
import { parseClusterPolicy } from '../../rules/cluster-policy/parse.ts';
import { type ObjectRecord, ObjectSet } from '../../rules/objects/object-set.ts';
import { invalidVerdict, type Verdict } from '../../rules/status/object-status.ts';
import type { Engine } from '../engine.ts';
import type { Judgement } from '../status/object-stage.ts';

const maxObjects = 2_000;

export function policyObjects(logger: Logger): ObjectSet<ClusterPolicy> {
  return new ObjectSet({
    head: clusterPolicyHead,
    parse: parseClusterPolicy,
    logger,
    maxObjects,
    defaultNamespace: 'default',
  });
}

/** Of two sources' copies of one object the older counts, then the first by source. */
export function policiesThatCount(objects: ObjectSet<ClusterPolicy>): readonly ClusterPolicy[] {
  return [...winners(objects).values()].flatMap(({ lastGood }) => lastGood ?? []);
}

function winners(objects: ObjectSet<ClusterPolicy>): ReadonlyMap<string, ObjectRecord<ClusterPolicy>> {
  const byName = new Map<string, ObjectRecord<ClusterPolicy>>();
  const order = (a: ObjectRecord<ClusterPolicy>, b: ObjectRecord<ClusterPolicy>): number =>
    a.createdAtMs - b.createdAtMs || compareText(a.key, b.key);
  for (const record of objects
    .records()
    .filter(({ lastGood }) => lastGood !== undefined)
    .toSorted(order))
    if (!byName.has(record.name)) byName.set(record.name, record);
  return byName;
}

export interface PolicyVerdictInputs {
  readonly objects: ObjectSet<ClusterPolicy>;
  readonly grants: () => Grants;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  readonly isPrimary: (cluster: string) => boolean;
}

export function judgePolicy(record: ObjectRecord<ClusterPolicy>, inputs: PolicyVerdictInputs): Judgement {
  const { lastGood, latest, name, raw } = record;
  const first = winners(inputs.objects).get(name);
  const copy = first !== undefined && first.key !== record.key && lastGood !== undefined ? first : undefined;
  const policy = latest ?? lastGood;
  const registered = [...inputs.clusters()];
  const named = registered.filter((cluster) => policy?.clusters.some((pattern) => matchesPattern(pattern, cluster)));
  const unknown = (policy?.clusters ?? []).filter((pattern) => !pattern.endsWith('*') && !registered.includes(pattern));
  const object = `ClusterPolicy ${name}`;
  const at = (path: readonly string[]): Finding['where'] => ({ ...raw.where(path), object, field: path.join('.') });
  const findings: Finding[] = unknown.map((cluster) => ({
    code: 'FW-RULE-195',
    severity: 'warning',
    message: `no cluster named ${cluster} is registered`,
    where: at(['spec', 'clusters']),
    hint: 'Register the cluster, or correct the name',
  }));
  if (copy !== undefined) {
    findings.push({
      code: 'FW-RULE-041',
      severity: 'error',
      message: copyMessage(copy),
      where: at(['metadata', 'name']),
      hint: 'Keep it in one place',
    });
  }
  const primary = policy?.clusters.find((pattern) => !pattern.endsWith('*') && inputs.isPrimary(pattern));
  if (primary !== undefined) {
    findings.push({
      code: 'FW-RULE-197',
      severity: 'warning',
      message: `${primary} is the primary: its rules hold for every cluster, and the policy changes nothing for it`,
      where: at(['spec', 'clusters']),
      hint: 'Take it out of the policy',
    });
  }
  const dispute = policy === undefined ? undefined : disputeOf(policy, named, inputs.grants());
  if (dispute !== undefined) {
    findings.push({
      code: 'FW-RULE-196',
      severity: 'warning',
      message: dispute,
      where: at(['spec', 'precedence']),
      hint: 'Give both the same precedence, or take the namespace out of one',
    });
  }
  const isInForce = lastGood !== undefined && copy === undefined;
  return {
    accepted: invalidVerdict(record) ?? acceptedVerdict(copy, findings),
    resolvedRefs: resolvedVerdict(latest === undefined, unknown),
    ...(isInForce ? { programming: inputs.engine.reach.ofMembers(new Set(named)) } : {}),
    findings,
  };
}

function disputeOf(policy: ClusterPolicy, clusters: readonly string[], grants: Grants): string | undefined {
  for (const cluster of clusters) {
    for (const other of grants.ofCluster(cluster)) {
      if (other.ref.name === policy.ref.name || other.precedence === policy.precedence) continue;
      const shared = policy.grants.some((a) => other.grants.some((b) => overlap(a.namespaces, b.namespaces)));
      if (shared)
        return `ClusterPolicy ${other.ref.name} grants ${cluster} the same with precedence: ${other.precedence}; the primary goes first`;
    }
  }
  return undefined;
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  const beginning = (pattern: string): string => pattern.replace(/\*$/, '');
  return a.some((one) => b.some((two) => matchesPattern(one, beginning(two)) || matchesPattern(two, beginning(one))));
}

function acceptedVerdict(copy: ObjectRecord<ClusterPolicy> | undefined, findings: readonly Finding[]): Verdict {
  if (copy !== undefined) return { status: 'False', reason: 'Conflicted', message: copyMessage(copy) };
  const warnings = findings.map(({ code, message }) => `${code} ${message}`);
  return { status: 'True', reason: 'Accepted', message: ['the policy is valid and in force', ...warnings].join('; ') };
}

function copyMessage({ raw }: ObjectRecord<ClusterPolicy>): string {
  return `the same object from ${raw.origin} goes before this one`;
}

function resolvedVerdict(isInvalid: boolean, unknown: readonly string[]): Verdict {
  if (isInvalid)
    return { status: 'Unknown', reason: 'Invalid', message: 'the references of an invalid object are not looked up' };
  if (unknown.length === 0)
    return { status: 'True', reason: 'ResolvedRefs', message: 'all clusters that it names are registered' };
  return {
    status: 'False',
    reason: 'ClusterNotFound',
    message: `no cluster named ${unknown.join(', ')} is registered`,
  };
}
