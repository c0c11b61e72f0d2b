/**
 * The way back from bytes to what people read: an encoded resource as the plain object that Envoy's JSON would show. The inverse of encode.ts;
 * used wherever the configuration of a proxy is printed (debug pages, goldens).
 */

import protobuf from 'protobufjs';
import type { EncodedResource } from '../../core/resource.ts';
import type { Plain } from './encode.ts';
import { messageType, typeNameOf } from './schema.ts';

/** The resource's message as plain data, without `@type`. Throws on bytes that are no Any of a known type. */
export function decodeResource(resource: EncodedResource): Plain {
  const { '@type': _url, ...value } = plainAny(
    messageType('google.protobuf.Any').decode(resource.body) as unknown as AnyMessage,
  );
  return value;
}

export function decodeMessage(typeName: string, bytes: Uint8Array): Plain {
  const type = messageType(typeName);
  return plain(type, type.decode(bytes)) as Plain;
}

interface AnyMessage {
  readonly type_url: string;
  readonly value: Uint8Array;
}

function plainAny(value: AnyMessage): Plain {
  return { '@type': value.type_url, ...decodeMessage(typeNameOf(value.type_url), value.value) };
}

function plain(type: protobuf.Type, value: object): unknown {
  const fields = value as Readonly<Record<string, unknown>>;
  switch (type.fullName.slice(1)) {
    case 'google.protobuf.Any':
      return plainAny(value as AnyMessage);
    case 'google.protobuf.Duration':
      return duration(Number(fields['seconds'] ?? 0), Number(fields['nanos'] ?? 0));
    case 'google.protobuf.Struct':
      return struct(value);
    case 'google.protobuf.Value':
      return structValue(value);
    default:
  }
  if (/^\.google\.protobuf\.\w+Value$/.test(type.fullName)) return scalar(fields['value']);
  const out: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    if (!Object.hasOwn(value, field.name)) continue;
    const given = fields[field.name];
    if (field instanceof protobuf.MapField) {
      const entries = Object.entries(given as object);
      if (entries.length > 0)
        out[field.name] = Object.fromEntries(entries.map(([key, item]) => [key, single(field, item)]));
    } else if (field.repeated) {
      const items = given as readonly unknown[];
      if (items.length > 0) out[field.name] = items.map((item) => single(field, item));
    } else {
      out[field.name] = single(field, given);
    }
  }
  return out;
}

function single(field: protobuf.Field, value: unknown): unknown {
  const { resolvedType } = field.resolve();
  if (resolvedType instanceof protobuf.Type) return plain(resolvedType, value as object);
  if (resolvedType instanceof protobuf.Enum) return resolvedType.valuesById[value as number] ?? value;
  return scalar(value);
}

/** 64-bit numbers come as Long objects or numbers. */
function scalar(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) ? Number(String(value)) : value;
}

function duration(seconds: number, nanos: number): string {
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  const part = Math.abs(nanos) === 0 ? '' : `.${String(Math.abs(nanos)).padStart(9, '0').replace(/0+$/, '')}`;
  return `${sign}${Math.abs(seconds)}${part}s`;
}

interface StructValue {
  readonly stringValue?: string;
  readonly numberValue?: number;
  readonly boolValue?: boolean;
  readonly structValue?: object;
  readonly listValue?: { readonly values: readonly object[] };
}

function struct(value: object): Plain {
  const { fields } = value as { readonly fields?: Readonly<Record<string, object>> };
  return Object.fromEntries(Object.entries(fields ?? {}).map(([key, item]) => [key, structValue(item)]));
}

function structValue(value: object): unknown {
  const given = value as StructValue;
  const has = (name: keyof StructValue): boolean => Object.hasOwn(value, name);
  if (has('stringValue')) return given.stringValue;
  if (has('numberValue')) return given.numberValue;
  if (has('boolValue')) return given.boolValue;
  if (has('structValue')) return struct(given.structValue ?? {});
  if (has('listValue')) return (given.listValue?.values ?? []).map(structValue);
  return null;
}
