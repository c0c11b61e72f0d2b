/**
 * The conditions and status of an object of any kind, as a pure function of what is known of it: equal inputs give the very object that was
 * there before, so that whoever writes it can tell that there is nothing to write. (TrafficRules say more: traffic-rule/conditions.ts.)
 */

import { isDeepStrictEqual } from 'node:util';
import type { ParentStatus } from '../../model/parent-status.ts';
import type { Condition } from '../../model/rule.ts';
import type { StatusShape } from '../objects/kind-types.ts';
import type { ObjectRecord } from '../objects/object-set.ts';
import { ownParents, type ParentVerdicts, parentStatuses, summaryOf } from './parent-status.ts';
import type { Programming } from './programming.ts';
import { conditionsOf, invalidWords, programmedVerdict, type Verdict } from './verdicts.ts';

export type { Verdict };

export interface ObjectVerdicts {
  readonly accepted: Verdict;
  /** undefined: the kind refers to nothing. */
  readonly resolvedRefs?: Verdict;
  /** Of drains alone: how far it is. */
  readonly drained?: Verdict;
  /**
   * Of kinds with a status per parent: each parent that is ours. What is said of the object as a whole then comes from them; `accepted` and
   * `resolvedRefs` count where there is none.
   */
  readonly parents?: readonly ParentVerdicts[];
  /** false: nothing of it is ever given to proxies, so it is not said how many hold it. */
  readonly isForProxies?: false;
  /** undefined: nothing of it is given to proxies, or it is not in force. */
  readonly programming?: Programming;
}

export interface ObjectStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly proxies: { readonly acknowledged: number; readonly total: number };
  /** Of kinds with a status per parent. */
  readonly parents?: readonly ParentStatus[];
}

/** The standard's own `Programmed` is Gateways' alone. */
const parentProgrammed = 'fairway.dev/Programmed';

/** `previous`: the status that was made or written last. */
export function objectStatus(
  generation: number,
  { accepted, resolvedRefs, drained, parents: judgedParents, isForProxies, programming }: ObjectVerdicts,
  nowMs: number,
  previous: ObjectStatus | undefined,
): ObjectStatus {
  const withProgress = judgedParents?.map(
    (parent): ParentVerdicts =>
      parent.programming === undefined
        ? parent
        : { ...parent, verdicts: [...parent.verdicts, [parentProgrammed, programmed(parent.programming)]] },
  );
  const parents =
    withProgress === undefined ? undefined : parentStatuses(generation, withProgress, nowMs, previous?.parents ?? []);
  const verdicts: readonly (readonly [Condition['type'], Verdict | undefined])[] = [
    ['Accepted', accepted],
    ['ResolvedRefs', resolvedRefs],
    ['Drained', drained],
    ['Programmed', isForProxies === false ? undefined : programmed(programming)],
  ];
  const ofParents = summaryOf(parents ?? []);
  const own = verdicts.flatMap(([type, verdict]) => {
    const of = ofParents.find((condition) => condition.type === type) ?? verdict;
    return of === undefined ? [] : [[type, of] as const];
  });
  const conditions = conditionsOf(own, generation, nowMs, previous?.conditions ?? []);
  const { acknowledged, total } = programming ?? { acknowledged: 0, total: 0 };
  const status: ObjectStatus = {
    observedGeneration: generation,
    conditions,
    proxies: { acknowledged, total },
    ...(parents === undefined ? {} : { parents }),
  };
  return previous !== undefined && isDeepStrictEqual(status, previous) ? previous : status;
}

/** What of a status is written into the object; undefined: nothing. `shape`: undefined for our own kinds. */
export function statusBody(status: ObjectStatus, shape: StatusShape | undefined): unknown {
  if (shape === undefined) return status;
  const { parents } = status;
  return shape === 'parents' && parents !== undefined ? { parents } : undefined;
}

/** The status that an object carries already, as far as it could have been written here. `shape`: undefined for our own kinds. */
export function writtenObjectStatus(object: unknown, shape?: StatusShape): ObjectStatus | undefined {
  if (shape === 'none') return undefined;
  if (shape === 'parents') return writtenParents(object);
  const status = (object as { readonly status?: Partial<ObjectStatus> } | null | undefined)?.status;
  if (typeof status !== 'object' || status === null || !Array.isArray(status.conditions)) return undefined;
  const isCondition = (item: unknown): boolean => typeof item === 'object' && item !== null;
  if (!status.conditions.every(isCondition) || typeof status.observedGeneration !== 'number') return undefined;
  return typeof status.proxies === 'object' && status.proxies !== null ? (status as ObjectStatus) : undefined;
}

function writtenParents(object: unknown): ObjectStatus | undefined {
  const parents = ownParents((object as { readonly status?: unknown } | null | undefined)?.status);
  const generations = parents.flatMap(({ conditions }) =>
    conditions.map(({ observedGeneration }) => observedGeneration),
  );
  const observedGeneration = Math.min(...generations);
  if (!Number.isSafeInteger(observedGeneration)) return undefined;
  return { observedGeneration, conditions: summaryOf(parents), proxies: { acknowledged: 0, total: 0 }, parents };
}

/** Of an object whose latest form is not valid; undefined for one that is. */
export function invalidVerdict<T>({ latest, lastGood, findings }: ObjectRecord<T>): Verdict | undefined {
  if (latest !== undefined) return undefined;
  const stays = lastGood === undefined ? 'no form of it is in force' : 'its last good form counts';
  return { status: 'False', reason: 'Invalid', message: `${invalidWords(findings)}; ${stays}` };
}

function programmed(programming: Programming | undefined): Verdict {
  if (programming === undefined) {
    return { status: 'False', reason: 'NotAccepted', message: 'no proxy is given what is not in force' };
  }
  return programmedVerdict(programming, 'no proxy that it is for is connected');
}
