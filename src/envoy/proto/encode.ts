/**
 * Plain objects, written as Envoy's JSON and YAML are, to protobuf bytes.
 *
 * In: snake_case fields, enums by name, durations as `1.5s`, wrappers as bare values, structs as plain JSON, `{'@type': url, …}` for an Any.
 * Out: bytes that depend on the values alone: fields in the order of their numbers, map keys sorted, default values left out.
 * What always holds: a field that the message does not have, a value of the wrong kind or two members of one oneof throw, so that a typing
 * mistake cannot vanish on its way to Envoy.
 */

import { hash } from 'node:crypto';
import protobuf from 'protobufjs';
import type { EncodedResource } from '../../core/resource.ts';
import { messageType, typeNameOf, typeUrlOf } from './schema.ts';

/** A message as plain data. `undefined` means absent. */
export interface Plain {
  readonly [field: string]: unknown;
}

export type NamedPlain = Plain & { readonly name: string };

/** `value` as the content of a google.protobuf.Any: `any('envoy.….Router', {})`. */
export function any(typeName: string, value: Plain = {}): Plain {
  return { '@type': typeUrlOf(typeName), ...value };
}

/** An `any` that is used again and again, such as a filter without settings: it is encoded once. Its parts must never change. */
export function constantAny(typeName: string, value: Plain = {}): Plain {
  const constant = any(typeName, value);
  constants.set(constant, undefined);
  return constant;
}

const constants = new WeakMap<Plain, object | undefined>();

/**
 * Throws a plain Error that names the field: what is encoded comes from this program, not from a user.
 * The bytes are a slice of a larger buffer: copy them (`ownBytes`) if they are to be kept.
 */
export function encodeMessage(typeName: string, value: Plain): Buffer {
  const type = messageType(typeName);
  return type.encode(message(type, value, typeName)).finish() as Buffer;
}

/** A resource as the protocol carries it: an encoded Any, and its hash. */
export function encodeResource(url: string, name: string, value: Plain): EncodedResource {
  const body = encodeAny(url, encodeMessage(typeNameOf(url), value));
  return { name, version: versionOf(body), body };
}

/**
 * 48 bits of SHA-1, sent with each resource. A version is only ever compared with another of the same name: that a change gives what a client
 * holds already happens once in 2.8e14 changes, and the next change ends it.
 */
export function versionOf(bytes: Uint8Array | string): string {
  return hash('sha1', bytes, 'base64url').slice(0, 8);
}

/** Bytes of their own, to be kept. */
export function encodeAny(url: string, value: Uint8Array): Buffer {
  return ownBytes(protobuf.Writer.create().uint32(10).string(url).uint32(18).bytes(value).finish());
}

/** A copy that holds no pool of Node's: thousands of small slices would keep as many pools alive. */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

function message(type: protobuf.Type, value: unknown, at: string): object {
  const special = specialOf(type);
  if (special !== undefined) return special(value, at);
  if (!isPlain(value)) throw new TypeError(`${at}: expected ${type.fullName.slice(1)}, got ${JSON.stringify(value)}`);
  const out: Record<string, unknown> = {};
  const oneofs = new Map<protobuf.OneOf, string>();
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue;
    const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
    if (field === undefined) throw new TypeError(`${at}: ${type.fullName.slice(1)} has no field "${name}"`);
    if (field.partOf !== null) {
      const other = oneofs.get(field.partOf);
      if (other !== undefined) throw new TypeError(`${at}: "${other}" and "${name}" exclude each other`);
      oneofs.set(field.partOf, name);
    }
    const encoded = fieldValue(field, given, `${at}.${name}`);
    if (encoded !== undefined) out[name] = encoded;
  }
  return out;
}

function fieldValue(field: protobuf.Field, given: unknown, at: string): unknown {
  field.resolve();
  if (field instanceof protobuf.MapField) {
    if (!isPlain(given)) throw new TypeError(`${at}: expected a map`);
    const keys = Object.keys(given).sort();
    return keys.length === 0
      ? undefined
      : Object.fromEntries(keys.map((key) => [key, single(field, given[key], `${at}[${key}]`)]));
  }
  if (field.repeated) {
    if (!Array.isArray(given)) throw new TypeError(`${at}: expected a list`);
    return given.length === 0 ? undefined : given.map((item, index) => single(field, item, `${at}[${index}]`));
  }
  const value = single(field, given, at);
  const isDefault = field.partOf === null && (value === 0 || value === '' || value === false);
  return isDefault ? undefined : value;
}

