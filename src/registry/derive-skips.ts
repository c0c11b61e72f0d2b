/** What of a cluster's objects is left out, and why: never dropped silently. */

export type SkipReason =
  /** The service is a DNS alias without ports, or of no usable name: nothing to send to. */
  | 'external-name'
  /** A slice of DNS names. */
  | 'fqdn-slice'
  /** A slice made out of another cluster's endpoints, which that cluster reports itself. */
  | 'imported-slice'
  /** The object says that it belongs to another cluster. On a pod only the claim is dropped. */
  | 'foreign-claim'
  /** Not an address of the slice's type, or one that no endpoint may have (unspecified, loopback, link-local, multicast). */
  | 'bad-address'
  /** The same address and port are in another slice of the service. */
  | 'duplicate-endpoint'
  /** A dual-stack pod's second address; the service's first family is used. */
  | 'other-family'
  /** The object could not be read. */
  | 'unreadable'
  /** Over the cluster's limit of services or endpoints. */
  | 'over-limit'
  /** A ServiceExport, and no Service of its name in the namespace. */
  | 'export-without-service'
  /** A ServiceExport of an alias (ExternalName): there are no endpoints to export. */
  | 'export-of-alias';

export interface Skip {
  readonly reason: SkipReason;
  /** `EndpointSlice shop/reviews-x7f`. */
  readonly object: string;
  readonly count: number;
}

/** Sums skips by (reason, object). */
export class SkipList {
  readonly #counts = new Map<string, Skip>();

  get size(): number {
    return this.#counts.size;
  }

  add(reason: SkipReason, object: string, count = 1): void {
    if (count === 0) return;
    const key = `${reason} ${object}`;
    this.#counts.set(key, { reason, object, count: (this.#counts.get(key)?.count ?? 0) + count });
  }

  list(): readonly Skip[] {
    return [...this.#counts.values()];
  }
}
