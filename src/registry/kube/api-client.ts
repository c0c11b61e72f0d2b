/**
 * Plain HTTP to one Kubernetes API, with the credential of one kubeconfig context.
 *
 * In: an access. Out: whole answers, bounded in size and time, and streams of lines, bounded in line length and silence. Everything that
 * goes wrong is an ApiError. Connections are kept and used again; a credential that was rejected is made anew for the next request.
 */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Access } from './access.ts';
import { abortable, LineSplitter, readWhole } from './answer-body.ts';
import { ApiError, networkError, statusError } from './api-error.ts';

export interface ApiLimits {
  /** From the request to the whole answer. */
  readonly answerMs: number;
  /** From the request to the first bytes of a stream. */
  readonly streamOpenMs: number;
  /** A whole answer, unpacked. */
  readonly answerBytes: number;
  /** One line of a stream: the largest object that etcd takes is 1.5 MiB. */
  readonly lineBytes: number;
}

export const defaultApiLimits: ApiLimits = {
  answerMs: 60_000,
  streamOpenMs: 30_000,
  answerBytes: 128 * 1024 * 1024,
  lineBytes: 8 * 1024 * 1024,
};

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/services`; already escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default application/json. */
  readonly contentType?: string;
  /** Default application/json. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Instead of the limit. */
  readonly answerMs?: number;
}

export interface StreamRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The longest silence; then the stream ends with an ApiError. */
  readonly idleMs: number;
  /** The answer is there and is a stream. */
  readonly opened?: () => void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

interface Authenticated {
  readonly server: string;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
}

export class ApiClient {
  #access: Access;
  readonly #clock: Clock;
  readonly #limits: ApiLimits;
  #config: KubeConfig | undefined;
  #agent: { readonly key: string; readonly agent: HttpsAgent | HttpAgent } | undefined;
  readonly #open = new Set<{ destroy(error?: Error): unknown }>();
  #closed = false;

  constructor(access: Access, clock: Clock, limits: ApiLimits = defaultApiLimits) {
    this.#access = access;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Where requests go, for people. */
  get server(): string {
    return this.#access.server || 'the API of the cluster that the pilot runs in';
  }

  /** The parsed answer to a request with a 2xx status; throws an ApiError for any other. */
  async json(request: ApiRequest): Promise<unknown> {
    const answer = await this.answer(request);
    if (answer.status < 200 || answer.status > 299) throw statusError(answer.status, parseOrUndefined(answer.text));
    try {
      return JSON.parse(answer.text);
    } catch (error) {
      throw new ApiError('malformed', `the answer is not JSON: ${errorMessage(error)}`, { status: answer.status });
    }
  }

  /** Any answer, but for 401, 429 and 5xx with Retry-After, which are thrown with what they ask for. */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const answerMs = request.answerMs ?? this.#limits.answerMs;
    const expired = new AbortController();
    const timer = this.#clock.after(answerMs, () => expired.abort());
    const signal = request.signal === undefined ? expired.signal : AbortSignal.any([request.signal, expired.signal]);
    try {
      const response = await this.#send(request, signal, { 'accept-encoding': 'gzip' });
      const text = await readWhole(response, this.#limits.answerBytes, signal);
      const status = response.statusCode ?? 0;
      const retryAfter = response.headers['retry-after'];
      if (status === 401 || ((status === 429 || status >= 500) && retryAfter !== undefined)) {
        throw statusError(status, parseOrUndefined(text), retryAfter);
      }
      return { status, text };
    } catch (error) {
      if (expired.signal.aborted) throw new ApiError('unreachable', `no answer in ${answerMs} ms`);
      throw networkError(error);
    } finally {
      timer.cancel();
    }
  }

  /** Lines as they come, without their ends; ends when the other side ends it, throws an ApiError on anything else. */
  async *lines(request: StreamRequest): AsyncGenerator<string, void, undefined> {
    const silent = new AbortController();
    const signal = AbortSignal.any([request.signal, silent.signal]);
    const openMs = this.#limits.streamOpenMs;
    let waitMs = openMs;
    let timer = this.#clock.after(openMs, () => silent.abort());
    try {
      const response = await this.#send(request, signal, {});
      if (response.statusCode !== 200) {
        const text = await readWhole(response, 1024 * 1024, signal);
        throw statusError(response.statusCode ?? 0, parseOrUndefined(text), response.headers['retry-after']);
      }
      request.opened?.();
      const splitter = new LineSplitter(this.#limits.lineBytes);
      const heard = (): void => {
        timer.cancel();
        waitMs = request.idleMs;
        timer = this.#clock.after(request.idleMs, () => silent.abort());
      };
      heard();
      for await (const chunk of abortable(response, signal)) {
        heard();
        yield* splitter.push(chunk as Buffer);
      }
      yield* splitter.end();
    } catch (error) {
      if (silent.signal.aborted) throw new ApiError('unreachable', `nothing was heard for ${waitMs} ms`);
      throw networkError(error);
    } finally {
      timer.cancel();
    }
  }

  /** Later requests use this access; streams that are open go on. */
  rotate(access: Access): void {
    this.#access = access;
    this.#config = undefined;
  }

  /** Cuts what is open; later requests fail. */
  close(): void {
    this.#closed = true;
    for (const request of this.#open) request.destroy();
    this.#agent?.agent.destroy();
  }

  async #send(
    request: ApiRequest | StreamRequest,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    const { options, headers: credential, server } = await this.#authenticate();
    if (this.#closed) throw new ApiError('unreachable', 'the client is closed');
    signal.throwIfAborted();
    const query = new URLSearchParams(request.query).toString();
    const url = `${server}${request.path}${query === '' ? '' : `?${query}`}`;
    const body = 'body' in request && request.body !== undefined ? JSON.stringify(request.body) : undefined;
    const send = url.startsWith('http:') ? httpRequest : httpsRequest;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = send(url, {
        ...options,
        method: ('method' in request && request.method) || 'GET',
        headers: {
          accept: ('accept' in request && request.accept) || 'application/json',
          'user-agent': 'fairway',
          ...credential,
          ...headers,
          ...(body === undefined
            ? {}
            : {
                'content-type': ('contentType' in request && request.contentType) || 'application/json',
                'content-length': String(Buffer.byteLength(body)),
              }),
        },
      });
      const abort = (): void => void outgoing.destroy(new Error('aborted'));
      this.#open.add(outgoing);
      signal.addEventListener('abort', abort, { once: true });
      outgoing.once('close', () => {
        this.#open.delete(outgoing);
        signal.removeEventListener('abort', abort);
      });
      outgoing.once('socket', (socket) => socket.setKeepAlive(true, 15_000));
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
      outgoing.end(body);
    });
    if (response.statusCode === 401) this.#config = undefined;
    return response;
  }

  async #authenticate(): Promise<Authenticated> {
    const applied: RequestOptions = {};
    let config: KubeConfig;
    try {
      config = this.#config ??= loadConfig(this.#access);
      await config.applyToHTTPSOptions(applied);
    } catch (error) {
      this.#config = undefined;
      throw new ApiError('credential', `the credential cannot be used: ${errorMessage(error)}`);
    }
    const cluster = config.getCurrentCluster();
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(applied.headers ?? {})) headers[name] = String(value).trim();
    const options: RequestOptions = {};
    if (typeof applied.auth === 'string') options.auth = applied.auth;
    const proxied = cluster?.proxyUrl !== undefined && cluster.proxyUrl !== '';
    options.agent = proxied ? (applied.agent as HttpsAgent) : this.#keptAgent(applied, cluster?.server ?? '');
    return { options, headers, server: cluster?.server ?? '' };
  }

  /** One agent for as long as the certificates stay the same: connections are kept, and a rotated certificate gets new ones. */
  #keptAgent(applied: RequestOptions, server: string): HttpsAgent | HttpAgent {
    const { ca, cert, key, servername, rejectUnauthorized } = applied;
    const tls = { ca, cert, key, servername, rejectUnauthorized };
    const id = [server, ca, cert, key, servername, rejectUnauthorized].map(String).join('|');
    if (this.#agent?.key === id) return this.#agent.agent;
    const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
    const options = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 2, scheduling: 'lifo' as const };
    const agent = server.startsWith('http:') ? new HttpAgent(options) : new HttpsAgent({ ...options, ...given });
    this.#agent = { key: id, agent };
    return agent;
  }
}

function loadConfig(access: Access): KubeConfig {
  const config = new KubeConfig();
  if (access.kubeconfig === '') config.loadFromCluster();
  else config.loadFromString(access.kubeconfig);
  return config;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
