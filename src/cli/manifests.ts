/**
 * What `apply -f` and `delete -f` send: objects as they were read go in; manifests with their namespace filled in, and what is wrong with
 * each, come out.
 *
 * What always holds: everything that can be checked without a cluster is checked here, with file, line and column, before anything is sent;
 * no object is given twice, and none goes to another namespace than it says.
 */

import { FairwayError, type Finding, type Where } from '../core/errors.ts';
import { allKinds } from '../kinds/all-kinds.ts';
import type { RawObject } from '../model/object.ts';
import type { Manifest } from './rule-store.ts';

export interface ReadManifest {
  readonly raw: RawObject;
  readonly manifest: Manifest;
}

export interface CheckedManifests {
  readonly manifests: readonly ReadManifest[];
  /** Errors and warnings, in the order of the objects. */
  readonly findings: readonly Finding[];
}

/** Where objects without a namespace go, as with kubectl. */
export const defaultNamespace = 'default';

/** For `apply`: the whole object is checked. `namespace`: from -n. */
export function checkManifests(raws: readonly RawObject[], namespace: string | undefined): CheckedManifests {
  return collectManifests(raws, namespace, (raw) => {
    const { findings } = allKinds.parse(raw, { defaultNamespace: namespace ?? defaultNamespace });
    return findings;
  });
}

/** For `delete`: kind, namespace and name are enough, so that a broken object can be deleted too. */
export function readManifests(raws: readonly RawObject[], namespace: string | undefined): CheckedManifests {
  return collectManifests(raws, namespace, () => []);
}

function collectManifests(
  raws: readonly RawObject[],
  namespace: string | undefined,
  check: (raw: RawObject) => readonly Finding[],
): CheckedManifests {
  const manifests: ReadManifest[] = [];
  const findings: Finding[] = [];
  const seen = new Map<string, RawObject>();
  for (const raw of raws) {
    const found = check(raw);
    findings.push(...found);
    if (found.some((finding) => finding.severity === 'error')) continue;
    try {
      const manifest = readManifest(raw, namespace);
      const { namespace: space, name } = manifest.metadata;
      const id = `${manifest.kind} ${space === undefined ? '' : `${space}/`}${name}`;
      const earlier = seen.get(id);
      if (earlier !== undefined) {
        throw problem(
          raw,
          ['metadata', 'name'],
          `${id} is given twice`,
          `Remove one; the other is in ${earlier.origin}`,
        );
      }
      seen.set(id, raw);
      manifests.push({ raw, manifest });
    } catch (error) {
      if (!(error instanceof FairwayError)) throw error;
      const { code, message, where, hint } = error;
      findings.push({ code, severity: 'error', message, where, hint });
    }
  }
  return { manifests, findings };
}

function readManifest(raw: RawObject, namespace: string | undefined): Manifest {
  const object = asMap(raw.object);
  const apiVersion = object?.['apiVersion'];
  const kind = object?.['kind'];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    const missing = typeof apiVersion === 'string' ? 'kind' : 'apiVersion';
    const hint = 'Begin it with apiVersion: fairway.dev/v1alpha1 and kind: TrafficRule';
    throw problem(raw, [missing], `the object has no ${missing}`, hint);
  }
  const metadata = asMap(object?.['metadata']) ?? {};
  const { name } = metadata;
  const own = metadata['namespace'] ?? undefined;
  if (typeof name !== 'string' || name === '') {
    throw problem(raw, ['metadata', 'name'], `the ${kind} has no name`, 'Give it a metadata.name');
  }
  if (own !== undefined && typeof own !== 'string') {
    throw problem(raw, ['metadata', 'namespace'], 'the namespace is not text', 'Put it in quotes');
  }
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    throw problem(
      raw,
      ['metadata', 'namespace'],
      `${kind} ${name} is in namespace ${own}, and --namespace says ${namespace}`,
      'Leave out --namespace, or correct the object',
    );
  }
  const space = allKinds.named(kind)?.namespaced === false ? {} : { namespace: own ?? namespace ?? defaultNamespace };
  return { ...object, apiVersion, kind, metadata: { ...metadata, name, ...space } };
}

function asMap(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function problem(raw: RawObject, path: readonly (string | number)[], message: string, hint: string): FairwayError {
  return new FairwayError({ code: 'FW-CLI-024', message, where: raw.where(path), hint });
}

/** A finding of the API's, which knows the field and not the file, with the place in the file it was read from. */
export function locate(finding: Finding, raw: RawObject): Finding {
  const { field, object, cluster } = finding.where;
  const where: Where = {
    ...raw.where(parsePath(field ?? '')),
    ...(cluster === undefined ? {} : { cluster }),
    ...(object === undefined ? {} : { object }),
    ...(field === undefined ? {} : { field }),
  };
  return { ...finding, where };
}

/** `spec.routes[0].backends[1].weight` as a path of keys and indexes. */
function parsePath(field: string): (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}
