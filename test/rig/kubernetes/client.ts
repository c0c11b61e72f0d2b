/** Plain JSON requests to a Kubernetes API, as one user, over kept connections. For the rig: no retries, no caching, no types. */

import { readFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';

const requestLimitMs = 30_000;

export interface ApiReach {
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown;
}

export interface ApiClient {
  /** `contentType` is application/json unless given (a PATCH names its kind of patch). */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** The same, throwing on any status of 400 or above. Returns the body, as whoever asks knows it. */
  must<Body>(method: string, path: string, body?: unknown, contentType?: string): Promise<Body>;
  close(): void;
}

export const mergePatch = 'application/merge-patch+json';
export const strategicPatch = 'application/strategic-merge-patch+json';

export function connectApi(reach: ApiReach): ApiClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ca: reach.certificateAuthority });
  const client: ApiClient = {
    request: (method, path, body, contentType = 'application/json') =>
      send(reach, agent, method, path, body, contentType),
    async must<Body>(method: string, path: string, body?: unknown, contentType?: string) {
      const answer = await client.request(method, path, body, contentType);
      if (answer.status >= 400) {
        const status = answer.body as { readonly message?: string };
        throw new Error(`${method} ${path}: ${answer.status} ${status.message ?? JSON.stringify(answer.body)}`);
      }
      return answer.body as Body;
    },
    close: () => agent.destroy(),
  };
  return client;
}

/** kube-apiserver writes the authority that signed its own certificate after it, in the same file. */
export async function readCertificateAuthority(file: string): Promise<string> {
  const certificates =
    (await readFile(file, 'utf8')).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  return certificates.slice(-1).join('');
}

/** Whether something accepts connections on that port of loopback. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function send(
  reach: ApiReach,
  agent: Agent,
  method: string,
  path: string,
  body: unknown,
  contentType: string,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${reach.token}`, accept: 'application/json' };
    const payload = body === undefined ? undefined : JSON.stringify(body);
    if (payload !== undefined) {
      headers['content-type'] = contentType;
      // Node sends no length of its own with a DELETE.
      headers['content-length'] = String(Buffer.byteLength(payload));
    }
    const request = httpsRequest(
      `${reach.url}${path}`,
      { method, agent, headers, timeout: requestLimitMs },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const json = (response.headers['content-type'] ?? '').startsWith('application/json');
          resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text });
        });
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in ${requestLimitMs} ms`)));
    request.on('error', reject);
    request.end(payload);
  });
}
