/**
 * The pilot's stages and streams in one turn of the event loop: engine and stream machines without sockets or time, for property tests. In:
 * an inventory and a rule set; out: proxies that take or refuse what they are sent, when the test lets them.
 */

import type { Clock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { EncodedResource } from '../../src/core/resource.ts';
import { pushOrder, typeUrl } from '../../src/core/type-urls.ts';
import type { Merging } from '../../src/model/clusterset.ts';
import { defaultMeshSettings } from '../../src/model/mesh.ts';
import { Engine } from '../../src/pilot/engine.ts';
import { Clustersets, clusterWords } from '../../src/pilot/mcs/clustersets.ts';
import { McsNames } from '../../src/pilot/mcs/names.ts';
import type { MemberRules } from '../../src/pilot/members/member-rules.ts';
import type { Inventory } from '../../src/registry/inventory.ts';
import type { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { defaultXdsLimits } from '../../src/xds/limits.ts';
import type { Replica } from '../../src/xds/replica.ts';
import { Replicas } from '../../src/xds/replicas.ts';
import { StreamMachine } from '../../src/xds/stream-machine.ts';
import type { ResourceView } from '../../src/xds/view.ts';

export const proxyTypes = [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener, typeUrl.route] as const;

/** Says whether a client refuses a message with these resources. */
export type Refuses = (typeUrl: string, resources: readonly EncodedResource[]) => boolean;

export class SimProxy {
  readonly streamId: number;
  readonly machine: StreamMachine;
  /** By type and name: the version that the client holds. */
  readonly held = new Map<string, Map<string, string>>(proxyTypes.map((url) => [url, new Map()]));
  view: ResourceView;
  messages = 0;

  constructor(streamId: number, machine: StreamMachine, view: ResourceView) {
    this.streamId = streamId;
    this.machine = machine;
    this.view = view;
  }
}

export class PilotSim {
  readonly engine: Engine;
  /** Kept up with exports where a `merging` is given. */
  readonly clustersets: Clustersets;
  readonly proxies = new Map<number, SimProxy>();
  readonly #clock: Clock;
  readonly #replicas = new Replicas();
  readonly #removeListeners: (() => void)[];
  /** Work of the engine that waits for its turn, if it is `sliced`. */
  readonly #jobs: { turn(): void }[] = [];
  #streamIds = 0;

  /**
   * `sliced`: views are brought up to the mesh one service at a time, when `work` lets them; else all at once. `engine`: one that is wired to its
   * sources already; the others are not looked at then.
   */
  constructor(
    clock: Clock,
    inventory: Inventory,
    rules: RuleSet,
    sliced = false,
    members?: MemberRules,
    merging?: Merging,
    engine?: Engine,
  ) {
    this.clustersets = new Clustersets(() => clusterWords(inventory.clusters()));
    this.#clock = clock;
    this.engine =
      engine ??
      new Engine({
        clock: sliced ? hurried(clock) : clock,
        logger: silentLogger,
        settings: defaultMeshSettings,
        debounce: { minWindowMs: 1, maxWindowMs: 100, costFactor: 1 },
        shards: (key) =>
          merging === undefined ? inventory.shards(key) : this.clustersets.see(key, inventory.shards(key)),
        ...(merging === undefined ? {} : { names: new McsNames(this.clustersets, merging) }),
        rules: rules.winners,
        ...(members === undefined ? {} : { memberRules: members.table }),
        localityOf: (cluster) => inventory.clusters().get(cluster)?.info.locality,
        events: { batch() {}, progress() {} },
      });
    this.engine.attach({
      opened() {},
      changed: (view, changes) => void this.#replicas.changed(view, changes),
      reassign: (streamId, view) => {
        const proxy = this.proxies.get(streamId);
        if (proxy === undefined) return;
        proxy.view = view;
        proxy.machine.rebase(this.#replicaOf(view));
      },
      status: (streamId) => this.proxies.get(streamId)?.machine.status(0) ?? new Map(),
      ackedFloor: (streamId, types) => this.proxies.get(streamId)?.machine.ackedFloor(types),
      ...(sliced ? { work: (job) => void this.#jobs.push(job) } : {}),
    });
    this.#removeListeners =
      engine !== undefined
        ? []
        : [
            inventory.onChange(({ services, stateChanged }) => {
              this.engine.shardsChanged(services);
              if (stateChanged) this.engine.placesChanged();
              if (stateChanged) this.engine.clusterIdsChanged();
            }),
            rules.onChange(({ services }) => {
              this.engine.rulesChanged(services);
              members?.primaryChanged(services);
            }),
            ...(members === undefined ? [] : [members.onChange((dirt) => this.engine.memberRulesChanged(dirt))]),
          ];
    if (engine === undefined) this.engine.open();
  }

  connect(id: string, metadata: Readonly<Record<string, unknown>>, transport: 'sotw' | 'delta'): SimProxy {
    const streamId = ++this.#streamIds;
    const locality = { region: '', zone: '', subZone: '' };
    const node = {
      id,
      cluster: '',
      metadata,
      locality,
      userAgentName: 'envoy',
      userAgentVersion: '',
      clientFeatures: [],
    };
    const view = this.engine.connect({ streamId, node, peer: '', transport });
    if (typeof view === 'string') throw new Error(view);
    const { maxResponseBytes } = defaultXdsLimits;
    const machine = new StreamMachine(
      {
        transport,
        maxResponseBytes,
        warmingWaitMaxMs: 0,
        removalLingerMs: 0,
        removalGraceMs: 0,
        aggregated: true,
        supportsTtl: false,
      },
      this.#replicaOf(view),
    );
    const proxy = new SimProxy(streamId, machine, view);
    this.proxies.set(streamId, proxy);
    for (const url of proxyTypes) this.#request(proxy, url, '', undefined);
    return proxy;
  }

  disconnect(proxy: SimProxy): void {
    this.proxies.delete(proxy.streamId);
    this.engine.disconnect(proxy.streamId);
  }

  /** Lets a proxy take (or refuse) up to `limit` messages, one after the other; returns how many it was sent. */
  pump(proxy: SimProxy, refuses: Refuses, limit: number): number {
    for (let sent = 0; ; sent++) {
      const draft = sent < limit ? proxy.machine.next(this.#clock.monotonic()) : undefined;
      if (draft === undefined) return sent;
      const { typeUrl: url, resources } = draft;
      const nonce = String(++proxy.messages);
      proxy.machine.sent(draft, nonce, this.#clock.monotonic());
      this.engine.progress({ streamId: proxy.streamId, typeUrl: url, kind: 'sent', revision: draft.revision });
      const refused = refuses(url, resources);
      if (!refused) {
        const held = proxy.held.get(url) ?? new Map<string, string>();
        if (draft.complete) held.clear();
        for (const { name, version } of resources) held.set(name, version);
        for (const name of draft.removed) held.delete(name);
      }
      this.#request(proxy, url, nonce, refused ? 'refused' : undefined);
    }
  }

  /** Gives the engine up to `turns` turns; returns how many it took. */
  work(turns: number): number {
    for (let taken = 0; ; taken++) {
      const job = taken < turns ? this.#jobs.shift() : undefined;
      if (job === undefined) return taken;
      job.turn();
    }
  }

  stop(): void {
    this.engine.stop();
    for (const remove of this.#removeListeners) remove();
  }

  #request(proxy: SimProxy, url: string, nonce: string, error: string | undefined): void {
    const { machine, streamId } = proxy;
    const request = {
      typeUrl: url,
      node: undefined,
      nonce,
      error,
      subscribe: ['*'],
      unsubscribe: [],
      initialVersions: new Map(),
      resumes: false,
    };
    // A delta client says what it wants once.
    const given =
      nonce === '' || proxy.machine.status(0).get(url) === undefined
        ? request
        : { ...request, ...(this.#isDelta(proxy) ? { subscribe: [] } : {}) };
    const outcome = machine.request(given, 0, this.#clock.monotonic());
    if (outcome.kind === 'acked')
      this.engine.progress({ streamId, typeUrl: url, kind: 'acked', revision: machine.ackedRevision(url) });
    if (outcome.kind === 'nacked') {
      const { revision, names } = outcome;
      this.engine.progress({ streamId, typeUrl: url, kind: 'nacked', revision, error: outcome.error, names });
    }
  }

  #isDelta(proxy: SimProxy): boolean {
    return this.engine.proxies.ofStream(proxy.streamId)?.transport === 'delta';
  }

  #replicaOf(view: ResourceView): Replica {
    return this.#replicas.of(view);
  }
}

/** A clock by which every look at the time takes longer than any slice of work may. */
export function hurried(clock: Clock): Clock {
  let looks = 0;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + 1000 * ++looks,
    after: (delayMs, callback) => clock.after(delayMs, callback),
  };
}

/** Everything that a view holds, for comparison: `<type> <name>` → version and bytes. */
export function viewBytes(view: ResourceView): Map<string, string> {
  const all = pushOrder.flatMap((url) =>
    [...view.resources(url)].map(([name, { version, body }]): [string, string] => [
      `${url} ${name}`,
      `${version} ${body.toString('base64')}`,
    ]),
  );
  return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
