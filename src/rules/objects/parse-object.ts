/**
 * The way from an object as somebody wrote it to its value, the same for every kind that has a head and a schema: envelope, shape, the kind's own
 * checks, and only then its value. With a finding of severity error there is no value; nothing is thrown, whatever the object is.
 */

import type { RawObject } from '../../model/object.ts';
import { readEnvelope } from './envelope.ts';
import type { Findings } from './findings.ts';
import type { KindHead, ParsedObject, ParseObjectOptions } from './kind-types.ts';
import { checkShape, type Sound, schemaCheck } from './structure.ts';

/** What the envelope says of a valid object. */
export interface ValidHead {
  readonly namespace: string;
  readonly name: string;
  /** metadata.generation, or 1 where there is none. */
  readonly generation: number;
  readonly createdAtMs: number;
  readonly origin: string;
}

export interface KindParser<Raw, T> {
  readonly head: KindHead;
  readonly schema: Parameters<typeof schemaCheck>[0];
  /** What a schema cannot say; parts of the wrong type are missing from `spec`, and told already. */
  check(spec: Sound<Raw>, findings: Findings): void;
  build(spec: Raw, head: ValidHead): T;
}

export function objectParser<Raw, T>(
  kind: KindParser<Raw, T>,
): (raw: RawObject, options: ParseObjectOptions) => ParsedObject<T> {
  const structure = schemaCheck(kind.schema);
  return (raw, { defaultNamespace }) => {
    const envelope = readEnvelope(raw, defaultNamespace, kind.head);
    const { findings, namespace, name, createdAtMs, generation, spec } = envelope;
    const known = { namespace, name, createdAtMs, spec, ...(generation === undefined ? {} : { generation }) };
    if (spec === undefined) return { ...known, findings: findings.list() };
    kind.check(checkShape<Raw>(spec, findings, structure()), findings);
    if (findings.hasErrors) return { ...known, findings: findings.list() };
    const head = { namespace, name, createdAtMs, generation: generation ?? 1, origin: raw.origin };
    return { ...known, value: kind.build(spec as Raw, head), findings: findings.list() };
  };
}
