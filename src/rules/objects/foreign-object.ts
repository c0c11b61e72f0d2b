/**
 * An object of a kind that others define, read as far as all objects go: who it is, its spec as a mapping, within the bounds of our own. What the
 * spec means is for the parser of its kind, which goes on from here.
 */

import type { ErrorCode } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import type { RuleCode } from '../codes/rule-codes.ts';
import { readEnvelope } from './envelope.ts';
import { type Findings, show } from './findings.ts';
import type { KindHead, ParsedObject, ParseObjectOptions } from './kind-types.ts';
import type { ValidHead } from './parse-object.ts';
import { specHash } from './spec-hash.ts';

type Mapping = Readonly<Record<string, unknown>>;

export interface ForeignObject extends ValidHead {
  /** As it was given: of one kind several versions are read. */
  readonly apiVersion: string;
  /** As it was given; only that it is a mapping is known. */
  readonly spec: Mapping;
  /** Of the spec. */
  readonly hash: string;
}

/** `build`: the value that is made of it, after it has said what is wrong; what it returns counts only if nothing is. */
export function foreignParser<T, Code extends ErrorCode = RuleCode>(
  head: KindHead,
  build: (object: ForeignObject, findings: Findings<Code | RuleCode>) => T,
): (raw: RawObject, options: ParseObjectOptions) => ParsedObject<T> {
  return (raw, { defaultNamespace }) => {
    const { findings, namespace, name, createdAtMs, generation, spec } = readEnvelope(raw, defaultNamespace, head);
    const known = { namespace, name, createdAtMs, spec, ...(generation === undefined ? {} : { generation }) };
    if (spec === undefined) return { ...known, findings: findings.list() };
    const hash = specHash(spec);
    if (!isMapping(spec) || hash === undefined) {
      findings.error('FW-RULE-007', ['spec'], `spec must be a mapping; it is ${show(spec)}`, 'Write a mapping');
      return { ...known, findings: findings.list() };
    }
    const { apiVersion } = raw.object as { readonly apiVersion: string };
    const valid = { namespace, name, createdAtMs, generation: generation ?? 1, origin: raw.origin };
    const value = build({ ...valid, apiVersion, spec, hash }, findings);
    const list = findings.list();
    return findings.hasErrors ? { ...known, findings: list } : { ...known, value, findings: list };
  };
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
