/**
 * One gRPC stream: bytes in, through the stream machine, bytes out. Always: one write is outstanding at most, so that a slow reader gets the
 * newest state when it is ready again and holds one message in memory, and every end of the stream passes through `#close` once.
 */

import { status } from '@grpc/grpc-js';
import type { Clock, Timer } from '../core/clock.ts';
import { errorMessage, FairwayError, formatFinding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { admit, asFault, greet, requestedType } from './admission.ts';
import { addTo, type Tally } from './counters.ts';
import type { Draft } from './draft.ts';
import { type BytesStream, bytesGiven, resetStream, takesFramed } from './grpc-stream.ts';
import type { XdsLimits } from './limits.ts';
import type { Replica } from './replica.ts';
import type { RequestDecoder, XdsRequest } from './request.ts';
import type { Response, ResponseEncoder } from './response.ts';
import type { ResourceMethod } from './services.ts';
import { StreamMachine } from './stream-machine.ts';
import type { Job, Turns } from './turns.ts';
import type { ClientHello, ProgressEvent, ResourceView, XdsHost } from './view.ts';

/** What a connection takes from its server. */
export interface ConnectionContext {
  readonly host: XdsHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: XdsLimits;
  readonly turns: Turns;
  readonly encoder: ResponseEncoder;
  readonly decoders: Readonly<Record<'sotw' | 'delta', RequestDecoder>>;
  readonly tally: Tally;
  /** What `connection` reads from now on, instead of what it read before. */
  replicaFor(connection: Connection, view: ResourceView): Replica;
  closed(connection: Connection): void;
}

/** Requests that one stream may have waiting. */
const inboxMax = 16;

/** Less is no progress: pings and what else HTTP/2 says by itself go the same way. */
const takenMinBytes = 16 * 1024;

/** A client's own fault, said in gRPC's terms. */
const codes: ReadonlyMap<string, status> = new Map([
  ['FW-XDS-007', status.RESOURCE_EXHAUSTED],
  ['FW-XDS-008', status.DEADLINE_EXCEEDED],
  ['FW-XDS-009', status.DEADLINE_EXCEEDED],
  ['FW-XDS-012', status.UNAVAILABLE],
  ['FW-XDS-014', status.INTERNAL],
]);

export class Connection implements Job {
  readonly id: number;
  readonly #call: BytesStream;
  readonly #method: ResourceMethod;
  readonly #context: ConnectionContext;
  readonly #openedMs: number;
  readonly #takesFramed: boolean;
  #hello: ClientHello | undefined;
  #machine: StreamMachine | undefined;
  #supportsTtl = false;
  #hasPassedOver = false;
  /** Type → serial of its last message. */
  readonly #serials = new Map<string, number>();
  /** Type → when it was last sent; wall time. */
  readonly #sentAtMs = new Map<string, number>();
  /** Since when a message waits to be taken by the client; monotonic. */
  #writingSinceMs: number | undefined;
  /** What its connection had been given when the client was last seen to take something of that, and when; monotonic. */
  #taking: { readonly bytes: number; readonly atMs: number } | undefined;
  #wake: Timer | undefined;
  /** Requests that were received and wait for this stream's turn. */
  #inbox: Buffer[] = [];
  #inboxBytes = 0;
  #halfClosed = false;
  #closed = false;

  constructor(id: number, call: BytesStream, method: ResourceMethod, context: ConnectionContext) {
    this.id = id;
    this.#call = call;
    this.#method = method;
    this.#context = context;
    this.#openedMs = context.clock.monotonic();
    this.#takesFramed = takesFramed(call);
    call.on('data', (bytes: Buffer) => this.#queue(bytes));
    call.on('end', () => {
      this.#halfClosed = true;
      context.turns.enqueue(this);
    });
    call.on('cancelled', () => this.#close());
    call.on('close', () => this.#close());
    call.on('error', () => this.#close());
  }

  get hello(): ClientHello | undefined {
    return this.#hello;
  }

  get machine(): StreamMachine | undefined {
    return this.#machine;
  }

  get sentAtMs(): ReadonlyMap<string, number> {
    return this.#sentAtMs;
  }

  /** Reads what came in, then writes one message, if there is one and the client can take it. Returns its bytes. */
  turn(): number {
    const { clock } = this.#context;
    this.#readInbox();
    if (this.#halfClosed) this.end();
    const machine = this.#machine;
    if (machine === undefined || this.#closed) return 0;
    machine.catchUp();
    if (this.#writingSinceMs !== undefined) return 0;
    const nowMs = clock.monotonic();
    const draft = machine.next(nowMs);
    this.#sleepUntil(machine.wakeAt, nowMs);
    const bytes = draft === undefined ? 0 : this.#send(draft, machine, nowMs);
    machine.note(clock.now());
    return bytes;
  }

  /** The client is to see another view; the differences are sent. */
  reassign(view: ResourceView): void {
    if (this.#machine === undefined || this.#closed) return;
    this.#machine.rebase(this.#context.replicaFor(this, view));
    this.#context.turns.enqueue(this);
  }

  /** Ends the stream if its client has been silent or stuck for too long. */
  sweep(nowMs: number): void {
    const { limits, tally } = this.#context;
    if (this.#machine === undefined) {
      if (this.#inbox.length > 0 || nowMs - this.#openedMs < limits.firstRequestMs) return;
      this.fail(
        new FairwayError({
          code: 'FW-XDS-009',
          message: `no request came within ${limits.firstRequestMs} ms`,
          where: {},
          hint: 'send a request with the node as soon as the stream is open',
        }),
      );
      return;
    }
    if (!this.#isStuck(nowMs)) return;
    tally.droppedSlowReadersTotal++;
    this.fail(
      new FairwayError({
        code: 'FW-XDS-008',
        message: `the client has taken nothing for ${limits.stuckReaderMs} ms`,
        where: {},
        hint: 'look whether the proxy hangs or its network is lost; it may reconnect at any time',
      }),
    );
    // What is queued in the HTTP/2 stream would wait there for as long as the client likes.
    resetStream(this.#call);
  }

  /** A message waits, and for long next to nothing of it was taken: a slow link takes a large one bit by bit. */
  #isStuck(nowMs: number): boolean {
    if (this.#writingSinceMs === undefined) return false;
    const bytes = bytesGiven(this.#call) ?? 0;
    if (this.#taking === undefined || bytes - this.#taking.bytes >= takenMinBytes)
      this.#taking = { bytes, atMs: this.#taking === undefined ? this.#writingSinceMs : nowMs };
    return nowMs - this.#taking.atMs >= this.#context.limits.stuckReaderMs;
  }

  /** Ends the stream with the error's code and words. */
  fail(error: FairwayError): void {
    if (this.#closed) return;
    addTo(this.#context.tally.refusedByCode, error.code);
    this.#context.logger.warn(formatFinding(error), {
      node: this.#hello?.node.id ?? '',
      peer: this.#call.getPeer(),
      code: error.code,
    });
    this.#close();
    this.#call.emit('error', { code: codes.get(error.code) ?? status.INVALID_ARGUMENT, details: formatFinding(error) });
  }

  /** Ends the stream as if the client had asked for it. */
  end(): void {
    if (this.#closed) return;
    this.#close();
    this.#call.end();
  }

  /** A client that sends faster than it is served is held back by HTTP/2. */
  #queue(bytes: Buffer): void {
    if (this.#closed) return;
    this.#inbox.push(bytes);
    this.#inboxBytes += bytes.length;
    const { maxInboxBytes } = this.#context.limits;
    if (this.#inbox.length >= inboxMax || this.#inboxBytes >= maxInboxBytes) this.#call.pause();
    this.#context.turns.enqueue(this);
  }

  #readInbox(): void {
    if (this.#inbox.length === 0) return;
    if (this.#machine === undefined && this.#context.host.takesClients?.() === false) return;
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    for (const bytes of inbox) this.#receive(bytes);
    if (!this.#closed && this.#call.isPaused()) this.#call.resume();
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    const { decoders, limits, tally } = this.#context;
    tally.requestsTotal++;
    try {
      const decoded = decoders[this.#method.transport].decode(bytes);
      const request = { ...decoded, typeUrl: requestedType(decoded, this.#method) };
      const machine = this.#machine ?? this.#connect(request);
      const admitted = admit(request, machine, this.#method.transport, limits);
      this.#notePassedOver(admitted);
      this.#handle(admitted, machine);
    } catch (error) {
      this.fail(asFault(error));
    }
  }

  #notePassedOver({ passedOver }: XdsRequest): void {
    if (passedOver === undefined || passedOver.length === 0) return;
    const { tally, logger } = this.#context;
    tally.passedOverNamesTotal += passedOver.length;
    if (this.#hasPassedOver) return;
    this.#hasPassedOver = true;
    logger.warn('a sidecar asks for hosts that are too many or too long: no such host, it is told', {
      code: 'FW-XDS-016',
      node: this.#hello?.node.id ?? '',
      names: passedOver.slice(0, 10).map((name) => name.slice(0, 100)),
      hint: 'look which hosts its application names in requests; where they are without end, take eager mode for it (`fairway bootstrap --config eager`)',
    });
  }

  #connect(request: XdsRequest): StreamMachine {
    const { host, limits } = this.#context;
    const stream = { streamId: this.id, peer: this.#call.getPeer(), method: this.#method };
    const { hello, view } = greet(request, stream, host);
    this.#hello = hello;
    // Over SotW a resource with a TTL is wrapped, which is a feature of its own, though Envoy declares only the first.
    this.#supportsTtl = hello.node.clientFeatures.includes('xds.config.supports-resource-ttl');
    this.#machine = new StreamMachine(
      {
        transport: this.#method.transport,
        maxResponseBytes: limits.maxResponseBytes,
        warmingWaitMaxMs: limits.warmingWaitMaxMs,
        removalLingerMs: limits.removalLingerMs,
        removalGraceMs: limits.removalGraceMs,
        aggregated: this.#method.onlyType === undefined,
        supportsTtl: this.#supportsTtl,
        remembered: (typeUrl) => host.remembered?.(this.id, typeUrl) ?? [],
      },
      this.#context.replicaFor(this, view),
    );
    return this.#machine;
  }

  #handle(request: XdsRequest, machine: StreamMachine): void {
    const { clock, host, tally, logger } = this.#context;
    const { typeUrl } = request;
    host.asked?.(this.id, typeUrl, request);
    const outcome = machine.request(request, clock.now(), clock.monotonic());
    machine.note(clock.now());
    if (outcome.kind === 'stale') tally.staleNoncesTotal++;
    else if (outcome.kind === 'acked')
      this.#progress({ streamId: this.id, typeUrl, kind: 'acked', revision: machine.ackedRevision(typeUrl) });
    else if (outcome.kind === 'nacked') {
      addTo(tally.nacksByType, typeUrl);
      const { error, names, revision } = outcome;
      logger.warn('the client refused a message, and keeps what it had', {
        code: 'FW-XDS-011',
        node: this.#hello?.node.id ?? '',
        type_url: typeUrl,
        names: names.slice(0, 10),
        err: error,
        hint: 'see `fairway get proxies` for what is set aside; err has the client’s reason',
      });
      this.#progress({ streamId: this.id, typeUrl, kind: 'nacked', revision, error, names });
    }
  }

  #send(draft: Draft, machine: StreamMachine, nowMs: number): number {
    const { clock, encoder, tally } = this.#context;
    const { typeUrl, revision } = draft;
    const response = encoder.encode(draft, {
      transport: this.#method.transport,
      ttl: this.#supportsTtl,
      afterSerial: this.#serials.get(typeUrl) ?? 0,
    });
    this.#serials.set(typeUrl, response.serial);
    this.#sentAtMs.set(typeUrl, clock.now());
    machine.sent(draft, response.nonce, nowMs);
    tally.bytesTotal += response.bytes.length;
    addTo(tally.pushesByType, typeUrl);
    this.#write(response, nowMs);
    this.#progress({ streamId: this.id, typeUrl, kind: 'sent', revision });
    return response.bytes.length;
  }

  #write({ bytes, framed }: Response, nowMs: number): void {
    this.#writingSinceMs = nowMs;
    this.#taking = undefined;
    this.#call.write(this.#takesFramed ? framed : bytes, () => {
      this.#writingSinceMs = undefined;
      if (!this.#closed) this.#context.turns.enqueue(this);
    });
  }

  #sleepUntil(atMs: number | undefined, nowMs: number): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    if (atMs === undefined) return;
    this.#wake = this.#context.clock.after(Math.max(1, atMs - nowMs), () => this.#context.turns.enqueue(this));
  }

  #progress(event: ProgressEvent): void {
    try {
      this.#context.host.progress(event);
    } catch (error) {
      this.#context.logger.error('what a client answered could not be counted', {
        code: 'FW-XDS-014',
        err: errorMessage(error),
        hint: 'this is a fault of the server; report it with its log',
      });
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.cancel();
    this.#context.turns.remove(this);
    this.#context.closed(this);
  }
}
