import assert from 'node:assert/strict';
import { fillDocument } from '../../../bench/into-document.ts';
import { summaryTable } from '../../../bench/summary.ts';

const marks = (name: string, content: string): string => `<!-- bench ${name} -->\n${content}\n<!-- /bench -->`;

describe("the bench's tables in a document", () => {
  it('replaces what is between the marks, and nothing else', () => {
    const before = `# A\n\n${marks('storm', 'old')}\n\ntext\n\n${marks('rule', 'kept')}\n`;
    const { document, unused } = fillDocument(
      before,
      new Map([
        ['storm', '| $& $1 |'],
        ['other', ''],
      ]),
    );
    assert.equal(document, `# A\n\n${marks('storm', '\n| $& $1 |\n')}\n\ntext\n\n${marks('rule', 'kept')}\n`);
    assert.deepEqual(unused, ['other']);
  });

  it('a second time changes nothing', () => {
    const tables = new Map([['storm', '| 1 |']]);
    const once = fillDocument(marks('storm', ''), tables).document;
    assert.equal(fillDocument(once, tables).document, once);
  });

  for (const document of [
    '<!-- bench a -->',
    '<!-- /bench -->',
    '<!-- bench a -->\n<!-- bench b -->\n<!-- /bench -->\n<!-- /bench -->',
  ])
    it(`refuses marks that do not pair up: ${JSON.stringify(document)}`, () =>
      assert.throws(() => fillDocument(document, new Map()), /do not pair up/));

  it('the summary sets both beside each other, and leaves out what was not measured', () => {
    const figures = {
      'delta, fairway: p50, ms': 20,
      'delta, peer: p50, ms': 100,
      'delta, fairway: last proxy p50, ms': 30,
    };
    const about = { about: '', loadBefore: 0, tookSeconds: 0 };
    assert.deepEqual(summaryTable({ results: { 'peer-endpoint': { ...about, figures } } }).rows, [
      ['endpoint change: p50 over proxies', '20.0 ms', '100 ms', '5.0 ×'],
      ['endpoint change: until the last proxy', '30.0 ms', '–', '–'],
    ]);
  });
});
