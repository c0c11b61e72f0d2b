/**
 * Brings what one cluster holds of one imported service in line with what it is to hold, and the conditions of the cluster's own export with it.
 *
 * In: the host's word, and the copies of what the API holds. What always holds: nothing is written that is there already; an object that somebody
 * else made is left alone; what was made of the exports of a cluster of which nothing is known is not deleted, and its slices are not changed, while
 * what is known of others is followed; the order is such that nobody sees an import without its virtual IP, or slices without their import.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { sourceClusterLabel, sourcesAnnotation } from '../../model/import-labels.ts';
import { type ServiceKey, splitServiceKey } from '../../model/service.ts';
import type { HeldImport, ImportObjects, ImportSource, McsHost, ObjectCondition } from '../mcs-host.ts';
import { fields, list, own, text } from '../object-fields.ts';
import { networkError } from './api-error.ts';
import type { HeldObject, HeldObjects } from './mcs-held.ts';
import {
  derivedManifest,
  exportedAnnotations,
  exportedLabels,
  importManifest,
  importStatus,
  isApplied,
  isOwn,
  type Manifest,
  sliceManifests,
} from './mcs-manifests.ts';
import type { McsSchema } from './mcs-schema.ts';
import type { McsWrites } from './mcs-writes.ts';
import { keepTransitionTimes } from './transition-times.ts';

export interface Copies {
  readonly exports: HeldObjects;
  readonly imports: HeldObjects;
  /** Those that were derived from imports. */
  readonly services: HeldObjects;
  /** Those that are managed here. */
  readonly slices: HeldObjects;
}

export interface ReconcileInputs {
  readonly host: McsHost;
  readonly writes: McsWrites;
  readonly copies: Copies;
  /** `multicluster.x-k8s.io/v1beta1`. */
  readonly apiVersion: string;
  /** Of that version. */
  readonly schema: McsSchema;
  readonly clock: Clock;
}

/**
 * - `done`: all is as it should be.
 * - `foreign`: somebody else's ServiceImport or Service has a name that is needed.
 * - `held`: it is left as it is until more is known.
 * - `again`: something is not known yet; ask soon.
 */
export type Outcome = 'done' | 'foreign' | 'held' | 'again';

const sliceVersion = 'discovery.k8s.io/v1';

/** Throws what the API answers. */
export async function reconcile(key: ServiceKey, inputs: ReconcileInputs, isRetry: boolean): Promise<Outcome> {
  const imported = await reconcileImport(key, inputs);
  const exported = await reconcileExport(key, inputs, isRetry);
  return imported === 'done' ? exported : imported;
}

async function reconcileImport(key: ServiceKey, inputs: ReconcileInputs): Promise<Outcome> {
  const { host, copies } = inputs;
  const { namespace, name } = splitServiceKey(key);
  const there = copies.imports.get(namespace, name);
  if (there !== undefined && !isOwn(there)) {
    await sweep(key, inputs, () => false);
    return 'foreign';
  }
  const sources = sourcesOf(there, copies.slices.ofService(key));
  const unknown = host.unknownAmong(sources);
  if (unknown.size > 0) return there === undefined ? 'held' : reconcileHeld(key, there, sources, unknown, inputs);
  const desired = host.desired(key);
  if (desired === undefined) {
    if (there !== undefined) await inputs.writes.delete(there, inputs.apiVersion, 'ServiceImport', copies.imports);
    await sweep(key, inputs, () => false);
    return 'done';
  }
  return write(key, desired, inputs, none);
}

const none: ReadonlySet<string> = new Set();

