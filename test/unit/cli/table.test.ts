import assert from 'node:assert/strict';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { type Column, oneLine, renderTable, truncate, wrap } from '../../../src/cli/table.ts';

interface Row {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: (row) => row.name, shrinkTo: 6 },
  { title: 'STATE', cell: (row) => row.state },
  { title: 'DETAIL', cell: (row) => row.detail, dropOrder: 1, shrinkTo: 8 },
  { title: 'EXTRA', cell: () => 'x', dropOrder: 2 },
  { title: 'UID', cell: () => 'u-1', priority: 1 },
];

const rows: readonly Row[] = [
  { name: 'reviews', state: 'ready', detail: 'a rather long detail' },
  { name: 'a-service-with-a-long-name', state: 'STALE', detail: '' },
];

describe('cli tables', () => {
  it('aligns columns and leaves priority 1 to wide', () => {
    const { text, hidden } = renderTable({ columns, rows, width: undefined, wide: false });
    assert.equal(
      text,
      [
        'NAME                        STATE  DETAIL                EXTRA',
        'reviews                     ready  a rather long detail  x',
        'a-service-with-a-long-name  STALE                        x',
        '',
      ].join('\n'),
    );
    assert.deepEqual(hidden, []);
    assert.match(renderTable({ columns, rows, width: 20, wide: true }).text, /UID/);
  });

  it('drops the least important columns first, and says which', () => {
    const { text, hidden } = renderTable({ columns, rows, width: 20, wide: false });
    assert.deepEqual(hidden, ['EXTRA', 'DETAIL']);
    assert.equal(text, ['NAME           STATE', 'reviews        ready', 'a-service-wi…  STALE', ''].join('\n'));
  });

  it('cuts cells before it drops a column that would fit', () => {
    const { text, hidden } = renderTable({ columns, rows, width: 40, wide: false });
    assert.deepEqual(hidden, []);
    assert.match(text, /a rather lo… /);
  });

  it('wraps notes under their row', () => {
    const notes = (row: Row): string[] => (row.state === 'STALE' ? ['it does not answer since a while'] : []);
    const { text } = renderTable({ columns: columns.slice(0, 2), rows, width: 24, wide: false, notes });
    assert.match(text, / {2}└ it does not answer\n {4}since a while\n$/);
  });

  it('never prints a line wider than the page, whatever the cells hold', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('日本語のサービス', '👩‍👩‍👧', 'a\nb\tc', ''),
    );
    const anyRow = fc.record({ name: cell, state: fc.constantFrom('ready', 'STALE'), detail: cell });
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 5 }), fc.integer({ min: 24, max: 120 }), (some, width) => {
        const { text } = renderTable({ columns, rows: some, width, wide: false, notes: (row) => [row.detail] });
        for (const line of text.split('\n')) assert.ok(stringWidth(line) <= width, JSON.stringify(line));
      }),
    );
  });

  it('cuts at grapheme borders and keeps to the width', () => {
    assert.equal(truncate('abcdef', 6), 'abcdef');
    assert.equal(truncate('abcdef', 4), 'abc…');
    assert.equal(truncate('日本語', 5), '日本…');
    assert.equal(truncate('日本語', 4), '日…');
    assert.equal(truncate('abc', 0), '');
  });

  it('wraps at spaces, and breaks a word that no line holds', () => {
    assert.deepEqual(wrap('one two three', 8), ['one two', 'three']);
    assert.deepEqual(wrap('abcdefghij kl', 4), ['abcd', 'efgh', 'ij', 'kl']);
    assert.deepEqual(wrap('as it is', undefined), ['as it is']);
  });

  it('takes line breaks and terminal escapes out of what others wrote', () => {
    assert.equal(oneLine('a\u001b[31mred\u0007\r\nb'), 'a[31mred b');
  });
});
