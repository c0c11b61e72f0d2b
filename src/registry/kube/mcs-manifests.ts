/**
 * The objects of an import as they are applied, and whether what an API holds is what was applied last. Pure.
 *
 * Every object carries a hash of what was applied, so that a field that is not wanted any more is noticed though nothing else changed; and what is
 * wanted is compared with what is there, so that what somebody else changed is put right.
 */

import { createHash } from 'node:crypto';
import { importManager, managedByLabel, sliceManagerLabel, sourcesAnnotation } from '../../model/import-labels.ts';
import type { ImportObjects } from '../mcs-host.ts';
import { type Fields, fields, own } from '../object-fields.ts';
import type { HeldObject } from './mcs-held.ts';
import type { McsSchema } from './mcs-schema.ts';

export type Manifest = Fields & { readonly apiVersion: string; readonly kind: string; readonly metadata: Fields };

const hashAnnotation = 'fairway.dev/applied';

/** The annotations of an import that were exported with its service. */
export function exportedAnnotations({ annotations }: HeldObject): Readonly<Record<string, string>> {
  return strings(annotations, [hashAnnotation, sourcesAnnotation]);
}

export function exportedLabels({ labels }: HeldObject): Readonly<Record<string, string>> {
  return strings(labels, [managedByLabel]);
}

function strings(values: Fields, without: readonly string[]): Readonly<Record<string, string>> {
  const kept = Object.entries(values).filter(([key, value]) => typeof value === 'string' && !without.includes(key));
  return Object.fromEntries(kept) as Record<string, string>;
}

export function derivedManifest(desired: ImportObjects): Manifest | undefined {
  const { namespace, derived } = desired;
  if (derived === undefined) return undefined;
  const { name, labels, spec } = derived;
  return hashed({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name, labels }, spec });
}

/** `service`: the derived Service as the API holds it. */
export function importManifest(
  desired: ImportObjects,
  apiVersion: string,
  service: HeldObject | undefined,
  schema: McsSchema,
): Manifest {
  const { namespace, name, labels, annotations, spec } = desired;
  const ips = virtualIps(service);
  const families = service === undefined ? desired.ipFamilies : list(fields(service.object['spec'])['ipFamilies']);
  return hashed({
    apiVersion,
    kind: 'ServiceImport',
    metadata: { namespace, name, labels, annotations },
    spec: schema.spec('ServiceImport', {
      ...spec,
      ...(ips.length === 0 ? {} : { ips }),
      ...(families.length === 0 ? {} : { ipFamilies: families }),
    }),
  });
}

function virtualIps(service: HeldObject | undefined): readonly unknown[] {
  return service === undefined ? [] : list(fields(service.object['spec'])['clusterIPs']);
}

export function importStatus(desired: ImportObjects, service: HeldObject | undefined, now: string): Fields {
  const isReady = desired.derived === undefined || virtualIps(service).length > 0;
  return {
    clusters: desired.clusters.map((cluster) => ({ cluster })),
    conditions: [
      {
        type: 'Ready',
        status: isReady ? 'True' : 'False',
        reason: isReady ? 'Ready' : 'IPFamilyNotSupported',
        message: isReady
          ? 'the service is imported'
          : 'this cluster has no virtual IP of the service’s family, so that it is reached through sidecars only',
        lastTransitionTime: now,
      },
    ],
  };
}

export function sliceManifests(desired: ImportObjects, owner: HeldObject): readonly Manifest[] {
  const { namespace } = desired;
  const { apiVersion, kind } = owner.object as { readonly apiVersion?: string; readonly kind?: string };
  return desired.slices.map(({ name, labels, addressType, ports, endpoints }) =>
    hashed({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace,
        name,
        labels,
        ownerReferences: [{ apiVersion, kind, name: owner.name, uid: owner.uid, controller: false }],
      },
      addressType,
      ports,
      endpoints,
    }),
  );
}

/** It was made here, whoever changed it since. */
export function isOwn({ labels, annotations }: HeldObject): boolean {
  return (
    own(labels, managedByLabel) === importManager ||
    own(labels, sliceManagerLabel) === importManager ||
    own(annotations, hashAnnotation) !== undefined
  );
}

export function isApplied(manifest: Manifest, held: HeldObject): boolean {
  return (
    own(fields(manifest.metadata['annotations']), hashAnnotation) === own(held.annotations, hashAnnotation) &&
    holds(held.object, manifest)
  );
}

/** Everything in `wanted` is in `held`; lists as a whole, item by item. */
function holds(held: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(held) && held.length === wanted.length && wanted.every((item, index) => holds(held[index], item))
    );
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const there = fields(held);
    return Object.entries(wanted).every(([key, value]) => holds(own(there, key), value));
  }
  return held === wanted;
}

function hashed(manifest: Manifest): Manifest {
  const hash = createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 16);
  const annotations = { ...fields(manifest.metadata['annotations']), [hashAnnotation]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
