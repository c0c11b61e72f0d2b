/**
 * What is to be written into the `status.parents` of a Gateway API route, which is one atomic list that several controllers share: our entries as
 * they should be, everybody else's as they are. Pure.
 *
 * What always holds: entries of other controllers stay, in their order, whatever they hold; one of ours that is not wanted any more goes;
 * lastTransitionTime moves only with a condition's status. https://gateway-api.sigs.k8s.io/reference/spec/#routestatus
 */

import { isDeepStrictEqual } from 'node:util';
import { gatewayControllerName } from '../../model/parent-status.ts';
import { keepTransitionTimes } from './transition-times.ts';

/** The CRDs take no more. */
export const maxParents = 32;

export interface ParentEntries {
  readonly status: { readonly parents: readonly unknown[] };
  /** Of ours, how many there is no room for. */
  readonly omitted: number;
}

/** `wanted`: a status with our entries alone; `held`: the whole status as it is. undefined: there is nothing to write. */
export function parentEntries(wanted: unknown, held: unknown): ParentEntries | undefined {
  const before = entriesOf(held);
  const open = [...entriesOf(wanted)];
  const parents: unknown[] = [];
  for (const entry of before) {
    const { controllerName, parentRef } = fields(entry);
    if (controllerName !== gatewayControllerName) {
      parents.push(entry);
      continue;
    }
    const at = open.findIndex((each) => isDeepStrictEqual(fields(each)['parentRef'], parentRef));
    if (at >= 0) parents.push(...open.splice(at, 1).map((each) => keepTransitionTimes(each, entry)));
  }
  const room = Math.max(0, maxParents - parents.length);
  parents.push(...open.slice(0, room));
  if (isDeepStrictEqual(parents, before)) return undefined;
  return { status: { parents }, omitted: Math.max(0, open.length - room) };
}

function entriesOf(status: unknown): readonly unknown[] {
  const { parents } = fields(status);
  return Array.isArray(parents) ? parents : [];
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
