/**
 * A real Envoy, fed over delta ADS by the real xDS server with what the generators make of a mesh fixture; and workloads that
 * say who they are. Everything on loopback, on free ports.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer as createHttpServer, type IncomingHttpHeaders, request } from 'node:http';
import { createServer as createH2cServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import { defaultMeshSettings, type Mesh, type MeshSettings, type Scope } from '../../src/model/mesh.ts';
import { Scopes } from '../../src/pilot/scope/scopes.ts';
import { defaultXdsLimits } from '../../src/xds/limits.ts';
import { XdsServer } from '../../src/xds/server.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { parseMeshFixture } from '../support/mesh-fixture.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What the workload says: who it is, and what it was asked. */
  readonly said: {
    readonly name: string;
    readonly url: string;
    readonly headers: IncomingHttpHeaders;
    readonly version: string;
  };
}

export interface Ask {
  /** The request's body. */
  readonly content?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address, in 127.0.0.0/8. */
  readonly from?: string;
  /** Over connections that stay, for many requests; default: one of its own. */
  readonly kept?: boolean;
}

export interface EnvoyRig {
  readonly proxyPort: number;
  readonly inboundPort: number;
  readonly adminPort: number;
  /** Puts a mesh (fixture YAML; its scope counts for nothing) in force; resolves once Envoy has acknowledged all of it. */
  apply(fixture: string): Promise<void>;
  /** Through the sidecar, as an HTTP proxy, by an absolute URL. */
  ask(host: string, ask?: Ask): Promise<Answer>;
  /** The access log's lines so far. */
  log(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

export type RigOptions = { readonly routes?: Scope['routes'] } & RigMode;

type RigMode =
  | {
      readonly mode: 'explicit';
      /** Where the inbound port leads. */
      readonly inboundTarget: number;
    }
  | {
      /** Needs a network of its own, in which iptables redirects. */
      readonly mode: 'captured';
      readonly inbound: Scope['inbound'];
      /** On every packet that Envoy sends on, so that it is not captured again. */
      readonly packetMark: number;
    };

/** undefined where there is no Envoy. */
export async function startEnvoyRig(options: RigOptions): Promise<EnvoyRig | undefined> {
  const found = await lookForEnvoy({ env: process.env, log: () => {} });
  if (found === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'fairway-envoy-rig-'));
  const { mode, routes = 'tables' } = options;
  const [proxyPort, inboundPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const scope: Scope = {
    cluster: 'east',
    network: '',
    namespace: 'shop',
    mode,
    outbound: { address: '127.0.0.1', port: proxyPort },
    inboundAddress: '127.0.0.1',
    inbound:
      mode === 'captured'
        ? options.inbound
        : [{ port: inboundPort, targetPort: options.inboundTarget, protocol: 'http' }],
    routes,
    rejected: [],
  };
  const pilot = await startPilot(scope, mode === 'captured' ? { proxyMark: options.packetMark } : {});
  const bootstrap = renderBootstrap({
    mode,
    xds: [`127.0.0.1:${pilot.port}`],
    cluster: 'east',
    namespace: 'shop',
    workload: 'web',
    serviceAccount: 'web',
    addresses: ['127.0.0.1'],
    adminPort,
  });
  const marked =
    mode === 'captured'
      ? { cluster_manager: { upstream_bind_config: { socket_options: [markOption(options.packetMark)] } } }
      : {};
  const envoy = await startEnvoyProcess({
    command: found.path,
    bootstrap: { ...bootstrap, ...marked },
    dir,
  });
  return {
    proxyPort,
    inboundPort,
    adminPort,
    apply: (fixture) => pilot.apply(fixture, () => envoy.logTail()),
    ask: (host, ask) => askProxy(proxyPort, host, ask),
    log: () => jsonLines(readFileSync(envoy.logFile, 'utf8')),
    async stop() {
      await envoy.stop();
      await pilot.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** SO_MARK in Linux' numbers. */
function markOption(mark: number): object {
  return { description: 'SO_MARK', level: 1, name: 36, int_value: mark, state: 'STATE_PREBIND' };
}

interface Pilot {
  readonly port: number;
  apply(fixture: string, explain: () => string): Promise<void>;
  stop(): Promise<void>;
}

async function startPilot(scope: Scope, own: Pick<MeshSettings, 'proxyMark'>): Promise<Pilot> {
  let ready = false;
  let mesh: Mesh = { revision: 0, settings: defaultMeshSettings, services: new Map() };
  const scopes = new Scopes({
    isReady: () => ready,
    meshFor: () => mesh,
    now: () => performance.now(),
    enqueue: () => false,
    changed: (changed, changes) => server.changed(changed, changes),
    caughtUp() {},
  });
  const streams = new Set<number>();
  const server = new XdsServer({
    host: {
      connect({ streamId }) {
        streams.add(streamId);
        return view;
      },
      disconnect: (streamId) => void streams.delete(streamId),
      progress() {},
    },
    clock: systemClock,
    logger: silentLogger,
    limits: defaultXdsLimits,
  });
  const { port } = await server.listen('127.0.0.1:0');
  const view = scopes.acquire(scope);
  return {
    port,
    async apply(fixture, explain) {
      const next = parseMeshFixture(fixture).mesh;
      const revision = mesh.revision + 1;
      const dirty = new Set([...mesh.services.keys(), ...next.services.keys()]);
      const settings = { ...next.settings, ...own, accessLog: true };
      // As in a pilot, the settings stay one object while they are the same.
      mesh = {
        ...next,
        settings: isDeepStrictEqual(mesh.settings, settings) ? mesh.settings : settings,
        revision,
      };
      ready = true;
      scopes.update(dirty);
      const synced = (): boolean =>
        [...streams].some((stream) => {
          const status = [...(server.status(stream)?.values() ?? [])];
          const rejected = status.find(({ state }) => state === 'rejected');
          if (rejected !== undefined) throw new Error(rejected.error);
          // Envoy asks for routes and endpoints only where a listener or an Envoy cluster needs them.
          const needed = [typeUrl.route, typeUrl.endpoint].filter((type) => view.resources(type).size > 0);
          return status.length >= 2 + needed.length && status.every(({ ackedRevision }) => ackedRevision >= revision);
        });
      await waitFor('Envoy to hold the mesh', synced, {}, explain);
    },
    stop: () => server.drain(100),
  };
}

/** Idle ones do not hold the process. */
const keptConnections = new Agent({ keepAlive: true, timeout: 5000 });

/** Through a sidecar in explicit mode, by an absolute URL. */
export function askProxy(
  proxyPort: number,
  host: string,
  { path = '/', method = 'GET', headers = {}, content, from, kept = false }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: proxyPort,
      method,
      path: `http://${host}${path}`,
      headers: { host, ...headers },
      agent: kept ? keptConnections : false,
      ...(from === undefined ? {} : { localAddress: from }),
    };
    const outgoing = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const said = body.startsWith('{') ? JSON.parse(body) : { name: '', url: '', headers: {}, version: '' };
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, said });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

function jsonLines(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

export interface At {
  readonly address: string;
  /** 0: a free one. */
  readonly port: number;
}

const anyPort: At = { address: '127.0.0.1', port: 0 };

export interface Workload {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers with JSON of who it is; `/slow` never, `/status/503` with that status; echoes after an upgrade. */
export async function startHttpWorkload(
  name: string,
  kind: 'http' | 'h2c' = 'http',
  at: At = anyPort,
): Promise<Workload> {
  const answer = (
    incoming: { url?: string | undefined; headers: IncomingHttpHeaders; httpVersion: string },
    respond: (status: number, body: string) => void,
  ): void => {
    const { url = '', headers, httpVersion } = incoming;
    if (url === '/slow') return;
    const [, status = '200'] = /^\/status\/(\d+)$/.exec(url) ?? [];
    respond(Number(status), JSON.stringify({ name, url, headers, version: httpVersion }));
  };
  const server =
    kind === 'http'
      ? createHttpServer((incoming, response) =>
          answer(incoming, (status, body) => response.writeHead(status, { 'x-powered-by': 'test' }).end(body)),
        )
      : createH2cServer((incoming, response) => {
          answer({ url: incoming.url, headers: {}, httpVersion: incoming.httpVersion }, (status, body) => {
            response.writeHead(status);
            response.end(body);
          });
        });
  if (kind === 'http') {
    // No WebSocket frames: the bytes come back as they are, which is all that a proxy may care for.
    server.on('upgrade', (_request: unknown, socket: Socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
  }
  return workload(name, server, at);
}

/** Says its name to whoever connects, then echoes. */
export async function startTcpWorkload(name: string, at: At = anyPort): Promise<Workload> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  return workload(name, server, at);
}

async function workload(name: string, server: Server, at: At): Promise<Workload> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(at.port, at.address, () => resolve());
  });
  return {
    name,
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
