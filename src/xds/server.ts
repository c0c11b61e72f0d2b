/**
 * The xDS server: gRPC in front, views behind. In: streams of clients, and the host's word that a view changed. Out: each client holds what
 * its view has of what it asked for, newest state first, in an order that never leaves a dangling reference.
 *
 * Nothing here knows what the resources mean. Cost: a change is taken over once per view; each stream on it reads the names that changed.
 */

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Clock, sleep, type Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { Acceptor } from './acceptor.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { newTally, type XdsCounters } from './counters.ts';
import type { Held } from './draft.ts';
import { drainStepMs, drainSteps } from './drain-steps.ts';
import { type BytesStream, requestOf } from './grpc-stream.ts';
import type { XdsLimits } from './limits.ts';
import type { Replica } from './replica.ts';
import { Replicas } from './replicas.ts';
import { RequestDecoder } from './request.ts';
import { ResponseEncoder } from './response.ts';
import { cannotListen, drainingError, tooManyStreams } from './server-errors.ts';
import { bytesMethod, type ResourceMethod, resourceMethods, statusMethods } from './services.ts';
import { StatusCalls } from './status-calls.ts';
import { Turns, type Work } from './turns.ts';
import type { ClientHello, ResourceView, StreamTypeStatus, XdsHost } from './view.ts';

export interface XdsServerOptions {
  readonly host: XdsHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: XdsLimits;
  /** Default: plain text. */
  readonly credentials?: ServerCredentials;
}

export class XdsServer {
  readonly #options: XdsServerOptions;
  readonly #server: Server;
  readonly #turns: Turns;
  readonly #encoder: ResponseEncoder;
  readonly #tally = newTally();
  readonly #connections = new Map<number, Connection>();
  readonly #replicas = new Replicas();
  /** Whose clients see what a replica has. */
  readonly #readers = new Map<Replica, Set<Connection>>();
  readonly #context: ConnectionContext;
  #streamIds = 0;
  readonly #acceptors: Acceptor[] = [];
  #draining = false;
  #sweeper: Timer | undefined;

