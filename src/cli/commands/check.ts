/**
 * `fairway check`: is the mesh well? Groups of checks, each with √, ‼ or ×, the cause and what to do. Exit code 0 when nothing failed (warnings
 * are not failures), 1 when something did, 3 when no pilot answers.
 */

import { sleep } from '../../core/clock.ts';
import { errorMessage, FairwayError } from '../../core/errors.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { parseDuration } from '../duration.ts';
import { lookForEnvoy } from '../envoy-binary.ts';
import { CommandFailure, type ExitCode, exitCode } from '../failure.ts';
import { type CheckGroup, type CheckResult, checkMesh, readMesh } from '../mesh-check.ts';
import { oneLine, wrap } from '../table.ts';
import type { Colour, Terminal } from '../terminal.ts';
import { ownVersion } from './version.ts';

export interface CheckFlags extends AdminFlags {
  readonly wait?: boolean;
  readonly timeout: string;
  readonly output?: 'json';
}

const pollMs = 500;

export async function runCheck(flags: CheckFlags, context: CommandContext): Promise<ExitCode> {
  const { terminal, clock } = context;
  const timeoutMs = flags.wait === true ? parseDuration(flags.timeout, '--timeout') : 0;
  const startedMs = clock.monotonic();
  let outcome = await checkAll(flags, context);
  while (outcome.exit !== exitCode.ok && clock.monotonic() - startedMs < timeoutMs) {
    await sleep(clock, pollMs);
    outcome = await checkAll(flags, context);
  }
  if (flags.output === 'json') terminal.out(`${JSON.stringify(toJson(outcome), null, 2)}\n`);
  else printGroups(outcome.groups, terminal);
  return outcome.exit;
}

interface Outcome {
  readonly groups: readonly CheckGroup[];
  readonly exit: ExitCode;
}

async function checkAll(flags: AdminFlags, context: CommandContext): Promise<Outcome> {
  const client = openAdminClient(flags, context.env);
  const groups: CheckGroup[] = [];
  let exit: ExitCode = exitCode.ok;
  try {
    const mesh = await readMesh(client);
    groups.push(...checkMesh(mesh, ownVersion(), context.clock.now()));
  } catch (error) {
    if (!(error instanceof FairwayError)) throw error;
    exit = error instanceof CommandFailure ? error.exit : exitCode.failed;
    const problem = { cause: `${error.code} ${error.message}`, hint: error.hint };
    groups.push({ title: 'pilot', results: [{ title: 'the admin API answers', state: 'failed', ...problem }] });
  }
  groups.push({ title: 'this machine', results: [await checkEnvoy(context)] });
  const hasFailed = groups.some(({ results }) => results.some(({ state }) => state === 'failed'));
  return { groups, exit: exit === exitCode.ok && hasFailed ? exitCode.failed : exit };
}

async function checkEnvoy({ env }: CommandContext): Promise<CheckResult> {
  try {
    const found = await lookForEnvoy({ env, log: () => {} });
    if (found !== undefined) return { title: `Envoy is at ${found.path} (${found.from})`, state: 'ok' };
    return {
      title: 'Envoy is found on this machine',
      state: 'warning',
      cause: 'it is in none of $ENVOY_BIN, PATH and the cache',
      hint: 'Only needed to run sidecars here: `fairway envoy` installs it',
    };
  } catch (error) {
    const hint = error instanceof FairwayError ? error.hint : '';
    return { title: 'Envoy is found on this machine', state: 'warning', cause: errorMessage(error), hint };
  }
}

const marks: Readonly<Record<CheckResult['state'], readonly [mark: string, colour: Colour]>> = {
  ok: ['√', 'green'],
  warning: ['‼', 'yellow'],
  failed: ['×', 'red'],
};

function printGroups(groups: readonly CheckGroup[], terminal: Terminal): void {
  const width = terminal.columns === undefined ? undefined : terminal.columns - 4;
  for (const { title, results } of groups) {
    terminal.out(`${terminal.paint('bold', title)}\n${'-'.repeat(title.length)}\n`);
    for (const result of results) {
      const [mark, colour] = marks[result.state];
      const [first = '', ...rest] = wrap(oneLine(result.title), width === undefined ? undefined : width + 2);
      terminal.out(`${terminal.paint(colour, mark)} ${first}\n${rest.map((line) => `  ${line}\n`).join('')}`);
      const details = [result.cause, result.hint === undefined ? undefined : `→ ${result.hint}`];
      for (const detail of details) {
        if (detail === undefined || detail === '') continue;
        for (const line of wrap(oneLine(detail), width)) terminal.out(`    ${line}\n`);
      }
    }
    terminal.out('\n');
  }
  const all = groups.flatMap(({ results }) => results);
  const count = (state: CheckResult['state']): number => all.filter((result) => result.state === state).length;
  const warnings = count('warning');
  terminal.out(`${count('ok')} passed, ${warnings} warning${warnings === 1 ? '' : 's'}, ${count('failed')} failed\n`);
}

function toJson({ groups, exit }: Outcome): unknown {
  return { ok: exit === exitCode.ok, groups };
}
