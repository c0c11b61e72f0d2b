/**
 * On demand: the Envoy clusters that every sidecar of a scope gets without asking, for nothing asks where a listener or a copy of a request leads.
 *
 * In: what leads where, service by service, and which Envoy clusters there are. Out: live names, and word of those that come among them or go.
 * What always holds: a name is among them while something leads there, whether its Envoy cluster is there or not, so that one that comes back
 * is sent again; and then until that cluster goes, so that whoever holds it is told of changes, and of its end.
 */

import type { HostPieces } from './service-pieces.ts';

export class UnaskedClusters {
  /** Live. Others may be among them: whoever adds those takes them out. */
  readonly names = new Set<string>();
  /** By name, how often something leads there. */
  readonly #leading = new Map<string, number>();
  /** Nothing leads there any more. */
  readonly #left = new Set<string>();
  readonly #touch: (name: string) => void;

  /** `touch` is told of names that come or go. */
  constructor(touch: (name: string) => void) {
    this.#touch = touch;
  }

  /** What a service's listeners and mirrors lead to is another. */
  replace(before: HostPieces | undefined, after: HostPieces | undefined): void {
    if (before === after) return;
    for (const name of namesOf(after)) this.#lead(name);
    for (const name of namesOf(before)) this.#leave(name);
  }

  /** To be called once it is known which Envoy clusters there are. */
  forget(isThere: (name: string) => boolean): void {
    for (const name of this.#left) {
      if (isThere(name)) continue;
      this.#left.delete(name);
      this.names.delete(name);
      this.#touch(name);
    }
  }

  #lead(name: string): void {
    this.#leading.set(name, (this.#leading.get(name) ?? 0) + 1);
    this.#left.delete(name);
    if (this.names.has(name)) return;
    this.names.add(name);
    this.#touch(name);
  }

  #leave(name: string): void {
    const count = this.#leading.get(name) ?? 0;
    if (count > 1) {
      this.#leading.set(name, count - 1);
      return;
    }
    this.#leading.delete(name);
    this.#left.add(name);
  }
}

function* namesOf(pieces: HostPieces | undefined): Generator<string, undefined> {
  if (pieces === undefined) return;
  yield* pieces.connections;
  yield* pieces.mirrored;
}
