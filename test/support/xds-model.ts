/**
 * A small model of an obedient client, to be run against the stream machine without sockets. Messages wait in two queues, so that requests
 * and responses cross as they do on a wire. The model knows nothing of the machine's insides: it says what its client holds, and what it
 * should hold, from the view and the subscription alone.
 */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl as types } from '../../src/core/type-urls.ts';
import type { Draft } from '../../src/xds/draft.ts';
import { Replica } from '../../src/xds/replica.ts';
import type { XdsRequest } from '../../src/xds/request.ts';
import { StreamMachine } from '../../src/xds/stream-machine.ts';
import type { TestView } from './xds-views.ts';

export type Transport = 'sotw' | 'delta';

interface Message {
  readonly draft: Draft;
  readonly nonce: string;
}

interface ClientType {
  requested: boolean;
  wildcard: boolean;
  /** A name was given on this stream: an empty list no longer means all. */
  explicit: boolean;
  readonly names: Set<string>;
  readonly held: Map<string, EncodedResource>;
  /** SotW: of the last response that was received on this stream. */
  nonce: string;
}

/** What the server may assume of its client, kept apart from the machine to judge whether a resource had to be sent. */
interface ServerSide {
  readonly sent: Map<string, string>;
  undo: Map<string, string | undefined>;
  readonly asked: Set<string>;
  inFlight: string | undefined;
  refused: boolean;
}

const wholeSet = (transport: Transport, typeUrl: string): boolean =>
  transport === 'sotw' && (typeUrl === types.cluster || typeUrl === types.listener);

export const impliedWildcard = (typeUrl: string): boolean => typeUrl === types.cluster || typeUrl === types.listener;

export class ModelClient {
  readonly transport: Transport;
  readonly poison = new Set<string>();
  nowMs = 0;
  #machine: StreamMachine;
  #view: TestView;
  readonly #replicas = new Map<TestView, Replica>();
  readonly #types = new Map<string, ClientType>();
  #server = new Map<string, ServerSide>();
  #toServer: XdsRequest[] = [];
  #toClient: Message[] = [];
  #nonces = 0;
  sentMessages = 0;

  constructor(transport: Transport, view: TestView) {
    this.transport = transport;
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
    this.#server = new Map();
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
    const side = this.#side(next.typeUrl);
    const answers = next.nonce !== '' && next.nonce === side.inFlight;
    if (answers) {
      side.inFlight = undefined;
      if (next.error !== undefined) {
        for (const [name, version] of side.undo) {
          if (version === undefined) side.sent.delete(name);
          else side.sent.set(name, version);
        }
        side.refused = true;
      }
    }
    for (const name of next.subscribe) side.asked.add(name);
    for (const name of next.unsubscribe) {
      side.asked.add(name);
      if (name === '*') side.sent.clear();
      else side.sent.delete(name);
    }
    if (this.transport === 'sotw') this.#noteSotwList(next, side);
    this.#machine.request(next, 0, this.nowMs);
    return true;
  }

  /** The server writes one message, if it has one. */
  write(): boolean {
    const draft = this.#machine.next(this.nowMs);
    if (draft === undefined) return false;
    this.#check(draft);
    const nonce = `n${++this.#nonces}`;
    this.#machine.sent(draft, nonce, this.nowMs);
    this.#toClient.push({ draft, nonce });
    this.sentMessages++;
    const side = this.#side(draft.typeUrl);
    assert.equal(side.inFlight, undefined, 'two messages of one type in flight');
    side.inFlight = nonce;
    side.undo = new Map();
    for (const { name, version } of draft.resources) {
      side.undo.set(name, side.sent.get(name));
      side.sent.set(name, version);
      side.asked.delete(name);
    }
    for (const name of draft.removed) {
      side.undo.set(name, side.sent.get(name));
      side.sent.delete(name);
      side.asked.delete(name);
    }
    if (draft.typeUrl === types.cluster) {
      const endpoints = this.#side(types.endpoint);
      for (const { name } of draft.resources) endpoints.asked.add(name);
    }
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

  #check(draft: Draft): void {
    const side = this.#side(draft.typeUrl);
    const names = [...draft.resources.map((resource) => resource.name), ...draft.removed];
    assert.equal(new Set(names).size, names.length, 'a name twice in one response');
    if (wholeSet(this.transport, draft.typeUrl)) return;
    for (const { name, version, aliases } of draft.resources) {
      if (side.refused) continue;
      const asked = side.asked.has(name) || (aliases?.some((alias) => side.asked.has(alias)) ?? false);
      assert(asked || side.sent.get(name) !== version, `${short(draft.typeUrl)} ${name} was sent without need`);
    }
  }

  #noteSotwList(next: XdsRequest, side: ServerSide): void {
    const wanted = new Set(next.subscribe);
    if (wanted.has('*') || (wanted.size === 0 && impliedWildcard(next.typeUrl))) return;
    for (const name of side.sent.keys()) if (!wanted.has(name)) side.sent.delete(name);
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
      type = { requested: false, wildcard: false, explicit: false, names: new Set(), held: new Map(), nonce: '' };
      this.#types.set(typeUrl, type);
    }
    return type;
  }

  #side(typeUrl: string): ServerSide {
    let side = this.#server.get(typeUrl);
    if (side === undefined) {
      side = { sent: new Map(), undo: new Map(), asked: new Set(), inFlight: undefined, refused: false };
      this.#server.set(typeUrl, side);
    }
    return side;
  }

  #newMachine(): StreamMachine {
    return new StreamMachine(
      {
        transport: this.transport,
        maxResponseBytes: 200,
        warmingWaitMaxMs: 2_000,
        removalLingerMs: 15_000,
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

function wants(type: ClientType, resource: EncodedResource): boolean {
  if (type.wildcard || type.names.has(resource.name)) return true;
  return resource.aliases?.some((alias) => type.names.has(alias)) ?? false;
}

function request(typeUrl: string, fields: Partial<XdsRequest>): XdsRequest {
  return {
    typeUrl,
    node: undefined,
    nonce: '',
    error: undefined,
    subscribe: [],
    unsubscribe: [],
    initialVersions: new Map(),
    resumes: (fields.initialVersions?.size ?? 0) > 0,
    ...fields,
  };
}

function short(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
