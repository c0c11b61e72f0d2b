/** What the replica has of a subscription: what the client should hold of one type. */

import type { EncodedResource } from '../core/resource.ts';
import type { Replica } from './replica.ts';
import type { Subscription } from './subscription.ts';
import type { TypeReplica } from './type-replica.ts';
import type { NameSet } from './view.ts';

export class Selection {
  readonly typeUrl: string;
  readonly subscription: Subscription;
  #replica: Replica;
  #type: TypeReplica;

  constructor(typeUrl: string, subscription: Subscription, replica: Replica) {
    this.typeUrl = typeUrl;
    this.subscription = subscription;
    this.#replica = replica;
    this.#type = replica.type(typeUrl);
    subscription.understand(replica.view.meaningOf?.(typeUrl));
  }

  get replica(): Replica {
    return this.#replica;
  }

  get type(): TypeReplica {
    return this.#type;
  }

  /** From now on, of another replica. */
  rebase(replica: Replica): void {
    this.#replica = replica;
    this.#type = replica.type(this.typeUrl);
    this.subscription.understand(replica.view.meaningOf?.(this.typeUrl));
  }

  /** The names that a wildcard means; undefined: everything. */
  get all(): NameSet | undefined {
    return this.#type.meant.names;
  }

  /** `name` is asked for, whether there is such a thing or not. */
  includes(name: string): boolean {
    return this.subscription.has(name, this.#type.resources.get(name));
  }

  /** The name under which the replica has it, or would have it, for an alias and for what was asked for in another spelling. */
  canonical(name: string): string {
    if (this.#type.resources.has(name)) return name;
    const meant = this.subscription.meant(name);
    return this.#type.resources.has(meant) ? meant : (this.#type.names.get(meant) ?? meant);
  }

  /** What the client should hold under `name`, the host's answer for what is not there included; undefined if nothing. */
  current(name: string): EncodedResource | undefined {
    const resource = this.#type.resources.get(name);
    if (resource !== undefined) return this.subscription.has(name, resource) ? resource : undefined;
    if (!this.subscription.asks(name) || this.#type.names.has(name)) return undefined;
    return this.#replica.view.missing?.(this.typeUrl, name);
  }

  /** What there is of the subscription, by name. */
  *resources(): Generator<[string, EncodedResource]> {
    if (!this.subscription.wildcard && this.#type.names.size + this.subscription.spellings.size === 0) {
      for (const name of this.subscription.names) {
        const resource = this.#type.resources.get(name);
        if (resource !== undefined) yield [name, resource];
      }
      return;
    }
    const seen = new Set<string>();
    if (this.subscription.wildcard) {
      const { all } = this;
      if (all === undefined) {
        yield* this.#type.resources;
        return;
      }
      for (const name of all) {
        const resource = this.#type.resources.get(name);
        if (resource === undefined) continue;
        seen.add(name);
        yield [name, resource];
      }
    }
    for (const name of this.subscription.names) {
      const canonical = this.canonical(name);
      const resource = this.#type.resources.get(canonical);
      if (resource === undefined || seen.has(canonical)) continue;
      seen.add(canonical);
      yield [canonical, resource];
    }
  }
}
