/**
 * Make before break, on random changes: whatever prefix of the messages a client has taken, its routes lead only to clusters that it has, with
 * their endpoints. The client behaves as Envoy does: it asks for the endpoints of each new cluster, confirms clusters only when they are warm,
 * and may refuse a route table (or, over VHDS, a virtual host), after which it keeps the old one. Over VHDS it asks for no host by name, and
 * takes only those of the table that it has. On demand it asks for a host by name, and is given the clusters which that leads to, and no other,
 * so that it need not ask for any: one that it asked for could be gone before the answer, and no request would survive that.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Draft } from '../../src/xds/draft.ts';
import { Replica } from '../../src/xds/replica.ts';
import type { XdsRequest } from '../../src/xds/request.ts';
import { StreamMachine } from '../../src/xds/stream-machine.ts';
import { TestView, testResource, together } from '../support/xds-views.ts';

const { cluster, endpoint, route, virtualHost } = typeUrl;
const table = 'table';
const host = 'table/host';
/** There all the time, and no route leads to it. */
const spare = 'spare';
type Transport = 'sotw' | 'delta' | 'vhds' | 'on-demand';

class Envoy {
  readonly #transport: 'sotw' | 'delta';
  readonly #onDemand: boolean;
  /** What leads to clusters: the table, or its host over VHDS. */
  readonly #leader: { readonly type: string; readonly name: string };
  readonly #view: TestView;
  readonly #replica: Replica;
  #machine: StreamMachine;
  readonly #clusters = new Map<string, string>();
  readonly #endpoints = new Map<string, string>();
  /** Clusters that the table in force leads to. */
  #routed: readonly string[] = [];
  #routeVersion = '';
  readonly #contents = new Map<string, readonly string[]>();
  #toServer: XdsRequest[] = [];
  #toClient: { draft: Draft; nonce: string }[] = [];
  #heldAcks: XdsRequest[] = [];
  #nonces = new Map<string, string>();
  #count = 0;
  #nowMs = 0;
  #routeAsked = false;
  #hasTable = false;
  #hostsAsked = false;
  refuseNext = false;

  constructor(transport: Transport) {
    this.#transport = transport === 'sotw' ? 'sotw' : 'delta';
    this.#onDemand = transport === 'on-demand';
    const overVhds = transport === 'vhds' || this.#onDemand;
    this.#leader = overVhds ? { type: virtualHost, name: host } : { type: route, name: table };
    this.#view = new TestView();
    this.#view.impliedWildcard = (type) => type === cluster || type === virtualHost;
    if (overVhds) this.#view.set(route, { [table]: 'hosts come over VHDS' });
    if (this.#onDemand) {
      const none: ReadonlySet<string> = new Set();
      this.#view.wildcardNames = (type) => (type === cluster || type === virtualHost ? none : undefined);
      this.#view.leadsTo = ({ version }) => this.#contents.get(version) ?? [];
      for (const type of [cluster, endpoint]) this.#view.set(type, { [spare]: '1' });
    }
    // Without it, Envoy would wait 15 s for the endpoints of a cluster that was gone before they were asked for.
    this.#view.missing = (type, name) => (type === endpoint ? testResource(type, name, 'empty') : undefined);
    this.show(['a']);
    this.#replica = new Replica(this.#view);
    this.#machine = this.#connect();
  }

