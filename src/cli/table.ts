/**
 * Tables that fit their page. Rows, columns and a width go in; lines come out.
 *
 * What always holds: a column that does not fit is left out whole, the least important first, and named in `hidden`; a cell that is cut shows
 * it with an ellipsis; no line is wider than the page (columns are measured as a terminal shows them); notes under a row are wrapped, never cut.
 */

import stringWidth from 'string-width';

export interface Column<Row> {
  readonly title: string;
  /** Plain text, no colours: what is measured. */
  readonly cell: (row: Row) => string;
  /** Applied after measuring and cutting. */
  readonly paint?: (text: string, row: Row) => string;
  /** 0 is always there, 1 only with `-o wide`, as kubectl's printer columns. */
  readonly priority?: 0 | 1;
  /** Order in which columns go when the page is narrow: higher first; undefined: it stays. */
  readonly dropOrder?: number;
  /** Cells may be cut to this width when the page is narrow; undefined: never cut. */
  readonly shrinkTo?: number;
}

export interface TableInput<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** undefined: no limit. */
  readonly width: number | undefined;
  /** All columns, nothing dropped or cut: the page may scroll. */
  readonly wide: boolean;
  /** Lines to print under a row: why it is in a bad state. */
  readonly notes?: (row: Row) => readonly string[];
  readonly paintTitle?: (text: string) => string;
}

export interface Table {
  /** Each line ends in a newline. */
  readonly text: string;
  /** Titles of the columns that did not fit. */
  readonly hidden: readonly string[];
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  width: number;
}

const gap = 2;

export function renderTable<Row>(input: TableInput<Row>): Table {
  const limit = input.wide ? undefined : input.width;
  let shown: Measured<Row>[] = input.columns
    .filter((column) => input.wide || (column.priority ?? 0) === 0)
    .map((column) => {
      const cells = input.rows.map((row) => oneLine(column.cell(row)));
      const widest = cells.reduce((most, cell) => Math.max(most, stringWidth(cell)), stringWidth(column.title));
      return { column, cells, width: widest };
    });
  const hidden: string[] = [];
  while (limit !== undefined && leastWidth(shown) > limit) {
    const dropped = nextToDrop(shown);
    if (dropped === undefined) break;
    shown = shown.filter((entry) => entry !== dropped);
    hidden.push(dropped.column.title);
  }
  if (limit !== undefined) shrink(shown, limit);
  const lines = [
    joinCells(
      shown,
      shown.map(({ column }) => column.title),
      (text) => input.paintTitle?.(text) ?? text,
    ),
  ];
  input.rows.forEach((row, index) => {
    const cells = shown.map(({ cells }) => cells[index] ?? '');
    lines.push(joinCells(shown, cells, (text, at) => shown[at]?.column.paint?.(text, row) ?? text));
    for (const note of input.notes?.(row) ?? []) lines.push(...wrapNote(note, limit));
  });
  const cut = limit === undefined ? lines : lines.map((line) => line.trimEnd());
  return { text: cut.map((line) => `${line.trimEnd()}\n`).join(''), hidden };
}

/** What a table needs when every column that may be cut is. */
function leastWidth<Row>(shown: readonly Measured<Row>[]): number {
  return totalWidth(shown.map(({ column, width }) => Math.min(width, floorOf(column, width))));
}

function floorOf<Row>(column: Column<Row>, width: number): number {
  return column.shrinkTo === undefined ? width : Math.max(column.shrinkTo, stringWidth(column.title));
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1);
}

function nextToDrop<Row>(shown: readonly Measured<Row>[]): Measured<Row> | undefined {
  let next: Measured<Row> | undefined;
  for (const entry of shown) {
    if (entry.column.dropOrder === undefined) continue;
    if (next === undefined || entry.column.dropOrder > (next.column.dropOrder ?? 0)) next = entry;
  }
  return next;
}

/** Cuts the widest column that may still be cut, again and again: long cells give before short ones do. */
function shrink<Row>(shown: readonly Measured<Row>[], limit: number): void {
  while (totalWidth(shown.map(({ width }) => width)) > limit) {
    let widest: Measured<Row> | undefined;
    for (const entry of shown) {
      const canGive = entry.width > floorOf(entry.column, entry.width);
      if (canGive && (widest === undefined || entry.width > widest.width)) widest = entry;
    }
    if (widest === undefined) {
      // A page too narrow even for what must stay: the last columns are cut without asking.
      widest = shown.reduce((most, entry) => (entry.width > most.width ? entry : most));
      if (widest.width <= 1) return;
    }
    widest.width -= 1;
  }
}

function joinCells<Row>(
  shown: readonly Measured<Row>[],
  cells: readonly string[],
  paint: (text: string, at: number) => string,
): string {
  const last = cells.length - 1;
  return cells
    .map((cell, at) => {
      const width = shown[at]?.width ?? 0;
      const text = truncate(cell, width);
      const padding = at === last ? '' : ' '.repeat(width - stringWidth(text) + gap);
      return paint(text, at) + padding;
    })
    .join('');
}

/** Cut at the end to at most `width` columns, with `…` as the last of them. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = used + stringWidth(segment);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
}

const graphemes = new Intl.Segmenter();

/** Breaks at spaces; a word wider than the page is broken where the page ends. */
export function wrap(text: string, width: number | undefined): string[] {
  if (width === undefined) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const candidate = line === '' ? word : `${line} ${word}`;
    if (stringWidth(candidate) <= width) {
      line = candidate;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (stringWidth(line) > width) {
      const head = truncate(line, width + 1).slice(0, -1);
      if (head === '') break;
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  lines.push(line);
  return lines;
}

const noteIndent = '  └ ';

function wrapNote(note: string, limit: number | undefined): string[] {
  const width = limit === undefined ? undefined : Math.max(1, limit - noteIndent.length);
  const blank = ' '.repeat(noteIndent.length);
  return wrap(oneLine(note), width).map((line, index) => (index === 0 ? noteIndent : blank) + line);
}

/** What a proxy or a file says may hold newlines and terminal escapes; a cell holds neither. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}
