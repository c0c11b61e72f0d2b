/**
 * An xDS client for tests: a real grpc-js stream to a real server, SotW or delta, aggregated or one type only. It records what it receives
 * and keeps what an obedient client would hold. By default it ACKs each response; `autoAck: false` leaves that to the test.
 *
 *     const client = XdsClient.open({ port, transport: 'delta' });
 *     client.subscribe(typeUrl.cluster);                       // wildcard
 *     await client.untilHolds((held) => held(typeUrl.cluster).has('a'));
 *     client.close();
 *
 * Waiting is always for a condition. A wait that does not come true fails after `waitMaxMs` with what the client holds.
 */

import { Client, type ClientDuplexStream, credentials, type StatusObject } from '@grpc/grpc-js';
import { typeUrl as types } from '../../src/core/type-urls.ts';
import { discoveryProtos } from '../../src/xds/protos.ts';
import { resourceMethods } from '../../src/xds/services.ts';
import { decodeResponse, type ReceivedResource, type XdsResponse } from './xds-response.ts';

/** Fields of a request that a test may set by hand; names as in discovery.proto. */
export type RawRequest = Readonly<Record<string, unknown>>;

export interface XdsClientOptions {
  readonly port: number;
  readonly transport: 'sotw' | 'delta';
  /** Talks to the separate service of this type instead of to ADS. */
  readonly onlyType?: string;
  /** An envoy.config.core.v3.Node; `null` sends none. */
  readonly node?: RawRequest | null;
  readonly autoAck?: boolean;
  /** How long a wait may take before it fails. */
  readonly waitMaxMs?: number;
  readonly channelOptions?: Readonly<Record<string, unknown>>;
}

export type HeldOf = (typeUrl: string) => ReadonlyMap<string, ReceivedResource>;

const wholeSetTypes: readonly string[] = [types.cluster, types.listener];

export class XdsClient {
  /** All responses so far, in order. */
  readonly responses: XdsResponse[] = [];
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>;
  readonly #transport: 'sotw' | 'delta';
  readonly #onlyType: string | undefined;
  readonly #channel: Client;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #autoAck: boolean;
  readonly #waitMaxMs: number;
  #node: RawRequest | null;
  readonly #held = new Map<string, Map<string, ReceivedResource>>();
  readonly #names = new Map<string, Set<string>>();
  readonly #nonces = new Map<string, string>();
  readonly #versions = new Map<string, string>();
  #taken = 0;
  readonly #watchers = new Set<() => void>();

  static open(options: XdsClientOptions): XdsClient {
    return new XdsClient(options);
  }

