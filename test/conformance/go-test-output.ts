/**
 * Reads what a Go test program prints with `-test.v`. In: its lines; out: a result for each test one level below the program's one function,
 * which is how Gateway API's suite names its tests: `TestConformance/MeshBasic`.
 *
 * What always holds: a program that failed has a failed result, also when it failed before any test began, or ended without its last word.
 */

import type { TestResult } from './suite.ts';

const verdictLine = /^\s*--- (PASS|FAIL|SKIP): (\S+) \((\d+(?:\.\d+)?)s\)$/;
const headingLine = /^=== (?:RUN|PAUSE|CONT|NAME)\s+(\S*)$/;
const place = /^[\w.-]+\.go:\d+:(?: |$)/;
/** What every test says: what it applied, and whole answers, which take many lines. */
const chatter = /^(?:Got resp|Request passed|Deleting|Creating|Updating|Applying)\b/;
const lastWordsMax = 2;

const outcomes = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const;

interface Verdict {
  /** `TestConformance/MeshPorts/No_port_set` */
  readonly name: string;
  readonly outcome: TestResult['outcome'];
  readonly seconds: number;
}

/** `exitCode`: the program's own; null when a signal ended it. */
export function readGoTests(output: string, exitCode: number | null): readonly TestResult[] {
  const { verdicts, lastWords } = read(output);
  const results: TestResult[] = [];
  for (const { name, outcome, seconds } of verdicts) {
    const [, test, ...more] = name.split('/');
    if (test === undefined || more.length > 0) continue;
    const same = verdicts.filter(
      (one) => one.outcome === outcome && (one.name === name || one.name.startsWith(`${name}/`)),
    );
    const words = outcome === 'passed' ? [] : same.flatMap((one) => lastWords.get(one.name) ?? []);
    // A test's own time leaves out that of subtests that run side by side.
    const longest = Math.max(seconds, ...same.map((one) => one.seconds));
    results.push({ name: test, outcome, seconds: longest, why: words.join('\n') });
  }
  const top = verdicts.find(({ name }) => !name.includes('/'));
  const failed = results.some(({ outcome }) => outcome === 'failed');
  if (!failed && (exitCode !== 0 || top?.outcome !== 'passed')) {
    const words = top === undefined ? [...lastWords.values()].at(-1) : lastWords.get(top.name);
    const why = words?.join('\n') ?? `exit code ${exitCode}`;
    results.push({ name: 'the suite itself', outcome: 'failed', seconds: 0, why });
  }
  return results;
}

/** `lastWords`: by test or subtest, the last lines that tell something. */
function read(output: string): { readonly verdicts: readonly Verdict[]; readonly lastWords: Map<string, string[]> } {
  const verdicts: Verdict[] = [];
  const lastWords = new Map<string, string[]>();
  let current = '';
  let muted = false;
  for (const line of output.split('\n')) {
    const [, heading] = headingLine.exec(line) ?? [];
    const [, word, name = '', seconds = '0'] = verdictLine.exec(line) ?? [];
    if (heading !== undefined) {
      current = heading;
      muted = false;
    } else if (word !== undefined) {
      verdicts.push({ name, outcome: outcomes[word as keyof typeof outcomes], seconds: Number(seconds) });
      current = '';
    } else {
      const text = line.trim();
      if (place.test(text)) muted = chatter.test(withoutTime(text));
      if (muted || text === '') continue;
      const words = lastWords.get(current) ?? [];
      lastWords.set(current, [...words, withoutTime(text)].slice(-lastWordsMax));
    }
  }
  return { verdicts, lastWords };
}

/** `helpers.go:42: 2026-11-22T18:00:00.1Z: Skipping…` without where and when. */
function withoutTime(line: string): string {
  return line.replace(place, '').replace(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d): /, '');
}
