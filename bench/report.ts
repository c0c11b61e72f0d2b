/** Reports put together, told and kept: on the terminal, as JSON, as Markdown, as charts. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { charts } from './chart.ts';
import { fillDocument } from './into-document.ts';
import { summaryTable } from './summary.ts';
import { figureTable, markdownBody, markdownSection, markdownTable, plainTable } from './table.ts';
import type { Report, Result } from './workload.ts';

/** Several files of `--json` as one; of a workload in several of them, the last counts. Throws when one is not such a file. */
export function readReports(files: readonly string[]): Report {
  const reports = files.map(readReport);
  const [first] = reports;
  if (first === undefined) throw new Error('no file of earlier results was named');
  const machines = new Set(reports.map(({ machine }) => machine));
  return {
    machine: [...machines].join('; '),
    quick: reports.some(({ quick }) => quick),
    results: Object.assign({}, ...reports.map(({ results }) => results)) as Report['results'],
  };
}

function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report>;
  const { machine, quick, results } = report;
  if (typeof machine !== 'string' || typeof quick !== 'boolean' || typeof results !== 'object' || results === null)
    throw new Error(`${file} holds no results of the bench: it is to be a file that --json wrote`);
  return { machine, quick, results };
}

export function terminalLines(name: string, { about, figures = {}, notes = [], problem }: Result): readonly string[] {
  return [
    `\n${name}: ${about}`,
    ...(Object.keys(figures).length === 0 ? [] : [plainTable(figureTable(figures))]),
    ...notes.map((note) => `  ${note}`),
    ...(problem === undefined ? [] : [`  ${problem}`]),
  ];
}

export function markdownReport({ machine, quick, results }: Report): string {
  const sections = Object.entries(results).map(([name, result]) => markdownSection(name, result));
  return [`On ${machine}${quick ? ', small sizes' : ''}.`, ...sections].join('\n\n');
}

export function writeJson(file: string, report: Report): void {
  // JSON knows no NaN: a figure that was not to be had is left out.
  const known = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
  writeFileSync(file, `${JSON.stringify(report, known, 2)}\n`);
}

/**
 * Puts tables between their marks in the file: each workload's by its name, `summary`, and `all`, which is every workload but those beside a peer.
 * Returns the names of workloads beside a peer, and of these two, that it has no marks for.
 */
export function writeInto(file: string, report: Report): readonly string[] {
  const { machine, quick, results } = report;
  const tables = new Map(Object.entries(results).map(([name, result]) => [name, markdownBody(result)]));
  const alone = Object.entries(results).filter(([name]) => !name.startsWith('peer-'));
  if (alone.length > 0) tables.set('all', markdownReport({ machine, quick, results: Object.fromEntries(alone) }));
  const summary = summaryTable(report);
  if (summary.rows.length > 0) tables.set('summary', markdownTable(summary));
  const { document, unused } = fillDocument(readFileSync(file, 'utf8'), tables);
  writeFileSync(file, document);
  return unused.filter((name) => results[name] === undefined || name.startsWith('peer-'));
}

export function writeCharts(folder: string, { results }: Report): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, result] of Object.entries(results))
    for (const [file, content] of charts(name, result)) writeFileSync(join(folder, file), content);
}

/** The names of those that failed or are void. */
export function failures({ results }: Report): readonly string[] {
  return Object.keys(results).filter((name) => results[name]?.problem !== undefined);
}
