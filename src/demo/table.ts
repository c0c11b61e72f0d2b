/** Where requests go, drawn: one line per place, with a bar for plain requests and one for the beta group. */

import type { Tally } from './traffic.ts';

export interface Paint {
  (text: string, style: 'bold' | 'dim' | 'green' | 'red' | 'cyan'): string;
}

const codes = { bold: 1, dim: 2, green: 32, red: 31, cyan: 36 } as const;

export function paint(colour: boolean): Paint {
  return (text, style) => (colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}

/** `columns` wide at most; the bars take what the words leave. */
export function drawTable(
  places: readonly string[],
  plain: Tally,
  beta: Tally,
  columns: number,
  draw: Paint,
): string[] {
  const rows = [...new Set([...places, ...plain.places.keys(), ...beta.places.keys()])].sort();
  const nameWidth = Math.max(8, ...rows.map((row) => row.length));
  const barWidth = Math.max(6, Math.min(30, Math.floor((columns - nameWidth - 18) / 2)));
  const cell = (tally: Tally, row: string): string => {
    const share = tally.total === 0 ? 0 : (tally.places.get(row) ?? 0) / tally.total;
    const filled = Math.round(share * barWidth);
    return `${draw('█'.repeat(filled), 'cyan')}${draw('·'.repeat(barWidth - filled), 'dim')} ${`${Math.round(share * 100)}`.padStart(3)} %`;
  };
  const head = `  ${'version'.padEnd(nameWidth)}  ${'plain requests'.padEnd(barWidth + 6)}  x-group: beta`;
  const failures = [...plain.failures, ...beta.failures].map(([reason, count]) =>
    draw(`  ${count} failed: ${reason}`, 'red'),
  );
  return [
    draw(head.slice(0, columns), 'dim'),
    ...rows.map((row) => `  ${row.padEnd(nameWidth)}  ${cell(plain, row)}  ${cell(beta, row)}`),
    ...failures,
  ];
}

/** Lines of at most `columns` characters, broken between words. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > columns && line !== '') {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
