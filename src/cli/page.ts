/**
 * Pages for people, below one another: headings, fields, tables, findings. What always holds: no line is wider than the terminal; what does not
 * fit is wrapped, or left out as a whole column and named below its table.
 */

import stringWidth from 'string-width';
import { type Finding, formatWhere } from '../core/errors.ts';
import { type Column, oneLine, renderTable, wrap } from './table.ts';
import type { Terminal } from './terminal.ts';

const indent = '  ';

export interface PageTable<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly notes?: (row: Row) => readonly string[];
}

/** Writes to `out` as it goes. */
export class Page {
  readonly #terminal: Terminal;
  #isEmpty = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get paint(): Terminal['paint'] {
    return this.#terminal.paint;
  }

  /** With a blank line before it, unless it is the first. */
  heading(title: string): void {
    if (!this.#isEmpty) this.#terminal.out('\n');
    for (const line of wrap(oneLine(title), this.#width(0))) this.#put(this.paint('bold', line));
  }

  /** `label  value`, the values below one another; a value that does not fit goes on below itself. */
  fields(fields: readonly (readonly [label: string, value: string])[]): void {
    const widest = fields.reduce((most, [label]) => Math.max(most, stringWidth(label)), 0);
    for (const [label, value] of fields) {
      const lead = `${indent}${label}${' '.repeat(widest - stringWidth(label) + 2)}`;
      this.#hang(lead, value);
    }
  }

  /** One line with a lead in front; what does not fit goes on below its text. */
  line(text: string, lead = indent): void {
    this.#hang(lead, text);
  }

  table<Row>({ columns, rows, notes }: PageTable<Row>): void {
    const { text, hidden } = renderTable({
      columns,
      rows,
      width: this.#width(indent.length),
      wide: false,
      ...(notes === undefined ? {} : { notes }),
    });
    for (const line of text.trimEnd().split('\n')) this.#put(indent + line);
    if (hidden.length > 0) this.line(this.paint('dim', `(no room for ${hidden.toReversed().join(', ')}: see -o json)`));
  }

  finding(finding: Finding): void {
    const { code, severity, message, hint, where } = finding;
    const isError = severity === 'error';
    const place = formatWhere({
      ...(where.file === undefined ? {} : { file: where.file }),
      ...(where.line === undefined ? {} : { line: where.line }),
      ...(where.column === undefined ? {} : { column: where.column }),
      ...(where.field === undefined ? {} : { field: where.field }),
    });
    this.#hang(
      `${indent}${isError ? '×' : '‼'} `,
      `${code}${place === '' ? '' : ` ${place}`}`,
      isError ? 'red' : 'yellow',
    );
    this.#hang(indent.repeat(2), message);
    if (hint !== '') this.#hang(`${indent.repeat(2)}→ `, hint);
  }

  #hang(lead: string, text: string, colour?: 'red' | 'yellow'): void {
    const below = ' '.repeat(stringWidth(lead));
    const painted = colour === undefined ? lead : this.paint(colour, lead);
    wrap(oneLine(text), this.#width(below.length)).forEach((line, index) =>
      this.#put((index === 0 ? painted : below) + line),
    );
  }

  #width(taken: number): number | undefined {
    const { columns } = this.#terminal;
    return columns === undefined ? undefined : Math.max(10, columns - taken);
  }

  #put(line: string): void {
    this.#isEmpty = false;
    this.#terminal.out(`${line.trimEnd()}\n`);
  }
}
