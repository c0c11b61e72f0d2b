/**
 * The part that every Kubernetes-style object has: apiVersion, kind, metadata, and how large it may be. The spec is handed on unread.
 */

import type { RawObject } from '../../model/object.ts';
import { Findings, show } from './findings.ts';
import { groupOf, type KindHead, versionsOf } from './kind-types.ts';
import { nearest } from './suggest.ts';

/** Kubernetes takes objects of up to 1.5 MB; a rule at all limits of the schema with values of everyday length stays below this. */
export const maxSpecBytes = 256 * 1024;
const maxSpecDepth = 16;

export interface Envelope {
  readonly findings: Findings;
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** undefined where there is none. */
  readonly generation?: number;
  /** undefined where it must not be looked at: another kind, or too large. */
  readonly spec?: unknown;
}

const nothing = { namespace: '', name: '', createdAtMs: 0 } as const;

/** Of an object that is to be a `head`; `known`: the kinds that somebody may have meant instead. */
export function readEnvelope(
  raw: RawObject,
  defaultNamespace: string,
  head: KindHead,
  known: readonly KindHead[] = [head],
): Envelope {
  const { object } = raw;
  if (!isMapping(object)) {
    const findings = new Findings(raw);
    findings.error(
      'FW-RULE-001',
      [],
      `the object is ${show(object)}, not a mapping`,
      'Write a mapping with apiVersion, kind, metadata and spec',
    );
    return { ...nothing, findings };
  }
  const metadata = isMapping(object['metadata']) ? object['metadata'] : undefined;
  const name = text(metadata?.['name']);
  const given = metadata?.['namespace'];
  const namespace = !head.namespaced ? '' : given == null ? defaultNamespace : text(given);
  const kind = text(object['kind']);
  const findings = new Findings(
    raw,
    name === '' ? undefined : `${kind === '' ? 'object' : kind} ${namespace}${namespace === '' ? '' : '/'}${name}`,
  );
  if (!checkKind(object, head, known, findings)) return { ...nothing, namespace, name, findings };
  checkTopLevel(object, head, findings);
  checkNames(object, metadata, head, findings);
  const generation = metadata?.['generation'];
  const envelope = {
    findings,
    namespace,
    name,
    createdAtMs: timeMs(metadata?.['creationTimestamp']),
    ...(typeof generation === 'number' && Number.isSafeInteger(generation) && generation > 0 ? { generation } : {}),
  };
  const spec = object['spec'];
  if (spec == null) {
    const [first, second] = head.specFields;
    const hint = `Add spec with ${first} and ${second}`;
    findings.error('FW-RULE-008', ['spec'], `the ${head.word ?? head.kind} lacks spec`, hint, []);
    return envelope;
  }
  const excess = tooLarge(spec);
  if (excess !== undefined) {
    findings.error(
      'FW-RULE-010',
      ['spec'],
      excess,
      `Split the ${head.word ?? head.kind}, or remove what is not needed`,
    );
    return envelope;
  }
  return { ...envelope, spec };
}

function checkKind(object: Mapping, head: KindHead, known: readonly KindHead[], findings: Findings): boolean {
  const apiVersion = object['apiVersion'];
  const kind = object['kind'];
  const [group, version] = typeof apiVersion === 'string' ? apiVersion.split('/') : [];
  if (kind !== head.kind) {
    const names = known.map((one) => one.kind);
    const meant = typeof kind === 'string' ? nearest(kind, names) : undefined;
    const hint = meant === undefined ? `Known kinds: ${listKinds(known)}` : `Did you mean \`${meant}\`?`;
    const message =
      kind == null ? 'the object has no kind' : `kind ${show(kind)} of ${show(apiVersion ?? '')} is not known here`;
    findings.error('FW-RULE-002', ['kind'], message, hint, kind == null ? [] : ['kind']);
    return false;
  }
  if (typeof apiVersion === 'string' && versionsOf(head).includes(apiVersion)) return true;
  const message =
    group === groupOf(head) && version !== undefined
      ? `${head.kind} has no version ${show(version)}`
      : `apiVersion ${apiVersion == null ? 'is missing' : `${show(apiVersion)} has no ${head.kind}`}`;
  findings.error(
    'FW-RULE-003',
    ['apiVersion'],
    message,
    `Write apiVersion: ${head.apiVersion}`,
    apiVersion == null ? [] : ['apiVersion'],
  );
  return false;
}

