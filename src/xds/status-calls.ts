/**
 * Calls of the client status service (CSDS). In: calls, each with one request or several. Out: to each request one answer, in turn.
 *
 * An answer over all clients is a message of many megabytes that takes seconds to make, and whoever reaches the port may ask for it. Always: one
 * answer is made at a time, client by client between the turns of streams; few wait to be taken, each no larger than the limit, and no call has
 * its next request read before that; who does not take an answer is cut off.
 */

import type { Clock, Timer } from '../core/clock.ts';
import { FairwayError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { Tally } from './counters.ts';
import { clientStatus, type StatusMatcher, statusMatchers } from './csds.ts';
import { type BytesStream, resetStream } from './grpc-stream.ts';
import type { XdsLimits } from './limits.ts';
import { statusError } from './server-errors.ts';
import type { Turns, Work } from './turns.ts';

export interface StatusCallsOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly limits: Pick<XdsLimits, 'turnMs' | 'stuckReaderMs' | 'maxStatusBytes' | 'maxStatusCalls'>;
  readonly connections: ReadonlyMap<number, Connection>;
  readonly tally: Tally;
}

interface Ask {
  readonly call: BytesStream;
  readonly request: Buffer;
  readonly taken: () => void;
}

/** The answer that is being made. */
interface Answer {
  readonly ask: Ask;
  readonly matchers: readonly StatusMatcher[];
  readonly connections: Iterator<Connection>;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Answers that may wait to be taken by their clients; no other is begun before one of them is. */
const untakenMax = 2;

export class StatusCalls implements Work {
  readonly #options: StatusCallsOptions;
  /** In the order in which they came; with those that are being answered. */
  readonly #asks = new Map<BytesStream, Ask>();
  /** Calls whose answer is written, and when they are cut off. */
  readonly #untaken = new Map<BytesStream, Timer>();
  #answer: Answer | undefined;

  constructor(options: StatusCallsOptions) {
    this.#options = options;
  }

  /** Answers each request of `call`; the next is read once the answer to the one before was taken. */
  stream(call: BytesStream): void {
    this.#watch(call);
    let isOver = false;
    call.on('data', (request: Buffer) => {
      call.pause();
      this.#ask({ call, request, taken: () => (isOver ? call.end() : call.resume()) });
    });
    // Comes behind the last request, not behind its answer.
    call.on('end', () => {
      isOver = true;
      if (!this.#asks.has(call)) call.end();
    });
  }

  /** Answers the one request that came with `call`. */
  fetch(call: BytesStream, request: Buffer): void {
    this.#watch(call);
    this.#ask({ call, request, taken: () => call.end() });
  }

  turn(share: number): void {
    const { clock, limits } = this.#options;
    const answer = this.#answer ?? this.#begin();
    if (answer === undefined) return;
    this.#answer = answer;
    const startMs = clock.monotonic();
    try {
      do {
        const { value: connection, done } = answer.connections.next();
        if (done === true) {
          this.#write(answer);
          break;
        }
        const part = clientStatus(connection, answer.matchers, clock);
        answer.bytes += part.length;
        answer.parts.push(part);
        if (answer.bytes > limits.maxStatusBytes) throw tooLarge(limits.maxStatusBytes);
      } while (clock.monotonic() - startMs < (limits.turnMs / 2) * share);
    } catch (error) {
      this.#fail(answer.ask.call, error);
    }
    this.#goOn();
  }

  #begin(): Answer | undefined {
    if (this.#untaken.size >= untakenMax) return undefined;
    for (const ask of this.#asks.values()) {
      if (this.#untaken.has(ask.call)) continue;
      try {
        const matchers = statusMatchers(ask.request);
        return { ask, matchers, connections: this.#options.connections.values(), parts: [], bytes: 0 };
      } catch (error) {
        this.#fail(ask.call, error);
      }
    }
    return undefined;
  }

  #write({ ask: { call, taken }, parts, bytes }: Answer): void {
    const { clock, limits, tally } = this.#options;
    tally.statusAnswersTotal++;
    this.#answer = undefined;
    const cut = clock.after(limits.stuckReaderMs, () => {
      tally.droppedSlowReadersTotal++;
      this.#forget(call);
      resetStream(call);
    });
    this.#untaken.set(call, cut);
    call.write(Buffer.concat(parts, bytes), () => {
      this.#forget(call);
      taken();
    });
  }

  #ask(ask: Ask): void {
    const { maxStatusCalls } = this.#options.limits;
    if (this.#asks.size >= maxStatusCalls) {
      ask.call.emit('error', statusError(tooMany(maxStatusCalls)));
      return;
    }
    this.#asks.set(ask.call, ask);
    this.#goOn();
  }

  #watch(call: BytesStream): void {
    for (const event of ['cancelled', 'close', 'error']) call.on(event, () => this.#forget(call));
  }

  #fail(call: BytesStream, error: unknown): void {
    this.#forget(call);
    call.emit('error', statusError(error));
  }

  #forget(call: BytesStream): void {
    if (this.#answer?.ask.call === call) this.#answer = undefined;
    this.#untaken.get(call)?.cancel();
    this.#untaken.delete(call);
    if (this.#asks.delete(call)) this.#goOn();
  }

  #goOn(): void {
    const mayBegin = this.#untaken.size < untakenMax && this.#asks.size > this.#untaken.size;
    if (this.#answer !== undefined || mayBegin) this.#options.turns.enqueueWork(this);
  }
}

function tooLarge(limit: number): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-017',
    message: `the status of these clients is larger than ${limit} bytes`,
    where: {},
    hint: 'ask for fewer of them, with a node matcher on the node id',
  });
}

function tooMany(limit: number): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-018',
    message: `${limit} status requests wait for their answers, which is the limit`,
    where: {},
    hint: 'ask again later',
  });
}
