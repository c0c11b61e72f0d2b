/**
 * One client that behaves as a sidecar's Envoy does on its ADS stream: asks for all clusters and listeners, then for the endpoints and routes
 * that these name; acknowledges every message; when the stream ends it connects again and says what it holds.
 *
 * Where route tables come without hosts it asks for virtual hosts, naming none, once it has the first table. On demand it then asks for those
 * hosts that its workload calls, all at a time, and for the Envoy clusters to which their routes lead, as far as it was not given them before; it
 * gives none of these up.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Ledger, ReadMessage } from './ledger.ts';
import type { Shape } from './shape.ts';
import { sidecarNode } from './sidecar-node.ts';
import { sidecarTypes } from './state-hash.ts';
import { type Transport, Unframer, writeRequest } from './wire.ts';

export interface SidecarOptions {
  readonly index: number;
  /** `host:port` */
  readonly address: string;
  readonly transport: Transport;
  readonly shape: Shape;
  /** On demand: the Hosts that its workload calls. */
  readonly calls: readonly string[];
  readonly cluster: string;
  readonly namespace: string;
  readonly ledger: Ledger;
  /** Asks for everything and reads nothing. */
  readonly isStuck: boolean;
  message(sidecar: Sidecar, message: ReadMessage): void;
  /** Everything that it asked for is held; once per stream. */
  synced(sidecar: Sidecar): void;
  ended(sidecar: Sidecar, why: string): void;
}

/** Envoy's, and that of Istio's agents, are larger; a window of 1 MiB is enough on a loopback. */
const windowBytes = 1 << 20;
/**
 * Envoy waits up to 500 ms at random before its first try. Here the pauses are spread evenly, so that runs are alike, and none is so short that a
 * pilot that is away is asked all the time.
 */
const reconnectMinMs = 50;
const reconnectMaxMs = 500;

const methods = { sotw: 'StreamAggregatedResources', delta: 'DeltaAggregatedResources' } as const;
const parents: ReadonlyMap<string, string> = new Map([
  [typeUrl.cluster, typeUrl.endpoint],
  [typeUrl.listener, typeUrl.route],
]);
const noNames: readonly string[] = [];

/** What it knows of one type. */
interface TypeState {
  /** By index of name; 0: not held. */
  held: Int32Array;
  wanted: readonly string[];
  version: string;
  /** Of this stream; '' before its first response. */
  nonce: string;
  /** On this stream. */
  asked: boolean;
  answered: boolean;
}

