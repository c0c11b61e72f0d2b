/**
 * The forms that an object had, read from Kubernetes as a person (revision-writer.ts keeps them), and the way back to one of them.
 *
 * What always holds: going back ends in exactly the earlier spec, or changes nothing and says why.
 */

import { FairwayError } from '../../core/errors.ts';
import type { HistoryEntry } from '../../model/history.ts';
import { lastWriter } from './held-rule.ts';
import type { AppliedObject, ApplyOptions, KubeObject, KubeObjectRef, KubeObjects } from './objects.ts';
import { ownerLabel, revisionAnnotation } from './revision-names.ts';

/**
 * Oldest first; the form that is there now is the last one, whether or not it has been kept yet. undefined: there is no such object. Of a kind
 * without a namespace all namespaces are looked through: its forms are where the pilot is.
 */
export async function readRevisions(
  objects: KubeObjects,
  ref: KubeObjectRef,
  hashOf: (spec: unknown) => string,
): Promise<readonly HistoryEntry[] | undefined> {
  const live = await objects.get(ref);
  if (live === undefined) return undefined;
  const uid = String(live.metadata['uid'] ?? '');
  const kept = await objects.list('apps/v1', 'ControllerRevision', ref.namespace, `${ownerLabel}=${uid}`);
  const present = entryOfLive(live, hashOf);
  const entries = kept.map(entryOfRevision).filter(({ revision }) => revision !== present.revision);
  // What is kept of the present form says whether it is valid.
  const own = kept.map(entryOfRevision).find(({ revision }) => revision === present.revision);
  return [...entries, own ?? present].sort((a, b) => a.revision - b.revision);
}

function entryOfRevision(object: KubeObject): HistoryEntry {
  const annotations = (object.metadata['annotations'] ?? {}) as Readonly<Record<string, string>>;
  const revision = Number(object['revision'] ?? 0);
  return {
    revision,
    generation: revision,
    at: annotations[revisionAnnotation.at] ?? String(object.metadata['creationTimestamp'] ?? ''),
    by: annotations[revisionAnnotation.by] ?? '',
    hash: annotations[revisionAnnotation.hash] ?? '',
    valid: annotations[revisionAnnotation.valid] !== 'false',
    spec: (object['data'] as { readonly spec?: unknown } | undefined)?.spec,
  };
}

function entryOfLive(object: KubeObject, hashOf: (spec: unknown) => string): HistoryEntry {
  const writer = lastWriter(object.metadata['managedFields']);
  const generation = Number(object.metadata['generation'] ?? 0);
  return {
    revision: generation,
    generation,
    at: writer?.at ?? String(object.metadata['creationTimestamp'] ?? ''),
    by: writer?.manager ?? '',
    hash: hashOf(object['spec']),
    valid: true,
    spec: object['spec'],
  };
}

/**
 * Gives the object an earlier spec by server-side apply; labels and annotations stay. With `force` it takes over what somebody else manages,
 * and removes what the earlier form did not have.
 * Throws FW-KUBE-043 when such fields would stay, and what applying throws.
 */
export async function restoreSpec(
  objects: KubeObjects,
  ref: KubeObjectRef,
  spec: unknown,
  options: ApplyOptions,
): Promise<AppliedObject> {
  const live = await objects.get(ref);
  const { labels, annotations, name, namespace } = live?.metadata ?? { name: ref.name };
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations: withoutLastApplied(annotations) }),
  };
  const wanted: KubeObject = { apiVersion: ref.apiVersion, kind: ref.kind, metadata, spec };
  const judged = await objects.apply(wanted, { ...options, dryRun: true });
  const rest = excess(judged.object['spec'], spec);
  if (rest !== undefined && !options.force) {
    throw new FairwayError({
      code: 'FW-KUBE-043',
      message: `somebody else manages fields that this form does not have: ${pathsOf(rest, 'spec').join(', ')}`,
      where: { cluster: objects.context, object: `${ref.kind} ${ref.namespace}/${ref.name}` },
      hint: 'Remove them with --force, or change the object with the tool that manages it.',
    });
  }
  if (options.dryRun) return judged;
  const applied = await objects.apply(wanted, options);
  if (rest === undefined) return applied;
  const object = await objects.removeFields(ref, { spec: rest }, String(applied.object.metadata['resourceVersion']));
  return { action: 'configured', object };
}

type Excess = { readonly [key: string]: Excess | null };

/** What `have` holds and `want` does not, as a merge patch that removes it; undefined: nothing. */
function excess(have: unknown, want: unknown): Excess | undefined {
  if (!isMap(have) || !isMap(want)) return undefined;
  const patch: Record<string, Excess | null> = {};
  for (const [key, value] of Object.entries(have)) {
    const inner = Object.hasOwn(want, key) ? excess(value, want[key]) : null;
    if (inner !== undefined) patch[key] = inner;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function pathsOf(patch: Excess, path: string): readonly string[] {
  return Object.entries(patch).flatMap(([key, inner]) =>
    inner === null ? [`${path}.${key}`] : pathsOf(inner, `${path}.${key}`),
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutLastApplied(annotations: unknown): unknown {
  if (!isMap(annotations)) return annotations;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations;
  return rest;
}
