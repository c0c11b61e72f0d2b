/**
 * What tests of drains play on: two clusters as folders, real workloads that count their requests, a pilot that is a process of its own with
 * rules and state on disk, and a real Envoy in east through which 500 requests per second go. Everything on loopback, on free ports.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { renderBootstrap } from '../../src/envoy/bootstrap.ts';
import { startEnvoyProcess } from '../rig/envoy-process.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { type RigProcess } from '../rig/process.ts';
import { waitFor } from '../rig/wait.ts';
import { fairway, type Run } from './cli-run.ts';

export interface Workload {
  readonly service: string;
  readonly cluster: string;
  readonly zone: string;
  /** Left out: http. A TCP workload says its cluster, then a dot every 20 ms. */
  readonly kind?: 'tcp';
  /** Requests (copies of them too) or connections taken. */
  count: number;
}

export interface DrainScene {
  readonly workloads: readonly Workload[];
  /** The command, against this pilot. */
  run(args: readonly string[]): Promise<Run>;
  /** Kills the pilot without a word, and starts it again. */
  restartPilot(): Promise<void>;
  /** A rule in the folder. */
  write(name: string, text: string): void;
  startLoad(services: readonly string[]): { stop(): Promise<LoadResult>; failures(): readonly string[] };
  /** An answer that never ends; resolves once it has begun. */
  openStream(host: string): Promise<Stream>;
  /** A connection to a TCP service, through CONNECT. */
  openTunnel(authority: string): Promise<Stream>;
  /** Requests that these workloads have taken. */
  count(isOne: (workload: Workload) => boolean): number;
  stop(): Promise<void>;
}

export interface Stream {
  readonly cluster: string;
  /** Bytes so far. */
  received(): number;
  /** What ended it; undefined: nothing. */
  ended(): string | undefined;
  close(): void;
}

export interface LoadResult {
  readonly asked: number;
  readonly failures: readonly string[];
}

type Place = Omit<Workload, 'count'>;

/** A service of its own for connections, besides `places`. */
export const tcpPlaces: readonly Place[] = [
  { service: 'cache', cluster: 'east', zone: 'a', kind: 'tcp' },
  { service: 'cache', cluster: 'west', zone: 'c', kind: 'tcp' },
];

const places: readonly Place[] = [
  { service: 'reviews', cluster: 'east', zone: 'a' },
  { service: 'reviews', cluster: 'east', zone: 'b' },
  { service: 'reviews', cluster: 'west', zone: 'c' },
  { service: 'reviews', cluster: 'west', zone: 'd' },
  { service: 'ratings', cluster: 'east', zone: 'a' },
  { service: 'ratings', cluster: 'west', zone: 'c' },
  { service: 'lonely', cluster: 'west', zone: 'c' },
];

