/**
 * How the fields of an untrusted Kubernetes object are read: own properties of the expected type, or what stands for "not set".
 *
 * What always holds: nothing throws, keeps a reference into its input, or follows a prototype; a name that is none makes the object unreadable.
 */

import type { TransportProtocol } from '../model/service.ts';

export interface Unreadable {
  readonly kind: 'Unreadable';
  /** The field and what is wrong with it. */
  readonly reason: string;
}

export const labelNames = {
  claimedCluster: 'topology.istio.io/cluster',
  network: 'topology.istio.io/network',
  region: 'topology.kubernetes.io/region',
  zone: 'topology.kubernetes.io/zone',
  subzone: 'topology.istio.io/subzone',
  service: 'kubernetes.io/service-name',
  sourceCluster: 'multicluster.kubernetes.io/source-cluster',
} as const;

export type Fields = Readonly<Record<string, unknown>>;

const none: Fields = Object.freeze(Object.create(null) as Fields);

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : none;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Own properties only: a key that comes from outside must not find Object.prototype. */
export function own(record: Fields, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function stringMap(value: unknown, without?: string): Readonly<Record<string, string>> {
  const entries = Object.entries(fields(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== without,
  );
  return Object.freeze(Object.fromEntries(entries));
}

export function transportOf(value: unknown): TransportProtocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP';
}

export function portNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65536 ? value : undefined;
}

export interface Meta {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Fields;
  readonly createdAtMs: number;
  readonly claimedCluster: string;
}

export function metaOf(raw: unknown): Meta {
  const metadata = fields(fields(raw)['metadata']);
  const labels = fields(metadata['labels']);
  const created = Date.parse(text(metadata['creationTimestamp']));
  return {
    namespace: text(metadata['namespace']),
    name: text(metadata['name']),
    uid: text(metadata['uid']),
    labels,
    createdAtMs: Number.isNaN(created) ? 0 : created,
    claimedCluster:
      text(own(labels, labelNames.claimedCluster)) ||
      text(own(fields(metadata['annotations']), labelNames.claimedCluster)),
  };
}

export function unreadable(reason: string): Unreadable {
  return { kind: 'Unreadable', reason };
}

/** DNS labels and subdomains as the API takes them; keeps slashes, line breaks and megabytes out of keys and Envoy's names. */
const namePattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function checkNames(meta: Meta, namespaced: boolean): Unreadable | undefined {
  if (!namePattern.test(meta.name)) return unreadable('metadata.name: missing or not a DNS name');
  if (namespaced && !namePattern.test(meta.namespace)) {
    return unreadable('metadata.namespace: missing or not a DNS name');
  }
  return undefined;
}
