/**
 * From the sources of objects to what keeps each kind: a source puts whatever it holds, and the id says of which kind it is. What no kind of
 * the table is goes to the TrafficRules' set, which says so.
 */

import type { RawObject } from '../../model/object.ts';
import type { ObjectSetSource } from '../../rules/objects/object-set.ts';

/** What keeps the objects of one kind, or of all. */
export interface ObjectTarget {
  source(name: string): ObjectSetSource;
  /** `<source>#<id>`. */
  record(key: string): ObjectForms | undefined;
}

export interface ObjectForms {
  readonly raw: RawObject;
  readonly lastGoodRaw?: RawObject;
  readonly generation: number;
}

export class ObjectRouter implements ObjectTarget {
  readonly #byKind: ReadonlyMap<string, ObjectTarget>;
  readonly #others: ObjectTarget;
  readonly #ofMembers: { readonly target: ObjectTarget; readonly isSource: (name: string) => boolean } | undefined;

  /** `ofMembers`: what keeps all that sources of member clusters put, whatever it is. */
  constructor(
    byKind: ReadonlyMap<string, ObjectTarget>,
    others: ObjectTarget,
    ofMembers?: { readonly target: ObjectTarget; readonly isSource: (name: string) => boolean },
  ) {
    this.#byKind = byKind;
    this.#others = others;
    this.#ofMembers = ofMembers;
  }

  source(name: string): ObjectSetSource {
    if (this.#ofMembers?.isSource(name) === true) return this.#ofMembers.target.source(name);
    return {
      put: (raw, id) => this.#of(id).source(name).put(raw, id),
      remove: (id) => this.#of(id).source(name).remove(id),
    };
  }

  record(key: string): ObjectForms | undefined {
    const hash = key.indexOf('#');
    if (this.#ofMembers?.isSource(key.slice(0, hash)) === true) return this.#ofMembers.target.record(key);
    return this.#of(key.slice(hash + 1)).record(key);
  }

  /** `id`: `Kind/namespace/name`. */
  #of(id: string): ObjectTarget {
    return this.#byKind.get(id.slice(0, id.indexOf('/'))) ?? this.#others;
  }
}
