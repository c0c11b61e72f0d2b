/**
 * From the objects in a cluster's folder to what the cluster says: reads the kinds that count, makes EndpointSlices where only Pods are
 * written, and derives the shards as for a real cluster.
 *
 * What always holds: an object that cannot be used is reported with its place, and keeps its earlier form in force if it had one; kinds that
 * do not count are reported, never silently left out. Pure but for those earlier forms, which come in and go out.
 */

import type { Finding } from '../../core/errors.ts';
import type { ClusterSnapshot } from '../../model/service.ts';
import { type ServiceKey, serviceKey } from '../../model/service.ts';
import { type ClusterObjectKind } from '../cluster-objects.ts';
import type { DeriveSettings } from '../derive.ts';
import { ClusterIndex } from '../derive-index.ts';
import { readClusterObject } from '../derive-objects.ts';
import { type HeldObject, mapping, objectTitle, type ResolvedObjects } from './file-objects.ts';
import { selectorOf, slicesFromPods } from './pod-slices.ts';

/** The first is the one that people are told of. */
const apiVersions: ReadonlyMap<string, readonly string[]> = new Map<ClusterObjectKind, readonly string[]>([
  ['Namespace', ['v1']],
  ['Node', ['v1']],
  ['Pod', ['v1']],
  ['Service', ['v1']],
  ['EndpointSlice', ['discovery.k8s.io/v1']],
  ['ServiceExport', ['multicluster.x-k8s.io/v1beta1', 'multicluster.x-k8s.io/v1alpha1']],
]);

export interface DerivedManifests {
  readonly snapshot: Omit<ClusterSnapshot, 'info'>;
  readonly findings: readonly Finding[];
  /** Some object could not be used, and had no earlier form. */
  readonly partial: boolean;
  /** The objects in force, for the next time. */
  readonly usable: ReadonlyMap<string, HeldObject>;
}

export function deriveManifests(
  resolved: ResolvedObjects,
  settings: DeriveSettings,
  earlier: ReadonlyMap<string, HeldObject>,
): DerivedManifests {
  const findings: Finding[] = [...resolved.findings];
  const usable = new Map<string, HeldObject>();
  let partial = resolved.partial;
  const skipped = new Map<string, { first: HeldObject; count: number }>();
  for (const object of resolved.objects.values()) {
    if (apiVersions.get(object.kind)?.includes(object.apiVersion) !== true) {
      const key = `${object.file} ${object.apiVersion} ${object.kind}`;
      const known = skipped.get(key);
      skipped.set(key, { first: known?.first ?? object, count: (known?.count ?? 0) + 1 });
      continue;
    }
    const problem = unusable(object);
    if (problem === undefined) {
      usable.set(object.id, object);
      continue;
    }
    findings.push(problem);
    const before = earlier.get(object.id);
    if (before === undefined) partial = true;
    else usable.set(object.id, before);
  }
  for (const { first, count } of skipped.values()) findings.push(skipFinding(first, count));

  const index = new ClusterIndex(settings);
  for (const object of usable.values()) put(index, object.kind as ClusterObjectKind, normalise(object));
  for (const { slice } of slicesWithoutController(usable, findings)) put(index, 'EndpointSlice', slice);
  const snapshot = index.snapshot();
  for (const [reason, { count, example }] of index.skips()) {
    findings.push({
      code: 'FW-FILE-012',
      severity: 'warning',
      message: `left out: ${count} × ${reason}, for instance ${example}`,
      where: { cluster: settings.cluster, object: example },
      hint: 'Correct the object if it should count.',
    });
  }
  return { snapshot, findings, partial, usable };
}

function put(index: ClusterIndex, kind: ClusterObjectKind, raw: unknown): void {
  const object = readClusterObject(kind, raw);
  if (object.kind !== 'Unreadable') index.put(object);
}