/** undefined where there is no Envoy. */
export async function startDrainScene(
  mode: 'eager' | 'on-demand' = 'eager',
  more: readonly Place[] = [],
): Promise<DrainScene | undefined> {
  const found = await lookForEnvoy({ env: process.env, log: () => {} });
  if (found === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'fairway-drain-'));
  const servers: Closable[] = [];
  const workloads: Workload[] = [...places, ...more].map((place) => ({ ...place, count: 0 }));
  const ports = await Promise.all(workloads.map((workload) => serve(workload, servers)));
  writeClusters(dir, workloads, ports);
  const [xds, admin, proxyPort, envoyAdmin] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const launch = (): Promise<Pilot> =>
    startPilot({
      xds: `127.0.0.1:${xds}`,
      admin: `127.0.0.1:${admin}`,
      args: [
        '--clusters',
        join(dir, 'clusters'),
        '--rules',
        join(dir, 'rules'),
        '--state',
        join(dir, 'state'),
        '--mode',
        mode,
      ],
      logFile: join(dir, 'pilot.log'),
    });
  let pilot = await launch();
  const envoy = await startEnvoy(found.path, dir, xds, proxyPort, envoyAdmin);
  return {
    workloads,
    run: (args) => fairway([...args, '--admin', `http://127.0.0.1:${admin}`]),
    async restartPilot() {
      await pilot.kill();
      pilot = await launch();
    },
    write: (name, text) => writeFileSync(join(dir, 'rules', name), text),
    startLoad: (services) => startLoad(proxyPort, services),
    openStream: (host) => openStream(proxyPort, host),
    openTunnel: (authority) => openTunnel(proxyPort, authority),
    count: (isOne) => workloads.filter(isOne).reduce((sum, { count }) => sum + count, 0),
    async stop() {
      await envoy.stop();
      await pilot.stop();
      for (const server of servers) server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Closable {
  stop(): void;
}

function serveTcp(workload: Workload, servers: Closable[]): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    workload.count += 1;
    sockets.add(socket);
    socket.write(`${workload.cluster}\n`);
    const timer = setInterval(() => socket.write('.'), 20);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
    });
  });
  servers.push({
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function serve(workload: Workload, servers: Closable[]): Promise<number> {
  if (workload.kind === 'tcp') return serveTcp(workload, servers);
  const server = createServer({ keepAliveTimeout: 0 }, ({ url }, response) => {
    workload.count += 1;
    if (url !== '/stream') return void response.end('ok');
    response.writeHead(200, { 'x-cluster': workload.cluster });
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  });
  servers.push({
    stop() {
      server.close();
      server.closeAllConnections();
    },
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function writeClusters(dir: string, workloads: readonly Workload[], ports: readonly number[]): void {
  mkdirSync(join(dir, 'rules'), { recursive: true });
  for (const cluster of ['east', 'west']) {
    const folder = join(dir, 'clusters', cluster);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cluster.yaml'), `name: ${cluster}\n`);
    const there = workloads.flatMap((workload, index) =>
      workload.cluster === cluster ? [{ ...workload, port: ports[index] ?? 0 }] : [],
    );
    const kinds = new Map(there.map(({ service, kind = 'http' }) => [service, kind]));
    const services = [...kinds].map(
      ([name, kind]) =>
        `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  ports: [{name: ${kind}, port: ${kind === 'tcp' ? 6379 : 80}, appProtocol: ${kind}}]\n`,
    );
    const slices = there.map(
      ({ service, zone, port, kind = 'http' }) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${service}-${zone}, namespace: shop, labels: {kubernetes.io/service-name: ${service}}}
addressType: IPv4
ports: [{name: ${kind}, port: ${port}}]
endpoints:
- {addresses: [127.0.0.1], zone: ${zone}, conditions: {ready: true}}
`,
    );
    writeFileSync(join(folder, 'all.yaml'), [...services, ...slices].join('---\n'));
  }
}

async function startEnvoy(
  binary: string,
  dir: string,
  xds: number,
  proxyPort: number,
  adminPort: number,
): Promise<RigProcess> {
  const bootstrap = renderBootstrap({
    mode: 'explicit',
    xds: [`127.0.0.1:${xds}`],
    cluster: 'east',
    namespace: 'shop',
    workload: 'web',
    serviceAccount: 'web',
    addresses: ['127.0.0.1'],
    adminPort,
    outbound: `127.0.0.1:${proxyPort}`,
    inboundAddress: '127.0.0.1',
  });
  const envoy = await startEnvoyProcess({ command: binary, bootstrap, dir });
  await waitFor('Envoy to be ready', async () => (await fetch(`http://127.0.0.1:${adminPort}/ready`)).ok);
  return envoy;
}

/** 500 requests per second over all services, over connections that are kept; none is tried twice by the client. */
function startLoad(
  proxyPort: number,
  services: readonly string[],
): { stop(): Promise<LoadResult>; failures(): readonly string[] } {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const failures: string[] = [];
  const under: Promise<void>[] = [];
  const startedMs = performance.now();
  const ask = (host: string): Promise<void> =>
    new Promise((resolve) => {
      const fail = (why: string): void => {
        failures.push(`${Math.round(performance.now() - startedMs)} ms: ${host}: ${why}`);
        resolve();
      };
      const outgoing = request(
        { host: '127.0.0.1', port: proxyPort, path: `http://${host}/`, agent, timeout: 10_000 },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => {
            if (response.statusCode === 200) resolve();
            else fail(`${response.statusCode} ${body}`);
          });
          response.on('error', (error) => fail(error.message));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => fail(error.message));
      outgoing.end();
    });
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startedMs) / 2);
    // A machine that stood still does not catch up for more than a second.
    for (let begun = 0; under.length < due && begun < 500; begun++)
      under.push(ask(services[under.length % services.length] ?? ''));
  }, 10);
  return {
    failures: () => failures,
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
      return { asked: under.length, failures };
    },
  };
}

function openStream(proxyPort: number, host: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: proxyPort, path: `http://${host}/stream`, agent: false },
      (response) => {
        let received = 0;
        let ended: string | undefined;
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
        });
        response.on('error', (error) => {
          ended = error.message;
        });
        response.on('close', () => {
          ended ??= 'closed';
        });
        const cluster = String(response.headers['x-cluster']);
        resolve({ cluster, received: () => received, ended: () => ended, close: () => outgoing.destroy() });
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function openTunnel(proxyPort: number, authority: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    let seen = '';
    let ended: string | undefined;
    const socket = connect(proxyPort, '127.0.0.1', () =>
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`),
    );
    const stream = (cluster: string): Stream => ({
      cluster,
      received: () => seen.length,
      ended: () => ended,
      close: () => socket.destroy(),
    });
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const [, cluster] = /\r\n\r\n(\w+)\n/.exec(seen) ?? [];
      if (cluster !== undefined) resolve(stream(cluster));
    });
    socket.on('error', (error) => {
      ended = error.message;
    });
    socket.on('close', () => {
      ended ??= 'closed';
      reject(new Error(`no tunnel to ${authority}: ${seen}`));
    });
  });
}
