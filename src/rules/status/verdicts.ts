/**
 * Verdicts on an object, and the conditions that they become, for every kind. Pure: equal inputs give the very conditions that were there before, so
 * that whoever writes them can tell that there is nothing to write.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../../core/errors.ts';
import type { Condition } from '../../model/rule.ts';
import { formatTime, maxMessageLength, trimWords } from '../objects/findings.ts';
import { countWords, isComplete, isUnasked, type Programming } from './programming.ts';

export interface Verdict {
  readonly status: Condition['status'];
  /** CamelCase, stable. */
  readonly reason: string;
  readonly message: string;
}

interface AnyCondition extends Omit<Condition, 'type'> {
  readonly type: string;
}

const maxListed = 5;

/** In the order of the verdicts. `previous`: what was made or written last; lastTransitionTime moves only with a condition's status. */
export function conditionsOf<Type extends string>(
  verdicts: readonly (readonly [type: Type, verdict: Verdict])[],
  generation: number,
  nowMs: number,
  previous: readonly AnyCondition[],
): readonly (Omit<Condition, 'type'> & { readonly type: Type })[] {
  type Made = Omit<Condition, 'type'> & { readonly type: Type };
  const conditions = verdicts.map(([type, { status, reason, message }]): Made => {
    const before = previous.find((condition) => condition.type === type);
    const condition: Made = {
      type,
      status,
      reason,
      message: trimWords(message, maxMessageLength),
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : formatTime(nowMs),
    };
    return before !== undefined && isDeepStrictEqual(before, condition) ? (before as Made) : condition;
  });
  const isSame = conditions.length === previous.length && conditions.every((condition, i) => condition === previous[i]);
  return isSame ? (previous as readonly Made[]) : conditions;
}

/** What is wrong with a form that is not valid: its first error, and how many more there are. */
export function invalidWords(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return 'the object is not valid';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const at = first.where.field === undefined ? '' : `${first.where.field}: `;
  return `${first.code} ${at}${first.message}. ${first.hint}${more}`;
}

/** How far proxies are with what is in force. `nobody`: what is said where there is no proxy to hold it. */
export function programmedVerdict(programming: Programming, nobody: string): Verdict {
  const { rejections, moreRejections = 0 } = programming;
  const count = countWords(programming);
  if (rejections.length > 0) {
    // By node, so that the order in which proxies answered makes no difference.
    const sorted = rejections.toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const words = sorted.slice(0, maxListed).map(({ node, error }) => `${node} rejected it: ${trimWords(error, 600)}`);
    const rest = Math.max(0, sorted.length - maxListed) + moreRejections;
    const more = rest > 0 ? [`and ${rest} more proxies rejected it`] : [];
    return { status: 'False', reason: 'Rejected', message: [...words, ...more, count].join('; ') };
  }
  if (isUnasked(programming)) return { status: 'Unknown', reason: 'NoProxies', message: nobody };
  if (!isComplete(programming)) return { status: 'False', reason: 'Pending', message: count };
  return { status: 'True', reason: 'Programmed', message: count };
}
