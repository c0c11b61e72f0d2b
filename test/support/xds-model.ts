/**
 * A small model of an obedient client, to be run against the stream machine without sockets. Messages wait in two queues, so that requests
 * and responses cross as they do on a wire. The model knows nothing of the machine's insides: it says what its client holds, and what it
 * should hold, from the view and the subscription alone.
 */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../src/core/resource.ts';
import type { Draft } from '../../src/xds/draft.ts';
import { Replica } from '../../src/xds/replica.ts';
import type { XdsRequest } from '../../src/xds/request.ts';
import { StreamMachine } from '../../src/xds/stream-machine.ts';
import { SendingJudge } from './xds-model-judge.ts';
import { impliedWildcard, request, short, type Transport, wholeSet } from './xds-model-requests.ts';
import type { TestView } from './xds-views.ts';

interface Message {
  readonly draft: Draft;
  readonly nonce: string;
}

interface ClientType {
  requested: boolean;
  wildcard: boolean;
  /** What the wildcard means; undefined: everything. */
  readonly all: ReadonlySet<string> | undefined;
  /** A name was given on this stream: an empty list no longer means all. */
  explicit: boolean;
  readonly names: Set<string>;
  readonly held: Map<string, EncodedResource>;
  /** SotW: of the last response that was received on this stream. */
  nonce: string;
}

export class ModelClient {
  readonly transport: Transport;
  readonly poison = new Set<string>();
  nowMs = 0;
  #machine: StreamMachine;
  #view: TestView;
  readonly #replicas = new Map<TestView, Replica>();
  readonly #types = new Map<string, ClientType>();
  #judge: SendingJudge;
  #toServer: XdsRequest[] = [];
  #toClient: Message[] = [];
  #nonces = 0;
  sentMessages = 0;

  constructor(transport: Transport, view: TestView) {
    this.transport = transport;
    this.#judge = new SendingJudge(transport);
    this.#view = view;
    this.#machine = this.#newMachine();
  }

  get view(): TestView {
    return this.#view;
  }

  heldOf(typeUrl: string): ReadonlyMap<string, EncodedResource> {
    return this.#type(typeUrl).held;
  }

  machine(): StreamMachine {
    return this.#machine;
  }

  // ---- what the client does --------------------------------------------------------------------------------------------------------

  subscribe(typeUrl: string, names: readonly string[], wildcard: boolean): void {
    const type = this.#type(typeUrl);
    const first = !type.requested;
    type.requested = true;
    if (wildcard) type.wildcard = true;
    for (const name of names) type.names.add(name);
    if (this.transport === 'sotw') this.#sendList(typeUrl, type);
    else if (first) this.#sendFirstDelta(typeUrl, type);
    else if (names.length > 0 || wildcard)
      this.#toServer.push(request(typeUrl, { subscribe: [...(wildcard ? ['*'] : []), ...names] }));
  }

  unsubscribe(typeUrl: string, names: readonly string[], wildcard: boolean): void {
    const type = this.#type(typeUrl);
    if (!type.requested) return;
    // An implied wildcard of SotW is given up by naming something; a client that wants nothing says so after that.
    if (this.transport === 'sotw' && wildcard && type.wildcard && !type.explicit) {
      type.explicit = true;
      this.#sendNames(typeUrl, type, ['*']);
    }
    if (wildcard) type.wildcard = false;
    for (const name of names) type.names.delete(name);
    this.#dropUnsubscribed(type);
    if (this.transport === 'sotw') this.#sendList(typeUrl, type);
    else this.#toServer.push(request(typeUrl, { unsubscribe: [...(wildcard ? ['*'] : []), ...names] }));
  }

  /** A request with a nonce that is not the last one: from another time, or out of thin air. */
  sendStale(typeUrl: string): void {
    const type = this.#type(typeUrl);
    if (!type.requested || type.nonce === '') return;
    const subscribe = this.transport === 'sotw' ? this.#list(type) : [];
    this.#toServer.push(request(typeUrl, { nonce: 'stale', subscribe }));
  }

