/**
 * A rule object's conditions and status, as a pure function of what is known of it: equal inputs give the very object that was there before,
 * so that whoever writes it can tell that there is nothing to write.
 *
 * - Accepted: its latest form is valid, and it is the one in force for its service.
 * - ResolvedRefs: its targets exist.
 * - Programmed: all connected proxies hold it. Unknown with no proxy connected: there is nobody to hold it, which is neither good nor bad.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '../../model/rule.ts';
import { countWords, type Programming } from '../status/programming.ts';
import { conditionsOf, invalidWords, programmedVerdict, type Verdict } from '../status/verdicts.ts';
import type { Resolution } from './resolve.ts';
import type { RuleRecord } from './rule-record.ts';

export interface RuleStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly routes: number;
  readonly proxies: { readonly acknowledged: number; readonly total: number };
}

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
  return conditionsOf(
    [
      ['Accepted', accepted(record)],
      ['ResolvedRefs', resolvedRefs(record, resolution)],
      ['Programmed', programmed(record, programming)],
    ],
    record.generation,
    nowMs,
    previous,
  );
}

/** Some form of the object is in force. */
export function isInForce(record: RuleRecord): boolean {
  return record.lastGood !== undefined && record.loss === undefined && record.withheld === undefined;
}

function accepted(record: RuleRecord): Verdict {
  if (record.latest === undefined) {
    return { status: 'False', reason: 'Invalid', message: `${invalidWords(record.findings)}; ${whatStays(record)}` };
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
  if (!isInForce(record) || lastGood === undefined) {
    return { status: 'False', reason: 'NotAccepted', message: 'no proxy is given a rule that is not in force' };
  }
  if (latest === undefined) {
    const message = `generation ${record.generation} is not valid; of the last good form (generation ${lastGood.ref.generation}), ${countWords(programming)}`;
    return { status: 'False', reason: 'Invalid', message };
  }
  return programmedVerdict(programming, 'no proxy is connected');
}
