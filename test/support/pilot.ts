/**
 * A pilot without a process: memory clusters in a real inventory, rules in a real rule set, the engine, and a real xDS server on a free
 * loopback port. In: clusters and rules, as tests write them; out: clients with real gRPC streams, and the statuses that people read.
 */

import { parse } from 'yaml';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decodeMessage } from '../../src/envoy/proto/decode.ts';
import type { ExternalService } from '../../src/model/external.ts';
import { defaultMeshSettings, type MeshSettings } from '../../src/model/mesh.ts';
import type { RuleReport } from '../../src/model/report.ts';
import type { Condition } from '../../src/model/rule.ts';
import { Engine } from '../../src/pilot/engine.ts';
import type { EngineOptions } from '../../src/pilot/engine-options.ts';
import { judgeExternal } from '../../src/pilot/external-verdicts.ts';
import { Externals } from '../../src/pilot/externals.ts';
import { KindStage } from '../../src/pilot/status/object-stage.ts';
import { RuleStatus } from '../../src/pilot/status/rule-status.ts';
import { Inventory, type InventoryOptions } from '../../src/registry/inventory.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { defaultXdsLimits, type XdsLimits } from '../../src/xds/limits.ts';
import { XdsServer } from '../../src/xds/server.ts';
import type { ProgressEvent } from '../../src/xds/view.ts';
import { endpoint, shard } from './fixtures.ts';
import { rawObject } from './rules.ts';
import { XdsClient, type XdsClientOptions } from './xds-client.ts';
import type { ReceivedResource, XdsResponse } from './xds-response.ts';

export const host = (name: string): string => `${name}.shop.svc.cluster.local`;

/** `outbound|80|v2.west|reviews.shop.svc.cluster.local`. */
export const outbound = (name: string, chain = '', port = 80): string => `outbound|${port}|${chain}|${host(name)}`;

export interface NodeFields {
  readonly address?: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function nodeId({ address = '10.9.0.1', name = 'client' }: NodeFields = {}): string {
  return `sidecar~${address}~${name}.shop~shop.svc.cluster.local`;
}

/** An envoy.config.core.v3.Node as `fairway bootstrap` writes it. */
export function envoyNode(fields: NodeFields = {}): NonNullable<XdsClientOptions['node']> {
  const metadata = { CLUSTER_ID: fields.cluster ?? 'east', FAIRWAY_MODE: 'explicit', ...fields.metadata };
  const entries = Object.entries(metadata).map(([key, value]) => [key, { stringValue: value }]);
  return { id: nodeId(fields), cluster: 'client', metadata: { fields: Object.fromEntries(entries) } };
}

export interface PilotRigOptions {
  /** false: `open` is left to the test. */
  readonly ready?: boolean;
  readonly settings?: Partial<MeshSettings>;
  readonly limits?: Partial<XdsLimits>;
  readonly inventory?: Partial<Omit<InventoryOptions, 'clock' | 'logger'>>;
  readonly clock?: Clock;
  readonly configMode?: EngineOptions['configMode'];
}

export class PilotRig {
  readonly inventory: Inventory;
  readonly rules: RuleSet;
  readonly engine: Engine;
  readonly xds: XdsServer;
  readonly ruleStatus: RuleStatus;
  readonly externals: Externals;
  readonly externalStage: KindStage<ExternalService>;
  readonly events: ProgressEvent[] = [];
  readonly clusters = new Map<string, MemoryCluster>();
  readonly #clients: XdsClient[] = [];
  readonly #clock: Clock;
  #port = 0;

