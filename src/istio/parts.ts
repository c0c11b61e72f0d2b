/**
 * Parts of Istio's objects: a value together with the object that it stands in and where. In: specs that nobody has checked. Out: values of the
 * type that is asked for; what has another type is told, and then is as if it were not there.
 *
 * What always holds: fields are found under their names of JSON (`uriRegexRewrite`) and of the protocol (`uri_regex_rewrite`), as Istio reads them.
 */

import type { Where } from '../core/errors.ts';
import type { Path } from '../rules/objects/findings.ts';
import { show } from '../rules/objects/findings.ts';
import type { Notes } from './notes.ts';

export type Mapping = Readonly<Record<string, unknown>>;

export const istioKindNames = ['VirtualService', 'DestinationRule', 'ServiceEntry'] as const;
export type IstioKindName = (typeof istioKindNames)[number];

/** One object, as far as all are alike. Replaced, never changed. */
export interface IstioObject {
  /** Unique among all that are looked at together. */
  readonly key: string;
  readonly kind: IstioKindName;
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly generation: number;
  /** For people: `rules/reviews.yaml`. */
  readonly origin: string;
  readonly spec: Mapping;
  readonly where: (path: readonly (string | number)[], what?: 'key' | 'value') => Where;
}

export interface Part {
  readonly value: unknown;
  readonly path: Path;
  readonly object: IstioObject;
}

export function specOf(object: IstioObject): Part {
  return { value: object.spec, path: ['spec'], object };
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `uri_regex_rewrite` → `uriRegexRewrite` */
export function jsonName(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The fields of a mapping, by their names of JSON; null counts as left out. */
export function fieldsOf(part: Part | undefined): ReadonlyMap<string, Part> {
  if (part === undefined || !isMapping(part.value)) return new Map();
  return new Map(
    Object.entries(part.value)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [jsonName(name), { value, path: [...part.path, name], object: part.object }]),
  );
}

export function child(part: Part | undefined, name: string): Part | undefined {
  if (part === undefined || !isMapping(part.value)) return undefined;
  for (const key of Object.keys(part.value)) {
    if ((key !== name && jsonName(key) !== name) || part.value[key] === null) continue;
    return { value: part.value[key], path: [...part.path, key], object: part.object };
  }
  return undefined;
}

/** The entries of a map whose keys are anybody's. */
export function entriesOf(part: Part | undefined): readonly (readonly [string, Part])[] {
  if (part === undefined || !isMapping(part.value)) return [];
  return Object.entries(part.value).map(([key, value]) => [
    key,
    { value, path: [...part.path, key], object: part.object },
  ]);
}

export function itemsOf(part: Part | undefined): readonly Part[] {
  if (part === undefined || !Array.isArray(part.value)) return [];
  return part.value.map((value: unknown, i) => ({ value, path: [...part.path, i], object: part.object }));
}

/** '' and undefined alike: in Istio what is empty is not there. */
export function textOf(part: Part | undefined, notes: Notes): string | undefined {
  if (part === undefined || part.value === '') return undefined;
  if (typeof part.value === 'string') return part.value;
  wrongType(part, 'text', notes);
  return undefined;
}

export function numberOf(part: Part | undefined, notes: Notes): number | undefined {
  if (part === undefined) return undefined;
  if (typeof part.value === 'number' && Number.isFinite(part.value)) return part.value;
  // JSON of protocol buffers writes wide numbers as text.
  if (typeof part.value === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(part.value)) return Number(part.value);
  wrongType(part, 'a number', notes);
  return undefined;
}

export function booleanOf(part: Part | undefined, notes: Notes): boolean | undefined {
  if (part === undefined) return undefined;
  if (typeof part.value === 'boolean') return part.value;
  wrongType(part, 'true or false', notes);
  return undefined;
}

export function textsOf(part: Part | undefined, notes: Notes): readonly string[] {
  return itemsOf(part).flatMap((item) => textOf(item, notes) ?? []);
}

function wrongType(part: Part, wanted: string, notes: Notes): void {
  notes.error('FW-ISTIO-003', part, `must be ${wanted}; it is ${show(part.value)}`);
}
