/** A suite's results as people read them: a line for each test, failures with the suite's words, and the line that CI counts at the end. */

import type { TestResult } from './suite.ts';

type Shown = Omit<TestResult, 'seconds'> & { readonly seconds: number | undefined };

/** For keeping: the same after every run that came out the same. */
export function renderOutcomes(title: string, results: readonly TestResult[]): string {
  return renderResults(
    title,
    results.map((result) => ({ ...result, seconds: undefined })),
  );
}

export function renderResults(title: string, results: readonly Shown[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, outcome, seconds, why }) => {
    const time = seconds === undefined ? '' : `${seconds.toFixed(1)} s`.padStart(9);
    const start = `  ${outcome.padEnd(8)} ${name.padEnd(width)}${time}  `;
    const words = outcome === 'passed' ? '' : why.split('\n').join(`\n${' '.repeat(start.length)}`);
    return `${start}${words}`.trimEnd();
  });
  const count = (wanted: TestResult['outcome']): number => results.filter(({ outcome }) => outcome === wanted).length;
  const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  return `${[title, ...lines].join('\n')}\n\n${count('passed')} passed, ${count('failed')} failed${skipped}\n`;
}
