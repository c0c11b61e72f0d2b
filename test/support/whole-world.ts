/**
 * A whole pilot as `fairway serve` assembles it, with every kind of object and of client, for properties. In: steps, in any order. Out: what each
 * scope sees in the end, what was told of every object; and a pilot that starts now with what there is, to compare it with.
 */

import assert from 'node:assert/strict';
import { silentLogger } from '../../src/core/logger.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Merging } from '../../src/model/clusterset.ts';
import { assemble } from '../../src/pilot/assembly.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import type { RuleSink } from '../../src/registry/rule-sink.ts';
import type { ResourceView } from '../../src/xds/view.ts';
import { testExport } from './exports.ts';
import { ManualClock } from './manual-clock.ts';
import { bareConfig } from './pilot-config.ts';
import { hurried, PilotSim, type SimProxy } from './pilot-sim.ts';
import { shardOf } from './pilot-world.ts';
import { rawObject } from './rules.ts';
import { clusterNames, type ObjectStep, type WholeStep } from './whole-steps.ts';

// What a namespace says of the mode counts when a proxy connects: these say it themselves.
const vhds = { FAIRWAY_ROUTES: 'vhds', FAIRWAY_CONFIG: 'eager' };
const web = { LABELS: { app: 'web' } };
/** Every form in which a client takes its configuration, in several clusters and namespaces. */
const sidecars = [
  ['10.0.0.1~a.shop~shop', { CLUSTER_ID: 'east', ...web, ...vhds }, 'delta'],
  ['10.0.0.2~b.web~web', { CLUSTER_ID: 'west', FAIRWAY_MODE: 'explicit', ...vhds }, 'delta'],
  ['10.0.0.3~c.shop~shop', { CLUSTER_ID: 'west', ...vhds, FAIRWAY_CONFIG: 'on-demand' }, 'delta'],
  ['10.0.0.1~d.shop~shop', { CLUSTER_ID: 'west' }, 'delta'],
  ['10.0.0.2~e.web~web', { CLUSTER_ID: 'east', FAIRWAY_MODE: 'explicit', ...web }, 'sotw'],
  ['10.0.0.9~f.other~other', { CLUSTER_ID: '' }, 'sotw'],
] as const;
const proxylessId = 'sidecar~10.0.0.3~g.shop~shop.svc.cluster.local';
const asked = ['a.shop.svc.cluster.local:80', 'b:80', 'x.example.com:80', 'a.web.svc.clusterset.local:80'];

/** What was said of an object: of each condition all but when it began. */
export type Said = ReadonlyMap<string, unknown>;

interface Conditioned {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly proxies: unknown;
}

export class WholeWorld {
  readonly merging: Merging;
  readonly proxyless: boolean;
  readonly clock: ManualClock;
  readonly assembly: ReturnType<typeof assemble>;
  readonly sim: PilotSim;
  readonly memory = new Map<string, MemoryCluster>();
  readonly registered = new Set<string>();
  readonly proxies: SimProxy[] = [];
  readonly told = new Map<string, unknown>();
  /** As they were put last. */
  readonly #objects = new Map<string, ObjectStep>();
  readonly #sinks = new Map<string, RuleSink>();
  #grpcStream: number | undefined;
  #streamIds = 10_000;

