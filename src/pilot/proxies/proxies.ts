/**
 * The connected proxies: who they are, which scope each is in, and which rules each has rejected.
 *
 * A proxy that rejects a message keeps what it holds, and would reject every later message that still holds the bad part. So the rules that
 * the message changed are set aside for this proxy alone (quarantine.ts): it moves to a scope in which those rules have an earlier form, and
 * all else goes on. Other proxies are untouched. What it rejected stays set aside over a reconnect, until the rule is another.
 */

import type { Logger } from '../../core/logger.ts';
import { typeUrl as types } from '../../core/type-urls.ts';
import type { ConfigMode, Scope } from '../../model/mesh.ts';
import type { ProxyIdentity } from '../../model/proxy.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import type { ClientHello } from '../../xds/view.ts';
import type { Scopes } from '../scope/scopes.ts';
import type { ScopeView } from '../scope/view.ts';
import { addressKey } from '../scope/workload-index.ts';
import { type ProxySettings, parseNode } from './node.ts';
import { routesOf, type ScopeInputs, scopeOf } from './proxy-scope.ts';
import { Quarantine } from './quarantine.ts';
import { WantsMemory } from './wants.ts';

export interface Proxy {
  readonly identity: ProxyIdentity;
  readonly settings: ProxySettings;
  /** In which form it gets routes: what it can take, over the streams that it opened. */
  readonly routes: Scope['routes'];
  readonly connectedSinceMs: number;
  readonly peer: string;
  readonly transport: 'sotw' | 'delta';
  readonly streams: Set<number>;
  /** Of forms of rules (`ruleForm`) and of ExternalServices (`externalForm`). */
  readonly quarantine: Quarantine;
  /** What its streams read. */
  view: ScopeView;
  /** Under construction: where it moves once that can be answered from. Until then it stays where it is, and is kept up there. */
  next: ScopeView | undefined;
}

/** One form of one rule, as scopes name it. */
export function ruleForm(rule: TrafficRule): string {
  return `${ruleId(rule.ref)}@${rule.hash}`;
}

export interface ProxiesOptions extends ScopeInputs {
  readonly scopes: Scopes;
  /** For a proxy that says nothing of it. */
  readonly configMode: (cluster: string, namespace: string) => ConfigMode;
  /** Called when a stream's scope changed. */
  readonly reassign: (streamId: number, view: ScopeView) => void;
  readonly now: () => number;
  readonly logger: Logger;
}

/** How many proxies that went with something rejected are remembered, for when they come back. */
const rememberedMax = 10_000;

export class Proxies {
  readonly #options: ProxiesOptions;
  /** By `proxyKey`: streams of one node that differ in nothing are one proxy. */
  readonly #byKey = new Map<string, Proxy>();
  readonly #byStream = new Map<number, Proxy>();
  readonly #byAddress = new Map<string, Set<Proxy>>();
  /** Those that wait for a view, by that view. */
  readonly #moving = new Map<ScopeView, Set<Proxy>>();
  /** By `proxyKey`, the longest gone first. */
  readonly #remembered = new Map<string, Quarantine>();
  readonly #wants: WantsMemory;
  /** Those that set something aside, or are looking for what to blame. */
  readonly #apart = new Set<Proxy>();
  #wereApart = false;

