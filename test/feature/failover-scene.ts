/**
 * Loses a cluster without a word, at 500 requests per second: its endpoints stay in the assignments, and the proxy has to find out by itself.
 * In: how it is lost (`kill`, `stop`, or `drop`, which needs a network of its own) and the rule's spec, as JSON. Prints a line of JSON.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RigProcess, runSync, startProcess } from '../rig/process.ts';
import { pause, waitFor } from '../rig/wait.ts';
import { type Placed, startPolicyRig } from './policy-rig.ts';

export interface Losses {
  readonly envoy: 'present' | 'absent';
  /** Requests that failed: asked before the loss, in the first second after it, and later. */
  readonly failed: { readonly before: number; readonly firstSecond: number; readonly later: number };
  readonly asked: { readonly before: number; readonly firstSecond: number; readonly later: number };
  /** Who answered the last 100 requests. */
  readonly last: readonly string[];
  readonly slowestMs: { readonly firstSecond: number; readonly later: number };
}

interface Outcome {
  readonly startedMs: number;
  /** 0: none in time. */
  readonly status: number;
  readonly name: string;
  readonly tookMs: number;
}

/** Of the client. What takes longer has failed. */
const patienceMs = 5000;

interface Running {
  readonly process: RigProcess;
  readonly placed: Placed;
}

async function start(dir: string, cluster: string, name: string): Promise<Running> {
  let port = 0;
  const process = await startProcess({
    name,
    command: globalThis.process.execPath,
    args: [fileURLToPath(import.meta.resolve('./policy-endpoint.ts')), name],
    logFile: join(dir, `${name}.log`),
    onLine(line) {
      port = Number(line);
    },
  });
  await waitFor(`${name} to listen`, () => port > 0);
  return { process, placed: { name, port, cluster } };
}

function lose({ process, placed }: Running, how: string | undefined): void {
  if (how === 'kill') void process.kill();
  else if (how === 'stop') process.signal('SIGSTOP');
  else runSync('iptables', ['-A', 'INPUT', '-p', 'tcp', '--dport', String(placed.port), '-j', 'DROP']);
}

/** 500 requests per second, over connections that are kept. */
function startLoad(proxyPort: number): { stop(): Promise<readonly Outcome[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
  const outcomes: Promise<Outcome>[] = [];
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startedMs) / 2);
    while (outcomes.length < due) outcomes.push(askOnce(proxyPort, agent));
  }, 10);
  return {
    async stop() {
      clearInterval(timer);
      const all = await Promise.all(outcomes);
      agent.destroy();
      return all;
    },
  };
}

function askOnce(proxyPort: number, agent: Agent): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, name: string): void =>
      resolve({ startedMs, status, name, tookMs: performance.now() - startedMs });
    const outgoing = request(
      { host: '127.0.0.1', port: proxyPort, path: 'http://reviews/', agent, timeout: patienceMs },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => end(response.statusCode ?? 0, /"name":"([^"]+)"/.exec(body)?.[1] ?? body));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => end(0, ''));
    outgoing.end();
  });
}

async function observe(how: string | undefined, spec: object): Promise<Losses | { readonly envoy: 'absent' }> {
  if (how === 'drop') runSync('ip', ['link', 'set', 'lo', 'up']);
  const rig = await startPolicyRig();
  if (rig === undefined) return { envoy: 'absent' };
  const dir = mkdtempSync(join(tmpdir(), 'fairway-failover-'));
  const east = await Promise.all(['east-1', 'east-2', 'east-3'].map((name) => start(dir, 'east', name)));
  const west = await Promise.all(['west-1', 'west-2'].map((name) => start(dir, 'west', name)));
  const running = [...east, ...west];
  try {
    await rig.apply(
      spec,
      running.map(({ placed }) => placed),
    );
    await waitFor('the east to answer', async () => {
      const counts = await rig.count(12);
      return [...counts.keys()].every((name) => name.startsWith('east'));
    });
    const load = startLoad(rig.envoy.proxyPort);
    await pause(1000);
    const lostMs = performance.now();
    for (const each of east) lose(each, how);
    await pause(5000);
    const outcomes = await load.stop();
    const before = outcomes.filter(({ startedMs, tookMs }) => startedMs + tookMs <= lostMs);
    const later = outcomes.filter(({ startedMs }) => startedMs > lostMs + 1000);
    const firstSecond = outcomes.filter((outcome) => !before.includes(outcome) && !later.includes(outcome));
    const failures = (list: readonly Outcome[]): number => list.filter(({ status }) => status !== 200).length;
    const slowest = (list: readonly Outcome[]): number => Math.round(Math.max(0, ...list.map(({ tookMs }) => tookMs)));
    return {
      envoy: 'present',
      failed: { before: failures(before), firstSecond: failures(firstSecond), later: failures(later) },
      asked: { before: before.length, firstSecond: firstSecond.length, later: later.length },
      last: [...new Set(outcomes.slice(-100).map(({ name }) => name))].sort(),
      slowestMs: { firstSecond: slowest(firstSecond), later: slowest(later) },
    };
  } finally {
    await rig.envoy.stop();
    await Promise.all(running.map(({ process }) => process.kill()));
    rmSync(dir, { recursive: true });
  }
}

const [how, spec = '{}'] = process.argv.slice(2);
console.log(JSON.stringify(await observe(how, JSON.parse(spec))));
