/** An object as an API gave it, kept for whoever writes to it, and what of it decides whether it is put again. Pure. */

import type { Where } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import { ruleObjectId } from '../rule-sink.ts';
import type { RuleKind } from './rule-kind.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface RuleView {
  /** In which it is read, and so can be written. */
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** undefined without one. */
  readonly status: unknown;
  /** Who wrote what is not status last, as far as the API knows. */
  readonly writer: LastWriter | undefined;
}

export interface LastWriter {
  /** A field manager: `kubectl-client-side-apply`, `fairway-cli`. */
  readonly manager: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface HeldRule {
  readonly id: string;
  /** Without managedFields. */
  readonly object: Fields;
  readonly writer: LastWriter | undefined;
  /** What decides whether it is put again. */
  readonly essence: unknown;
}

/** List items do not say their kind. `apiVersion`: in which it was asked for. */
export function readRule(raw: unknown, { kind }: RuleKind, apiVersion: string): HeldRule {
  const { managedFields, ...metadata } = fields(fields(raw)['metadata']);
  const object: Fields = { ...fields(raw), kind, apiVersion, metadata };
  const { status: _, ...rest } = object;
  const { resourceVersion: __, ...meta } = metadata;
  return {
    id: ruleObjectId(kind, text(metadata['namespace']), text(metadata['name'])),
    object,
    writer: lastWriter(managedFields),
    essence: { ...rest, metadata: meta },
  };
}

export function viewOf({ object, writer }: HeldRule): RuleView {
  const metadata = fields(object['metadata']);
  return {
    apiVersion: text(object['apiVersion']),
    uid: text(metadata['uid']),
    resourceVersion: text(metadata['resourceVersion']),
    status: object['status'],
    writer,
  };
}

export function rawObjectOf({ object, id }: HeldRule, cluster: string): RawObject {
  const [kind = '', namespace = '', name = ''] = id.split('/');
  return {
    object,
    origin: `cluster ${cluster}`,
    where: (path): Where => ({
      cluster,
      object: namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
      ...(path.length === 0 ? {} : { field: formatPath(path) }),
    }),
  };
}

/** The youngest entry that is about something else than a subresource. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export function lastWriter(managedFields: unknown): LastWriter | undefined {
  let last: LastWriter | undefined;
  for (const entry of Array.isArray(managedFields) ? managedFields : []) {
    const { manager, time, subresource } = fields(entry);
    if (typeof manager !== 'string' || typeof time !== 'string' || (subresource ?? '') !== '') continue;
    if (!Object.hasOwn(fields(fields(entry)['fieldsV1']), 'f:spec')) continue;
    if (last === undefined || time >= last.at) last = { manager, at: time };
  }
  return last;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function formatPath(path: readonly (string | number)[]): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else out += out === '' ? part : `.${part}`;
  }
  return out;
}
