/**
 * Text cut at its documents holds the same documents as the text read whole. One thing is judged more kindly: a line of tabs alone before a
 * `---`, which the parser takes for indentation there and for nothing at a text's end.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDocuments } from '../../src/manifest/parse.ts';
import { splitDocuments } from '../../src/manifest/split.ts';

const line = fc.constantFrom(
  ...[
    '---',
    '--- ',
    '---\r',
    '---x',
    '--- a',
    '--- |',
    '--- "',
    '--- [',
    '...',
    '%YAML 1.2',
    '# c',
    '',
    ' ',
    '  - b',
    '- a',
    'a: 1',
  ],
  ...[
    'a: |',
    '  ---',
    'a: "x',
    'y"',
    "a: 'x",
    "'",
    'a: [1,',
    ']',
    '{',
    '}',
    'b: &x 1',
    'c: *x',
    '? k',
    ': v',
    '\t',
    'a: >+',
    '\uFEFF',
    'z',
  ],
);

type Outcome = { readonly values: readonly unknown[]; readonly broken: boolean };

function outcome(texts: readonly string[]): Outcome {
  const documents = texts.flatMap((text) => parseDocuments(text));
  const broken = documents.some(({ errors }) => errors.some(({ code }) => code !== 'TAB_AS_INDENT'));
  if (broken) return { values: [], broken };
  const values = documents.map((document) => {
    try {
      return document.toJS() as unknown;
    } catch (error) {
      return String(error);
    }
  });
  return { values, broken };
}

describe('documents cut apart', () => {
  it('are the documents of the whole', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 9 }), fc.constantFrom('\n', ''), (lines, last) => {
        const text = lines.join('\n') + last;
        const parts = splitDocuments(text);
        assert.equal(parts.map((part) => part.text).join(''), text);
        let before = '';
        for (const part of parts) {
          assert.equal(part.line, before.split('\n').length);
          before += part.text;
        }
        assert.deepEqual(outcome(parts.map((part) => part.text)), outcome([text]));
      }),
      { numRuns: 3000 },
    );
  });
});
