/** The little of Kubernetes' API that the setup needs: wait until it is ready, server-side apply, and a token for a service account. */

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** `server`: https://IP:PORT; `ca`: a PEM, read anew until the API has written it. */
export class Api {
  #server;
  #caFile;
  #token;
  #agent;
  #kinds = new Map();

  constructor(server, caFile, token) {
    this.#server = server;
    this.#caFile = caFile;
    this.#token = token;
  }

  get ca() {
    return readFileSync(this.#caFile, 'utf8');
  }

  async untilReady(timeoutMs) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      try {
        await this.#call('GET', '/readyz');
        return;
      } catch (error) {
        if (Date.now() > deadline)
          throw new Error(`${this.#server} is not ready after ${timeoutMs} ms: ${error.message}`, { cause: error });
        await sleep(250);
      }
    }
  }

  /** Applies the object, and its status through the subresource when it has one. Waits for a kind that a CRD is only just bringing. */
  async apply(object) {
    const { status, ...rest } = object;
    const path = await this.#pathOf(object);
    const query = '?fieldManager=fairway-compose&force=true';
    const type = 'application/apply-patch+yaml';
    await this.#call('PATCH', `${path}${query}`, rest, type);
    if (status === undefined) return;
    const { apiVersion, kind, metadata } = object;
    const identity = { name: metadata.name, namespace: metadata.namespace };
    await this.#call('PATCH', `${path}/status${query}`, { apiVersion, kind, metadata: identity, status }, type);
  }

  async tokenOf(namespace, serviceAccount) {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 30 * 24 * 3600 },
    };
    return (await this.#call('POST', path, body)).status.token;
  }

  async #pathOf({ apiVersion, kind, metadata }) {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = await this.#resource(root, kind);
    const namespace = resource.namespaced ? `/namespaces/${metadata.namespace}` : '';
    return `${root}${namespace}/${resource.name}/${metadata.name}`;
  }

  async #resource(root, kind) {
    const key = `${root} ${kind}`;
    if (!this.#kinds.has(key)) {
      const { resources } = await this.#call('GET', root);
      this.#kinds.set(
        key,
        resources.find((item) => item.kind === kind && !item.name.includes('/')),
      );
    }
    const found = this.#kinds.get(key);
    if (found === undefined) throw new Error(`${this.#server} knows no ${kind} in ${root}`);
    return found;
  }

  /** Rejects with the API's own words. */
  #call(method, path, body, type = 'application/json') {
    this.#agent ??= new Agent({ ca: this.ca, keepAlive: true });
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': type, accept: 'application/json' };
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.#server}${path}`,
        { method, headers, agent: this.#agent, timeout: 10_000 },
        async (answer) => {
          const text = (await answer.toArray()).join('');
          if (answer.statusCode < 300) resolve(text.startsWith('{') ? JSON.parse(text) : text);
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        },
      );
      call.once('timeout', () => call.destroy(new Error('no answer within 10 s')));
      call.once('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close() {
    this.#agent?.destroy();
  }
}
