/**
 * The statuses of a route's parents, as a pure function of what was judged of them; and out of them what is said of the route as a whole.
 */

import { isDeepStrictEqual } from 'node:util';
import { gatewayControllerName, type ParentStatus } from '../../model/parent-status.ts';
import type { Condition } from '../../model/rule.ts';
import type { Programming } from './programming.ts';
import { conditionsOf, type Verdict } from './verdicts.ts';

export interface ParentVerdicts {
  /** As the route's spec has it. */
  readonly parentRef: Readonly<Record<string, unknown>>;
  /** By type: `Accepted`, `ResolvedRefs`, …; in the order in which they are written. */
  readonly verdicts: readonly (readonly [type: string, verdict: Verdict])[];
  /** How many proxies hold what the route says for it; undefined: it is in force for nobody. */
  readonly programming?: Programming;
  /** What tells it from the other parents whose progress is another; '' where all parents that are in force have the same. */
  readonly form?: string;
}

/** `previous`: what was made or written last. */
export function parentStatuses(
  generation: number,
  judged: readonly ParentVerdicts[],
  nowMs: number,
  previous: readonly ParentStatus[],
): readonly ParentStatus[] {
  return judged.map(({ parentRef, verdicts }) => {
    const before = previous.find((entry) => isDeepStrictEqual(entry.parentRef, parentRef))?.conditions ?? [];
    const conditions = conditionsOf(verdicts, generation, nowMs, before);
    return { parentRef, controllerName: gatewayControllerName, conditions };
  });
}

/** Our entries in a status, as far as they could have been written here. */
export function ownParents(status: unknown): readonly ParentStatus[] {
  const parents = (status as { readonly parents?: unknown } | null | undefined)?.parents;
  if (!Array.isArray(parents)) return [];
  return parents.filter((entry: Partial<ParentStatus> | null): entry is ParentStatus => {
    if (entry?.controllerName !== gatewayControllerName) return false;
    if (typeof entry.parentRef !== 'object' || entry.parentRef === null || !Array.isArray(entry.conditions))
      return false;
    return entry.conditions.every((item: unknown) => typeof item === 'object' && item !== null);
  });
}

const summarised = ['Accepted', 'ResolvedRefs'] as const;

/** Of the route as a whole: for each type the first parent's that is not True, or the first's. */
export function summaryOf(parents: readonly ParentStatus[]): readonly Condition[] {
  return summarised.flatMap((type): Condition[] => {
    const all = parents.flatMap(({ conditions }) => conditions.filter((condition) => condition.type === type));
    const [first] = all;
    if (first === undefined) return [];
    return [{ ...(all.find(({ status }) => status !== 'True') ?? first), type }];
  });
}
