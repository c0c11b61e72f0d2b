import assert from 'node:assert/strict';
import { readCodes } from '../../../scripts/errors/read-codes.ts';

function read(source: string): readonly string[] {
  return readCodes('x.ts', source)
    .filter((use) => use.message !== '')
    .map((use) => `${use.code} ${use.message} → ${use.hint}`);
}

describe('reading error codes', () => {
  it('finds tables, objects and calls, with what is filled in as …', () => {
    assert.deepEqual(read("const t = { 'FW-A-001': { title: 'Bad', cure: 'Mend it.' } };"), [
      'FW-A-001 Bad → Mend it.',
    ]);
    assert.deepEqual(read("throw new E({ code: 'FW-A-002', message: `no ${x} here`, where: {}, hint: 'Look' });"), [
      'FW-A-002 no … here → Look',
    ]);
    assert.deepEqual(read("fail(421, 'FW-A-003', 'the host is wrong', 'Call another one');"), [
      'FW-A-003 the host is wrong → Call another one',
    ]);
  });

  it('finds the calls of helpers, with and without a number', () => {
    const numbered =
      'function bad(n: 1 | 2, message: string, hint: string) { return { code: `FW-A-00${n}`, message, hint }; }';
    assert.deepEqual(read(`${numbered} bad(2, 'two is wrong', 'Say one');`), ['FW-A-002 two is wrong → Say one']);
    const fixed =
      "function bad(file: string, message: string, hint: string) { return make({ code: 'FW-A-007', message, hint }); }";
    assert.ok(read(`${fixed} bad(f, 'seven is wrong', 'Say six');`).includes('FW-A-007 seven is wrong → Say six'));
  });

  it('finds a code without words too, so that none is missing from the list', () => {
    assert.deepEqual(
      readCodes('x.ts', "type C = 'FW-A-001'; if (code === 'FW-A-002') stop();").map((use) => use.code),
      ['FW-A-001', 'FW-A-002'],
    );
  });
});