/** `TrafficRule, Drain (fairway.dev/v1alpha1), HTTPRoute (gateway.networking.k8s.io/v1)` */
function listKinds(heads: readonly KindHead[]): string {
  const byVersion = new Map<string, string[]>();
  for (const { apiVersion, kind } of heads) {
    const kinds = byVersion.get(apiVersion);
    if (kinds === undefined) byVersion.set(apiVersion, [kind]);
    else kinds.push(kind);
  }
  return [...byVersion].map(([apiVersion, kinds]) => `${kinds.join(', ')} (${apiVersion})`).join(', ');
}

const topLevel = ['apiVersion', 'kind', 'metadata', 'spec', 'status'] as const;

function checkTopLevel(object: Mapping, head: KindHead, findings: Findings): void {
  for (const key of Object.keys(object)) {
    if ((topLevel as readonly string[]).includes(key)) continue;
    const meant = nearest(key, topLevel);
    const inSpec = nearest(key, head.specFields);
    const hint =
      inSpec !== undefined
        ? `\`${inSpec}\` belongs below spec`
        : meant !== undefined
          ? `Did you mean \`${meant}\`?`
          : 'Remove it';
    findings.unknownField([key], `the object has no field ${show(key)}`, hint);
  }
}

function checkNames(object: Mapping, metadata: Mapping | undefined, head: KindHead, findings: Findings): void {
  const stands = metadata === undefined ? (object['metadata'] === undefined ? [] : ['metadata']) : ['metadata'];
  const name = metadata?.['name'];
  if (name === undefined) {
    findings.error(
      'FW-RULE-004',
      ['metadata', 'name'],
      `the ${head.word ?? head.kind} has no name`,
      'Add metadata.name',
      stands,
    );
  } else if (
    typeof name !== 'string' ||
    name.length > 253 ||
    !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)
  ) {
    const message = `name must be lower-case letters, digits, "-" and ".", at most 253 characters; it is ${show(name)}`;
    findings.error('FW-RULE-004', ['metadata', 'name'], message, 'Correct the name');
  }
  const namespace = metadata?.['namespace'];
  if (namespace == null) return;
  if (!head.namespaced) {
    const message = `${head.kind} has no namespace: it is for the whole mesh`;
    findings.error('FW-RULE-150', ['metadata', 'namespace'], message, 'Remove metadata.namespace');
    return;
  }
  if (typeof namespace !== 'string' || namespace.length > 63 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace)) {
    const message = `namespace must be lower-case letters, digits and "-", at most 63 characters; it is ${show(namespace)}`;
    findings.error('FW-RULE-005', ['metadata', 'namespace'], message, 'Correct the namespace');
  }
}

/**
 * Says how `value` exceeds the bounds. Walks no further than they reach, so that a value which an alias bomb made, or which holds itself, costs
 * no more than a large one.
 */
function tooLarge(value: unknown): string | undefined {
  let bytes = 0;
  const open: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (item.depth > maxSpecDepth) return `the spec is nested more than ${maxSpecDepth} levels deep`;
    if (typeof item.value === 'string') bytes += Buffer.byteLength(item.value);
    bytes += 2;
    if (typeof item.value === 'object' && item.value !== null) {
      for (const [key, child] of Object.entries(item.value)) {
        if (!Array.isArray(item.value)) bytes += key.length + 2;
        if (bytes > maxSpecBytes) break;
        open.push({ value: child, depth: item.depth + 1 });
        bytes += 1;
      }
    }
    if (bytes > maxSpecBytes) return `the spec is larger than ${maxSpecBytes / 1024} KiB`;
  }
  return undefined;
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function timeMs(value: unknown): number {
  const ms = typeof value === 'string' || value instanceof Date ? new Date(value).getTime() : Number.NaN;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}
