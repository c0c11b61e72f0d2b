/**
 * One client that behaves as a sidecar's Envoy does on its ADS stream: asks for all clusters and listeners, then for the endpoints and routes
 * that these name; acknowledges every message; when the stream ends it connects again and says what it holds.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Ledger, ReadMessage } from './ledger.ts';
import { sidecarTypes } from './state-hash.ts';
import { sidecarNode, type Transport, Unframer, writeRequest } from './wire.ts';

export interface SidecarOptions {
  readonly index: number;
  /** `host:port` */
  readonly address: string;
  readonly transport: Transport;
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
  answered: boolean;
}

export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #types = new Map<string, TypeState>(
    sidecarTypes.map((url) => [
      url,
      { held: new Int32Array(), wanted: noNames, version: '', nonce: '', answered: false },
    ]),
  );
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #isFirst = true;
  #isSynced = false;
  #isStopped = false;

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
    stream.on('trailers', (headers) => {
      trailers = `${String(headers['grpc-status'])} ${String(headers['grpc-message'] ?? '')}`;
    });
    stream.on('error', (error) => this.#over(session, error.message));
    stream.on('close', () => this.#over(session, `the stream ended ${trailers}`));
    const unframer = new Unframer();
    if (!isStuck)
      stream.on('data', (chunk: Buffer) => unframer.push(chunk, (pieces, length) => this.#message(pieces, length)));
    this.#begin();
  }

  /** By type: by index of name in the ledger, the index of the version held. */
  held(): ReadonlyMap<string, Int32Array> {
    return new Map([...this.#types].map(([url, { held }]) => [url, held]));
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
      state.answered = false;
    }
    this.#ask(typeUrl.cluster, noNames);
    this.#ask(typeUrl.listener, noNames);
    // What it held over a lost stream it still wants.
    for (const url of parents.values()) {
      const { wanted } = this.#state(url);
      if (wanted.length > 0) this.#ask(url, wanted);
    }
  }

  /** The first request of a type on a stream. */
  #ask(url: string, names: readonly string[]): void {
    const { ledger, transport } = this.#options;
    const state = this.#state(url);
    const { list } = ledger.names(url);
    const held = transport === 'delta' ? [...state.held.entries()].filter(([, version]) => version !== 0) : [];
    this.#send({
      typeUrl: url,
      names,
      version: state.version,
      initialVersions: held.map(([name, version]) => [list[name] ?? '', ledger.version(version).said] as const),
    });
  }

  #send(request: Parameters<typeof writeRequest>[0]): void {
    const { index, cluster, namespace, transport } = this.#options;
    const node = this.#isFirst ? { node: sidecarNode(index, cluster, namespace) } : {};
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
    this.#options.message(this, message);
    if (!this.#isSynced && this.#holdsAll()) {
      this.#isSynced = true;
      this.#options.synced(this);
    }
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
    for (const parent of parents.keys()) if (!this.#state(parent).answered) return false;
    for (const child of parents.values()) {
      const { wanted, held } = this.#state(child);
      for (const name of this.#options.ledger.indexes(child, wanted)) if ((held[name] ?? 0) === 0) return false;
    }
    return true;
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