  private constructor(options: PilotRigOptions) {
    const clock = options.clock ?? systemClock;
    this.#clock = clock;
    const logger = silentLogger;
    this.inventory = new Inventory({ clock, logger, ...options.inventory });
    this.rules = new RuleSet(logger);
    this.externals = new Externals({ logger, clusterDomain: defaultMeshSettings.clusterDomain });
    this.engine = new Engine({
      clock,
      logger,
      settings: { ...defaultMeshSettings, ...options.settings },
      // A batch runs in the next turn of the event loop, so that `quiet` need not wait for a window.
      debounce: { minWindowMs: 0, maxWindowMs: 0, costFactor: 0 },
      shards: (key) => this.inventory.shards(key),
      rules: this.rules.winners,
      ...(options.configMode === undefined ? {} : { configMode: options.configMode }),
      externals: this.externals,
      localityOf: (cluster) => this.inventory.clusters().get(cluster)?.info.locality,
      events: {
        batch: () => this.ruleStatus.touch(),
        connected: () => this.ruleStatus.touch(),
        disconnected: () => this.ruleStatus.touch(),
        progress: (event) => {
          this.events.push(event);
          this.ruleStatus.touch();
        },
      },
    });
    this.ruleStatus = new RuleStatus({
      clock,
      rules: this.rules,
      engine: this.engine,
      clusters: () => new Set(this.inventory.clusters().keys()),
    });
    const verdicts = {
      externals: this.externals,
      engine: this.engine,
      clusters: () => new Set(this.inventory.clusters().keys()),
    };
    this.externalStage = new KindStage(this.externals.objects, (record) => judgeExternal(record, verdicts), clock);
    this.externals.objects.onChange(() => this.engine.externalsChanged());
    this.xds = new XdsServer({
      host: this.engine,
      clock,
      logger,
      limits: { ...defaultXdsLimits, removalGraceMs: 0, ...options.limits },
    });
    this.engine.attach({
      opened: () => this.xds.opened(),
      changed: (view, changes) => this.xds.changed(view, changes),
      reassign: (id, view) => this.xds.reassign(id, view),
      status: (id) => this.xds.status(id) ?? new Map(),
      ackedFloor: (id, types) => this.xds.ackedFloor(id, types),
      work: (job) => this.xds.work(job),
    });
    this.inventory.onChange(({ services, stateChanged }) => {
      this.engine.shardsChanged(services);
      if (stateChanged) this.engine.placesChanged();
    });
    this.rules.onChange(({ services }) => this.engine.rulesChanged(services));
  }

  static async start(options: PilotRigOptions = {}): Promise<PilotRig> {
    const rig = new PilotRig(options);
    rig.#port = (await rig.xds.listen('127.0.0.1:0')).port;
    if (options.ready !== false) rig.engine.open();
    return rig;
  }

  get port(): number {
    return this.#port;
  }

  /** A registered memory cluster; made if it is not there. */
  cluster(name: string, options: { readonly reachable?: boolean } = {}): MemoryCluster {
    let cluster = this.clusters.get(name);
    if (cluster === undefined) {
      cluster = new MemoryCluster({ clock: this.#clock, info: { name }, ...options });
      this.clusters.set(name, cluster);
      this.inventory.add(name, cluster.info.origin, cluster.start);
    }
    return cluster;
  }

  unregister(name: string): void {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) throw new Error(`no cluster ${name}`);
    this.clusters.delete(name);
    this.inventory.remove(name, cluster.info.origin);
  }

  /** The service `shop/<name>` in a cluster: `endpoints` are `10.0.0.1@v1`. */
  service(cluster: string, name: string, endpoints: readonly string[], fields: Parameters<typeof shard>[2] = {}): void {
    this.cluster(cluster).putService(
      shard(cluster, name, { endpoints: endpoints.map((text) => endpointOf(cluster, text)), ...fields }),
    );
  }

  /** Applies a TrafficRule as YAML: `spec` in flow style; `source` is the rule source that it stands in. */
  rule(
    spec: string,
    name = 'reviews',
    metadata: Readonly<Record<string, unknown>> = {},
    source = 'rules folder',
  ): void {
    const object = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { name, namespace: 'shop', ...metadata },
      spec: parse(spec),
    };
    this.rules.source(source).put(rawObject(object, `${name}.yaml`), name);
  }

  deleteRule(name = 'reviews', source = 'rules folder'): void {
    this.rules.source(source).remove(name);
  }

  /** Applies the ExternalService `shop/<name>` as YAML: `spec` in flow style. */
  external(spec: string, name = 'pay'): void {
    const object = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'ExternalService',
      metadata: { name, namespace: 'shop' },
      spec: parse(spec),
    };
    this.externals.objects.source('rules folder').put(rawObject(object, `${name}.yaml`), name);
  }

