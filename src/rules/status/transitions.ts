/**
 * Which changes of an object's conditions are news for people: what is told in a Kubernetes Event and in a line of the log. Pure.
 *
 * What always holds: a condition that keeps its status and reason is no news, whatever its message says; proxies that come, go and acknowledge
 * one after the other are none either: Programmed is news when a proxy rejects the object, and when none does any more.
 */

import type { Condition } from '../../model/rule.ts';

export interface Transition {
  readonly condition: string;
  readonly status: Condition['status'];
  /** CamelCase: of an Event. */
  readonly reason: string;
  readonly message: string;
  readonly severity: 'Normal' | 'Warning';
}

/** Conditions for which False is bad news. Of others it is as good as True: they say what goes on. */
const goodWhenTrue: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'Programmed']);

/** `before`: undefined or empty for an object that had none. */
export function transitions(
  before: readonly Condition[] | undefined,
  after: readonly Condition[],
): readonly Transition[] {
  return after.flatMap((condition): Transition[] => {
    const earlier = before?.find(({ type }) => type === condition.type);
    if (earlier?.status === condition.status && earlier.reason === condition.reason) return [];
    return isNews(earlier, condition) ? [transition(condition)] : [];
  });
}

function isNews(earlier: Condition | undefined, { type, status, reason }: Condition): boolean {
  if (type === 'Programmed') return (reason === 'Rejected') !== (earlier?.reason === 'Rejected');
  // What is well from the beginning is no news: a pilot without Kubernetes would tell of every rule at every start.
  if (goodWhenTrue.has(type)) return status === 'False' || earlier?.status === 'False';
  return earlier !== undefined || status === 'True';
}

function transition({ type, status, reason, message }: Condition): Transition {
  const isBad = goodWhenTrue.has(type) && status === 'False';
  if (type !== 'Programmed' || reason === 'Rejected') {
    return { condition: type, status, reason, message, severity: isBad ? 'Warning' : 'Normal' };
  }
  return {
    condition: type,
    status,
    reason: 'NotRejected',
    message: `no proxy rejects it any more; ${message}`,
    severity: 'Normal',
  };
}