  private constructor(options: XdsClientOptions) {
    this.#transport = options.transport;
    this.#onlyType = options.onlyType;
    this.#autoAck = options.autoAck ?? true;
    this.#waitMaxMs = options.waitMaxMs ?? 10_000;
    this.#node = options.node === undefined ? { id: 'test-node', cluster: 'test' } : options.node;
    const method = resourceMethods.find(
      (each) => each.transport === options.transport && each.onlyType === options.onlyType,
    );
    if (method === undefined) throw new Error(`no ${options.transport} service for ${options.onlyType}`);
    this.#channel = new Client(`127.0.0.1:${options.port}`, credentials.createInsecure(), {
      'grpc.enable_channelz': 0,
      'grpc.use_local_subchannel_pool': 1,
      ...options.channelOptions,
    });
    const same = (bytes: Buffer): Buffer => bytes;
    this.#stream = this.#channel.makeBidiStreamRequest(method.path, same, same);
    this.#stream.on('data', (bytes: Buffer) => this.#received(bytes));
    this.#stream.on('error', () => {});
    this.ended = new Promise((resolve) => this.#stream.on('status', resolve));
  }

  /** What the client holds of a type, by name. */
  held: HeldOf = (typeUrl) => this.#held.get(typeUrl) ?? new Map();

  /** SotW: asks for exactly these names (none: all, if none were ever named). Delta: adds these names (none, at first: all). */
  subscribe(typeUrl: string, names: readonly string[] = []): void {
    this.#edit(typeUrl, names, []);
  }

  /** Delta: gives up these names. SotW: asks for the remaining ones. */
  unsubscribe(typeUrl: string, names: readonly string[]): void {
    if (this.#transport === 'delta') this.#edit(typeUrl, [], names);
    else
      this.#edit(
        typeUrl,
        [...(this.#names.get(typeUrl) ?? [])].filter((name) => !names.includes(name)),
        [],
      );
  }

  ack(response: XdsResponse): void {
    this.#apply(response);
    this.#answer(response, undefined);
  }

  nack(response: XdsResponse, message: string): void {
    this.#answer(response, message);
  }

  /** Sends a request as given; the node is added to the first. A separate service is not told its own type. */
  send(typeUrl: string, fields: RawRequest = {}): void {
    const node = this.#node;
    this.#node = null;
    const type = this.#transport === 'sotw' ? discoveryProtos().sotwRequest : discoveryProtos().deltaRequest;
    const request = type.fromObject({
      ...(node === null ? {} : { node }),
      type_url: typeUrl === this.#onlyType ? '' : typeUrl,
      ...fields,
    });
    this.#stream.write(Buffer.from(type.encode(request).finish()));
  }

  /** Sends bytes that need not be a request. */
  sendBytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  /** The first response that was not taken yet. */
  async next(): Promise<XdsResponse> {
    await this.until(() => this.responses.length > this.#taken);
    const response = this.responses[this.#taken++];
    if (response === undefined) throw new Error('unreachable');
    return response;
  }

  /** Responses that were not taken yet. */
  get untaken(): readonly XdsResponse[] {
    return this.responses.slice(this.#taken);
  }

  untilHolds(predicate: (held: HeldOf) => boolean): Promise<void> {
    return this.until(() => predicate(this.held));
  }

  /** Resolves once `condition` is true; it is looked at after each response. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        const held = [...this.#held].map(([typeUrl, map]) => `${typeUrl}: ${[...map.keys()].join(' ')}`);
        reject(
          new Error(`not true within ${this.#waitMaxMs} ms; ${this.responses.length} responses; ${held.join('; ')}`),
        );
      }, this.#waitMaxMs);
      this.#watchers.add(check);
    });
  }

  /** Says that no more requests will come. */
  halfClose(): void {
    this.#stream.end();
  }

  close(): void {
    this.#stream.cancel();
    this.#channel.close();
  }

  #edit(typeUrl: string, added: readonly string[], dropped: readonly string[]): void {
    if (this.#transport === 'sotw') {
      this.#names.set(typeUrl, new Set(added));
      const nonce = this.#nonces.get(typeUrl) ?? '';
      this.#drop(typeUrl, (name) => added.length > 0 && !added.includes('*') && !added.includes(name));
      this.send(typeUrl, {
        resource_names: added,
        response_nonce: nonce,
        version_info: this.#versions.get(typeUrl) ?? '',
      });
      return;
    }
    this.#drop(typeUrl, (name) => dropped.includes(name));
    this.send(typeUrl, { resource_names_subscribe: added, resource_names_unsubscribe: dropped });
  }

  #drop(typeUrl: string, gone: (name: string) => boolean): void {
    const held = this.#held.get(typeUrl);
    for (const name of held?.keys() ?? []) if (gone(name)) held?.delete(name);
  }

  #received(bytes: Buffer): void {
    const response = decodeResponse(bytes, this.#transport);
    this.responses.push(response);
    if (this.#autoAck) this.ack(response);
    for (const check of [...this.#watchers]) check();
  }

  #apply(response: XdsResponse): void {
    const { typeUrl } = response;
    const whole = this.#transport === 'sotw' && wholeSetTypes.includes(typeUrl);
    const heartbeat =
      response.resources.length > 0 &&
      response.resources.every((resource) => resource.ttlMs !== undefined && resource.body === undefined);
    let held = this.#held.get(typeUrl);
    if (held === undefined || (whole && !heartbeat)) {
      held = new Map();
      this.#held.set(typeUrl, held);
    }
    for (const resource of response.resources) if (resource.body !== undefined) held.set(resource.name, resource);
    for (const name of response.removed) held.delete(name);
    this.#versions.set(typeUrl, response.version);
  }

  #answer(response: XdsResponse, error: string | undefined): void {
    const { typeUrl, nonce } = response;
    this.#nonces.set(typeUrl, nonce);
    const detail = error === undefined ? {} : { error_detail: { code: 13, message: error } };
    if (this.#transport === 'delta') this.send(typeUrl, { response_nonce: nonce, ...detail });
    else {
      this.send(typeUrl, {
        resource_names: [...(this.#names.get(typeUrl) ?? [])],
        response_nonce: nonce,
        version_info: this.#versions.get(typeUrl) ?? '',
        ...detail,
      });
    }
  }
}