  externalCondition(type: Condition['type'], name = 'pay'): Condition {
    const report = this.externalStage.reports().find((each) => each.name === name);
    const found = report?.conditions.find((condition) => condition.type === type);
    if (found === undefined) throw new Error(`no condition ${type} of ${name}`);
    return found;
  }

  report(name = 'reviews'): RuleReport {
    const found = this.ruleStatus.reports().find((report) => report.name === name);
    if (found === undefined) throw new Error(`no rule ${name}`);
    return found;
  }

  condition(type: Condition['type'], name = 'reviews'): Condition {
    const found = this.report(name).conditions.find((condition) => condition.type === type);
    if (found === undefined) throw new Error(`no condition ${type}`);
    return found;
  }

  open(options: NodeFields & Partial<Omit<XdsClientOptions, 'port'>> = {}): XdsClient {
    const { address, name, cluster, metadata, ...rest } = options;
    const fields = Object.fromEntries(
      Object.entries({ address, name, cluster, metadata }).filter(([, value]) => value !== undefined),
    );
    const client = XdsClient.open({ port: this.#port, transport: 'delta', node: envoyNode(fields), ...rest });
    this.#clients.push(client);
    return client;
  }

  /** As Envoy does it: everything of CDS and LDS, then the assignments and routes that these name. Follows them until it has all. */
  openEnvoy(
    options: NodeFields & Partial<Omit<XdsClientOptions, 'port'>> & { readonly judge?: Judge } = {},
  ): EnvoyLike {
    const { judge, ...rest } = options;
    return new EnvoyLike(this.open({ ...rest, autoAck: false }), rest.transport ?? 'delta', judge);
  }

  /** Resolves when the condition holds; it is looked at after each event of the protocol and from time to time. */
  async until(condition: () => boolean, what = 'the condition'): Promise<void> {
    const limit = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > limit) throw new Error(`${what} did not come true`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Every open stream holds all that its view has now, as far as it takes it, and nothing waits to be worked off. */
  async quiet(): Promise<void> {
    let calm = 0;
    await this.until(() => {
      const streams = [...this.xds.streams()];
      const pending = streams.some(({ streamId }) =>
        [...(this.xds.status(streamId)?.values() ?? [])].some(({ state }) => state === 'pending'),
      );
      calm = pending || this.xds.counters.queueLength > 0 ? 0 : calm + 1;
      return calm > 3;
    }, 'quiet');
  }

  /** A whole exchange with the server, so that whatever it was about to send before has been sent. */
  async roundTrip(): Promise<void> {
    const client = this.open({ node: { id: 'nobody', cluster: '' } });
    client.subscribe(typeUrl.cluster);
    await client.ended;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.engine.stop();
    this.ruleStatus.stop();
    await this.xds.drain(1000);
    await this.inventory.close();
  }
}

export function endpointOf(cluster: string, text: string): ReturnType<typeof endpoint> {
  const [address = '', version = ''] = text.split('@');
  return endpoint(cluster, address, { version });
}

/** Words to refuse a response with; undefined accepts it. */
export type Judge = (response: XdsResponse) => string | undefined;

/** A client that asks as Envoy does: all clusters and listeners, and the assignments and routes that these lead to. */
export class EnvoyLike {
  readonly client: XdsClient;
  /** Decides on each response; set it before the response comes. */
  judge: Judge = () => undefined;
  readonly refused: XdsResponse[] = [];
  readonly #asked = new Map<string, Set<string>>();
  readonly #transport: 'sotw' | 'delta';
  #judged = 0;

  /** `client` must not ACK by itself. */
  constructor(client: XdsClient, transport: 'sotw' | 'delta', judge?: Judge) {
    this.client = client;
    this.#transport = transport;
    if (judge !== undefined) this.judge = judge;
    client.subscribe(typeUrl.cluster);
    client.subscribe(typeUrl.listener);
    void this.#pump();
  }

  get responses(): readonly XdsResponse[] {
    return this.client.responses;
  }

  /** What it holds of a type, decoded. */
  get(url: string, name: string): Readonly<Record<string, unknown>> | undefined {
    const resource = this.client.held(url).get(name);
    return resource === undefined ? undefined : decode(url, resource);
  }

  names(url: string): string[] {
    return [...this.client.held(url).keys()].sort();
  }

  /** Addresses by priority level: `[['10.0.0.1'], ['10.1.0.1']]`. */
  levels(cluster: string): string[][] {
    return levelsOf(this.get(typeUrl.endpoint, cluster));
  }

  /** Where the routes of a service lead, in explicit mode's one table, each place once: `a:90 b:10`. */
  routes(service: string): string[] {
    return routesOf(this.get(typeUrl.route, 'http_proxy'), service);
  }

  async #pump(): Promise<void> {
    let open = true;
    void this.client.ended.then(() => {
      open = false;
    });
    while (open) {
      this.#answer();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #answer(): void {
    for (; this.#judged < this.responses.length; this.#judged++) {
      const response = this.responses[this.#judged] as XdsResponse;
      const words = this.judge(response);
      if (words === undefined) {
        this.client.ack(response);
        this.#follow();
      } else {
        this.refused.push(response);
        this.client.nack(response, words);
      }
    }
  }

  #follow(): void {
    const wanted = new Map([
      [
        typeUrl.endpoint,
        [...this.client.held(typeUrl.cluster).values()]
          .filter((one) => decode(typeUrl.cluster, one)['type'] === 'EDS')
          .map(({ name }) => name),
      ],
      [typeUrl.route, this.#tables()],
    ]);
    for (const [url, names] of wanted) {
      const before = this.#asked.get(url) ?? new Set<string>();
      const now = new Set(names);
      this.#asked.set(url, now);
      const added = [...now.difference(before)];
      const dropped = [...before.difference(now)];
      if (added.length === 0 && dropped.length === 0) continue;
      if (this.#transport === 'sotw') {
        this.client.subscribe(url, [...now]);
        continue;
      }
      if (added.length > 0) this.client.subscribe(url, added);
      if (dropped.length > 0) this.client.unsubscribe(url, dropped);
    }
  }

  #tables(): string[] {
    const text = [...this.client.held(typeUrl.listener).values()]
      .map((one) => JSON.stringify(decode(typeUrl.listener, one)))
      .join('\n');
    return [...new Set([...text.matchAll(/"route_config_name":"([^"]+)"/g)].map(([, name]) => name as string))];
  }
}

export function decode(url: string, resource: Pick<ReceivedResource, 'body'>): Readonly<Record<string, unknown>> {
  return decodeMessage(url.slice(url.indexOf('/') + 1), resource.body ?? Buffer.alloc(0));
}

interface Assignment {
  readonly endpoints?: readonly {
    readonly priority?: number;
    readonly lb_endpoints?: readonly {
      readonly endpoint: { readonly address: { readonly socket_address: { readonly address: string } } };
    }[];
  }[];
}

export function levelsOf(assignment: unknown): string[][] {
  const levels: string[][] = [];
  for (const { priority = 0, lb_endpoints = [] } of (assignment as Assignment | undefined)?.endpoints ?? []) {
    const level = (levels[priority] ??= []);
    level.push(...lb_endpoints.map(({ endpoint: { address } }) => address.socket_address.address));
  }
  return levels.map((level) => level.sort());
}

interface Table {
  readonly virtual_hosts?: readonly {
    readonly name: string;
    readonly routes?: readonly {
      readonly route?: {
        readonly cluster?: string;
        readonly weighted_clusters?: {
          readonly clusters: readonly { readonly name: string; readonly weight: number }[];
        };
      };
    }[];
  }[];
}

export function routesOf(table: unknown, service: string): string[] {
  const found = (table as Table | undefined)?.virtual_hosts?.find(({ name }) => name.startsWith(`${host(service)}:`));
  const leads = (found?.routes ?? []).map(
    ({ route }) =>
      route?.cluster ??
      (route?.weighted_clusters?.clusters ?? []).map(({ name, weight }) => `${name}:${weight}`).join(' '),
  );
  // CONNECT requests have a route of their own, to the same place.
  return [...new Set(leads)];
}
