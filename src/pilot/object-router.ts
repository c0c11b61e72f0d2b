/**
 * From the sources of objects to what keeps each kind: a source puts whatever it holds, and the id says of which kind it is. What no kind of
 * the table is goes to the TrafficRules' set, which says so.
 */

import type { RawObject } from '../model/object.ts';
import type { RuleSetSource } from '../rules/rule-set.ts';

/** What keeps the objects of one kind, or of all. */
export interface ObjectTarget {
  source(name: string): RuleSetSource;
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

  constructor(byKind: ReadonlyMap<string, ObjectTarget>, others: ObjectTarget) {
    this.#byKind = byKind;
    this.#others = others;
  }

  source(name: string): RuleSetSource {
    return {
      put: (raw, id) => this.#of(id).source(name).put(raw, id),
      remove: (id) => this.#of(id).source(name).remove(id),
    };
  }

  record(key: string): ObjectForms | undefined {
    return this.#of(key.slice(key.indexOf('#') + 1)).record(key);
  }

  /** `id`: `Kind/namespace/name`. */
  #of(id: string): ObjectTarget {
    return this.#byKind.get(id.slice(0, id.indexOf('/'))) ?? this.#others;
  }
}
