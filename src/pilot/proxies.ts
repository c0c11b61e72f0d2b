/**
 * The connected proxies: who they are, which scope each is in, and which rules each has rejected.
 *
 * A proxy that rejects a message keeps what it holds, and would reject every later message that still holds the bad part. So the rules that
 * the message changed are set aside for this proxy alone: it moves to a scope in which those rules have their last good form, and all else
 * goes on. Other proxies are untouched. A rejection is forgotten when the rule changes or the proxy connects anew.
 */

import type { Logger } from '../core/logger.ts';
import type { Scope } from '../model/mesh.ts';
import type { ProxyIdentity } from '../model/proxy.ts';
import type { TrafficRule } from '../model/rule.ts';
import { ruleId } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import type { ClientHello } from '../xds/view.ts';
import { type ProxySettings, parseNode } from './node.ts';
import type { Scopes, ScopeView } from './scopes.ts';
import { addressKey, inboundPorts, type WorkloadIndex } from './workload-index.ts';

export interface Proxy {
  readonly identity: ProxyIdentity;
  readonly settings: ProxySettings;
  readonly connectedSinceMs: number;
  readonly peer: string;
  readonly transport: 'sotw' | 'delta';
  readonly streams: Set<number>;
  /** Rejected forms of rules (`ruleForm`), with the client's words. */
  readonly rejected: Map<string, string>;
  view: ScopeView;
}

/** One form of one rule, as scopes name it. */
export function ruleForm(rule: TrafficRule): string {
  return `${ruleId(rule.ref)}@${rule.hash}`;
}

export interface ProxiesOptions {
  readonly scopes: Scopes;
  readonly workloads: WorkloadIndex;
  readonly services: ReadonlyMap<ServiceKey, CatalogService>;
  /** Called when a stream's scope changed. */
  readonly reassign: (streamId: number, view: ScopeView) => void;
  readonly now: () => number;
  readonly logger: Logger;
}

export class Proxies {
  readonly #options: ProxiesOptions;
  readonly #byNode = new Map<string, Proxy>();
  readonly #byStream = new Map<number, Proxy>();
  readonly #byAddress = new Map<string, Set<Proxy>>();

  constructor(options: ProxiesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byNode.size;
  }

  all(): Iterable<Proxy> {
    return this.#byNode.values();
  }

  ofStream(streamId: number): Proxy | undefined {
    return this.#byStream.get(streamId);
  }

  ofNode(nodeId: string): Proxy | undefined {
    return this.#byNode.get(nodeId);
  }

  /** A stream's first request. Throws a coded error (FW-NODE-…) for a node that cannot be served. */
  connect(client: ClientHello): ScopeView {
    const node = parseNode(client.node);
    const known = this.#byNode.get(node.identity.nodeId);
    if (known !== undefined) {
      known.streams.add(client.streamId);
      this.#byStream.set(client.streamId, known);
      return known.view;
    }
    const proxy: Proxy = {
      ...node,
      connectedSinceMs: this.#options.now(),
      peer: client.peer,
      transport: client.transport,
      streams: new Set([client.streamId]),
      rejected: new Map(),
      view: this.#options.scopes.acquire(this.#scopeOf(node.identity, node.settings, [])),
    };
    this.#byNode.set(proxy.identity.nodeId, proxy);
    this.#byStream.set(client.streamId, proxy);
    for (const key of addressesOf(proxy.identity)) {
      const there = this.#byAddress.get(key);
      if (there === undefined) this.#byAddress.set(key, new Set([proxy]));
      else there.add(proxy);
    }
    return proxy.view;
  }

  disconnect(streamId: number): void {
    const proxy = this.#byStream.get(streamId);
    if (proxy === undefined) return;
    this.#byStream.delete(streamId);
    proxy.streams.delete(streamId);
    if (proxy.streams.size > 0) return;
    this.#byNode.delete(proxy.identity.nodeId);
    this.#options.scopes.release(proxy.view);
    for (const key of addressesOf(proxy.identity)) {
      const there = this.#byAddress.get(key);
      there?.delete(proxy);
      if (there?.size === 0) this.#byAddress.delete(key);
    }
  }

  /** Sets rules aside for one proxy: it goes on with their last good form. */
  reject(proxy: Proxy, rules: readonly TrafficRule[], words: string): void {
    for (const rule of rules) proxy.rejected.set(ruleForm(rule), words);
    this.#rescope(proxy);
  }

  /** The services behind these addresses (`addressKey`) changed, so the proxies there may take requests on other ports now. */
  workloadsChanged(addresses: Iterable<string>): void {
    const touched = new Set<Proxy>();
    for (const address of addresses) {
      for (const proxy of this.#byAddress.get(address) ?? []) touched.add(proxy);
    }
    for (const proxy of touched) this.#rescope(proxy);
  }

  /** Forgets rejections of forms that are no longer in force. */
  rulesChanged(inForce: ReadonlySet<string>): void {
    for (const proxy of this.#byNode.values()) {
      if (proxy.rejected.size === 0) continue;
      for (const form of proxy.rejected.keys()) {
        if (!inForce.has(form)) proxy.rejected.delete(form);
      }
      this.#rescope(proxy);
    }
  }

  #rescope(proxy: Proxy): void {
    const { scopes, reassign } = this.#options;
    const before = proxy.view;
    const view = scopes.acquire(this.#scopeOf(proxy.identity, proxy.settings, [...proxy.rejected.keys()].sort()));
    if (view === before) {
      view.users -= 1;
      return;
    }
    proxy.view = view;
    for (const streamId of proxy.streams) reassign(streamId, view);
    scopes.release(before);
  }

  #scopeOf(identity: ProxyIdentity, settings: ProxySettings, rejected: readonly string[]): Scope {
    return {
      cluster: identity.cluster,
      network: identity.network,
      namespace: identity.namespace,
      mode: settings.mode,
      outbound: settings.outbound,
      inboundAddress: settings.inboundAddress,
      inbound: settings.inbound ?? (settings.mode === 'captured' ? this.#inboundOf(identity) : []),
      rejected,
    };
  }

  #inboundOf({ cluster, addresses }: ProxyIdentity): Scope['inbound'] {
    const { workloads, services } = this.#options;
    const behind = [...workloads.services(cluster, addresses)].flatMap((key) => services.get(key) ?? []);
    return inboundPorts(behind, cluster, addresses);
  }
}

function addressesOf({ cluster, addresses }: ProxyIdentity): string[] {
  return addresses.map((address) => addressKey(cluster, address));
}