/** As long as it is not known what some of those say that it was made of, what it says and their slices are good as they are. */
async function reconcileHeld(
  key: ServiceKey,
  there: HeldObject,
  sources: readonly ImportSource[],
  unknown: ReadonlySet<string>,
  inputs: ReconcileInputs,
): Promise<Outcome> {
  const { host, copies } = inputs;
  const [derived] = [...copies.services.ofService(key)];
  const spec = fields(there.object['spec']);
  // An import has the families that its cluster has; those that were exported, its Service tells.
  const isDual = derived !== undefined && fields(derived.object['spec'])['ipFamilyPolicy'] === 'PreferDualStack';
  const held: HeldImport = {
    sources: new Map(sources.filter(({ id }) => unknown.has(id)).map(({ id, name = '' }) => [id, name])),
    labels: exportedLabels(there),
    annotations: exportedAnnotations(there),
    spec: isDual ? { ...spec, ipFamilies: ['IPv4', 'IPv6'] } : spec,
  };
  const desired = host.desired(key, held);
  if (desired !== undefined && (await write(key, desired, inputs, unknown)) === 'foreign') return 'foreign';
  return 'held';
}

/** As far as is noted, with the names under which they are registered. */
function sourcesOf(there: HeldObject | undefined, slices: Iterable<HeldObject>): readonly ImportSource[] {
  const names = namesOf(there);
  const ids = new Set([...clustersOf(there), ...[...slices].map(sourceOf)]);
  return [...ids].sort().map((id) => ({ id, name: names.get(id) }));
}

/** Whatever the annotation holds: anybody may write it. '' is a name that nobody noted. */
function namesOf(there: HeldObject | undefined): ReadonlyMap<string, string> {
  try {
    const noted = Object.entries(fields(JSON.parse(text(there && own(there.annotations, sourcesAnnotation)))));
    return new Map(noted.flatMap(([id, name]) => (typeof name === 'string' && name !== '' ? [[id, name]] : [])));
  } catch {
    return new Map();
  }
}

/** `kept`: ids of clusters whose slices stay as they are. */
async function write(
  key: ServiceKey,
  desired: ImportObjects,
  inputs: ReconcileInputs,
  kept: ReadonlySet<string>,
): Promise<Outcome> {
  const { writes, copies, apiVersion, schema, clock } = inputs;
  if (await hasForeignService(desired, inputs)) return 'foreign';
  // First, for an import tells the virtual IP.
  const service = await derivedService(desired, inputs);
  let imported = await applied(importManifest(desired, apiVersion, service, schema), copies.imports, inputs);
  const wanted = schema.status('ServiceImport', importStatus(desired, service, timeOf(clock)));
  const status = keepTransitionTimes(wanted, imported.object['status']);
  if (!isDeepStrictEqual(status, imported.object['status']))
    imported = await writes.applyStatus(imported, apiVersion, 'ServiceImport', status, copies.imports);
  const owner = { ...imported, object: { ...imported.object, apiVersion, kind: 'ServiceImport' } };
  const slices = sliceManifests(desired, owner);
  for (const slice of slices) await applied(slice, copies.slices, inputs);
  const wantedSlices = new Set(desired.slices.map((slice) => slice.name));
  await sweep(key, inputs, (object, kind) =>
    kind === 'Service'
      ? object.name === desired.derived?.name
      : wantedSlices.has(object.name) || kept.has(sourceOf(object)),
  );
  return 'done';
}

/** Before one is made: only our own are held. */
async function hasForeignService(
  { namespace, derived }: ImportObjects,
  { writes, copies }: ReconcileInputs,
): Promise<boolean> {
  if (derived === undefined || copies.services.get(namespace, derived.name) !== undefined) return false;
  const there = await writes.readService(namespace, derived.name);
  return there !== undefined && !isOwn(there);
}

