import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge } from '../../../bench/peer-run.ts';
import {
  failures,
  markdownReport,
  readReports,
  terminalLines,
  writeCharts,
  writeInto,
  writeJson,
} from '../../../bench/report.ts';
import type { Report } from '../../../bench/workload.ts';

const result = { about: 'a storm', loadBefore: 0.5, tookSeconds: 2 };
const report = (machine: string, results: Report['results']): Report => ({ machine, quick: false, results });

describe("the bench's reports", () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-bench-test-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string): string => join(dir, name);

  it('what is written is read again; a figure that was not to be had is left out', () => {
    writeJson(file('a.json'), report('m', { storm: { ...result, figures: { 'p50, ms': 1, 'p99, ms': Number.NaN } } }));
    assert.deepEqual(readReports([file('a.json')]), report('m', { storm: { ...result, figures: { 'p50, ms': 1 } } }));
  });

  it('several are put together; the last word on a workload counts', () => {
    writeJson(file('1.json'), report('m', { storm: result, rule: { ...result, problem: 'void' } }));
    writeJson(file('2.json'), report('n', { rule: result }));
    const all = readReports([file('1.json'), file('2.json')]);
    assert.equal(all.machine, 'm; n');
    assert.deepEqual(Object.keys(all.results), ['storm', 'rule']);
    assert.deepEqual(failures(all), []);
  });

  it('another file is refused by name', () => {
    writeFileSync(file('other.json'), '{"results": []}');
    assert.throws(() => readReports([file('other.json')]), /other\.json holds no results of the bench/);
  });

  it('a void run is said on the terminal and in Markdown, and counts as failed', () => {
    const storm = { ...result, problem: 'the run is void', notes: ['as set up'] };
    assert.deepEqual(terminalLines('storm', storm), ['\nstorm: a storm', '  as set up', '  the run is void']);
    const all = report('m', { storm });
    assert.match(markdownReport(all), /^On m\.\n\n### `storm`[^]*void/);
    assert.deepEqual(failures(all), ['storm']);
  });

  it('a document gets the tables that it has marks for, and says which it has none for', () => {
    const marks = (name: string): string => `<!-- bench ${name} -->\n<!-- /bench -->\n`;
    writeFileSync(file('doc.md'), `${marks('all')}${marks('rule')}`);
    const figures = { 'p50, ms': 1 };
    const results = { storm: { ...result, figures }, rule: { ...result, figures }, 'peer-rule': result };
    assert.deepEqual(writeInto(file('doc.md'), report('m', results)), ['peer-rule']);
    const document = readFileSync(file('doc.md'), 'utf8');
    assert.match(document, /### `storm`[^]*### `rule`[^]*<!-- bench rule -->\n\n\| {2}\| {2}\|/);
    assert.ok(!document.includes('### `peer-rule`'));
  });

  it('charts are files of their own', () => {
    const figures = { 'a: p50, ms': 1, 'b: p50, ms': 2 };
    writeCharts(file('charts'), report('m', { storm: { ...result, figures } }));
    assert.deepEqual(readdirSync(file('charts')), ['storm-ms.svg']);
    assert.match(readFileSync(file('charts/storm-ms.svg'), 'utf8'), /^<svg /);
  });
});

describe('a run beside a peer', () => {
  const told = (states: readonly (readonly [string, number])[], ended = 0) => ({
    states: new Map(states),
    ended,
    lastEnd: ended > 0 ? 'reset' : '',
  });

  it('counts when all proxies hold one state', () => {
    assert.deepEqual(judge([told([['a', 2]]), told([['a', 3]])], { proxies: 5 }), { state: 'a', problem: '' });
  });

  it('counts with lost streams where they are a figure of their own', () => {
    assert.equal(judge([told([['a', 5]], 1)], { proxies: 5, mayLoseStreams: true }).problem, '');
  });

  for (const [name, reports, says] of [
    ['two states', [told([['a', 2]]), told([['b', 3]])], /2 different states/],
    ['a missing proxy', [told([['a', 4]])], /4 proxies told their state, not 5/],
    ['a lost stream', [told([['a', 5]], 1)], /1 streams ended; the last: reset/],
  ] as const)
    it(`is void with ${name}`, () => assert.match(judge(reports, { proxies: 5 }).problem, says));
});