  reconnect(): void {
    this.#toServer = [];
    this.#toClient = [];
    this.#judge = new SendingJudge(this.transport);
    this.#machine = this.#newMachine();
    for (const [typeUrl, type] of this.#types) {
      if (!type.requested) continue;
      const old = type.nonce;
      type.nonce = '';
      type.explicit = false;
      if (this.transport === 'delta') {
        this.#sendFirstDelta(typeUrl, type);
        continue;
      }
      // Some clients keep the nonce of the stream that they lost.
      this.#sendList(typeUrl, type, old);
    }
  }

  // ---- the wire --------------------------------------------------------------------------------------------------------------------

  /** The server reads one request. */
  toServer(): boolean {
    const next = this.#toServer.shift();
    if (next === undefined) return false;
    this.#judge.heard(next);
    this.#machine.request(next, 0, this.nowMs);
    return true;
  }

  /** The server writes one message, if it has one. */
  write(): boolean {
    const draft = this.#machine.next(this.nowMs);
    if (draft === undefined) return false;
    this.#judge.check(draft);
    const nonce = `n${++this.#nonces}`;
    this.#machine.sent(draft, nonce, this.nowMs);
    this.#toClient.push({ draft, nonce });
    this.sentMessages++;
    this.#judge.sent(draft, nonce);
    return true;
  }

