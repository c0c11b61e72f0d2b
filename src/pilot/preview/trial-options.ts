/** How objects are put on trial: where those go that no source has, and with which age. */

import type { RawObject } from '../../model/object.ts';
import type { ParsedObject } from '../../rules/objects/kind-types.ts';

export interface GivenObject {
  readonly raw: RawObject;
  readonly kind: string;
  readonly parsed: ParsedObject;
}

export interface TrialOptions {
  /** Where objects go that no source has. */
  readonly source: string;
  readonly defaultNamespace: string;
  readonly nowMs: number;
}

/** `namespace`: '' for kinds without one. */
export function withAge(object: unknown, namespace: string, createdAtMs: number): unknown {
  const { metadata, ...rest } = object as { readonly metadata?: Readonly<Record<string, unknown>> };
  const { creationTimestamp: _given, ...own } = metadata ?? {};
  const age = createdAtMs === 0 ? {} : { creationTimestamp: new Date(createdAtMs).toISOString() };
  return { ...rest, metadata: { ...own, ...(namespace === '' ? {} : { namespace }), ...age } };
}
