/**
 * Figures as tables, for a terminal and as Markdown. A figure's name is `SERIES: WHAT, UNIT`: each series is a column, each `WHAT, UNIT` a row.
 * Where series `X, peer` stands beside `X, fairway`, a third column says how many times larger the peer's figures are.
 */

import type { Figures, Result } from './workload.ts';

export interface Table {
  /** The first is the rows' own. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Stands where a series has no such figure. */
const absent = '–';
/** Of the names of series that are measured beside each other. */
export const fairwaySuffix = ', fairway';
export const peerSuffix = ', peer';

export interface FigureName {
  /** '' for figures of no series. */
  readonly series: string;
  readonly what: string;
  /** '' when its name has none. */
  readonly unit: string;
}

export function splitFigureName(name: string): FigureName {
  const colon = name.indexOf(': ');
  const series = colon < 0 ? '' : name.slice(0, colon);
  const rest = colon < 0 ? name : name.slice(colon + 2);
  const comma = rest.lastIndexOf(', ');
  return comma < 0
    ? { series, what: rest, unit: '' }
    : { series, what: rest.slice(0, comma), unit: rest.slice(comma + 2) };
}

export function figureTable(figures: Figures): Table {
  const bySeries = new Map<string, Map<string, number>>();
  const rows = new Set<string>();
  for (const [name, value] of Object.entries(figures)) {
    const { series, what, unit } = splitFigureName(name);
    const row = unit === '' ? what : `${what}, ${unit}`;
    rows.add(row);
    const column = bySeries.get(series) ?? new Map<string, number>();
    bySeries.set(series, column);
    column.set(row, value);
  }
  const columns = [...bySeries].flatMap(([series, values]) => {
    const show = (row: string): string => {
      const value = values.get(row);
      return value === undefined ? absent : formatFigure(value);
    };
    const own = series.endsWith(peerSuffix)
      ? bySeries.get(`${series.slice(0, -peerSuffix.length)}${fairwaySuffix}`)
      : undefined;
    const column = { name: series, show };
    return own === undefined ? [column] : [column, { name: 'times', show: (row: string) => times(values, own, row) }];
  });
  return {
    columns: ['', ...columns.map(({ name }) => name)],
    rows: [...rows].map((row) => [row, ...columns.map(({ show }) => show(row))]),
  };
}

function times(peer: ReadonlyMap<string, number>, own: ReadonlyMap<string, number>, row: string): string {
  const ratio = (peer.get(row) ?? Number.NaN) / (own.get(row) ?? Number.NaN);
  return Number.isFinite(ratio) ? `${formatFigure(ratio)} ×` : absent;
}

/** Aligned in columns, two spaces before each line. */
export function plainTable({ columns, rows }: Table): string {
  const hasHead = columns.some((column) => column !== '');
  const lines = hasHead ? [columns, ...rows] : rows;
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => (at === 0 ? `  ${cell.padEnd(widths[0] ?? 0)}` : cell.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  const rule = `|${columns.map((_, at) => (at === 0 ? '---|' : '---:|')).join('')}`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

/** A workload's section, with a head. */
export function markdownSection(name: string, result: Result): string {
  return [`### \`${name}\``, escapeText(sentence(result.about)), markdownBody(result)].join('\n\n');
}

/** The table, with what the reader has to know to judge it. */
export function markdownBody({ figures, problem, loadBefore, tookSeconds, notes = [] }: Result): string {
  const parts: string[] = [];
  if (figures !== undefined && Object.keys(figures).length > 0) parts.push(markdownTable(figureTable(figures)));
  const said = [...notes, `took ${tookSeconds.toFixed(0)} s; load of the machine before: ${loadBefore.toFixed(1)}`];
  parts.push(said.map((note) => `- ${escapeText(note)}`).join('\n'));
  if (problem !== undefined) parts.push(`**Failed or void:** ${escapeText(problem)}`);
  return parts.join('\n\n');
}

export function formatFigure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value !== 0 && Math.abs(value) < 1 ? 2 : 1);
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|]/g, '\\$&').replaceAll(/\s+/g, ' ');
}

function escapeCell(text: string): string {
  return text.replaceAll(/[\\|]/g, '\\$&').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ').trim();
}
