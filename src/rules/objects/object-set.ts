/**
 * All objects of one kind that the sources hold: per object its latest form, its findings and its last good form. What they mean together
 * (who wins, who loses) is for whoever reads them.
 *
 * What always holds: an invalid form leaves the object's last good form standing; whoever listens hears of every change, after it is made.
 */

import { compareText } from '../../core/compare-text.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RawObject } from '../../model/object.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { KindHead, ParsedObject, ParseObjectOptions } from './kind-types.ts';
import { nextGeneration, uidOf } from './object-generation.ts';

/** One object as one source holds it. Replaced, never changed. */
export interface ObjectRecord<T> {
  /** Unique over all sources: `<source>#<id>`. */
  readonly key: string;
  readonly source: string;
  /** '' where the object does not say, and for kinds without one. */
  readonly namespace: string;
  readonly name: string;
  /** metadata.generation; where there is none, it counts the changes of the object since it was first seen. */
  readonly generation: number;
  readonly createdAtMs: number;
  readonly raw: RawObject;
  readonly spec: unknown;
  /** Of the latest form. An error means that it counts for nothing. */
  readonly findings: readonly Finding[];
  /** Of kinds whose objects are each for one service: which, as far as the latest form says so. */
  readonly service?: ServiceKey;
  /** The latest form, if it is valid. */
  readonly latest?: T;
  /** The last form that was valid (`latest`, if that is), and what it was made from. */
  readonly lastGood?: T;
  readonly lastGoodRaw?: RawObject;
}

export interface ObjectSetOptions<T> {
  readonly head: KindHead;
  readonly parse: (raw: RawObject, options: ParseObjectOptions) => ParsedObject<T>;
  readonly logger: Logger;
  /** Objects above this are not taken, which is logged and counted. */
  readonly maxObjects: number;
  readonly defaultNamespace: string;
  /** Writes the record's generation into a value; default: it has none of its own. */
  readonly stamp?: (value: T, generation: number) => T;
}

/** What a source of objects holds to speak to the set. */
export interface ObjectSetSource {
  put(raw: RawObject, id: string): void;
  remove(id: string): void;
}

export class ObjectSet<T> {
  readonly #options: ObjectSetOptions<T>;
  readonly #records = new Map<string, ObjectRecord<T>>();
  readonly #listeners = new Set<(key: string) => void>();
  #refused = 0;

  constructor(options: ObjectSetOptions<T>) {
    this.#options = options;
  }

  get head(): KindHead {
    return this.#options.head;
  }

  get size(): number {
    return this.#records.size;
  }

  /** How many times an object was not taken because the set was full. */
  get refused(): number {
    return this.#refused;
  }

  record(key: string): ObjectRecord<T> | undefined {
    return this.#records.get(key);
  }

  /** Sorted by namespace, name and source. */
  records(): readonly ObjectRecord<T>[] {
    return sortRecords(this.#records.values());
  }

  /** Called with the key of each record that came, changed or went. Returns what ends it. */
  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `name` tells sources apart, in messages too. A source speaks of its own objects only. */
  source(name: string): ObjectSetSource {
    return {
      put: (raw, id) => this.#put(name, raw, id),
      remove: (id) => {
        const key = `${name}#${id}`;
        if (this.#records.delete(key)) this.#tell(key);
      },
    };
  }

  #put(source: string, raw: RawObject, id: string): void {
    const { logger, maxObjects, head } = this.#options;
    const key = `${source}#${id}`;
    const before = this.#records.get(key);
    if (before === undefined && this.#records.size >= maxObjects) {
      this.#refused += 1;
      logger.error('an object is not taken: there are too many', {
        code: 'FW-RULE-042',
        kind: head.kind,
        origin: raw.origin,
        id,
        max: maxObjects,
        hint: 'Delete objects of this kind that nobody needs, then apply it again.',
      });
      return;
    }
    this.#records.set(key, this.#next(key, source, raw, before));
    this.#tell(key);
  }

  #tell(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }

  /** The record that follows `before`. An object of another name or uid under the same id is a new one, and inherits nothing. */
  #next(key: string, source: string, raw: RawObject, before: ObjectRecord<T> | undefined): ObjectRecord<T> {
    const { parse, defaultNamespace, stamp = (value: T) => value } = this.#options;
    const parsed = parse(raw, { defaultNamespace });
    const isNew =
      before === undefined ||
      uidOf(before.raw) !== uidOf(raw) ||
      (parsed.name !== '' && (parsed.name !== before.name || parsed.namespace !== before.namespace));
    const previous = isNew ? undefined : before;
    // What can no longer be read is still the object that it was.
    const { namespace, name } = parsed.name === '' && previous !== undefined ? previous : parsed;
    const generation = nextGeneration(parsed.generation, parsed.spec, previous);
    const latest = parsed.value === undefined ? undefined : stamp(parsed.value, generation);
    const lastGood = latest ?? previous?.lastGood;
    const lastGoodRaw = latest === undefined ? previous?.lastGoodRaw : raw;
    return {
      key,
      source,
      namespace,
      name,
      generation,
      createdAtMs: parsed.createdAtMs,
      raw,
      spec: parsed.spec,
      findings: parsed.findings,
      ...(parsed.service === undefined ? {} : { service: parsed.service }),
      ...(latest === undefined ? {} : { latest }),
      ...(lastGood === undefined ? {} : { lastGood }),
      ...(lastGoodRaw === undefined ? {} : { lastGoodRaw }),
    };
  }
}

/** By namespace, name and source. */
export function sortRecords<R extends Pick<ObjectRecord<unknown>, 'key' | 'namespace' | 'name'>>(
  records: Iterable<R>,
): readonly R[] {
  return [...records].sort(
    (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || compareText(a.key, b.key),
  );
}
