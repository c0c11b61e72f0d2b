import assert from 'node:assert/strict';
import {
  figureTable,
  formatFigure,
  markdownSection,
  markdownTable,
  plainTable,
  splitFigureName,
} from '../../../bench/table.ts';

describe("the bench's tables", () => {
  it('a name falls into series, what and unit', () => {
    assert.deepEqual(splitFigureName('delta, VHDS: last proxy, ms'), {
      series: 'delta, VHDS',
      what: 'last proxy',
      unit: 'ms',
    });
    assert.deepEqual(splitFigureName('start to ready, ms'), { series: '', what: 'start to ready', unit: 'ms' });
    assert.deepEqual(splitFigureName('rounds'), { series: '', what: 'rounds', unit: '' });
  });

  it('series are columns; what one of them lacks is a dash', () => {
    assert.deepEqual(figureTable({ 'a: p50, ms': 3, 'a: p99, ms': 1234.5, 'b: p50, ms': 0.257 }), {
      columns: ['', 'a', 'b'],
      rows: [
        ['p50, ms', '3.0', '0.26'],
        ['p99, ms', '1,235', '–'],
      ],
    });
  });

  it("a peer's figures are told as a multiple; what cannot be divided is a dash", () => {
    const { columns, rows } = figureTable({
      'delta, fairway: p50, ms': 20,
      'delta, fairway: CPU, s': 0,
      'delta, peer: p50, ms': 50,
      'delta, peer: CPU, s': 4,
      'delta, peer: other, s': 1,
    });
    assert.deepEqual(columns, ['', 'delta, fairway', 'delta, peer', 'times']);
    assert.deepEqual(rows, [
      ['p50, ms', '20.0', '50.0', '2.5 ×'],
      ['CPU, s', '0.0', '4.0', '–'],
      ['other, s', '–', '1.0', '–'],
    ]);
  });

  it('a peer without Fairway beside it has no multiples', () => {
    assert.deepEqual(figureTable({ 'delta, peer: p50, ms': 50 }).columns, ['', 'delta, peer']);
  });

  it('plain columns are aligned', () => {
    assert.equal(
      plainTable({
        columns: ['', 'a'],
        rows: [
          ['long name', '1'],
          ['x', '1000'],
        ],
      }),
      ['                a', '  long name     1', '  x          1000'].join('\n'),
    );
  });

  it('without series there is no head line', () => {
    assert.equal(plainTable(figureTable({ 'p50, ms': 1 })), '  p50, ms  1.0');
  });

  it('Markdown keeps what a cell says from ending the cell or becoming markup', () => {
    assert.equal(
      markdownTable({ columns: ['', 'a|b'], rows: [['x\\|\n<script>', '1']] }),
      ['|  | a\\|b |', '|---|---:|', '| x\\\\\\| &lt;script> | 1 |'].join('\n'),
    );
  });

  it('a section has the table, the settings, and why it is void', () => {
    const section = markdownSection('storm', {
      about: 'all at *once*',
      loadBefore: 1,
      tookSeconds: 1,
      figures: { 'p50, ms': 1 },
      notes: ['A_B=1'],
      problem: 'two <states>',
    });
    assert.equal(
      section,
      '### `storm`\n\nAll at \\*once\\*.\n\n|  |  |\n|---|---:|\n| p50, ms | 1.0 |\n\n- A\\_B=1\n- took 1 s; load of the machine before: 1.0\n\n**Failed or void:** two \\<states\\>',
    );
  });

  it('figures keep the digits that say something', () => {
    assert.deepEqual([0, 0.123, 1.26, 99.94, 123.4, -5].map(formatFigure), [
      '0.0',
      '0.12',
      '1.3',
      '99.9',
      '123',
      '-5.0',
    ]);
  });
});