  /** The client reads one message and answers it; `answer` false leaves the answer out (to be given by `later`). */
  toClient(onReceived?: (draft: Draft) => void): boolean {
    const message = this.#toClient.shift();
    if (message === undefined) return false;
    const { draft, nonce } = message;
    const type = this.#type(draft.typeUrl);
    type.nonce = nonce;
    // Like Envoy, it does not look again at what it holds already.
    const bad = draft.resources.find(
      ({ name, version }) => this.poison.has(`${name}@${version}`) && type.held.get(name)?.version !== version,
    );
    if (bad === undefined) this.#apply(draft, type);
    const error =
      bad === undefined ? undefined : bad.version.charCodeAt(0) % 2 === 0 ? `bad resource '${bad.name}'` : 'no';
    this.#toServer.push(
      request(draft.typeUrl, { nonce, error, subscribe: this.transport === 'sotw' ? this.#list(type) : [] }),
    );
    onReceived?.(draft);
    return true;
  }

  /** Lets everything run until nobody has anything to say. Fails if that takes too long: a hot loop. */
  settle(onReceived?: (draft: Draft) => void): void {
    for (let round = 0; round < 400; round++) {
      const moved = [this.toServer(), this.write(), this.toClient(onReceived)].some((each) => each);
      if (moved) continue;
      const wakeAt = this.#machine.wakeAt;
      if (wakeAt === undefined) return;
      this.nowMs = Math.max(this.nowMs, wakeAt);
    }
    assert.fail('never comes to rest');
  }

  changed(changes: ReadonlyMap<string, ReadonlySet<string>> | undefined, view = this.#view): void {
    this.#replicas.get(view)?.update(changes);
  }

  rebase(view: TestView): void {
    this.#view = view;
    this.#machine.rebase(this.#replicaOf(view));
  }

  // ---- what must be so -------------------------------------------------------------------------------------------------------------

  /** Compares what the client holds with what it should; names in `except` may be held in any version or not at all. */
  compare(except: (typeUrl: string, resource: EncodedResource) => boolean): void {
    for (const [typeUrl, type] of this.#types) {
      if (!type.requested) continue;
      const live = this.#view.resources(typeUrl);
      for (const [name, resource] of live) {
        if (!wants(type, resource)) continue;
        if (except(typeUrl, resource)) continue;
        assert.equal(type.held.get(name)?.version, resource.version, `${short(typeUrl)} ${name}`);
      }
      for (const [name, resource] of type.held) {
        if (live.has(name) && wants(type, resource)) continue;
        // SotW cannot say that an endpoint is gone: a client that still names it keeps it.
        if (this.transport === 'sotw' && !wholeSet('sotw', typeUrl)) continue;
        if (except(typeUrl, resource)) continue;
        assert.fail(`${short(typeUrl)} ${name} is held, but is ${live.has(name) ? 'not asked for' : 'gone'}`);
      }
    }
  }

  /** What the server says that its client holds is what it holds. */
  compareWithServer(): void {
    const held = this.#machine.held();
    for (const [typeUrl, type] of this.#types) {
      if (!type.requested || this.#toServer.length > 0) continue;
      const known = new Map([...(held.get(typeUrl) ?? [])].map(([name, each]) => [name, each.version]));
      const own = new Map([...type.held].map(([name, each]) => [name, each.version]));
      if (this.transport === 'sotw' && !wholeSet('sotw', typeUrl)) {
        for (const name of own.keys()) if (!this.#view.resources(typeUrl).has(name)) own.delete(name);
        for (const name of known.keys()) if (!this.#view.resources(typeUrl).has(name)) known.delete(name);
      }
      assert.deepEqual(sorted(known), sorted(own), short(typeUrl));
      const count = this.#machine.status(0).get(typeUrl)?.resources;
      if (this.transport === 'delta' || wholeSet('sotw', typeUrl)) assert.equal(count, own.size);
    }
  }

  #apply(draft: Draft, type: ClientType): void {
    if (wholeSet(this.transport, draft.typeUrl)) type.held.clear();
    for (const resource of draft.resources) if (wants(type, resource)) type.held.set(resource.name, resource);
    for (const name of draft.removed) type.held.delete(name);
  }

  #dropUnsubscribed(type: ClientType): void {
    for (const [name, resource] of type.held) if (!wants(type, resource)) type.held.delete(name);
  }

  #sendFirstDelta(typeUrl: string, type: ClientType): void {
    const implied = type.wildcard && type.names.size === 0 && impliedWildcard(typeUrl);
    const subscribe = implied ? [] : [...(type.wildcard ? ['*'] : []), ...type.names];
    // A request that names nothing would be taken for all: whoever wants none of such a type says so in two steps.
    if (subscribe.length === 0 && !implied && impliedWildcard(typeUrl)) {
      this.#toServer.push(request(typeUrl, {}), request(typeUrl, { unsubscribe: ['*'] }));
      return;
    }
    const initialVersions = new Map([...type.held].map(([name, resource]) => [name, resource.version]));
    this.#toServer.push(request(typeUrl, { subscribe, initialVersions }));
  }

  #sendList(typeUrl: string, type: ClientType, nonce = type.nonce): void {
    const list = this.#list(type);
    // Nothing wanted of a type whose empty list means all: name something first.
    if (list.length === 0 && !type.wildcard && !type.explicit && impliedWildcard(typeUrl)) {
      type.explicit = true;
      this.#sendNames(typeUrl, type, ['none'], nonce);
    }
    this.#sendNames(
      typeUrl,
      type,
      list.length === 0 && type.wildcard && !impliedWildcard(typeUrl) ? ['*'] : list,
      nonce,
    );
  }

  #sendNames(typeUrl: string, _type: ClientType, names: readonly string[], nonce = _type.nonce): void {
    if (names.length > 0) _type.explicit = true;
    this.#toServer.push(request(typeUrl, { nonce, subscribe: names }));
  }

  #list(type: ClientType): string[] {
    const bare = type.wildcard && type.names.size === 0 && !type.explicit;
    return [...(type.wildcard && !bare ? ['*'] : []), ...type.names];
  }

  #type(typeUrl: string): ClientType {
    let type = this.#types.get(typeUrl);
    if (type === undefined) {
      const all = this.#view.wildcardNames?.(typeUrl);
      type = { all, requested: false, wildcard: false, explicit: false, names: new Set(), held: new Map(), nonce: '' };
      this.#types.set(typeUrl, type);
    }
    return type;
  }

  #newMachine(): StreamMachine {
    return new StreamMachine(
      {
        transport: this.transport,
        maxResponseBytes: 200,
        warmingWaitMaxMs: 2_000,
        removalLingerMs: 15_000,
        removalGraceMs: 4_000,
        aggregated: true,
        supportsTtl: false,
      },
      this.#replicaOf(this.#view),
    );
  }

  #replicaOf(view: TestView): Replica {
    let replica = this.#replicas.get(view);
    if (replica === undefined) {
      replica = new Replica(view);
      this.#replicas.set(view, replica);
    }
    return replica;
  }
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function wants(type: ClientType, resource: EncodedResource): boolean {
  if (type.names.has(resource.name)) return true;
  if (type.wildcard && (type.all?.has(resource.name) ?? true)) return true;
  return resource.aliases?.some((alias) => type.names.has(alias)) ?? false;
}
