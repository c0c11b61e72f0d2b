/**
 * How far rules have got: how many of the connected proxies hold one, and who refused it with which words.
 *
 * A census is taken once and asked for every rule: per proxy it keeps the one revision up to which the proxy has acknowledged all that rules
 * take effect through. So a look at all rules costs proxies + rules, not their product, but for proxies that set rules aside.
 */

import { typeUrl } from '../../core/type-urls.ts';
import type { Scope } from '../../model/mesh.ts';
import type { TrafficRule } from '../../model/rule.ts';
import { type Proxy, ruleForm } from './proxies.ts';

export interface RuleProgress {
  readonly acknowledged: number;
  readonly total: number;
  /** By node id, sorted. */
  readonly rejections: readonly { readonly node: string; readonly error: string }[];
}

/** The lowest mesh revision that a stream has acknowledged of those of `types` that it asked for; undefined: of none of them. */
export type AckedFloor = (streamId: number, types: Iterable<string>) => number | undefined;

/** The types through which a rule takes effect. */
export const holdingTypes: ReadonlySet<string> = new Set([
  typeUrl.cluster,
  typeUrl.endpoint,
  typeUrl.listener,
  typeUrl.route,
  typeUrl.virtualHost,
]);

/** Of a proxy that asked for nothing yet. */
const nothing = -1;

export class ProgressCensus {
  readonly #proxies: readonly { readonly proxy: Proxy; readonly floor: number }[];
  /** Those of proxies that set nothing aside, ascending. */
  readonly #plainFloors: Float64Array;
  readonly #withQuarantine: readonly { readonly proxy: Proxy; readonly floor: number }[];

  readonly #floorOf: AckedFloor;
  #modes: ReadonlySet<Scope['mode']> | undefined;
  #byCluster: ReadonlyMap<string, readonly Proxy[]> | undefined;
  readonly #ofCluster = new Map<string, ProgressCensus>();

  constructor(proxies: Iterable<Proxy>, floorOf: AckedFloor) {
    this.#floorOf = floorOf;
    this.#proxies = [...proxies].map((proxy) => ({ proxy, floor: proxyFloor(proxy, floorOf) }));
    const isPlain = ({ proxy }: { readonly proxy: Proxy }): boolean => proxy.quarantine.isEmpty();
    this.#plainFloors = Float64Array.from(this.#proxies.filter(isPlain), ({ floor }) => floor).sort();
    this.#withQuarantine = this.#proxies.filter((one) => !isPlain(one));
  }

  /** Of a cluster's proxies alone. */
  ofCluster(cluster: string): ProgressCensus {
    let census = this.#ofCluster.get(cluster);
    if (census === undefined) {
      this.#byCluster ??= Map.groupBy(
        this.#proxies.map(({ proxy }) => proxy),
        ({ identity }) => identity.cluster,
      );
      census = new ProgressCensus(this.#byCluster.get(cluster) ?? [], this.#floorOf);
      this.#ofCluster.set(cluster, census);
    }
    return census;
  }

  /** Whether a proxy of this mode is connected. */
  hasMode(mode: Scope['mode']): boolean {
    this.#modes ??= new Set(this.#proxies.map(({ proxy }) => proxy.view.scope.mode));
    return this.#modes.has(mode);
  }

  /** `since`: the mesh revision that brought this form into force; undefined: it is not compiled yet, and nobody can hold it. */
  ofRule(rule: TrafficRule, since: number | undefined): RuleProgress {
    const form = ruleForm(rule);
    const rejections: { node: string; error: string }[] = [];
    let acknowledged = since === undefined ? 0 : countFrom(this.#plainFloors, since);
    for (const { proxy, floor } of this.#withQuarantine) {
      const words = proxy.quarantine.rejected.get(form);
      if (words !== undefined) rejections.push({ node: proxy.identity.nodeId, error: words });
      else if (since !== undefined && floor >= since && !proxy.quarantine.isInDoubt(form)) acknowledged += 1;
    }
    rejections.sort((a, b) => (a.node < b.node ? -1 : 1));
    return { acknowledged, total: this.#proxies.length, rejections };
  }

  /** The same for what is no rule: `isFor` says which proxies are to hold it; `form`: as they set it aside, if they can. */
  since(since: number | undefined, isFor: (scope: Scope) => boolean, form = ''): RuleProgress {
    const rejections: { node: string; error: string }[] = [];
    let acknowledged = 0;
    let total = 0;
    for (const { proxy, floor } of this.#proxies) {
      const { identity, quarantine, view } = proxy;
      if (!isFor(view.scope)) continue;
      total += 1;
      const words = quarantine.rejected.get(form);
      if (words !== undefined) rejections.push({ node: identity.nodeId, error: words });
      else if (since !== undefined && floor >= since && !quarantine.isInDoubt(form)) acknowledged += 1;
    }
    rejections.sort((a, b) => (a.node < b.node ? -1 : 1));
    return { acknowledged, total, rejections };
  }
}

function proxyFloor({ streams }: Proxy, floorOf: AckedFloor): number {
  let floor = Number.POSITIVE_INFINITY;
  for (const streamId of streams) floor = Math.min(floor, floorOf(streamId, holdingTypes) ?? Number.POSITIVE_INFINITY);
  return floor === Number.POSITIVE_INFINITY ? nothing : floor;
}

/** How many of `ascending` are at least `least`. */
function countFrom(ascending: Float64Array, least: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return ascending.length - low;
}