function* slicesWithoutController(
  objects: ReadonlyMap<string, HeldObject>,
  findings: Finding[],
): Generator<{ readonly slice: unknown }> {
  const sliced = new Set<ServiceKey>();
  const pods = new Map<string, HeldObject[]>();
  for (const object of objects.values()) {
    if (object.kind === 'EndpointSlice') {
      const service = mapping(mapping(mapping(object.raw.object)?.['metadata'])?.['labels'])?.[
        'kubernetes.io/service-name'
      ];
      if (typeof service === 'string') sliced.add(serviceKey(object.namespace, service));
    } else if (object.kind === 'Pod') {
      const list = pods.get(object.namespace) ?? [];
      list.push(object);
      pods.set(object.namespace, list);
    }
  }
  for (const service of objects.values()) {
    if (service.kind !== 'Service' || sliced.has(serviceKey(service.namespace, service.name))) continue;
    const selector = selectorOf(service);
    if (selector === undefined) continue;
    const { slices, left } = slicesFromPods(service, selector, pods.get(service.namespace) ?? []);
    for (const { pod, reason } of left) {
      findings.push({
        code: 'FW-FILE-019',
        severity: 'warning',
        message: `the pod is selected by Service ${service.namespace}/${service.name} but gives it no endpoint: ${reason}`,
        where: { ...pod.raw.where([]), object: objectTitle(pod) },
        hint: 'Correct the pod, or write an EndpointSlice for the service.',
      });
    }
    for (const slice of slices) yield { slice };
  }
}

/** What the API server fills in. */
function normalise(object: HeldObject): unknown {
  const raw = mapping(object.raw.object) ?? {};
  const metadata = { ...mapping(raw['metadata']), ...(object.namespace === '' ? {} : { namespace: object.namespace }) };
  if (object.kind !== 'Pod') return { ...raw, metadata };
  const spec = mapping(raw['spec']) ?? {};
  return { ...raw, metadata, spec: { ...spec, serviceAccountName: spec['serviceAccountName'] ?? 'default' } };
}

function unusable(object: HeldObject): Finding | undefined {
  const problem = (message: string, path: readonly (string | number)[], hint: string): Finding => ({
    code: 'FW-FILE-011',
    severity: 'error',
    message,
    where: { ...object.raw.where(path), object: objectTitle(object) },
    hint,
  });
  for (const part of ['labels', 'annotations'] as const) {
    const values = mapping(mapping(object.raw.object)?.['metadata'])?.[part];
    if (values === undefined || values === null) continue;
    const bad = Object.entries(mapping(values) ?? {}).find(([, value]) => typeof value !== 'string');
    if (bad !== undefined) {
      return problem(
        `${part} must be strings, and ${bad[0]} is not`,
        ['metadata', part, bad[0]],
        `Put the value of ${bad[0]} in quotes.`,
      );
    }
  }
  const read = readClusterObject(object.kind as ClusterObjectKind, normalise(object));
  if (read.kind !== 'Unreadable') return undefined;
  const path = read.reason
    .slice(0, Math.max(0, read.reason.indexOf(':')))
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return problem(
    `the object cannot be used: ${read.reason}`,
    path,
    'Correct the object; its earlier form, if there was one, stays in force.',
  );
}

function skipFinding(first: HeldObject, count: number): Finding {
  const expected = apiVersions.get(first.kind)?.[0];
  const kinds = [...apiVersions.keys()].join(', ');
  return {
    code: 'FW-FILE-007',
    severity: 'warning',
    message: `${count === 1 ? 'an object' : `${count} objects`} of kind ${first.kind} (${first.apiVersion || 'no apiVersion'}) ${count === 1 ? 'is' : 'are'} skipped`,
    where: { ...first.raw.where(['kind']), object: objectTitle(first) },
    hint:
      expected === undefined
        ? `A cluster's folder is read for ${kinds}; remove the rest to be rid of this.`
        : `Write apiVersion: ${expected}.`,
  };
}
