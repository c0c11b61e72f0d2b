/**
 * What one client refused of one type, and what follows from it. In: refused messages. Out: what is not to be sent again, and parts of a
 * refused message to be sent by themselves until the culprit is found.
 *
 * Always: what was refused alone is not sent again while it is current, and while the culprit is looked for, every NACK halves what is left,
 * so the search ends.
 */

import type { EncodedResource } from '../core/resource.ts';
import type { Draft } from './draft.ts';
import { SparseMap } from './sparse-map.ts';
import { mentions, sameNames, split } from './suspects.ts';

export class Refusals {
  /** name → version that the client refused on its own. */
  readonly #versions = new SparseMap<string>();
  #wholeSet = false;
  /** Parts of a refused message, each to be sent by itself. */
  #suspects: string[][] = [];
  #error = '';
  /** Nothing is sent until something changes. */
  silent = false;

  /** Something that the client refused is current. */
  get any(): boolean {
    return this.#wholeSet || this.silent || this.#versions.all.size > 0 || this.#suspects.length > 0;
  }

  /** The client's words on its last refusal, until nothing that it refused is current any more. */
  get error(): string {
    return this.#error;
  }

  has(resource: EncodedResource): boolean {
    return this.#versions.all.get(resource.name) === resource.version;
  }

  /** Names that are sent only with their own part of a refused message. */
  suspectNames(): ReadonlySet<string> {
    return new Set(this.#suspects.flat());
  }

  /** The next part to be sent by itself, as far as `stillWanted` gives resources for its names; undefined if none is left. */
  nextSuspects(stillWanted: (name: string) => EncodedResource | undefined): readonly EncodedResource[] | undefined {
    while (this.#suspects.length > 0) {
      const group = (this.#suspects[0] ?? []).map(stillWanted).filter((resource) => resource !== undefined);
      if (group.length > 0) {
        this.#suspects[0] = group.map((resource) => resource.name);
        return group;
      }
      this.#suspects.shift();
    }
    return undefined;
  }

  get suspectParts(): number {
    return this.#suspects.length;
  }

  /** These resources were sent; true if they are the next suspects, which are thereby dealt with. */
  sent(resources: readonly EncodedResource[]): boolean {
    const isolating = this.#suspects.length > 0 && sameNames(this.#suspects[0] ?? [], resources);
    if (isolating) this.#suspects.shift();
    return isolating;
  }

  accepted(): void {
    this.#wholeSet = false;
    if (!this.any) this.#error = '';
  }

  /** Nothing is to be sent but what was refused alone: a whole set or parts that were refused are past. */
  nothingDue(): void {
    this.#suspects = [];
    this.accepted();
  }

  /** The client refused these resources. Returns their names, those that its words point at first, and how many those are. */
  refused(
    resources: readonly EncodedResource[],
    error: string,
    wholeSet: boolean,
  ): { readonly names: readonly string[]; readonly pointed: number } {
    this.#error = error === '' ? 'refused without a reason' : error;
    const names = resources.map((resource) => resource.name);
    const pointed = names.filter((name) => mentions(error, name));
    const [only] = resources;
    if (wholeSet) this.#wholeSet = true;
    else if (only !== undefined && resources.length === 1) this.#versions.set(only.name, only.version);
    else if (resources.length > 1) this.#suspects.push(...split(names, pointed));
    return { names: [...pointed, ...names.filter((name) => !pointed.includes(name))], pointed: pointed.length };
  }

  /** The client is to be sent `name` once more. */
  forgive(name: string): void {
    this.#versions.delete(name);
  }

  forgiveSent({ resources, removed }: Draft): void {
    if (this.#versions.all.size === 0) return;
    for (const { name } of resources) this.forgive(name);
    for (const name of removed) this.forgive(name);
  }

  forgiveUnless(keep: (name: string, version: string) => boolean): void {
    for (const [name, version] of this.#versions.all) if (!keep(name, version)) this.#versions.delete(name);
  }

  reset(): void {
    this.#versions.clear();
    this.#wholeSet = false;
    this.#suspects = [];
    this.silent = false;
    this.#error = '';
  }
}
