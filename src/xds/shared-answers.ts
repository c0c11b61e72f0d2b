/**
 * What clients are sent that ask for the same resources of a type and hold none of them: listed once per edition of the type, not per stream.
 * In: a set of names that streams share, or all. Out: the resources; undefined where the answer does not follow from the type alone.
 */

import type { EncodedResource } from '../core/resource.ts';
import type { TypeReplica } from './type-replica.ts';

export interface SharedAnswer {
  /** Unique among the answers of the type's edition. */
  readonly id: number;
  readonly resources: readonly EncodedResource[];
  /** Of `resources`. */
  readonly names: readonly string[];
  /** Of all bodies. */
  readonly bytes: number;
}

export class SharedAnswers {
  readonly #type: TypeReplica;
  #edition = 0;
  #all: SharedAnswer | undefined;
  #byNames = new WeakMap<ReadonlySet<string>, SharedAnswer | 'none'>();
  #ids = 0;

  constructor(type: TypeReplica) {
    this.#type = type;
  }

  /** Everything. */
  all(): SharedAnswer {
    this.#turnPage();
    this.#all ??= this.#answer([...this.#type.resources.values()]);
    return this.#all;
  }

  /** `names`: a set that never changes; undefined asks for all. Undefined if something of `names` is not there. */
  to(names: ReadonlySet<string> | undefined): SharedAnswer | undefined {
    if (names === undefined) return this.all();
    this.#turnPage();
    let answer = this.#byNames.get(names);
    if (answer === undefined) {
      answer = this.#answerTo(names);
      this.#byNames.set(names, answer);
    }
    return answer === 'none' ? undefined : answer;
  }

  #answerTo(names: ReadonlySet<string>): SharedAnswer | 'none' {
    const found = new Set<EncodedResource>();
    for (const name of names) {
      const resource = this.#type.resources.get(name) ?? this.#type.resources.get(this.#type.names.get(name) ?? '');
      if (resource === undefined) return 'none';
      found.add(resource);
    }
    return this.#answer([...found]);
  }

  #answer(resources: readonly EncodedResource[]): SharedAnswer {
    return {
      id: ++this.#ids,
      resources,
      names: resources.map((resource) => resource.name),
      bytes: resources.reduce((sum, resource) => sum + resource.body.length, 0),
    };
  }

  #turnPage(): void {
    if (this.#edition === this.#type.edition) return;
    this.#edition = this.#type.edition;
    this.#all = undefined;
    this.#byNames = new WeakMap();
  }
}
