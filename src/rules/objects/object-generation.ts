/** Which object it is, and how many forms it has had, for sets of objects (object-set.ts, traffic-rule/rule-set.ts). */

import { isDeepStrictEqual } from 'node:util';
import type { RawObject } from '../../model/object.ts';

/** Never falls, and rises with every change of the spec, even of a file that carries a metadata.generation which nobody counts up. */
export function nextGeneration(
  given: number | undefined,
  spec: unknown,
  before: { readonly spec: unknown; readonly generation: number } | undefined,
): number {
  if (before === undefined) return given ?? 1;
  const isSame = spec !== undefined && isDeepStrictEqual(spec, before.spec);
  return Math.max(given ?? 1, isSame ? before.generation : before.generation + 1);
}

export function uidOf(raw: RawObject): unknown {
  const { metadata } = (raw.object ?? {}) as { readonly metadata?: { readonly uid?: unknown } | null };
  return typeof metadata?.uid === 'string' ? metadata.uid : undefined;
}
