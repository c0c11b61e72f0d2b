/**
 * `fairway demo`: two clusters, three versions of one service, a client, each behind a real Envoy; rules are applied in turn, and a table
 * shows where requests go. `--once` runs the same scene, holds each step's observed shares against the expected ones, and ends with one JSON
 * line on stdout and exit code 0 or 1.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { place, type Step, steps, workloads } from './scene.ts';
import { buildStage, type Stage } from './stage.ts';
import { drawTable, type Paint, paint, wrapText } from './table.ts';
import { checkShares, newTally, type ShareCheck, type Tally, Traffic } from './traffic.ts';

export interface DemoOptions {
  readonly once: boolean;
  readonly envoyBinary: string;
  readonly colour: boolean;
  /** Keeps the folder with logs, bootstraps and clusters. */
  readonly keep: boolean;
}

const beta = { 'x-group': 'beta' };
const places = workloads.map(place);

/** Resolves to the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const say = (line = ''): boolean => process.stderr.write(`${line}\n`);
  const draw = paint(options.colour);
  const dir = await mkdtemp(join(tmpdir(), 'fairway-demo-'));
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
  let stage: Stage | undefined;
  let keep = options.keep;
  let code = 1;
  try {
    say(draw('Fairway demo: two clusters, one service in three versions, one rule.', 'bold'));
    say(
      draw(`Starting a pilot and ${workloads.length + 1} Envoys on the loopback; logs and files are in ${dir}`, 'dim'),
    );
    stage = await buildStage(dir, options.envoyBinary);
    const traffic = new Traffic(Number(stage.addresses.client.split(':')[1]));
    printAddresses(stage, say, draw);
    const scene = options.once ? playOnce(stage, traffic, say, draw) : playLive(stage, traffic, say, draw, interrupted);
    const outcome = await Promise.race([scene, interrupted, stage.failed.then(() => 'interrupted' as const)]);
    traffic.close();
    code = outcome === 'interrupted' ? (options.once ? 130 : 0) : outcome;
    keep ||= code === 1;
  } catch (error) {
    say(draw(`The demo failed: ${errorMessage(error)}`, 'red'));
    say(`Its logs are kept in ${dir}`);
    keep = true;
  }
  await stage?.stop();
  if (!keep) await rm(dir, { recursive: true, force: true });
  return code;
}

function printAddresses(stage: Stage, say: (line?: string) => void, draw: Paint): void {
  const { xds, admin, client, clientEnvoyAdmin } = stage.addresses;
  say();
  say(`  the client's sidecar   http://${client} (an HTTP proxy)`);
  say(`  its Envoy's admin      http://${clientEnvoyAdmin}`);
  say(`  the pilot's xDS        ${xds}`);
  say(`  the pilot's admin API  http://${admin}`);
  say();
  say('  Try, in another terminal:');
  say(draw(`    curl -x http://${client} http://reviews.shop:9080/`, 'cyan'));
  say(draw(`    npx fairway --admin http://${admin} get endpoints`, 'cyan'));
  say(draw(`    npx fairway --admin http://${admin} get rules`, 'cyan'));
  say();
}

async function enter(stage: Stage, step: Step): Promise<void> {
  await stage.setUp(step.up);
  if (step.rule === null) await stage.admin.deleteRule('shop', 'reviews');
  else if (step.rule !== undefined) await stage.admin.apply(step.rule);
}

interface StepResult {
  readonly step: string;
  readonly ok: boolean;
  readonly requests: number;
  readonly failed: number;
  readonly shares: readonly ShareCheck[];
  readonly betaShares: readonly ShareCheck[];
}

async function playOnce(stage: Stage, traffic: Traffic, say: (line?: string) => void, draw: Paint): Promise<number> {
  const results: StepResult[] = [];
  for (const step of steps) {
    await enter(stage, step);
    const settled = await untilSettled(traffic, step);
    const plain = newTally();
    const betaTally = newTally();
    await traffic.send(1000, {}, plain);
    await traffic.send(500, beta, betaTally);
    const shares = checkShares(plain, step.expected, step.slack);
    const betaShares = checkShares(betaTally, step.expectedBeta, step.slack);
    const failed = sum(plain.failures) + sum(betaTally.failures);
    const ok = settled && failed === 0 && [...shares, ...betaShares].every((share) => share.ok);
    results.push({ step: step.title, ok, requests: plain.total + betaTally.total, failed, shares, betaShares });
    say(`${ok ? draw('√', 'green') : draw('×', 'red')} ${draw(step.title, 'bold')}`);
    for (const line of wrapText(step.action, columnsOf() - 2)) say(`  ${line}`);
    for (const line of drawTable(places, plain, betaTally, columnsOf(), draw)) say(line);
    say();
  }
  const ok = results.every((result) => result.ok);
  process.stdout.write(`${JSON.stringify({ ok, steps: results })}\n`);
  return ok ? 0 : 1;
}

async function playLive(
  stage: Stage,
  traffic: Traffic,
  say: (line?: string) => void,
  draw: Paint,
  interrupted: Promise<unknown>,
): Promise<number> {
  let over = false;
  void interrupted.then(() => {
    over = true;
  });
  for (const step of steps) {
    await enter(stage, step);
    say(draw(step.title, 'bold'));
    for (const line of wrapText(step.action, columnsOf() - 2)) say(`  ${line}`);
    if (step.rule) say(draw(step.rule.trimEnd().replace(/^/gm, '    '), 'dim'));
    await watch(traffic, 8000, draw, () => over);
    if (over) return 0;
    say();
  }
  say('The scene is over and everything keeps running. Apply a rule of your own and watch; Ctrl-C ends it.');
  const example = join(stage.dir, 'reviews.yaml');
  say(draw(`    npx fairway --admin http://${stage.addresses.admin} apply -f ${example}`, 'cyan'));
  await writeFile(example, steps.find(({ title }) => title === 'beta header')?.rule ?? '');
  while (!over) await watch(traffic, 60_000, draw, () => over);
  return 0;
}

/** About a hundred requests a second for `durationMs`; the table shows the last two seconds, redrawn in place on a terminal. */
async function watch(traffic: Traffic, durationMs: number, draw: Paint, isOver: () => boolean): Promise<void> {
  const ends = Date.now() + durationMs;
  const onTerminal = process.stderr.isTTY === true;
  let drawn = 0;
  let [plain, betaTally] = [newTally(), newTally()];
  while (Date.now() < ends && !isOver()) {
    [plain, betaTally] = [newTally(), newTally()];
    const tick = Date.now() + 1000;
    while (Date.now() < tick && !isOver()) {
      await Promise.all([
        traffic.send(5, {}, plain),
        traffic.send(5, beta, betaTally),
        new Promise((resolve) => setTimeout(resolve, 100)),
      ]);
    }
    if (!onTerminal) continue;
    const lines = drawTable(places, plain, betaTally, columnsOf(), draw);
    process.stderr.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[0J` : ''}${lines.join('\n')}\n`);
    drawn = lines.length;
  }
  if (!onTerminal) process.stderr.write(`${drawTable(places, plain, betaTally, columnsOf(), draw).join('\n')}\n`);
}

/** Until probes go where the step wants them, and every large share is seen; for 15 s at most. */
async function untilSettled(traffic: Traffic, step: Step): Promise<boolean> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const plain = newTally();
    const betaTally = newTally();
    await traffic.send(40, {}, plain);
    await traffic.send(40, beta, betaTally);
    if (fits(plain, step.expected) && fits(betaTally, step.expectedBeta)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function fits(tally: Tally, expected: Readonly<Record<string, number>>): boolean {
  const onlyExpected = [...tally.places.keys()].every((where) => (expected[where] ?? 0) > 0);
  const allLarge = Object.entries(expected).every(([where, share]) => share < 0.3 || tally.places.has(where));
  return tally.failures.size === 0 && onlyExpected && allLarge;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function columnsOf(): number {
  return process.stderr.columns ?? 80;
}
