/**
 * What tests of a service's policy need besides a real Envoy: a mesh of one HTTP service whose endpoints can fail, hang, count their connections
 * and be looked at; and Envoy's own counters.
 */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createH2cServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { type Answer, type Ask, type EnvoyRig, startEnvoyRig } from './envoy-rig.ts';

export interface PolicyEndpoint {
  readonly name: string;
  readonly port: number;
  /** Requests taken, those for /healthz not counted. */
  readonly requests: number;
  /** Requests taken per connection, in the order in which they came; those for /healthz counted. */
  readonly perConnection: readonly number[];
  readonly openConnections: number;
  /** What is answered to all but /slow, which never is, and /healthz. */
  status: number;
  /** What is answered to /healthz, and as gRPC's health status: 200 is serving. */
  health: number;
  /** Closes its port and its connections. */
  close(): Promise<void>;
  /** Opens the same port again. */
  open(): Promise<void>;
}

export async function startPolicyEndpoint(name: string, kind: 'http' | 'h2c' = 'http'): Promise<PolicyEndpoint> {
  const sockets = new Map<Socket, number>();
  const perConnection: number[] = [];
  const state = { requests: 0, status: 200, health: 200 };
  const take = (socket: Socket, path: string | undefined, respond: (status: number, body: string) => void): void => {
    const connection = sockets.get(socket);
    if (connection !== undefined) perConnection[connection] = (perConnection[connection] ?? 0) + 1;
    if (path === '/healthz') return respond(state.health, '');
    state.requests += 1;
    if (path !== '/slow') respond(state.status, JSON.stringify({ name }));
  };
  const server =
    kind === 'http'
      ? createServer({ keepAliveTimeout: 0 }, (incoming: IncomingMessage, response: ServerResponse) =>
          take(incoming.socket, incoming.url, (status, body) => response.writeHead(status).end(body)),
        )
      : createH2cServer();
  if (kind === 'h2c') {
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      if (headers[':path'] === '/grpc.health.v1.Health/Check') {
        // HealthCheckResponse {status: SERVING or NOT_SERVING} in gRPC's frame.
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, state.health === 200 ? 1 : 2]));
        return;
      }
      state.requests += 1;
      stream.respond({ ':status': state.status });
      stream.end(JSON.stringify({ name }));
    });
  }
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, perConnection.push(0) - 1);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    get requests() {
      return state.requests;
    },
    perConnection,
    get openConnections() {
      return sockets.size;
    },
    get status() {
      return state.status;
    },
    set status(status) {
      state.status = status;
    },
    get health() {
      return state.health;
    },
    set health(status) {
      state.health = status;
    },
    async close() {
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.keys()) socket.destroy();
      });
    },
    open: () => listen(port),
  };
}

/** Where an endpoint of the service reviews is; `cluster` is east if left out. */
export interface Placed {
  readonly port: number;
  readonly name: string;
  readonly cluster?: string;
}

/** The service reviews on port 80 with this rule for it, spec without `service`; undefined: none. */
export function policyMesh(
  spec: object | undefined,
  endpoints: readonly Placed[],
  kind: 'http' | 'http2' | 'grpc' | 'tcp' = 'http',
): string {
  const clusters = new Map<string, object[]>();
  for (const { port, name, cluster = 'east' } of endpoints) {
    const list = clusters.get(cluster) ?? [];
    clusters.set(cluster, list);
    list.push({ address: '127.0.0.1', workload: name, ports: { [kind]: port } });
  }
  const shards = [...clusters].map(([cluster, list]) => [cluster, { ports: [`80:${kind}`], endpoints: list }]);
  const rule = {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec: { service: 'reviews', ...spec },
  };
  return JSON.stringify({
    services: [{ name: 'reviews', clusters: Object.fromEntries(shards) }],
    rules: spec === undefined ? [] : [rule],
  });
}

export interface PolicyRig {
  readonly envoy: EnvoyRig;
  /** Puts the rule and endpoints in force. */
  apply(
    spec: object | undefined,
    endpoints: readonly Placed[],
    kind?: 'http' | 'http2' | 'grpc' | 'tcp',
  ): Promise<void>;
  ask(ask?: Ask): Promise<Answer>;
  /** One after the other; how often each endpoint (or a status that is not 200) answered. */
  count(times: number, ask?: Ask): Promise<ReadonlyMap<string, number>>;
  /** The sum of the service's Envoy clusters' counters or gauges with this name. */
  stat(name: string): Promise<number>;
  /** Ports of the service's endpoints that Envoy holds for unhealthy, for whatever reason. */
  unhealthy(): Promise<readonly number[]>;
  /** Sends requests that are never answered; ends them when called. Resolves once the endpoints have taken (or Envoy has queued) them. */
  hold(times: number): () => void;
}

/** undefined where there is no Envoy. */
export async function startPolicyRig(): Promise<PolicyRig | undefined> {
  const envoy = await startEnvoyRig({ mode: 'explicit', inboundTarget: 1 });
  if (envoy === undefined) return undefined;
  const admin = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${envoy.adminPort}${path}`)).json();
  const ask = (what?: Ask): Promise<Answer> => envoy.ask('reviews', what);
  return {
    envoy,
    apply: (spec, endpoints, kind) => envoy.apply(policyMesh(spec, endpoints, kind)),
    ask,
    async count(times, what) {
      const counts = new Map<string, number>();
      for (let i = 0; i < times; i++) {
        const { status, said } = await ask(what);
        const who = status === 200 ? said.name : String(status);
        counts.set(who, (counts.get(who) ?? 0) + 1);
      }
      return counts;
    },
    async stat(name) {
      const { stats } = (await admin(`/stats?format=json&filter=reviews.*${name}$`)) as {
        readonly stats: readonly { readonly name?: string; readonly value?: number }[];
      };
      return stats.reduce((sum, { value = 0 }) => sum + value, 0);
    },
    async unhealthy() {
      const { cluster_statuses } = (await admin('/clusters?format=json')) as {
        readonly cluster_statuses: readonly {
          readonly name: string;
          readonly host_statuses?: readonly {
            readonly address: { readonly socket_address: { readonly port_value: number } };
            readonly health_status: Readonly<Record<string, unknown>>;
          }[];
        }[];
      };
      const hosts = cluster_statuses
        .filter(({ name }) => name.endsWith('reviews.shop.svc.cluster.local'))
        .flatMap(({ host_statuses }) => host_statuses ?? []);
      const bad = hosts.filter(({ health_status: status }) =>
        Object.keys(status).some((flag) => flag.startsWith('failed_')),
      );
      return bad.map(({ address }) => address.socket_address.port_value).sort((a, b) => a - b);
    },
    hold(times) {
      const held = Array.from({ length: times }, () => {
        const path = 'http://reviews/slow';
        const outgoing = request({ host: '127.0.0.1', port: envoy.proxyPort, path, agent: false });
        outgoing.on('error', () => {});
        outgoing.on('response', (response) => response.resume());
        outgoing.end();
        return outgoing;
      });
      return () => {
        for (const outgoing of held) outgoing.destroy();
      };
    },
  };
}