  constructor(options: XdsServerOptions) {
    const { host, clock, logger, limits } = options;
    this.#options = options;
    this.#turns = new Turns({
      clock,
      sliceMs: limits.turnMs,
      sliceJobs: limits.turnMessages,
      pace: { minBytes: limits.turnBytesMin, maxBytes: limits.turnBytesMax, lateMs: limits.turnMs },
    });
    this.#encoder = new ResponseEncoder({
      identifier: limits.identifier,
      maxBytes: limits.cacheBytes,
      maxEntries: limits.cacheEntries,
    });
    this.#context = {
      host,
      clock,
      logger,
      limits,
      turns: this.#turns,
      encoder: this.#encoder,
      decoders: { sotw: new RequestDecoder('sotw', limits), delta: new RequestDecoder('delta', limits) },
      tally: this.#tally,
      replicaFor: (connection, view) => this.#replicaFor(connection, view),
      closed: (connection) => this.#closed(connection),
    };
    this.#server = newGrpcServer(limits);
    this.#addMethods();
  }

  /** Binds `host:port`; port 0 takes a free one. Throws FW-XDS-013. */
  async listen(hostPort: string): Promise<{ readonly address: string; readonly port: number }> {
    const { credentials = ServerCredentials.createInsecure(), clock, limits } = this.#options;
    const injector = this.#server.createConnectionInjector(credentials);
    const acceptor = new Acceptor({
      clock,
      turns: this.#turns,
      sliceMs: limits.turnMs / 2,
      maxWaiting: limits.maxStreams,
      take: (connection) => injector.injectConnection(connection),
    });
    const colon = hostPort.lastIndexOf(':');
    const address = hostPort.slice(0, colon);
    const port = await acceptor
      .listen(address.replace(/^\[|\]$/g, ''), Number(hostPort.slice(colon + 1)))
      .catch((error) => {
        throw cannotListen(hostPort, error);
      });
    this.#acceptors.push(acceptor);
    if (this.#sweeper === undefined) this.#sweep();
    return { address, port };
  }

  /**
   * The view says something else now: these names per type, or anything if none are given. Cheap: streams take it in when it is their turn,
   * and what changes again before that is sent once.
   */
  changed(view: ResourceView, changes?: ReadonlyMap<string, ReadonlySet<string>>): void {
    const replica = this.#replicas.changed(view, changes);
    if (replica === undefined) return;
    for (const connection of this.#readers.get(replica) ?? []) this.#turns.enqueue(connection);
  }

  /** The host takes clients: those that wait are read. */
  opened(): void {
    for (const connection of this.#connections.values()) this.#turns.enqueue(connection);
  }

  /** Gives `job` one turn, soon, between those of streams. A job that has more to do then comes again. */
  work(job: Work): void {
    this.#turns.enqueueWork(job);
  }

  /** The stream's client is to see `view` from now on; only differences are sent. Nothing happens if the stream is gone. */
  reassign(streamId: number, view: ResourceView): void {
    this.#connections.get(streamId)?.reassign(view);
  }

  /** By type URL; undefined if there is no such stream. */
  status(streamId: number): ReadonlyMap<string, StreamTypeStatus> | undefined {
    return this.#connections.get(streamId)?.machine?.status(this.#options.clock.now());
  }

  /** The lowest revision that a stream has acknowledged of those of `types` that it asked for; undefined: of none, or no such stream. */
  ackedFloor(streamId: number, types: Iterable<string>): number | undefined {
    return this.#connections.get(streamId)?.machine?.ackedFloor(types);
  }

  /** Clients whose streams are open and accepted. */
  *streams(): Generator<ClientHello> {
    for (const { hello } of this.#connections.values()) if (hello !== undefined) yield hello;
  }

  /** Per type URL: name → what the client holds; undefined if there is no such stream. */
  held(streamId: number): ReadonlyMap<string, ReadonlyMap<string, Held>> | undefined {
    return this.#connections.get(streamId)?.machine?.held();
  }

  get counters(): XdsCounters {
    return {
      ...this.#tally,
      connected: this.#connections.size,
      queueWaits: this.#turns.waits,
      queueLength: this.#turns.waiting,
      cache: this.#encoder.counts,
    };
  }

  /**
   * Takes no new streams, ends those that are open, closes the port. What is left after `deadlineMs` is cut. Safe to call twice.
   *
   * Every connection is told to go elsewhere for its next stream (GOAWAY) before the first stream ends, and streams end a few at a time, so
   * that whoever takes them over is not stormed. Those that wait for their end are served meanwhile.
   */
  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#draining = true;
    this.#sweeper?.cancel();
    const acceptors = this.#acceptors.splice(0);
    const closed = Promise.all(acceptors.map((acceptor) => acceptor.close()));
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      const cut = clock.after(deadlineMs, () => {
        this.#server.forceShutdown();
        for (const acceptor of acceptors) acceptor.cut();
        resolve();
      });
      this.#server.tryShutdown(() => {
        void closed.then(() => {
          cut.cancel();
          resolve();
        });
      });
    }).then(() => {
      isOver = true;
    });
    const open = [...this.#connections.values()];
    for (const count of drainSteps(open.length, deadlineMs)) {
      for (const connection of open.splice(0, count)) connection.end();
      if (open.length > 0) await Promise.race([sleep(clock, drainStepMs), over]);
      if (isOver) return;
    }
    await over;
  }

  #addMethods(): void {
    for (const method of resourceMethods) {
      this.#server.addService(
        { stream: bytesMethod(method.path, true) },
        { stream: (call: BytesStream) => this.#open(call, method) },
      );
    }
    const { clock, limits } = this.#options;
    const statusCalls = new StatusCalls({
      clock,
      limits,
      tally: this.#tally,
      turns: this.#turns,
      connections: this.#connections,
    });
    this.#server.addService(
      // An answer to one request is written like those to several: then it is known when the client has taken it.
      {
        stream: bytesMethod(statusMethods.stream, true),
        fetch: { ...bytesMethod(statusMethods.fetch, false), responseStream: true },
      },
      {
        stream: (call: BytesStream) => statusCalls.stream(call),
        fetch: (call: BytesStream) => statusCalls.fetch(call, requestOf(call)),
      },
    );
  }

  #open(call: BytesStream, method: ResourceMethod): void {
    const { limits } = this.#options;
    const connection = new Connection(++this.#streamIds, call, method, this.#context);
    this.#tally.streamsTotal++;
    if (this.#draining) connection.fail(drainingError());
    else if (this.#connections.size >= limits.maxStreams) connection.fail(tooManyStreams(limits.maxStreams));
    else this.#connections.set(connection.id, connection);
  }

  #closed(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#leave(connection);
    if (connection.hello !== undefined)
      this.#options.host.disconnect(connection.id, () => connection.machine?.asked() ?? new Map());
  }

  #replicaFor(connection: Connection, view: ResourceView): Replica {
    const replica = this.#replicas.of(view);
    this.#leave(connection);
    const readers = this.#readers.get(replica) ?? new Set();
    this.#readers.set(replica, readers.add(connection));
    return replica;
  }

  #leave(connection: Connection): void {
    const replica = connection.machine?.replica;
    const readers = replica && this.#readers.get(replica);
    if (replica === undefined || readers === undefined) return;
    readers.delete(connection);
    if (readers.size === 0) this.#readers.delete(replica);
  }

  #sweep(): void {
    const { clock, limits } = this.#options;
    const everyMs = Math.max(10, Math.min(limits.stuckReaderMs, limits.firstRequestMs) / 4);
    this.#sweeper = clock.after(everyMs, () => {
      const nowMs = clock.monotonic();
      for (const connection of this.#connections.values()) connection.sweep(nowMs);
      if (!this.#draining) this.#sweep();
    });
  }
}

/** Node's own limits against floods of resets, pings and settings stay in force; grpc-js opens no more of them. */
function newGrpcServer(limits: XdsLimits): Server {
  return new Server({
    'grpc.max_receive_message_length': limits.maxRequestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.enable_channelz': 0,
  });
}
