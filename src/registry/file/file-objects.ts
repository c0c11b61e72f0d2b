/**
 * The objects that a set of files holds: in come changed and removed files, out come the objects by id, and everything that is wrong.
 *
 * What always holds: a file that cannot be read keeps the objects it held before; of several objects with one id the one in the first file
 * (by name, then by place) counts, and each other is reported; the outcome depends on the files alone, not on the order of changes (but for
 * what broken files held before).
 */

import { join } from 'node:path';
import type { Finding } from '../../core/errors.ts';
import { readYamlInTurns, type YamlLimits, type YamlObject, type YamlParts } from '../../manifest/yaml-documents.ts';
import { ruleObjectId } from '../rule-sink.ts';
import type { FileChange } from './folder-watch.ts';

export interface HeldObject {
  /** `Kind/namespace/name`; the namespace is '' for kinds without one, and `default` where none is written. */
  readonly id: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly raw: YamlObject;
  /** Relative to the folder. */
  readonly file: string;
}

interface HeldFile {
  objects: readonly YamlObject[];
  findings: readonly Finding[];
  /** It has been read whole at least once. */
  read: boolean;
  /** Of the last reading, whole or not: what is written as before is not parsed again. */
  parts: YamlParts;
}

export interface ResolvedObjects {
  /** In order of file and place. */
  readonly objects: ReadonlyMap<string, HeldObject>;
  readonly findings: readonly Finding[];
  /** Some file has never been read whole: there may be more objects. */
  readonly partial: boolean;
}

/** Kinds of Kubernetes' own that have no namespace. */
export const clusterScoped: ReadonlySet<string> = new Set(['Namespace', 'Node']);

export class FileObjects {
  readonly #folder: string;
  readonly #limits: YamlLimits;
  readonly #clusterScoped: ReadonlySet<string>;
  readonly #files = new Map<string, HeldFile>();

  /** `folder` as people are shown it; `without`: the kinds that have no namespace. */
  constructor(folder: string, limits: YamlLimits, without: ReadonlySet<string> = clusterScoped) {
    this.#folder = folder;
    this.#limits = limits;
    this.#clusterScoped = without;
  }

  get size(): number {
    return this.#files.size;
  }

  /** One after the other: wait for the one before. */
  async change({ path, content }: FileChange): Promise<void> {
    const held = this.#files.get(path) ?? { objects: [], findings: [], read: false, parts: new Map() };
    if ('finding' in content) {
      this.#files.set(path, { ...held, findings: [content.finding] });
      return;
    }
    const { objects, findings, broken, parts } = await readYamlInTurns(content.text, join(this.#folder, path), {
      limits: this.#limits,
      before: held.parts,
    });
    if (broken) this.#files.set(path, { ...held, findings, parts });
    else this.#files.set(path, { objects, findings, read: true, parts });
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  resolve(): ResolvedObjects {
    const objects = new Map<string, HeldObject>();
    const findings: Finding[] = [];
    let partial = false;
    for (const [file, held] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      findings.push(...held.findings);
      partial ||= !held.read;
      for (const raw of held.objects) {
        const object = identify(raw, file, this.#clusterScoped);
        if ('code' in object) {
          findings.push(object);
          continue;
        }
        const first = objects.get(object.id);
        if (first === undefined) objects.set(object.id, object);
        else findings.push(duplicateFinding(object, first));
      }
    }
    return { objects, findings, partial };
  }
}

/** Who an object says it is, or what it lacks for that. */
export function identify(
  raw: YamlObject,
  file: string,
  without: ReadonlySet<string> = clusterScoped,
): HeldObject | Finding {
  const object = mapping(raw.object);
  const metadata = mapping(object?.['metadata']);
  const kind = object?.['kind'];
  const name = metadata?.['name'];
  const namespace = metadata?.['namespace'];
  const lack = (message: string, path: readonly string[], hint: string): Finding => ({
    code: 'FW-FILE-006',
    severity: 'error',
    message,
    where: raw.where(path),
    hint,
  });
  if (object === undefined)
    return lack('it is not an object', [], 'Write a mapping with apiVersion, kind and metadata.');
  if (typeof kind !== 'string' || kind === '')
    return lack('the object has no kind', ['kind'], 'Write its kind, e.g. kind: Service.');
  if (typeof name !== 'string' || name === '') {
    return lack(`the ${kind} has no name`, ['metadata', 'name'], 'Write metadata.name, as a string.');
  }
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
    return lack(
      `the namespace of ${kind} ${name} is not a string`,
      ['metadata', 'namespace'],
      'Put the namespace in quotes.',
    );
  }
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const space = without.has(kind) ? '' : namespace || 'default';
  return { id: ruleObjectId(kind, space, name), kind, apiVersion, namespace: space, name, raw, file };
}

export function mapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

export function objectTitle({ kind, namespace, name }: Pick<HeldObject, 'kind' | 'namespace' | 'name'>): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function duplicateFinding(object: HeldObject, first: HeldObject): Finding {
  const { line } = first.raw.where([]);
  return {
    code: 'FW-FILE-008',
    severity: 'warning',
    message: `the object is in ${first.raw.origin}:${line ?? 1} too, which counts; this one is left out`,
    where: { ...object.raw.where([]), object: objectTitle(object) },
    hint: 'Remove one of the two.',
  };
}
