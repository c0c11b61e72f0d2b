/**
 * The conditions and status of an object of any kind, as a pure function of what is known of it: equal inputs give the very object that was
 * there before, so that whoever writes it can tell that there is nothing to write. (TrafficRules say more: conditions.ts.)
 */

import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '../model/rule.ts';
import { trimWords } from './findings.ts';
import type { ObjectRecord } from './object-set.ts';
import { countWords, isComplete, isUnasked, type Programming } from './programming.ts';

export interface Verdict {
  readonly status: Condition['status'];
  /** CamelCase, stable. */
  readonly reason: string;
  readonly message: string;
}

export interface ObjectVerdicts {
  readonly accepted: Verdict;
  /** undefined: the kind refers to nothing. */
  readonly resolvedRefs?: Verdict;
  /** Of drains alone: how far it is. */
  readonly drained?: Verdict;
  /** undefined: nothing of it is given to proxies, or it is not in force. */
  readonly programming?: Programming;
}

export interface ObjectStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly proxies: { readonly acknowledged: number; readonly total: number };
}

const maxMessageLength = 4096;
const maxListed = 5;

/** `previous`: the status that was made or written last. */
export function objectStatus(
  generation: number,
  { accepted, resolvedRefs, drained, programming }: ObjectVerdicts,
  nowMs: number,
  previous: ObjectStatus | undefined,
): ObjectStatus {
  const verdicts: readonly (readonly [Condition['type'], Verdict | undefined])[] = [
    ['Accepted', accepted],
    ['ResolvedRefs', resolvedRefs],
    ['Drained', drained],
    ['Programmed', programmed(programming)],
  ];
  const conditions = verdicts.flatMap(([type, verdict]) => {
    if (verdict === undefined) return [];
    const before = previous?.conditions.find((condition) => condition.type === type);
    const condition: Condition = {
      type,
      status: verdict.status,
      reason: verdict.reason,
      message: trimWords(verdict.message, maxMessageLength),
      observedGeneration: generation,
      lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : formatTime(nowMs),
    };
    return [condition];
  });
  const { acknowledged, total } = programming ?? { acknowledged: 0, total: 0 };
  const status = { observedGeneration: generation, conditions, proxies: { acknowledged, total } };
  return previous !== undefined && isDeepStrictEqual(status, previous) ? previous : status;
}

/** The status that an object carries already, as far as it could have been written here. */
export function writtenObjectStatus(object: unknown): ObjectStatus | undefined {
  const status = (object as { readonly status?: Partial<ObjectStatus> } | null | undefined)?.status;
  if (typeof status !== 'object' || status === null || !Array.isArray(status.conditions)) return undefined;
  const isCondition = (item: unknown): boolean => typeof item === 'object' && item !== null;
  if (!status.conditions.every(isCondition) || typeof status.observedGeneration !== 'number') return undefined;
  return typeof status.proxies === 'object' && status.proxies !== null ? (status as ObjectStatus) : undefined;
}

/** Of an object whose latest form is not valid; undefined for one that is. */
export function invalidVerdict<T>({ latest, lastGood, findings }: ObjectRecord<T>): Verdict | undefined {
  if (latest !== undefined) return undefined;
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const at = first?.where.field === undefined ? '' : `${first.where.field}: `;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const wrong =
    first === undefined ? 'the object is not valid' : `${first.code} ${at}${first.message}. ${first.hint}${more}`;
  const stays = lastGood === undefined ? 'no form of it is in force' : 'its last good form counts';
  return { status: 'False', reason: 'Invalid', message: `${wrong}; ${stays}` };
}

function programmed(programming: Programming | undefined): Verdict {
  if (programming === undefined) {
    return { status: 'False', reason: 'NotAccepted', message: 'no proxy is given what is not in force' };
  }
  const { rejections, moreRejections = 0 } = programming;
  const count = countWords(programming);
  if (rejections.length > 0) {
    const words = rejections
      .slice(0, maxListed)
      .map(({ node, error }) => `${node} rejected it: ${trimWords(error, 600)}`);
    const rest = Math.max(0, rejections.length - maxListed) + moreRejections;
    const more = rest > 0 ? [`and ${rest} more proxies rejected it`] : [];
    return { status: 'False', reason: 'Rejected', message: [...words, ...more, count].join('; ') };
  }
  if (isUnasked(programming))
    return { status: 'Unknown', reason: 'NoProxies', message: 'no proxy that it is for is connected' };
  if (!isComplete(programming)) return { status: 'False', reason: 'Pending', message: count };
  return { status: 'True', reason: 'Programmed', message: count };
}

/** RFC 3339 in whole seconds, as Kubernetes keeps times. */
function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
