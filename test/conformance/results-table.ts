/** A suite's results as people read them: a line for each test, failures with the suite's words, and the line that CI counts at the end. */

import type { TestResult } from './suite.ts';

export function renderResults(title: string, results: readonly TestResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, outcome, seconds, why }) => {
    const words = outcome === 'passed' ? '' : why.split('\n').join(`\n${' '.repeat(width + 21)}`);
    return `  ${outcome.padEnd(8)} ${name.padEnd(width)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${words}`.trimEnd();
  });
  const count = (wanted: TestResult['outcome']): number => results.filter(({ outcome }) => outcome === wanted).length;
  const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  return `${[title, ...lines].join('\n')}\n\n${count('passed')} passed, ${count('failed')} failed${skipped}\n`;
}
