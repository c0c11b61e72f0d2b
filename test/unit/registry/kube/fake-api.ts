/**
 * A small HTTP server that speaks list and watch as kube-apiserver does, for the faults that a real one cannot be made to show on demand.
 * What it holds is set by the test; `intercept` may answer any request in another way.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface FakeRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly watch: boolean;
  readonly authorization: string;
}

/** Returns true when it has answered (or will, or never wants to). */
export type Intercept = (request: FakeRequest, response: ServerResponse) => boolean;

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

const kinds: Readonly<Record<string, string>> = {
  namespaces: 'NamespaceList',
  nodes: 'NodeList',
  pods: 'PodList',
  services: 'ServiceList',
  endpointslices: 'EndpointSliceList',
};

export class FakeApi {
  readonly requests: FakeRequest[] = [];
  intercept: Intercept = () => false;
  url = '';
  #version = 100;
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #watches = new Set<{ readonly plural: string; readonly response: ServerResponse }>();
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.url = `http://127.0.0.1:${address.port}`;
    this.put('namespaces', { metadata: { name: 'kube-system', uid: 'uid-1' } });
    this.put('services', { metadata: { name: 'kubernetes', namespace: 'default' }, spec: {} });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get kubeconfig(): string {
    return JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'good' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }

  /** Stores an object, and tells the watches unless it happens in silence. */
  put(plural: string, object: FakeObject, silently = false): void {
    const objects = this.#objects.get(plural) ?? new Map<string, FakeObject>();
    this.#objects.set(plural, objects);
    const key = keyOf(object);
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = this.#versioned(object);
    objects.set(key, stored);
    if (!silently) this.send(plural, { type, object: stored });
  }

  remove(plural: string, key: string, silently = false): void {
    const object = this.#objects.get(plural)?.get(key);
    if (object === undefined) throw new Error(`no ${key} among ${plural}`);
    this.#objects.get(plural)?.delete(key);
    if (!silently) this.send(plural, { type: 'DELETED', object: this.#versioned(object) });
  }

  clear(plural: string): void {
    this.#objects.get(plural)?.clear();
  }

  /** Writes a line into all open watches of a resource. */
  send(plural: string, event: unknown): void {
    this.sendText(plural, `${JSON.stringify(event)}\n`);
  }

  sendText(plural: string, text: string): void {
    for (const watch of this.#watches) if (watch.plural === plural) watch.response.write(text);
  }

  watches(plural: string): number {
    return [...this.#watches].filter((watch) => watch.plural === plural).length;
  }

  /** The open watches of a resource, which from now on get no events and do not count. */
  takeWatches(plural: string): readonly ServerResponse[] {
    const taken = [...this.#watches].filter((watch) => watch.plural === plural);
    for (const watch of taken) this.#watches.delete(watch);
    return taken.map(({ response }) => response);
  }

  lists(plural: string): number {
    return this.requests.filter(
      ({ path, watch, query }) => !watch && path.endsWith(`/${plural}`) && !query.has('continue'),
    ).length;
  }

  #versioned(object: FakeObject): FakeObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #answer(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const request: FakeRequest = {
      path: url.pathname,
      query: url.searchParams,
      watch: url.searchParams.get('watch') === '1',
      authorization: incoming.headers.authorization ?? '',
    };
    this.requests.push(request);
    if (this.intercept(request, response)) return;
    if (url.pathname === '/readyz') return void response.end('ok');
    const [, plural = '', name] = /\/v1\/([a-z]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const objects = this.#objects.get(plural) ?? new Map<string, FakeObject>();
    if (name !== undefined) {
      const object = objects.get(name);
      if (object === undefined) return answerStatus(response, 404, 'not found');
      return answerJson(response, 200, object);
    }
    if (request.watch) return this.#watch(plural, response);
    this.#list(plural, [...objects.values()], request, response);
  }

  #watch(plural: string, response: ServerResponse): void {
    const watch = { plural, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  }

  /** `continue` is the index to go on from. */
  #list(plural: string, items: readonly FakeObject[], { query }: FakeRequest, response: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit') ?? items.length);
    answerJson(response, 200, {
      kind: kinds[plural],
      metadata: { resourceVersion: String(this.#version), ...(to < items.length ? { continue: String(to) } : {}) },
      items: items.slice(from, to),
    });
  }
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function answerStatus(
  response: ServerResponse,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answerJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }, headers);
}

function keyOf({ metadata }: FakeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