  /** The mesh now routes to these clusters, and no others exist. */
  show(names: readonly string[], generation = 0): void {
    const live = [...this.#view.resources(cluster).keys()].filter((name) => name !== spare);
    const contents = Object.fromEntries([
      ...live.map((name) => [name, undefined]),
      ...names.map((name) => [name, `${generation}`]),
    ]);
    const content = `${generation}:${names.join(',')}`;
    const { type, name } = this.#leader;
    const resource = testResource(type, name, content);
    this.#contents.set(resource.version, names);
    const changes = together(
      this.#view.set(cluster, contents),
      this.#view.set(endpoint, contents),
      this.#view.put(type, new Map([[name, resource]])),
    );
    this.#replica?.update(changes);
  }

  reconnect(): void {
    this.#toServer = [];
    this.#toClient = [];
    this.#heldAcks = [];
    this.#nonces = new Map();
    this.#machine = this.#connect();
  }

  step(which: 'toServer' | 'write' | 'toClient'): boolean {
    if (which === 'toServer') {
      const request = this.#toServer.shift();
      if (request !== undefined) this.#machine.request(request, 0, this.#nowMs);
      return request !== undefined;
    }
    if (which === 'write') {
      const draft = this.#machine.next(this.#nowMs);
      if (draft === undefined) return false;
      const nonce = `n${++this.#count}`;
      this.#machine.sent(draft, nonce, this.#nowMs);
      this.#toClient.push({ draft, nonce });
      return true;
    }
    const message = this.#toClient.shift();
    if (message === undefined) return false;
    this.#take(message.draft, message.nonce);
    this.check();
    return true;
  }

  settle(): void {
    for (let round = 0; round < 500; round++) {
      if (['toServer', 'write', 'toClient'].map((which) => this.step(which as 'write')).includes(true)) continue;
      const { wakeAt } = this.#machine;
      if (wakeAt === undefined || wakeAt - this.#nowMs > 10_000) return;
      this.#nowMs = Math.max(this.#nowMs, wakeAt);
    }
    assert.fail('never comes to rest');
  }

  check(): void {
    for (const name of this.#routed) {
      assert(this.#clusters.has(name), `the route leads to ${name}, which is no cluster`);
      assert(this.#endpoints.has(name), `the route leads to ${name}, which is warming`);
      assert.notEqual(
        this.#endpoints.get(name),
        testResource(endpoint, name, 'empty').version,
        `${name} was emptied too early`,
      );
    }
  }

  /** At rest, everything is as the view has it. */
  checkEnd(): void {
    this.check();
    const live = [...this.#view.resources(cluster).keys()].filter((name) => name !== spare);
    assert.deepEqual([...this.#clusters.keys()].sort(), live.sort());
    for (const name of live) assert.equal(this.#endpoints.get(name), this.#view.resources(endpoint).get(name)?.version);
    const { type, name } = this.#leader;
    assert.equal(this.#routeVersion, this.#view.resources(type).get(name)?.version);
  }

  #take(draft: Draft, nonce: string): void {
    this.#nonces.set(draft.typeUrl, nonce);
    let error: string | undefined;
    if (draft.typeUrl === cluster) {
      if (this.#transport === 'sotw') {
        const names = new Set(draft.resources.map(({ name }) => name));
        for (const name of this.#clusters.keys()) if (!names.has(name)) this.#loseCluster(name);
      }
      for (const name of draft.removed) this.#loseCluster(name);
      const added = draft.resources.filter(({ name }) => !this.#clusters.has(name)).map(({ name }) => name);
      for (const { name, version } of draft.resources) this.#clusters.set(name, version);
      if (added.length > 0 || this.#transport === 'sotw') this.#askForEndpoints(added);
    } else if (draft.typeUrl === endpoint) {
      for (const { name, version } of draft.resources) if (this.#clusters.has(name)) this.#endpoints.set(name, version);
      for (const name of draft.removed) this.#endpoints.delete(name);
    } else if (draft.typeUrl !== this.#leader.type) {
      this.#hasTable = true;
    } else if (draft.typeUrl === route || this.#hasTable) {
      const [resource] = draft.resources;
      if (this.refuseNext) error = 'no';
      else if (resource !== undefined) {
        this.#routed = this.#contents.get(resource.version) ?? [];
        this.#routeVersion = resource.version;
      }
      this.refuseNext = false;
    }
    const answer = this.#request(draft.typeUrl, {
      nonce,
      error,
      subscribe: this.#transport === 'sotw' ? this.#names(draft.typeUrl) : [],
    });
    if (draft.typeUrl === cluster && this.#isWarming()) this.#heldAcks.push(answer);
    else this.#toServer.push(answer);
    if (this.#isWarming()) return;
    this.#toServer.push(...this.#heldAcks.splice(0));
    if (draft.typeUrl === route && this.#leader.type === virtualHost) this.#askForHosts();
    // The first time, listeners and routes are asked for once the clusters are warm.
    if (!this.#routeAsked) this.#toServer.push(this.#request(route, { subscribe: [table] }));
    this.#routeAsked = true;
  }

  #loseCluster(name: string): void {
    this.#clusters.delete(name);
    this.#endpoints.delete(name);
    if (this.#transport === 'delta') this.#toServer.push(this.#request(endpoint, { unsubscribe: [name] }));
  }

  #askForEndpoints(added: readonly string[]): void {
    const nonce = this.#transport === 'sotw' ? (this.#nonces.get(endpoint) ?? '') : '';
    const subscribe = this.#transport === 'sotw' ? this.#names(endpoint) : added;
    this.#toServer.push(this.#request(endpoint, { nonce, subscribe }));
  }

  /** Once, with the first table; the server knows by then which tables the client has. */
  #askForHosts(): void {
    if (this.#hostsAsked) return;
    this.#hostsAsked = true;
    this.#toServer.push(this.#request(virtualHost, {}));
    if (this.#onDemand) this.#toServer.push(this.#request(virtualHost, { subscribe: [host] }));
  }

  /** The listener went, and another that leads to the same table came: it forgets the table and its hosts, and asks for the table alone. */
  replaceTable(): void {
    if (!this.#hasTable) return;
    this.#hasTable = false;
    this.#routed = [];
    this.#routeVersion = '';
    this.#toServer.push(this.#request(route, { unsubscribe: [table] }), this.#request(route, { subscribe: [table] }));
  }

  #isWarming(): boolean {
    return [...this.#clusters.keys()].some((name) => !this.#endpoints.has(name));
  }

  #names(type: string): readonly string[] {
    if (type === cluster) return [];
    return type === route ? [table] : [...this.#clusters.keys()];
  }

  #connect(): StreamMachine {
    const delta = this.#transport === 'delta';
    const versions = (held: ReadonlyMap<string, string>): XdsRequest['initialVersions'] =>
      delta ? new Map(held) : new Map();
    const resumes = this.#clusters.size > 0;
    this.#toServer.push(this.#request(cluster, { initialVersions: versions(this.#clusters), resumes }));
    this.#routeAsked = false;
    if (resumes) {
      this.#toServer.push(
        this.#request(endpoint, {
          subscribe: this.#names(endpoint),
          initialVersions: versions(this.#endpoints),
          resumes,
        }),
      );
      const { type, name } = this.#leader;
      const held: [string, string][] = this.#routeVersion === '' ? [] : [[name, this.#routeVersion]];
      if (type === virtualHost) {
        // The table itself never changes.
        const version = this.#view.resources(route).get(table)?.version ?? '';
        const tables: [string, string][] = this.#hasTable ? [[table, version]] : [];
        this.#toServer.push(
          this.#request(route, { subscribe: [table], initialVersions: versions(new Map(tables)), resumes }),
        );
        if (this.#hostsAsked)
          this.#toServer.push(
            this.#request(virtualHost, {
              subscribe: this.#onDemand ? ['*', host] : [],
              initialVersions: versions(new Map(held)),
              resumes,
            }),
          );
      } else {
        this.#toServer.push(
          this.#request(route, { subscribe: [table], initialVersions: versions(new Map(held)), resumes }),
        );
      }
      this.#routeAsked = true;
    }
    const limits = {
      maxResponseBytes: 150,
      warmingWaitMaxMs: 2_000,
      removalLingerMs: 60_000,
      removalGraceMs: 4_000,
      aggregated: true,
      supportsTtl: false,
    };
    return new StreamMachine({ transport: this.#transport, ...limits }, this.#replica);
  }

  #request(type: string, fields: Partial<XdsRequest>): XdsRequest {
    return {
      typeUrl: type,
      node: undefined,
      nonce: '',
      error: undefined,
      subscribe: [],
      unsubscribe: [],
      initialVersions: new Map(),
      resumes: false,
      ...fields,
    };
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ show: fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }), generation: fc.nat({ max: 2 }) }),
  },
  { weight: 16, arbitrary: fc.constantFrom('toServer' as const, 'write' as const, 'toClient' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('refuse' as const, 'reconnect' as const, 'settle' as const, 'replace table' as const),
  },
);

describe('make before break', () => {
  for (const transport of ['sotw', 'delta', 'vhds', 'on-demand'] as const) {
    it(`${transport}: no route ever leads to a cluster that is missing or warming`, function () {
      this.timeout(120_000);
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
          const envoy = new Envoy(transport);
          // The first routes come with nothing in hand.
          envoy.settle();
          for (const each of steps) {
            if (typeof each === 'object') envoy.show(each.show, each.generation);
            else if (each === 'refuse') envoy.refuseNext = true;
            else if (each === 'settle') envoy.settle();
            else if (each === 'replace table') envoy.replaceTable();
            else if (each !== 'reconnect') envoy.step(each);
            // Over SotW, a new stream does not say what its client holds.
            else if (transport !== 'sotw') envoy.reconnect();
          }
          envoy.settle();
          envoy.refuseNext = false;
          envoy.show(['a', 'd'], 9);
          envoy.settle();
          envoy.checkEnd();
          if (transport !== 'vhds' && transport !== 'on-demand') return;
          envoy.replaceTable();
          envoy.settle();
          envoy.checkEnd();
        }),
        { numRuns: 3_000, seed: 77 },
      );
    });
  }
});
