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

  it('finds log lines, with the cure among their fields', () => {
    assert.deepEqual(read("log.warn('the disk is full', { code: 'FW-A-008', file, hint: 'Empty it.' });"), [
      'FW-A-008 the disk is full → Empty it.',
    ]);
  });

  it('finds what stands in a constant of the file, and the calls of helpers that are constants', () => {
    const hint = "const cure = 'Mend it.';";
    assert.deepEqual(read(`${hint} fail({ code: 'FW-A-009', message: 'bad', hint: cure });`), [
      'FW-A-009 bad → Mend it.',
    ]);
    const local =
      "function f() { const bad = (message: string, hint: string) => add({ code: 'FW-A-010', message, hint }); bad('it is bad', 'Mend it'); }";
    assert.ok(read(local).includes('FW-A-010 it is bad → Mend it'));
  });

  it('finds the cures of helpers that make the words themselves', () => {
    const source =
      "function bad(flag: string, hint: string) { return { code: 'FW-A-011', message: `${flag} is bad`, hint }; }";
    const uses = readCodes('x.ts', `${source} bad('--x', 'Give a number');`);
    assert.deepEqual(
      uses.map(({ message, hint: cure }) => [message, cure]),
      [
        ['… is bad', '…'],
        ['', 'Give a number'],
      ],
    );
  });

  it('finds a code without words too, so that none is missing from the list', () => {
    assert.deepEqual(
      readCodes('x.ts', "type C = 'FW-A-001'; if (code === 'FW-A-002') stop();").map((use) => use.code),
      ['FW-A-001', 'FW-A-002'],
    );
  });
});
