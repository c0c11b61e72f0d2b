/**
 * A cluster in memory: for tests, and for whoever wants to feed the pilot from a program. Says through the seam what it is told, when told.
 *
 * What always holds: while it is lost it says nothing but that it is stale, and what was changed meanwhile is found when it comes back.
 */

import type { Clock } from '../../core/clock.ts';
import { type ClusterInfo, type ClusterState, unknownLocality } from '../../model/cluster.ts';
import { type NamespaceShard, type ServiceKey, type ServiceShard, serviceKey } from '../../model/service.ts';
import type { ClusterSink, StartSource } from '../source.ts';

export interface MemoryClusterOptions {
  readonly clock: Clock;
  /** What is not given is unknown. */
  readonly info: Pick<ClusterInfo, 'name'> & Partial<ClusterInfo>;
  /** false: it answers nothing until `regain`. */
  readonly reachable?: boolean;
}

export class MemoryCluster {
  readonly #clock: Clock;
  readonly #services = new Map<ServiceKey, ServiceShard>();
  readonly #namespaces = new Map<string, NamespaceShard>();
  readonly #sinks = new Set<ClusterSink>();
  #info: ClusterInfo;
  #reachable: boolean;
  #lastNewsMs: number;

  constructor(options: MemoryClusterOptions) {
    this.#clock = options.clock;
    this.#info = {
      network: '',
      locality: unknownLocality,
      uid: '',
      origin: `memory ${options.info.name}`,
      ...options.info,
    };
    this.#reachable = options.reachable ?? true;
    this.#lastNewsMs = options.clock.now();
  }

  get info(): ClusterInfo {
    return this.#info;
  }

  /** Sources that are running now. */
  get running(): number {
    return this.#sinks.size;
  }

  /** For `Inventory.add`; may be started more than once (a rotation). */
  readonly start: StartSource = (sink) => {
    this.#sinks.add(sink);
    if (this.#reachable) this.#sayAll(sink);
    else sink.state(this.#connecting());
    return {
      stop: () => {
        this.#sinks.delete(sink);
        return Promise.resolve();
      },
    };
  };

  putService(shard: ServiceShard): void {
    this.#setService(serviceKey(shard.namespace, shard.name), shard);
  }

  removeService(namespace: string, name: string): void {
    this.#setService(serviceKey(namespace, name), undefined);
  }

  /** Replaces the endpoints of a service that is there; throws where it is not. */
  putEndpoints(namespace: string, name: string, endpoints: ServiceShard['endpoints']): void {
    const shard = this.#services.get(serviceKey(namespace, name));
    if (shard === undefined) throw new Error(`memory cluster ${this.#info.name} has no service ${namespace}/${name}`);
    this.putService({ ...shard, endpoints });
  }

  putNamespace(shard: NamespaceShard): void {
    this.#setNamespace(shard.name, shard);
  }

  removeNamespace(name: string): void {
    this.#setNamespace(name, undefined);
  }

  /** Changes who or where the cluster is. */
  setInfo(info: Partial<Omit<ClusterInfo, 'name'>>): void {
    this.#info = { ...this.#info, ...info };
    this.#say((sink) => this.#sayAll(sink));
  }

  /** The API is out of reach from now on. */
  lose(message = 'connection refused'): void {
    if (!this.#reachable) return;
    this.#reachable = false;
    this.#lastNewsMs = this.#clock.now();
    for (const sink of this.#sinks) sink.state(this.#stale(message));
  }

  /** It is back: everything is listed again. */
  regain(): void {
    this.#reachable = true;
    this.#say((sink) => this.#sayAll(sink));
  }

  /** Says any state at all, e.g. that it is refused. */
  say(state: ClusterState): void {
    for (const sink of this.#sinks) sink.state(state);
  }

  #setService(key: ServiceKey, shard: ServiceShard | undefined): void {
    if (shard === undefined) this.#services.delete(key);
    else this.#services.set(key, shard);
    this.#say((sink) => sink.change({ services: new Map([[key, shard]]), namespaces: new Map() }));
  }

  #setNamespace(name: string, shard: NamespaceShard | undefined): void {
    if (shard === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, shard);
    this.#say((sink) => sink.change({ services: new Map(), namespaces: new Map([[name, shard]]) }));
  }

  #say(word: (sink: ClusterSink) => void): void {
    if (!this.#reachable) return;
    this.#lastNewsMs = this.#clock.now();
    for (const sink of [...this.#sinks]) word(sink);
  }

  #sayAll(sink: ClusterSink): void {
    sink.state({ phase: 'syncing', sinceMs: this.#clock.now() });
    sink.sync({ info: this.#info, services: new Map(this.#services), namespaces: new Map(this.#namespaces) });
    sink.state({ phase: 'fresh', sinceMs: this.#clock.now() });
  }

  #stale(message: string): ClusterState {
    return {
      phase: 'stale',
      sinceMs: this.#lastNewsMs,
      problem: { code: 'FW-CLUSTER-017', message, hint: 'Bring the cluster back.' },
    };
  }

  #connecting(): ClusterState {
    return {
      phase: 'connecting',
      sinceMs: this.#clock.now(),
      problem: { code: 'FW-CLUSTER-017', message: 'connection refused', hint: 'Bring the cluster back.' },
    };
  }
}