  constructor(options: ProxiesOptions) {
    this.#options = options;
    this.#wants = new WantsMemory(options.now);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Some proxy sets something aside, or did when this was last asked. */
  takeApart(): boolean {
    const isSo = this.#wereApart;
    this.#wereApart = this.#apart.size > 0;
    return isSo || this.#wereApart;
  }

  all(): Iterable<Proxy> {
    return this.#byKey.values();
  }

  ofStream(streamId: number): Proxy | undefined {
    return this.#byStream.get(streamId);
  }

  ofNode(nodeId: string): Proxy | undefined {
    return [...this.#byKey.values()].findLast(({ identity }) => identity.nodeId === nodeId);
  }

  /** A stream's first request. Throws a coded error (FW-NODE-…) for a node that cannot be served. */
  connect(client: ClientHello): ScopeView {
    const parsed = parseNode(client.node);
    const node = { ...parsed, routes: routesOf(parsed, client, this.#options.configMode) };
    const key = proxyKey(node);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.streams.add(client.streamId);
      this.#byStream.set(client.streamId, known);
      return known.view;
    }
    const quarantine = this.#remembered.get(key) ?? new Quarantine();
    this.#remembered.delete(key);
    const proxy: Proxy = {
      ...node,
      connectedSinceMs: this.#options.now(),
      peer: client.peer,
      transport: client.transport,
      streams: new Set([client.streamId]),
      quarantine,
      view: this.#options.scopes.acquire(scopeOf(node, quarantine.aside(), this.#options)),
      next: undefined,
    };
    this.#byKey.set(key, proxy);
    this.#byStream.set(client.streamId, proxy);
    this.#noteApart(proxy);
    for (const address of addressesOf(proxy.identity)) {
      const there = this.#byAddress.get(address);
      if (there === undefined) this.#byAddress.set(address, new Set([proxy]));
      else there.add(proxy);
    }
    return proxy.view;
  }

  /** What the stream's node had asked for when it was here before, of a type that comes on demand. */
  remembered(streamId: number, typeUrl: string): readonly string[] {
    const proxy = this.#byStream.get(streamId);
    return proxy?.routes === 'on-demand' ? this.#wants.of(proxy.identity.nodeId, typeUrl) : [];
  }

  disconnect(streamId: number, asked: () => ReadonlyMap<string, readonly string[]>): void {
    const proxy = this.#byStream.get(streamId);
    if (proxy === undefined) return;
    this.#byStream.delete(streamId);
    proxy.streams.delete(streamId);
    if (proxy.streams.size > 0) return;
    const key = proxyKey(proxy);
    this.#byKey.delete(key);
    this.#apart.delete(proxy);
    this.#remember(key, proxy.quarantine);
    if (proxy.routes === 'on-demand') this.#rememberWants(proxy.identity.nodeId, asked());
    this.#stay(proxy);
    this.#options.scopes.release(proxy.view);
    for (const address of addressesOf(proxy.identity)) {
      const there = this.#byAddress.get(address);
      there?.delete(proxy);
      if (there?.size === 0) this.#byAddress.delete(address);
    }
  }

  /** A proxy refused a message of this type, and `suspects` may be to blame: they are set aside for it. */
  reject(proxy: Proxy, typeUrl: string, suspects: readonly string[], words: string): void {
    proxy.quarantine.refused(typeUrl, suspects, words, this.#options.now());
    this.#noteApart(proxy);
    this.#rescope(proxy);
  }

  /** Goes on looking for the culprit at the proxies where it is looked for and that are in step with what they were given. */
  advance(proxies: Iterable<Proxy>, isInStep: (proxy: Proxy, typeUrl: string) => boolean): void {
    for (const proxy of proxies) {
      const isThere = (typeUrl: string): boolean => proxy.next === undefined && isInStep(proxy, typeUrl);
      while (proxy.quarantine.advance(isThere)) this.#rescope(proxy);
      if (this.#apart.has(proxy)) this.#noteApart(proxy);
    }
  }

  /** The services behind these addresses (`addressKey`) changed, so the proxies there may take requests on other ports now. */
  workloadsChanged(addresses: Iterable<string>): void {
    const touched = new Set<Proxy>();
    for (const address of addresses) {
      for (const proxy of this.#byAddress.get(address) ?? []) touched.add(proxy);
    }
    for (const proxy of touched) this.#rescope(proxy);
  }

  /**
   * What services ask is another thing now, or clusters are elsewhere: those for whom it may matter get the scope that fits. Returns those of
   * them that wait for its view.
   */
  questionsChanged(matters: (proxy: Proxy) => boolean): readonly Proxy[] {
    const concerned: Proxy[] = [];
    for (const proxy of this.#byKey.values()) if (matters(proxy)) concerned.push(proxy);
    for (const proxy of concerned) this.#rescope(proxy);
    return concerned.filter(({ next }) => next !== undefined);
  }

  /** Forgets rejections of forms that nobody is given any more; `forms` gives those that somebody may be. */
  rulesChanged(forms: () => ReadonlySet<string>): void {
    const proxies = [...this.#apart];
    if (proxies.length === 0 && this.#remembered.size === 0) return;
    const known = forms();
    const isKnown = (form: string): boolean => known.has(form);
    for (const proxy of proxies) {
      proxy.quarantine.keepOnly(isKnown);
      this.#noteApart(proxy);
      this.#rescope(proxy);
    }
    for (const [key, quarantine] of this.#remembered) {
      quarantine.keepOnly(isKnown);
      if (quarantine.isEmpty()) this.#remembered.delete(key);
    }
  }

  #noteApart(proxy: Proxy): void {
    if (proxy.quarantine.isEmpty()) this.#apart.delete(proxy);
    else {
      this.#apart.add(proxy);
      this.#wereApart = true;
    }
  }

  #rememberWants(nodeId: string, asked: ReadonlyMap<string, readonly string[]>): void {
    const wants = [types.cluster, types.virtualHost].map((type) => [type, asked.get(type) ?? []] as const);
    this.#wants.remember(nodeId, new Map(wants));
  }

  #remember(key: string, quarantine: Quarantine): void {
    quarantine.endSearch();
    if (quarantine.isEmpty()) return;
    this.#remembered.set(key, quarantine);
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size > rememberedMax) this.#remembered.delete(oldest);
  }

  /** `view` can be answered from: whoever waits for it moves there. Returns them. */
  arrived(view: ScopeView): Iterable<Proxy> {
    const proxies = this.#moving.get(view) ?? [];
    this.#moving.delete(view);
    for (const proxy of proxies) {
      proxy.next = undefined;
      this.#move(proxy, view);
    }
    return proxies;
  }

  #rescope(proxy: Proxy): void {
    const { scopes } = this.#options;
    const view = scopes.acquire(scopeOf(proxy, proxy.quarantine.aside(), this.#options));
    if (view === proxy.next) return scopes.release(view);
    this.#stay(proxy);
    if (view === proxy.view) return scopes.release(view);
    if (view.isCurrent) return this.#move(proxy, view);
    proxy.next = view;
    const waiting = this.#moving.get(view);
    if (waiting === undefined) this.#moving.set(view, new Set([proxy]));
    else waiting.add(proxy);
  }

  /** `view` is acquired for it. */
  #move(proxy: Proxy, view: ScopeView): void {
    const before = proxy.view;
    proxy.view = view;
    for (const streamId of proxy.streams) this.#options.reassign(streamId, view);
    this.#options.scopes.release(before);
  }

  /** It goes nowhere any more. */
  #stay(proxy: Proxy): void {
    const { next } = proxy;
    if (next === undefined) return;
    proxy.next = undefined;
    const waiting = this.#moving.get(next);
    waiting?.delete(proxy);
    if (waiting?.size === 0) this.#moving.delete(next);
    this.#options.scopes.release(next);
  }
}

/** All that the node says: a restarted Envoy of another version or with other settings is another proxy. */
function proxyKey({ identity, settings, routes }: Pick<Proxy, 'identity' | 'settings' | 'routes'>): string {
  return JSON.stringify([identity, settings, routes]);
}

function addressesOf({ cluster, addresses }: ProxyIdentity): string[] {
  return addresses.map((address) => addressKey(cluster, address));
}
