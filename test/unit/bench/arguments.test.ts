import assert from 'node:assert/strict';
import { parseBenchArguments, UsageError } from '../../../bench/arguments.ts';

const known = ['storm', 'idle'];
const beside = ['storm'];
const parse = (...words: readonly string[]): ReturnType<typeof parseBenchArguments> =>
  parseBenchArguments(words, known, beside);

describe("the bench's arguments", () => {
  it('nothing: all workloads in full size, for the terminal', () => {
    assert.deepEqual(parse(), { workloads: [], quick: false, markdown: false, from: [] });
  });

  it('everything that goes with a run', () => {
    assert.deepEqual(parse('storm', '--quick', '--markdown', '--json', 'o.json', '--charts', 'c', '--peer', '/p'), {
      workloads: ['storm'],
      quick: true,
      markdown: true,
      json: 'o.json',
      charts: 'c',
      peer: '/p',
      from: [],
    });
  });

  it('earlier runs, several', () => {
    const { from, charts } = parse('--from', 'a.json', '--from', 'b.json', '--charts', 'c');
    assert.deepEqual(from, ['a.json', 'b.json']);
    assert.equal(charts, 'c');
  });

  for (const [words, says] of [
    [['nap'], /there is no workload nap; there are: storm, idle/],
    [['idle', '--peer', '/p'], /no workload idle beside a peer; there are: storm/],
    [['--peer', ''], /--peer names nothing/],
    [['--json', ''], /--json names nothing/],
    [['--peer'], /--peer/],
    [['--fast'], /--fast/],
    [['--from', 'a.json', 'storm'], /--from shows earlier runs/],
    [['--from', 'a.json', '--quick'], /--from shows earlier runs/],
    [['--from', 'a.json', '--peer', '/p'], /--from shows earlier runs/],
  ] as const) {
    it(`refuses ${words.join(' ')}, and says how it is used`, () => {
      assert.throws(
        () => parse(...words),
        (error) => error instanceof UsageError && says.test(error.message) && error.message.includes('npm run bench'),
      );
    });
  }
});