  /** `proxyless`: a gRPC client is connected, which never says that it holds anything. */
  constructor(merging: Merging, proxyless: boolean, nowMs?: number) {
    this.merging = merging;
    this.proxyless = proxyless;
    this.clock = new ManualClock(nowMs);
    const config = { ...bareConfig, standards: ['gateway-api', 'istio'] as const, services: merging };
    this.assembly = assemble(config, silentLogger, 'test', hurried(this.clock));
    const { engine, inventory, rules, inputs, members, ruleStatus, stages } = this.assembly;
    this.assembly.idleMemory.stop();
    this.sim = new PilotSim(this.clock, inventory, rules, true, undefined, undefined, engine);
    for (const name of clusterNames) this.memory.set(name, new MemoryCluster({ clock: this.clock, info: { name } }));
    for (const source of ['folder', 'primary']) inputs.attach(source, (sink) => this.#hold(source, sink));
    for (const name of clusterNames)
      members.open(name, { isFree: true, start: (sink) => this.#hold(`member ${name}`, sink) });
    const keep = (kind: string) => (record: { key: string }, status: Conditioned) => {
      this.told.set(`${kind} ${record.key}`, wordsOf(status));
    };
    ruleStatus.listen(keep('rule'));
    members.status.listen(keep('rule'));
    for (const stage of stages)
      stage.listen(({ namespace, name, raw }, status) =>
        this.told.set(`${stage.head.kind} ${raw.origin} ${namespace}/${name}`, wordsOf(status)),
      );
    engine.open();
    for (const index of sidecars.keys()) this.#connect(index);
    if (proxyless) this.#connectGrpc();
  }

  async apply(step: WholeStep): Promise<void> {
    this.#apply(step);
    await Promise.resolve();
  }

  #apply(step: WholeStep): void {
    switch (step.do) {
      case 'shard': {
        const cluster = this.memory.get(step.cluster) as MemoryCluster;
        if (step.shard === undefined) return cluster.removeService(step.namespace, step.name);
        const { exported } = step;
        const given = shardOf(step.cluster, step.name, step.shard);
        return cluster.putService({
          ...given,
          namespace: step.namespace,
          ...(exported === undefined ? {} : { export: testExport(exported) }),
        });
      }
      case 'namespace':
        return this.memory
          .get(step.cluster)
          ?.putNamespace({ cluster: step.cluster, name: step.namespace, labels: step.labels });
      case 'object':
        return this.put(step);
      case 'lose':
        return this.memory.get(step.cluster)?.lose();
      case 'regain':
        return this.memory.get(step.cluster)?.regain();
      case 'unregister':
        if (this.registered.delete(step.cluster))
          this.assembly.inventory.remove(step.cluster, `memory ${step.cluster}`);
        return;
      case 'register':
        return this.register(step.cluster);
      case 'place':
        return this.memory.get(step.cluster)?.setInfo({ locality: { region: 'eu', zone: step.zone, subzone: '' } });
      case 'reconnect':
        return this.#reconnect(step.proxy);
      case 'flush':
        return this.assembly.engine.flush();
      case 'wait':
        return this.clock.advance(step.ms);
      case 'work':
        this.sim.work(step.turns);
        return;
      case 'pump': {
        const proxy = this.proxies[step.proxy];
        if (proxy !== undefined) this.sim.pump(proxy, () => false, step.messages);
      }
    }
  }

  register(name: string): void {
    const cluster = this.memory.get(name);
    if (cluster === undefined || this.registered.has(name)) return;
    this.registered.add(name);
    this.assembly.inventory.add(name, cluster.info.origin, cluster.start);
  }

  put(step: ObjectStep): void {
    const { source, kind, apiVersion, namespace, name, age, spec } = step;
    const id = idOf(step);
    const sink = this.#sinks.get(source);
    this.#objects.delete(`${source}#${id}`);
    if (spec === undefined) return sink?.remove(id);
    this.#objects.set(`${source}#${id}`, step);
    const metadata = {
      name,
      creationTimestamp: `2025-01-0${age + 1}T00:00:00Z`,
      ...(namespace === '' ? {} : { namespace }),
    };
    sink?.put(rawObject({ apiVersion, kind, metadata, spec }, source), id);
  }

  /** Nothing waits any more: sources, batches, streams, statuses. */
  async settle(): Promise<void> {
    for (const cluster of this.memory.values()) cluster.regain();
    for (let calm = 0, rounds = 0; calm < 3; rounds++) {
      assert.ok(rounds < 200, 'the pilot works on and on');
      await Promise.resolve();
      this.assembly.engine.flush();
      let sent = this.sim.work(1_000);
      for (const proxy of this.proxies) sent += this.sim.pump(proxy, () => false, 500);
      this.clock.advance(2_000);
      calm = sent === 0 ? calm + 1 : 0;
    }
  }

  /** A pilot that starts now, with the same registrations, objects and clients. */
  async cold(): Promise<WholeWorld> {
    const cold = new WholeWorld(this.merging, this.proxyless, this.clock.now());
    for (const [name, cluster] of this.memory) {
      const { locality } = cluster.info;
      cold.memory.get(name)?.setInfo({ locality });
      if (!this.registered.has(name)) continue;
      const record = this.assembly.inventory.clusters().get(name);
      for (const shard of record?.services.values() ?? []) cold.memory.get(name)?.putService(structuredClone(shard));
      for (const namespace of record?.namespaces.values() ?? []) cold.memory.get(name)?.putNamespace(namespace);
      cold.register(name);
    }
    for (const step of [...this.#objects.values()].reverse()) {
      for (const object of this.#forms(step))
        cold.#sinks.get(step.source)?.put(rawObject(object, step.source), idOf(step));
    }
    await cold.settle();
    for (const index of this.proxies.keys()) cold.#reconnect(index);
    cold.#reconnect(sidecars.length);
    await cold.settle();
    return cold;
  }

  /** The last good form, and the latest if that is another. */
  #forms(step: ObjectStep): readonly unknown[] {
    const record = this.assembly.inputs.record(`${step.source}#${idOf(step)}`);
    const forms = new Set([record?.lastGoodRaw?.object, record?.raw.object].filter((object) => object !== undefined));
    return [...forms].map((object) => structuredClone(object));
  }

  /** What each client's scope holds. */
  views(): readonly ResourceView[] {
    const { proxies } = this.assembly.engine;
    const proxyless = this.#grpcStream === undefined ? undefined : proxies.ofStream(this.#grpcStream)?.view;
    return [...this.proxies.map(({ view }) => view), ...(proxyless === undefined ? [] : [proxyless])];
  }

  /** What would be said of everything now, by whoever looks at all of it. */
  judged(): Said {
    const { ruleStatus, members, stages, rules } = this.assembly;
    const said = new Map<string, unknown>();
    for (const [records, reports] of [
      [rules.records(), ruleStatus.reports()],
      [members.records(), members.status.reports()],
    ] as const)
      for (const [at, { conditions, programmed }] of reports.entries())
        said.set(`rule ${records[at]?.key}`, wordsOf({ conditions, proxies: programmed }));
    for (const { head, reports } of stages.map((stage) => ({ head: stage.head, reports: stage.reports() })))
      for (const { namespace, name, origin, conditions, programmed } of reports)
        said.set(`${head.kind} ${origin} ${namespace}/${name}`, wordsOf({ conditions, proxies: programmed }));
    return said;
  }

  async stop(): Promise<void> {
    const { engine, members, ruleStatus, stages, inputs, inventory } = this.assembly;
    engine.stop();
    members.stop();
    ruleStatus.stop();
    for (const stage of stages) stage.stop();
    await inputs.stop();
    await inventory.close();
  }

  #hold(source: string, sink: RuleSink): { stop(): Promise<void> } {
    this.#sinks.set(source, sink);
    sink.synced();
    return { stop: () => Promise.resolve() };
  }

  #connect(index: number): void {
    const [id, metadata, transport] = sidecars[index] as (typeof sidecars)[number];
    this.proxies[index] = this.sim.connect(`sidecar~${id}.svc.cluster.local`, metadata, transport);
  }

  #reconnect(index: number): void {
    const proxy = this.proxies[index];
    if (proxy === undefined) {
      if (this.#grpcStream === undefined) return;
      this.assembly.engine.disconnect(this.#grpcStream);
      return this.#connectGrpc();
    }
    this.sim.disconnect(proxy);
    this.#connect(index);
  }

  #connectGrpc(): void {
    const { engine } = this.assembly;
    const streamId = ++this.#streamIds;
    const locality = { region: '', zone: '', subZone: '' };
    const node = {
      id: proxylessId,
      cluster: '',
      metadata: { CLUSTER_ID: 'east', GENERATOR: 'grpc' },
      locality,
      userAgentName: 'gRPC Go',
      userAgentVersion: '',
      clientFeatures: [],
    };
    const view = engine.connect({ streamId, node, peer: '', transport: 'sotw' });
    if (typeof view === 'string') throw new Error(view);
    this.#grpcStream = streamId;
    engine.asked(streamId, typeUrl.listener, { subscribe: asked, unsubscribe: [] });
  }
}

function idOf({ kind, namespace, name }: ObjectStep): string {
  return `${kind}/${namespace}/${name}`;
}

function wordsOf({ conditions, proxies }: Conditioned): unknown {
  return {
    // Where there is no generation to read, it counts the changes that a pilot has seen.
    conditions: conditions.map(({ type, status, reason, message }) =>
      `${type} ${status} ${reason} ${message}`.replaceAll(/generation \d+/g, 'generation n'),
    ),
    proxies,
  };
}