function single(field: protobuf.Field, given: unknown, at: string): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return message(resolvedType, given, at);
  if (resolvedType instanceof protobuf.Enum) {
    const number =
      typeof given === 'string' && Object.hasOwn(resolvedType.values, given) ? resolvedType.values[given] : undefined;
    if (number === undefined)
      throw new TypeError(`${at}: ${JSON.stringify(given)} is not one of ${resolvedType.fullName.slice(1)}`);
    return number;
  }
  return scalar(field.type, given, at);
}

function scalar(kind: string, given: unknown, at: string): unknown {
  const wanted =
    kind === 'string' ? 'string' : kind === 'bool' ? 'boolean' : kind === 'bytes' ? 'object' : ('number' as const);
  const fits = kind === 'bytes' ? given instanceof Uint8Array : typeof given === wanted;
  if (!fits) throw new TypeError(`${at}: expected ${kind}, got ${JSON.stringify(given)}`);
  if (typeof given === 'number' && kind !== 'double' && kind !== 'float') {
    const unsigned = kind.startsWith('u') || kind.startsWith('fixed');
    const max = kind.endsWith('64') ? Number.MAX_SAFE_INTEGER : unsigned ? 0xffff_ffff : 0x7fff_ffff;
    if (!Number.isInteger(given) || given > max || given < (unsigned ? 0 : -max - 1)) {
      throw new RangeError(`${at}: ${given} does not fit ${kind}`);
    }
  }
  return given;
}

type Special = (value: unknown, at: string) => object;

/** protobufjs puts a type's full name together anew each time it is read: so it is read once. */
const specials = new Map<protobuf.Type, Special | undefined>();

function specialOf(type: protobuf.Type): Special | undefined {
  if (!specials.has(type)) specials.set(type, specialMessages.get(type.fullName.slice(1)));
  return specials.get(type);
}

const specialMessages: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['google.protobuf.Any', anyMessage],
  ['google.protobuf.Duration', duration],
  ['google.protobuf.Struct', struct],
  ['google.protobuf.Value', structValue],
  ['google.protobuf.BoolValue', wrapper('bool')],
  ['google.protobuf.DoubleValue', wrapper('double')],
  ['google.protobuf.Int32Value', wrapper('int32')],
  ['google.protobuf.Int64Value', wrapper('int64')],
  ['google.protobuf.StringValue', wrapper('string')],
  ['google.protobuf.UInt32Value', wrapper('uint32')],
  ['google.protobuf.UInt64Value', wrapper('uint64')],
]);

function anyMessage(value: unknown, at: string): object {
  if (!isPlain(value) || typeof value['@type'] !== 'string') throw new TypeError(`${at}: an Any needs "@type"`);
  const known = constants.get(value);
  if (known !== undefined) return known;
  const { '@type': url, ...content } = value;
  const encoded = { type_url: url, value: encodeMessage(typeNameOf(url), content) };
  if (constants.has(value)) constants.set(value, { ...encoded, value: ownBytes(encoded.value) });
  return encoded;
}

function duration(value: unknown, at: string): object {
  const [, sign, whole, part] = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(String(value)) ?? [];
  if (whole === undefined) throw new TypeError(`${at}: "${String(value)}" is not a duration like 1.5s`);
  const factor = sign === '-' ? -1 : 1;
  return { seconds: factor * Number(whole), nanos: factor * Number((part ?? '').padEnd(9, '0')) };
}

/** Milliseconds as a protobuf duration, `1.5s`. */
export function durationMs(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000);
  const rest = Math.round((milliseconds - whole * 1000) * 1e6);
  return rest === 0 ? `${whole}s` : `${whole}.${String(rest).padStart(9, '0').replace(/0+$/, '')}s`;
}

function wrapper(kind: string): Special {
  return (value, at) => ({ value: scalar(kind, value, at) });
}

function struct(value: unknown, at: string): object {
  if (!isPlain(value)) throw new TypeError(`${at}: expected an object`);
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
  return { fields: Object.fromEntries(keys.map((key) => [key, structValue(value[key], `${at}.${key}`)])) };
}

function structValue(value: unknown, at: string): object {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value))
    return { listValue: { values: value.map((item, index) => structValue(item, `${at}[${index}]`)) } };
  return { structValue: struct(value, at) };
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
