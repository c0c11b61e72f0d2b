/**
 * A real Envoy that has routes for one service, reviews (HTTP on port 80, gRPC on port 9000), with workloads v1, v2 and v3 that remember what
 * they were asked; and a client.
 */

import assert from 'node:assert/strict';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect as connectH2, type IncomingHttpHeaders as H2Headers } from 'node:http2';
import type { Scope } from '../../src/model/mesh.ts';
import { noEnvoy, saySkipped } from '../support/skips.ts';
import { type EnvoyRig, startEnvoyRig } from './envoy-rig.ts';
import { type RecordingWorkload, startRecordingWorkload } from './recording-workload.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The answer broke off. */
  readonly cut: boolean;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: string;
}

export interface RouteScene {
  readonly rig: EnvoyRig;
  readonly workloads: ReadonlyMap<string, RecordingWorkload>;
  workload(name: string): RecordingWorkload;
  /** Puts routes in force; the workloads forget what they saw. `others`: endpoints besides the workloads', by version. */
  apply(routes: readonly unknown[], others?: ReadonlyMap<string, number>): Promise<void>;
  send(path: string, sent?: Sent): Promise<Reply>;
  /** A gRPC call; gives the headers of its answer. */
  call(): Promise<H2Headers>;
  stop(): Promise<void>;
}

/** undefined where there is no Envoy; that is said on stderr. */
export async function startRouteScene(routes: Scope['routes'] = 'tables'): Promise<RouteScene | undefined> {
  const workloads = new Map<string, RecordingWorkload>();
  for (const name of ['v1', 'v2', 'v3']) workloads.set(name, await startRecordingWorkload(name));
  const agent = new Agent({ keepAlive: true, maxSockets: 40 });

  function workload(name: string): RecordingWorkload {
    const found = workloads.get(name);
    assert.ok(found);
    return found;
  }

  async function stopWorkloads(): Promise<void> {
    agent.destroy();
    for (const each of workloads.values()) await each.stop();
  }

  const rig = await startEnvoyRig({ mode: 'explicit', inboundTarget: workload('v1').port, routes });
  if (rig === undefined) {
    await stopWorkloads();
    return saySkipped(noEnvoy);
  }
  return {
    rig,
    workloads,
    workload,
    async apply(of, others = new Map()) {
      const ports = new Map([...[...workloads].map(([name, { port }]) => [name, port] as const), ...others]);
      await rig.apply(mesh(of, ports));
      for (const { seen } of workloads.values()) seen.length = 0;
    },
    send: (path, sent) => send(agent, rig.proxyPort, path, sent),
    call: () => call(rig.proxyPort),
    async stop() {
      await rig.stop();
      await stopWorkloads();
    },
  };
}

/** `ports`: of the endpoints, by version. */
function mesh(routes: readonly unknown[], ports: ReadonlyMap<string, number>): string {
  const endpoints = [...ports].map(([version, port]) => ({
    address: '127.0.0.1',
    version,
    workload: version,
    ports: { http: port, grpc: port },
  }));
  return JSON.stringify({
    services: [{ name: 'reviews', clusters: { east: { ports: ['80:http', '9000:grpc'], endpoints } } }],
    rules: [
      {
        apiVersion: 'fairway.dev/v1alpha1',
        kind: 'TrafficRule',
        metadata: { name: 'reviews', namespace: 'shop' },
        spec: { service: 'reviews', routes },
      },
    ],
  });
}

function send(
  agent: Agent,
  proxyPort: number,
  path: string,
  { method = 'GET', headers = {}, content }: Sent = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: proxyPort, method, path, headers: { host: 'reviews', ...headers } };
    const outgoing = request({ ...options, agent }, (response) => {
      let body = '';
      const done = (cut: boolean): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, cut });
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', () => done(true));
      response.on('end', () => done(false));
    });
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

async function call(proxyPort: number): Promise<H2Headers> {
  const session = connectH2(`http://127.0.0.1:${proxyPort}`);
  try {
    return await new Promise<H2Headers>((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({
        ':method': 'POST',
        ':path': '/hello.Greeter/Hello',
        ':authority': 'reviews.shop:9000',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', reject);
      stream.on('response', resolve);
      stream.resume();
      stream.end();
    });
  } finally {
    session.destroy();
  }
}
