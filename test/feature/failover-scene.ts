/**
 * Loses a cluster without a word, under load: its endpoints stay in the assignments, and the proxy has to find out by itself.
 * In: how it is lost (`kill`, `stop`, or `drop`, which needs a network of its own), the rule's spec as JSON, the requests' method (GET), how many
 * there are per second (500), what the endpoints speak (`http`, `http2` or `grpc`), and what counts as soon after the loss (1000 ms). Prints a
 * line of JSON.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RigProcess, runSync, startProcess } from '../rig/process.ts';
import { pause, waitFor } from '../rig/wait.ts';
import { type Placed, startPolicyRig } from './policy-rig.ts';

/** Of requests before the loss, soon after it, and later. */
interface Phases {
  readonly before: number;
  readonly soon: number;
  readonly later: number;
}

export interface Losses {
  readonly envoy: 'present' | 'absent';
  /** By when they were asked; `before`: and answered. */
  readonly asked: Phases;
  readonly failed: Phases;
  /** The failed ones by when that was seen. */
  readonly seen: Phases;
  /** Who answered the last 100 requests. */
  readonly last: readonly string[];
  /** Of the failed requests, when the last was asked and when the last failure was seen, after the loss (ms); 0: there was none. */
  readonly lastFailed: { readonly askedMs: number; readonly seenMs: number };
  readonly slowestMs: Omit<Phases, 'before'>;
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

/** What the endpoints speak. */
type Kind = 'http' | 'http2' | 'grpc';

interface Running {
  readonly process: RigProcess;
  readonly placed: Placed;
}

async function start(dir: string, cluster: string, name: string, kind: Kind): Promise<Running> {
  let port = 0;
  const process = await startProcess({
    name,
    command: globalThis.process.execPath,
    args: [fileURLToPath(import.meta.resolve('./policy-endpoint.ts')), name, kind === 'http' ? 'http' : 'h2c'],
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

/** Over connections that are kept. */
function startLoad(proxyPort: number, method: string, perSecond: number): { stop(): Promise<readonly Outcome[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
  const outcomes: Promise<Outcome>[] = [];
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000);
    while (outcomes.length < due) outcomes.push(askOnce(proxyPort, agent, method));
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

function askOnce(proxyPort: number, agent: Agent, method: string): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, name: string): void =>
      resolve({ startedMs, status, name, tookMs: performance.now() - startedMs });
    const outgoing = request(
      { host: '127.0.0.1', port: proxyPort, path: 'http://reviews/', method, agent, timeout: patienceMs },
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

interface Load {
  readonly method: string;
  readonly perSecond: number;
  readonly kind: Kind;
  readonly soonMs: number;
}

async function observe(
  how: string | undefined,
  spec: object,
  { method, perSecond, kind, soonMs }: Load,
): Promise<Losses | { readonly envoy: 'absent' }> {
  if (how === 'drop') runSync('ip', ['link', 'set', 'lo', 'up']);
  const rig = await startPolicyRig();
  if (rig === undefined) return { envoy: 'absent' };
  const dir = mkdtempSync(join(tmpdir(), 'fairway-failover-'));
  const east = await Promise.all(['east-1', 'east-2', 'east-3'].map((name) => start(dir, 'east', name, kind)));
  const west = await Promise.all(['west-1', 'west-2'].map((name) => start(dir, 'west', name, kind)));
  const running = [...east, ...west];
  try {
    await rig.apply(
      spec,
      running.map(({ placed }) => placed),
      kind,
    );
    await waitFor('the east to answer', async () => {
      const counts = await rig.count(12);
      return [...counts.keys()].every((name) => name.startsWith('east'));
    });
    const load = startLoad(rig.envoy.proxyPort, method, perSecond);
    await pause(1000);
    const lostMs = performance.now();
    for (const each of east) lose(each, how);
    const allLostMs = performance.now();
    await pause(soonMs + 4000);
    return tally(await load.stop(), lostMs, allLostMs + soonMs);
  } finally {
    await rig.envoy.stop();
    await Promise.all(running.map(({ process }) => process.kill()));
    rmSync(dir, { recursive: true });
  }
}

function tally(outcomes: readonly Outcome[], lostMs: number, laterMs: number): Losses {
  const endMs = ({ startedMs, tookMs }: Outcome): number => startedMs + tookMs;
  const phases = (list: readonly Outcome[], timeOf: (outcome: Outcome) => number): Phases => {
    const before = list.filter((outcome) => endMs(outcome) <= lostMs).length;
    const later = list.filter((outcome) => timeOf(outcome) > laterMs).length;
    return { before, soon: list.length - before - later, later };
  };
  const startOf = ({ startedMs }: Outcome): number => startedMs;
  const failed = outcomes.filter(({ status }) => status !== 200);
  const latest = (times: readonly number[]): number => Math.round(Math.max(0, ...times));
  const slowest = (isLater: boolean): number =>
    latest(outcomes.filter(({ startedMs }) => startedMs > laterMs === isLater).map(({ tookMs }) => tookMs));
  return {
    envoy: 'present',
    asked: phases(outcomes, startOf),
    failed: phases(failed, startOf),
    seen: phases(failed, endMs),
    last: [...new Set(outcomes.slice(-100).map(({ name }) => name))].sort(),
    lastFailed: {
      askedMs: latest(failed.map(({ startedMs }) => startedMs - lostMs)),
      seenMs: latest(failed.map((outcome) => endMs(outcome) - lostMs)),
    },
    slowestMs: { soon: slowest(false), later: slowest(true) },
  };
}

const [how, spec = '{}', method = 'GET', perSecond = '500', kind = 'http', soonMs = '1000'] = process.argv.slice(2);
const load = { method, perSecond: Number(perSecond), kind: kind as Kind, soonMs: Number(soonMs) };
console.log(JSON.stringify(await observe(how, JSON.parse(spec), load)));