export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #types = new Map<string, TypeState>(
    sidecarTypes.map((url) => [
      url,
      { held: new Int32Array(), wanted: noNames, version: '', nonce: '', asked: false, answered: false },
    ]),
  );
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #isFirst = true;
  #isSynced = false;
  #isStopped = false;
  /** On demand: the Envoy clusters to which its hosts led at any time. */
  readonly #led = new Set<string>();

  constructor(options: SidecarOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.index;
  }

  open(): void {
    const { address, transport, isStuck } = this.#options;
    const settings = isStuck ? {} : { initialWindowSize: windowBytes };
    const session = connect(`http://${address}`, { settings });
    if (!isStuck) session.once('connect', () => session.setLocalWindowSize(windowBytes));
    session.on('error', (error) => this.#over(session, error.message));
    session.on('close', () => this.#over(session, 'the connection was closed'));
    this.#session = session;
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${methods[transport]}`,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
      },
      { endStream: false },
    );
    this.#stream = stream;
    let trailers = '';
    let went = '';
    stream.on('trailers', (headers) => {
      trailers = `${String(headers['grpc-status'])} ${String(headers['grpc-message'] ?? '')}`;
    });
    stream.on('error', (error) => this.#over(session, error.message));
    stream.on('close', () =>
      this.#over(session, `the stream ended ${trailers} (HTTP/2 code ${stream.rstCode}${went})`),
    );
    session.on('goaway', (code) => {
      went = `, connection going away with code ${code}`;
    });
    const unframer = new Unframer();
    if (!isStuck)
      stream.on('data', (chunk: Buffer) => unframer.push(chunk, (pieces, length) => this.#message(pieces, length)));
    this.#begin();
  }

  /** By type: by index of name in the ledger, the index of the version held. */
  held(): ReadonlyMap<string, Int32Array> {
    return new Map([...this.#types].map(([url, { held }]) => [url, held]));
  }

  /** The Envoy clusters that it asked for by name, or was given because a host of its led there; it gives none of them up. */
  get ownClusters(): readonly string[] {
    return [...new Set([...this.#state(typeUrl.cluster).wanted, ...this.#led])];
  }

  close(): void {
    this.#isStopped = true;
    this.#session?.destroy();
  }

  #begin(): void {
    this.#isFirst = true;
    this.#isSynced = false;
    for (const state of this.#types.values()) {
      state.nonce = '';
      state.asked = false;
      state.answered = false;
    }
    const { wanted } = this.#state(typeUrl.cluster);
    this.#ask(typeUrl.cluster, wanted.length === 0 ? noNames : ['*', ...wanted]);
    this.#ask(typeUrl.listener, noNames);
    // What it held over a lost stream it still wants.
    for (const url of parents.values()) {
      const state = this.#state(url);
      if (state.wanted.length > 0) this.#ask(url, state.wanted);
    }
    const hosts = this.#state(typeUrl.virtualHost);
    if (hosts.held.some((version) => version !== 0)) this.#ask(typeUrl.virtualHost, hosts.wanted);
  }

  /** The first request of a type on a stream. */
  #ask(url: string, names: readonly string[]): void {
    const { ledger, transport } = this.#options;
    const state = this.#state(url);
    state.asked = true;
    const { list } = ledger.names(url);
    const held = transport === 'delta' ? [...state.held.entries()].filter(([, version]) => version !== 0) : [];
    // Each Envoy writes this map in an order of its own.
    const turned = held.splice(0, (this.#options.index * 7919) % Math.max(1, held.length));
    held.push(...turned);
    this.#send({
      typeUrl: url,
      names,
      version: state.version,
      initialVersions: held.map(([name, version]) => [list[name] ?? '', ledger.version(version).said] as const),
    });
  }

  #send(request: Parameters<typeof writeRequest>[0]): void {
    const { index, cluster, namespace, transport, shape } = this.#options;
    const node = this.#isFirst ? { node: sidecarNode(index, cluster, namespace, shape) } : {};
    this.#isFirst = false;
    this.#stream?.write(writeRequest({ ...request, ...node }, transport));
  }

  #message(pieces: readonly Buffer[], length: number): void {
    const message = this.#options.ledger.read(pieces, length);
    const state = this.#state(message.typeUrl);
    const isEmpty = state.held.every((version) => version === 0);
    this.#take(message, state);
    state.version = message.version;
    state.nonce = message.nonce;
    state.answered = true;
    this.#send({
      typeUrl: message.typeUrl,
      version: message.version,
      nonce: message.nonce,
      ...(this.#options.transport === 'sotw' ? { names: state.wanted } : {}),
    });
    const child = parents.get(message.typeUrl);
    if (child !== undefined) this.#want(child, isEmpty ? message.children : this.#childrenOf(state));
    else this.#goOn(message, state);
    this.#options.message(this, message);
    if (!this.#isSynced && this.#holdsAll()) {
      this.#isSynced = true;
      this.#options.synced(this);
    }
  }

  /** What a route table, or a virtual host on demand, leads to. */
  #goOn({ typeUrl: url, children }: ReadMessage, state: TypeState): void {
    const hosts = this.#state(typeUrl.virtualHost);
    const { shape, calls } = this.#options;
    if (url === typeUrl.route && shape !== 'tables' && children.length > 0 && !hosts.asked)
      return this.#ask(typeUrl.virtualHost, noNames);
    if (url !== typeUrl.virtualHost || shape !== 'on-demand') return;
    const tables = this.#childrenOf(this.#state(typeUrl.route));
    this.#wantAlso(
      url,
      tables.flatMap((table) => calls.map((host) => `${table}/${host}`)),
    );
    const clusters = this.#state(typeUrl.cluster);
    const names = this.#childrenOf(state);
    for (const name of names) this.#led.add(name);
    const indexes = this.#options.ledger.indexes(typeUrl.cluster, names);
    this.#wantAlso(
      typeUrl.cluster,
      names.filter((_, at) => (clusters.held[indexes[at] ?? 0] ?? 0) === 0),
    );
  }

  /** Envoy gives up nothing that came on demand. */
  #wantAlso(url: string, names: readonly string[]): void {
    const { wanted } = this.#state(url);
    const before = new Set(wanted);
    const added = names.filter((name) => !before.has(name));
    if (added.length > 0) this.#want(url, [...wanted, ...added]);
  }

  #take({ typeUrl: url, names, versions, removed }: ReadMessage, state: TypeState): void {
    const { transport, ledger } = this.#options;
    // Over SotW, a response of clusters or listeners is all that there is.
    if (transport === 'sotw' && parents.has(url)) state.held.fill(0);
    const size = ledger.names(url).list.length;
    if (state.held.length < size) {
      const grown = new Int32Array(size);
      grown.set(state.held);
      state.held = grown;
    }
    for (let index = 0; index < names.length; index++) state.held[names[index] ?? 0] = versions[index] ?? 0;
    for (const name of removed) state.held[name] = 0;
  }

  #childrenOf(state: TypeState): readonly string[] {
    const names = new Set<string>();
    for (const version of state.held)
      if (version !== 0) for (const child of this.#options.ledger.version(version).children) names.add(child);
    return [...names].sort();
  }

  #want(url: string, names: readonly string[]): void {
    const state = this.#state(url);
    const before = state.wanted;
    if (names === before || (names.length === before.length && names.every((name, at) => name === before[at]))) return;
    state.wanted = names;
    const now = new Set(before.length === 0 ? [] : names);
    const gone = before.filter((name) => !now.has(name));
    for (const name of gone) state.held[this.#options.ledger.names(url).indexOf(name)] = 0;
    if (this.#options.transport === 'sotw')
      return this.#send({ typeUrl: url, names, version: state.version, nonce: state.nonce });
    const known = new Set(before);
    // The array as it is, where all is new: then its encoding is shared.
    const added = before.length === 0 ? names : names.filter((name) => !known.has(name));
    this.#send({ typeUrl: url, names: added, unsubscribe: gone });
  }

  #holdsAll(): boolean {
    const { ledger, shape } = this.#options;
    for (const parent of parents.keys()) if (!this.#state(parent).answered) return false;
    for (const child of parents.values()) {
      const { wanted, held } = this.#state(child);
      for (const name of ledger.indexes(child, wanted)) if ((held[name] ?? 0) === 0) return false;
    }
    if (shape === 'tables') return true;
    if (!this.#state(typeUrl.virtualHost).answered) return false;
    return shape === 'vhds' || (this.#holdsWanted(typeUrl.virtualHost) && this.#holdsWanted(typeUrl.cluster));
  }

  /** What it asked for one by one, by its name or an alias. */
  #holdsWanted(url: string): boolean {
    const { wanted, held } = this.#state(url);
    const names = this.#options.ledger.names(url);
    return wanted.every((name) => (held[names.aliases.get(name) ?? names.indexOf(name)] ?? 0) !== 0);
  }

  #over(session: ClientHttp2Session, why: string): void {
    if (session !== this.#session || this.#isStopped) return;
    this.#session = undefined;
    this.#stream = undefined;
    session.destroy();
    this.#options.ended(this, why);
    if (this.#options.isStuck) return;
    setTimeout(
      () => {
        if (!this.#isStopped) this.open();
      },
      reconnectMinMs + ((this.#options.index * 37) % (reconnectMaxMs - reconnectMinMs)),
    );
  }

  #state(url: string): TypeState {
    const state = this.#types.get(url);
    if (state === undefined) throw new Error(`the server sent ${url}, which nobody asked for`);
    return state;
  }
}
