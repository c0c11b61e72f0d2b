/**
 * A rule object's conditions and status, as a pure function of what is known of it: equal inputs give the very object that was there before,
 * so that whoever writes it can tell that there is nothing to write.
 *
 * - Accepted: its latest form is valid, and it is the one in force for its service.
 * - ResolvedRefs: its targets exist.
 * - Programmed: all connected proxies hold it. Unknown with no proxy connected: there is nobody to hold it, which is neither good nor bad.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '../model/rule.ts';
import { trimWords } from './findings.ts';
import { countWords, isComplete, isUnasked, type Programming } from './programming.ts';
import type { Resolution } from './resolve.ts';
import type { RuleRecord } from './rule-set.ts';

export interface RuleStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly routes: number;
  readonly proxies: { readonly acknowledged: number; readonly total: number };
}

/** Kubernetes takes messages of up to 32768 characters. */
const maxMessageLength = 4096;
const maxListed = 5;

/** `resolution` of the record's last good form; undefined where there is none. `previous`: the status that was made or written last. */
export function ruleStatus(
  record: RuleRecord,
  resolution: Resolution | undefined,
  programming: Programming,
  nowMs: number,
  previous: RuleStatus | undefined,
): RuleStatus {
  const { acknowledged, total } = isInForce(record) ? programming : { acknowledged: 0, total: 0 };
  const status: RuleStatus = {
    observedGeneration: record.generation,
    conditions: ruleConditions(record, resolution, programming, nowMs, previous?.conditions ?? []),
    routes: record.lastGood?.routes.length ?? 0,
    proxies: { acknowledged, total },
  };
  return isDeepStrictEqual(status, previous) && previous !== undefined ? previous : status;
}

/**
 * The status that an object carries, as it was written before this process started or by another replica; undefined when it has none, or
 * none that could have been written here. Given as `previous`, it keeps transition times, and what is there already from being written again.
 */
export function writtenStatus(object: unknown): RuleStatus | undefined {
  const status = (object as { readonly status?: Partial<RuleStatus> } | null | undefined)?.status;
  if (typeof status !== 'object' || status === null || !Array.isArray(status.conditions)) return undefined;
  const isCondition = (item: Partial<Condition> | null): boolean =>
    typeof item?.type === 'string' &&
    typeof item.status === 'string' &&
    Number.isFinite(Date.parse(String(item.lastTransitionTime)));
  return status.conditions.every(isCondition) ? (status as RuleStatus) : undefined;
}

export function ruleConditions(
  record: RuleRecord,
  resolution: Resolution | undefined,
  programming: Programming,
  nowMs: number,
  previous: readonly Condition[],
): readonly Condition[] {
  const judged: readonly (Verdict & Pick<Condition, 'type'>)[] = [
    { type: 'Accepted', ...accepted(record) },
    { type: 'ResolvedRefs', ...resolvedRefs(record, resolution) },
    { type: 'Programmed', ...programmed(record, programming) },
  ];
  const conditions = judged.map(({ type, status, reason, message }): Condition => {
    const before = previous.find((condition) => condition.type === type);
    const condition: Condition = {
      type,
      status,
      reason,
      message: trimWords(message, maxMessageLength),
      observedGeneration: record.generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : formatTime(nowMs),
    };
    return before !== undefined && isDeepStrictEqual(before, condition) ? before : condition;
  });
  const isSame = conditions.length === previous.length && conditions.every((condition, i) => condition === previous[i]);
  return isSame ? previous : conditions;
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** Some form of the object is in force. */
export function isInForce(record: RuleRecord): boolean {
  return record.lastGood !== undefined && record.loss === undefined && record.withheld === undefined;
}

function accepted(record: RuleRecord): Verdict {
  if (record.latest === undefined) {
    const errors = record.findings.filter(({ severity }) => severity === 'error');
    const [first] = errors;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    const at = first?.where.field === undefined ? '' : `${first.where.field}: `;
    const wrong =
      first === undefined ? 'the object is not valid' : `${first.code} ${at}${first.message}. ${first.hint}${more}`;
    return { status: 'False', reason: 'Invalid', message: `${wrong}; ${whatStays(record)}` };
  }
  if (record.loss !== undefined) {
    const { kind, by } = record.loss;
    const message =
      kind === 'duplicate'
        ? `the same object from ${by.origin} goes before this one`
        : `TrafficRule ${by.id} is in force for service ${record.latest.service}: it is older, or first by name`;
    return { status: 'False', reason: 'Conflicted', message };
  }
  if (record.withheld !== undefined) return { status: 'False', ...record.withheld };
  const warnings = record.findings.filter(({ severity }) => severity === 'warning');
  const message = [
    'the rule is valid and in force',
    ...warnings.map((finding) => `${finding.code} ${finding.message}`),
  ].join('; ');
  return { status: 'True', reason: 'Accepted', message };
}

function whatStays({ lastGood, loss, withheld }: RuleRecord): string {
  if (lastGood === undefined) return 'no form of this rule is in force';
  if (withheld !== undefined) return withheld.message;
  if (loss !== undefined)
    return `the last good form (generation ${lastGood.ref.generation}) is not in force either: TrafficRule ${loss.by.id} is`;
  return `the last good form (generation ${lastGood.ref.generation}) stays in force`;
}

function resolvedRefs(record: RuleRecord, resolution: Resolution | undefined): Verdict {
  if (record.latest === undefined || resolution === undefined) {
    return { status: 'Unknown', reason: 'Invalid', message: 'the targets of an invalid rule are not looked up' };
  }
  if (resolution.resolved) return { status: 'True', reason: 'ResolvedRefs', message: 'all targets exist' };
  return { status: 'False', reason: resolution.reason, message: resolution.message };
}

function programmed(record: RuleRecord, programming: Programming): Verdict {
  const { latest, lastGood } = record;
  const { rejections, moreRejections = 0 } = programming;
  if (!isInForce(record) || lastGood === undefined) {
    return { status: 'False', reason: 'NotAccepted', message: 'no proxy is given a rule that is not in force' };
  }
  const count = countWords(programming);
  if (latest === undefined) {
    const message = `generation ${record.generation} is not valid; of the last good form (generation ${lastGood.ref.generation}), ${count}`;
    return { status: 'False', reason: 'Invalid', message };
  }
  if (rejections.length > 0) {
    // By node, so that the order in which proxies answered makes no difference.
    const sorted = rejections.toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const words = sorted.slice(0, maxListed).map(({ node, error }) => `${node} rejected it: ${trimWords(error, 600)}`);
    const rest = Math.max(0, sorted.length - maxListed) + moreRejections;
    const more = rest > 0 ? [`and ${rest} more proxies rejected it`] : [];
    return { status: 'False', reason: 'Rejected', message: [...words, ...more, count].join('; ') };
  }
  if (isUnasked(programming)) return { status: 'Unknown', reason: 'NoProxies', message: 'no proxy is connected' };
  if (!isComplete(programming)) return { status: 'False', reason: 'Pending', message: count };
  return { status: 'True', reason: 'Programmed', message: count };
}

/** RFC 3339 in whole seconds, as Kubernetes keeps times. */
function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
