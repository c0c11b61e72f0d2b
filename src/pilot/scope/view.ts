/**
 * What the proxies of one scope see: a base that many scopes share, and what is other here. In: the names of services that may be otherwise,
 * after the base has them, and time to work. Out: the names of the resources that are, once all that was marked is in.
 *
 * What always holds: nothing is said to have changed before everything has, here and in the base, so whoever takes over the resources when told
 * sees a whole state of the mesh, never a part of one.
 */

import type { Finding } from '../../core/errors.ts';
import type { Overlay } from '../../core/layered-map.ts';
import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl as types } from '../../core/type-urls.ts';
import { askedHost } from '../../envoy/asked-host.ts';
import { GrpcAnswers } from '../../envoy/grpc/answers.ts';
import { ledClusters } from '../../envoy/led-clusters.ts';
import { ScopeOverlay } from '../../envoy/scope-overlay.ts';
import type { Mesh, Scope } from '../../model/mesh.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { Meaning } from '../../xds/spellings.ts';
import { impliesWildcard } from '../../xds/type-traits.ts';
import type { NameSet, ResourceView } from '../../xds/view.ts';
import type { ScopeBase } from './base.ts';

type Changes = ReadonlyMap<string, ReadonlySet<string>>;

/** Services that are looked at and are as in the base, before the clock is: each takes well under a microsecond. */
const looksPerClock = 256;

export class ScopeView implements ResourceView {
  readonly id: string;
  readonly scope: Scope;
  readonly base: ScopeBase;
  readonly #overlay: ScopeOverlay;
  readonly #grpcAnswers = new GrpcAnswers();
  readonly #isReady: () => boolean;
  /** Services to look at; the first as far as it has been gone through. */
  #marked: Iterator<ServiceKey>[] = [];
  /** Of the parts since the last `commit`. */
  #changes: Changes = new Map();
  #revision = 0;
  #isCurrent = false;
  /** Nothing was marked while nobody used it. */
  #isStale = true;
  /** Proxies in this scope, or on their way into it. */
  users = 0;

  constructor(id: string, scope: Scope, base: ScopeBase, isReady: () => boolean) {
    this.id = id;
    this.scope = scope;
    this.base = base;
    this.#overlay = new ScopeOverlay(scope, base.shared);
    this.#isReady = isReady;
  }

  /** Of the mesh that all of the resources are of. */
  get revision(): number {
    return this.#revision;
  }

  get ready(): boolean {
    return this.#isCurrent && this.#isReady();
  }

  /** False until everything is in for the first time, and after `lapse`. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get isMarked(): boolean {
    return this.#marked.length > 0;
  }

  resources(typeUrl: string): ReadonlyMap<string, EncodedResource> {
    return this.#overlay.resources(typeUrl);
  }

  own(typeUrl: string): Overlay<EncodedResource> {
    return this.#overlay.own(typeUrl);
  }

  /** Envoy's first VHDS request names no host; a scope that has hosts as resources means all of them by it. gRPC's own clients name what they want. */
  impliedWildcard(typeUrl: string): boolean {
    if (this.scope.mode === 'grpc') return false;
    return typeUrl === types.virtualHost ? this.scope.routes !== 'tables' : impliesWildcard(typeUrl);
  }

  /** A captured sidecar asks by the Host of its requests, with whatever port that names. */
  meaningOf(typeUrl: string): Meaning | undefined {
    return typeUrl === types.virtualHost && this.scope.mode === 'captured' ? askedHost : undefined;
  }

  wildcardNames(typeUrl: string): NameSet | undefined {
    return this.#overlay.ownUnasked(typeUrl);
  }

  leadsTo(virtualHost: EncodedResource): readonly string[] {
    return ledClusters(virtualHost);
  }

  missing(typeUrl: string, name: string): EncodedResource | undefined {
    if (this.scope.mode === 'grpc') return this.#grpcAnswers.missing(typeUrl, name);
    return typeUrl === types.virtualHost ? this.#overlay.unknownHost(name) : undefined;
  }

  /** A route table's virtual hosts, whichever way they go out; the catch-all comes last. */
  hostsOfTable(table: string): ReturnType<ScopeOverlay['hostsOfTable']> {
    return this.#overlay.hostsOfTable(table);
  }

  /** What of the mesh this scope's proxies do not get, and why. */
  findings(): readonly Finding[] {
    return this.#overlay.findings();
  }

  /** These services may have changed; a set that is not written to any more. */
  mark(services: Iterable<ServiceKey>): void {
    if (!this.#isStale) this.#marked.push(services[Symbol.iterator]());
  }

  /** Nobody works on it any more, so it is not answered from until it has caught up. */
  lapse(): void {
    this.#isCurrent = false;
    this.#isStale = true;
    this.#marked = [];
  }

  /** Takes over what is otherwise of marked services until there are none or `isTimeUp`. Returns whether there are none. */
  work(mesh: Mesh, isTimeUp: () => boolean): boolean {
    if (this.#isStale) this.#marked = [this.#overlay.toLookAt(mesh)];
    this.#isStale = false;
    for (let looks = 1; this.#marked.length > 0; looks++) {
      const next = this.#marked[0]?.next();
      if (next?.done !== false) {
        this.#marked.shift();
        continue;
      }
      const isOther = this.#overlay.absorb(mesh, next.value);
      if ((isOther || looks % looksPerClock === 0) && isTimeUp()) break;
    }
    if (this.#marked.length > 0) return false;
    this.#changes = merged(this.#changes, this.#overlay.settle());
    return true;
  }

  /** All is in, as it is in the base. Returns the names that are otherwise now, or no longer, by type. */
  commit(revision: number): Changes {
    const changes = this.#changes;
    this.#changes = new Map();
    this.#revision = revision;
    this.#isCurrent = true;
    return changes;
  }
}

function merged(one: Changes, two: Changes): Changes {
  if (one.size === 0) return two;
  const both = new Map(one);
  for (const [typeUrl, names] of two) both.set(typeUrl, names.union(both.get(typeUrl) ?? new Set()));
  return both;
}