/** undefined: there is to be none, or the cluster has no address for it. One whose fixed fields are to be others is made anew. */
async function derivedService(desired: ImportObjects, inputs: ReconcileInputs): Promise<HeldObject | undefined> {
  const { writes, copies } = inputs;
  const manifest = derivedManifest(desired);
  if (manifest === undefined) return undefined;
  try {
    return await applied(manifest, copies.services, inputs);
  } catch (thrown) {
    if (networkError(thrown).kind !== 'invalid') throw thrown;
    const there = copies.services.get(desired.namespace, String(manifest.metadata['name']));
    if (there !== undefined) await writes.delete(there, 'v1', 'Service', copies.services);
    try {
      return await writes.apply(manifest, copies.services, false);
    } catch (again) {
      if (isFamilyRefused(again)) return undefined;
      throw again;
    }
  }
}

/** https://kubernetes.io/docs/concepts/services-networking/dual-stack/ */
function isFamilyRefused(thrown: unknown): boolean {
  const { kind, message } = networkError(thrown);
  return kind === 'invalid' && /ipFamil|IP famil/i.test(message);
}

function timeOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Deletes the slices and derived Services of a service that are not wanted. */
async function sweep(
  key: ServiceKey,
  { copies, writes }: ReconcileInputs,
  isWanted: (object: HeldObject, kind: 'Service' | 'EndpointSlice') => boolean,
): Promise<void> {
  for (const slice of [...copies.slices.ofService(key)])
    if (!isWanted(slice, 'EndpointSlice')) await writes.delete(slice, sliceVersion, 'EndpointSlice', copies.slices);
  for (const service of [...copies.services.ofService(key)])
    if (!isWanted(service, 'Service')) await writes.delete(service, 'v1', 'Service', copies.services);
}

async function applied(manifest: Manifest, held: HeldObjects, { writes }: ReconcileInputs): Promise<HeldObject> {
  const { namespace, name } = manifest.metadata as { readonly namespace: string; readonly name: string };
  const there = held.get(namespace, name);
  if (there !== undefined && isApplied(manifest, there)) return there;
  return writes.apply(manifest, held, there !== undefined);
}

function clustersOf(imported: HeldObject | undefined): readonly string[] {
  if (imported === undefined) return [];
  return list(fields(imported.object['status'])['clusters']).map((each) => text(fields(each)['cluster']));
}

function sourceOf({ labels }: HeldObject): string {
  return text(own(labels, sourceClusterLabel));
}

async function reconcileExport(key: ServiceKey, inputs: ReconcileInputs, isRetry: boolean): Promise<Outcome> {
  const { host, writes, copies, apiVersion, schema, clock } = inputs;
  const { namespace, name } = splitServiceKey(key);
  const exported = copies.exports.get(namespace, name);
  if (exported === undefined) return 'done';
  let conditions: readonly ObjectCondition[] | undefined = host.exportConditions(key);
  let outcome: Outcome = 'done';
  if (conditions === undefined) {
    const service = await writes.readService(namespace, name);
    const isAlias = service !== undefined && fields(service.object['spec'])['type'] === 'ExternalName';
    // A Service that is there is told of in a moment; only if it is not, that is said. One that comes tells of itself.
    if (service !== undefined && !isAlias) outcome = 'again';
    if (outcome === 'again' && !isRetry) return outcome;
    conditions = host.conditionsWithout(service === undefined ? 'none' : isAlias ? 'alias' : 'pending');
  }
  const now = timeOf(clock);
  const wanted = schema.status('ServiceExport', {
    conditions: conditions.map((condition) => ({
      ...condition,
      observedGeneration: exported.generation,
      lastTransitionTime: now,
    })),
  });
  const held = ownConditions(exported.object['status']);
  const status = keepTransitionTimes(wanted, held);
  if (!isDeepStrictEqual(status, held))
    await writes.applyStatus(exported, apiVersion, 'ServiceExport', status, copies.exports);
  return outcome;
}

const ownTypes: ReadonlySet<unknown> = new Set(['Valid', 'Ready', 'Conflict']);

/** Conditions of others are theirs. */
function ownConditions(status: unknown): unknown {
  const conditions = list(fields(status)['conditions']).filter((each) => ownTypes.has(fields(each)['type']));
  return conditions.length === 0 ? {} : { conditions };
}
