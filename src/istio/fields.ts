/**
 * Which fields Istio's kinds have, of which type, and what becomes of each: a table in, a finding for every field out that has no equal here, that
 * Istio does not have, or whose value is none that Istio takes. What always holds: no field of an object is passed over in silence.
 */

import { nearest } from '../rules/objects/suggest.ts';
import { checkValue, type ValueType } from './field-values.ts';
import type { Notes } from './notes.ts';
import { child, isMapping, itemsOf, jsonName, type Part } from './parts.ts';

export type Field =
  /** The translation reads it, and says itself what of it has no equal. */
  | { readonly kind: 'read'; readonly type: ValueType }
  /** It has no equal: why, and what to do. */
  | { readonly kind: 'none'; readonly why: string; readonly cure: string }
  /** `required`: Istio takes no such object without them. */
  | { readonly kind: 'object' | 'list' | 'map'; readonly fields: Fields; readonly required: readonly string[] };

export interface Fields {
  readonly [name: string]: Field;
}

export const text: Field = { kind: 'read', type: 'text' };
export const texts: Field = { kind: 'read', type: 'texts' };
export const textMap: Field = { kind: 'read', type: 'textMap' };
export const number: Field = { kind: 'read', type: 'number' };
export const whole: Field = { kind: 'read', type: 'whole' };
/** A whole number that is not negative. */
export const count: Field = { kind: 'read', type: 'count' };
export const countMap: Field = { kind: 'read', type: 'countMap' };
export const bool: Field = { kind: 'read', type: 'bool' };
export const duration: Field = { kind: 'read', type: 'duration' };

export function oneOf(...words: readonly string[]): Field {
  return { kind: 'read', type: words };
}

export function none(why: string, cure = 'Remove it once you can do without'): Field {
  return { kind: 'none', why, cure };
}

export function object(fields: Fields, required: readonly string[] = []): Field {
  return { kind: 'object', fields, required };
}

/** A list of objects. */
export function list(fields: Fields, required: readonly string[] = []): Field {
  return { kind: 'list', fields, required };
}

/** A map whose values are objects. */
export function map(fields: Fields): Field {
  return { kind: 'map', fields, required: [] };
}

export const stringMatch: Fields = { exact: text, prefix: text, regex: text };

/** `part`: a mapping with these fields. */
export function checkFields(part: Part, fields: Fields, required: readonly string[], notes: Notes): void {
  if (!isMapping(part.value)) {
    if (part.value !== null) notes.error('FW-ISTIO-003', part, 'must be a mapping');
    return;
  }
  for (const [key, value] of Object.entries(part.value)) {
    if (value === null) continue;
    const at: Part = { value, path: [...part.path, key], object: part.object };
    const name = jsonName(key);
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known === undefined) sayUnknown(at, key, fields, notes);
    else checkField(at, known, notes);
  }
  for (const name of required) {
    if (child(part, name) === undefined) notes.error('FW-ISTIO-003', part, `must have ${name}`, `Add ${name}`);
  }
}

function checkField(at: Part, field: Field, notes: Notes): void {
  switch (field.kind) {
    case 'read':
      checkValue(at, field.type, notes);
      return;
    case 'none':
      notes.warn('FW-ISTIO-002', at, `has no equal here: ${field.why}`, field.cure);
      return;
    case 'object':
      checkFields(at, field.fields, field.required, notes);
      return;
    case 'list':
      if (!Array.isArray(at.value)) notes.error('FW-ISTIO-003', at, 'must be a list');
      for (const item of itemsOf(at)) checkFields(item, field.fields, field.required, notes);
      return;
    case 'map':
      if (!isMapping(at.value)) {
        notes.error('FW-ISTIO-003', at, 'must be a mapping');
        return;
      }
      for (const [key, value] of Object.entries(at.value)) {
        const entry: Part = { value: value ?? {}, path: [...at.path, key], object: at.object };
        checkFields(entry, field.fields, field.required, notes);
      }
  }
}

function sayUnknown(at: Part, key: string, fields: Fields, notes: Notes): void {
  const meant = nearest(key, Object.keys(fields));
  const hint = meant === undefined ? 'Remove it: Istio takes no notice of it either' : `Did you mean \`${meant}\`?`;
  notes.warn('FW-ISTIO-001', at, `Istio has no field ${JSON.stringify(key)} here`, hint);
}

/** Every field of a table, by its path: `http[].match[].headers{}.exact`. */
export function fieldPaths(fields: Fields, before = ''): readonly { readonly path: string; readonly field: Field }[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = before === '' ? name : `${before}.${name}`;
    if (field.kind === 'read' || field.kind === 'none') return [{ path, field }];
    const mark = field.kind === 'list' ? '[]' : field.kind === 'map' ? '{}' : '';
    return [{ path, field }, ...fieldPaths(field.fields, `${path}${mark}`)];
  });
}
