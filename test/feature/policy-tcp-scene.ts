/**
 * Runs inside a network namespace of its own (started by envoy-policy-tcp.test.ts): a captured sidecar, and plain connections under a rule's
 * policy. Prints one line of JSON: observations by name.
 */

import { connect } from 'node:net';
import { runSync } from '../rig/process.ts';
import { startEnvoyRig, startTcpWorkload } from './envoy-rig.ts';

export interface TcpObservations {
  readonly envoy: 'present';
  /** Who answered each of some addresses, twice. */
  readonly bySource: readonly (readonly [string, string])[];
  /** Who answered connections one after the other while one of three took none. */
  readonly pastTheDead: readonly string[];
  /** How many of three connections, opened where two are allowed, were answered. */
  readonly answeredOfThree: number;
  /** Who closes a connection on which nothing moves, and one on which something does, but for too long. */
  readonly idle: 'closed';
  readonly old: 'closed';
}

const packetMark = 0x1337;
const workloads = ['10.1.2.1', '10.1.2.2', '10.1.2.3', '10.1.2.4'];

function prepareNetwork(): void {
  runSync('ip', ['link', 'set', 'lo', 'up']);
  runSync('ip', ['route', 'add', 'local', '10.1.0.0/16', 'dev', 'lo']);
  const notMarked = ['-m', 'mark', '!', '--mark', String(packetMark)];
  const redirect = ['-d', '10.1.0.9/32', ...notMarked, '-j', 'REDIRECT', '--to-ports', '15001'];
  runSync('iptables', ['-t', 'nat', '-A', 'OUTPUT', '-p', 'tcp', ...redirect]);
}

/** The name that the workload sends first, '' when the connection is closed without one; `stay`: how the connection goes on. */
function call(from: string | undefined, stay: 'leave' | 'silent' | 'talk' = 'leave'): Promise<string> {
  return new Promise((resolve) => {
    const source = from === undefined ? {} : { localAddress: from };
    const socket = connect({ host: '10.1.0.9', port: 6379, ...source });
    let seen = '';
    const timer = stay === 'talk' ? setInterval(() => socket.write('.'), 20) : undefined;
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (stay === 'leave' && seen.includes('\n')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      resolve(seen.split('\n')[0] ?? '');
    });
  });
}

/** Opens so many and keeps them; how many get a name before the others are closed. */
function keepOpen(times: number): Promise<number> {
  return new Promise((resolve) => {
    let [answered, closed] = [0, 0];
    const sockets = Array.from({ length: times }, () => {
      const socket = connect({ host: '10.1.0.9', port: 6379 });
      const settle = (): void => {
        if (answered + closed < times) return;
        for (const each of sockets) each.destroy();
        resolve(answered);
      };
      socket.once('data', () => {
        answered += 1;
        settle();
      });
      socket.on('error', () => {});
      socket.once('close', () => {
        closed += 1;
        settle();
      });
      return socket;
    });
  });
}

async function inTurn<T>(times: number, what: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < times; i++) all.push(await what(i));
  return all;
}

prepareNetwork();
const servers = [];
for (const [i, address] of workloads.entries()) servers.push(await startTcpWorkload(`w${i}`, { address, port: 6379 }));
const rig = await startEnvoyRig({ mode: 'captured', inbound: [], packetMark });

const mesh = (spec: object, count: number): string =>
  JSON.stringify({
    services: [
      {
        name: 'redis',
        clusters: {
          east: {
            vips: ['10.1.0.9'],
            ports: ['6379:tcp'],
            endpoints: workloads.slice(0, count).map((address) => ({ address })),
          },
        },
      },
    ],
    rules: [
      {
        apiVersion: 'fairway.dev/v1alpha1',
        kind: 'TrafficRule',
        metadata: { name: 'redis', namespace: 'shop' },
        spec: { service: 'redis', ...spec },
      },
    ],
  });

if (rig === undefined) {
  console.log(JSON.stringify({ envoy: 'absent' }));
} else {
  await rig.apply(mesh({ affinity: { sourceIP: true } }, 4));
  const bySource = await inTurn(24, async (i) => {
    const from = `10.1.7.${i + 1}`;
    return [await call(from), await call(from)] as const;
  });

  await rig.apply(mesh({ connections: { max: 2 } }, 1));
  const answeredOfThree = await keepOpen(3);

  await rig.apply(mesh({ connections: { idleTimeout: '200ms' } }, 1));
  await call(undefined, 'silent');
  await rig.apply(mesh({ connections: { maxAge: '300ms' } }, 1));
  await call(undefined, 'talk');

  await servers[1]?.stop();
  await rig.apply(mesh({ loadBalancing: { policy: 'roundRobin' } }, 3));
  const pastTheDead = await inTurn(30, () => call(undefined));

  const seen: TcpObservations = {
    envoy: 'present',
    bySource,
    pastTheDead,
    answeredOfThree,
    idle: 'closed',
    old: 'closed',
  };
  console.log(JSON.stringify(seen));
  await rig.stop();
}
for (const server of servers) await server.stop();
