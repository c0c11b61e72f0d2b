import assert from 'node:assert/strict';
import { barChart, charts, latencyChart } from '../../../bench/chart.ts';
import { escapeXml, formatTick, linearTicks, logTicks } from '../../../bench/chart-frame.ts';
import { distribution } from '../../../bench/figures.ts';

const result = { about: '', loadBefore: 0, tookSeconds: 0 };

/** Every start tag has its end: as much XML as these charts have. */
function assertBalanced(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
    if (end === '/') assert.equal(open.pop(), name);
    else if (!(rest ?? '').endsWith('/')) open.push(name ?? '');
  }
  assert.deepEqual(open, []);
  assert.ok(!/&(?!amp;|lt;|gt;|quot;)/.test(svg));
  assert.ok(!svg.includes('NaN') && !svg.includes('Infinity') && !svg.includes('undefined'));
}

describe("the bench's charts", () => {
  it('axes are in round numbers and hold all values', () => {
    assert.deepEqual(linearTicks(3), [0, 1, 2, 3]);
    assert.deepEqual(linearTicks(51_234), [0, 20_000, 40_000, 60_000]);
    assert.deepEqual(linearTicks(0.3), [0, 0.1, 0.2, 0.3]);
    assert.deepEqual(linearTicks(0), [0, 1]);
    assert.deepEqual(logTicks(12, 300), [10, 20, 50, 100, 200, 500]);
    assert.deepEqual(logTicks(10, 10), [10, 15]);
    assert.deepEqual(logTicks(210, 390), [200, 250, 300, 400]);
    assert.equal(formatTick(20_000), '20,000');
    for (const max of [1, 7, 9.99, 123, 4500, 0.017]) {
      const ticks = linearTicks(max);
      assert.ok((ticks.at(-1) ?? 0) >= max && ticks.length <= 6, `${max}: ${ticks.join(' ')}`);
    }
  });

  it('names are text, whatever is in them', () => {
    assert.equal(escapeXml(`<a b="c">&\u0000`), '&lt;a b=&quot;c&quot;&gt;&amp;\ufffd');
    const svg = barChart('<b>', 'ms & s', ['x"', '</svg>'], [{ label: 'a<b', values: [1, 2] }]);
    assertBalanced(svg);
    assert.ok(svg.includes('a&lt;b') && svg.includes('&lt;/svg&gt;') && svg.includes('ms &amp; s'));
  });

  it('a bar is as long as its value, and a missing one is not drawn', () => {
    const svg = barChart(
      't',
      'ms',
      ['a', 'b'],
      [
        { label: 'x', values: [100, 50] },
        { label: 'y', values: [undefined, 25] },
      ],
    );
    assertBalanced(svg);
    const lengths = [...svg.matchAll(/<rect class="bar s\d" [^>]*width="([\d.]+)" height="12" rx="1.5"/g)].map(
      ([, width]) => Number(width),
    );
    assert.equal(lengths.length, 3);
    const [whole = 0, half = 0, quarter = 0] = lengths;
    assert.ok(Math.abs(whole / half - 2) < 0.01 && Math.abs(half / quarter - 2) < 0.02);
  });

  it('follows the page, light or dark', () => {
    assert.ok(barChart('t', 'ms', ['a'], [{ label: 'x', values: [1] }]).includes('prefers-color-scheme:dark'));
  });

  it('a line rises from the fastest to the slowest, as far as the samples go', () => {
    const samples = Array.from({ length: 100 }, (_, at) => at + 1);
    const svg = latencyChart('t', new Map([['a', distribution(samples)]]));
    assertBalanced(svg);
    const points =
      /points="([^"]+)"/
        .exec(svg)?.[1]
        ?.split(' ')
        .map((point) => point.split(',').map(Number)) ?? [];
    assert.ok(points.length > 10);
    for (const [at, [x = 0, y = 0]] of points.entries()) {
      const [beforeX = 0, beforeY = Infinity] = points[at - 1] ?? [];
      assert.ok(x >= beforeX && y <= beforeY);
    }
    // 100 samples say nothing beyond their 99th percentile.
    const [lastX = 0] = points.at(-1) ?? [];
    const p99 = /x="([\d.]+)"[^>]*>p99</.exec(svg)?.[1];
    assert.equal(lastX, Number(p99));
  });

  it('one chart for each unit with several bars, and one of the latencies', () => {
    const files = charts('storm', {
      ...result,
      figures: { 'a: p50, ms': 1, 'b: p50, ms': 2, 'a: pilot, CPU-%': 3, 'b: pilot, CPU-%': Number.NaN, rounds: 4 },
      latencies: { a: distribution([1, 2, 3]), nothing: distribution([]) },
    });
    assert.deepEqual([...files.keys()], ['storm-ms.svg', 'storm-latencies.svg']);
    for (const svg of files.values()) assertBalanced(svg);
  });

  it('a distribution has the nearest ranks', () => {
    const { count, ms } = distribution([5, 1, 4, 2, 3]);
    assert.equal(count, 5);
    assert.deepEqual([ms[0], ms[7], ms.at(-1)], [1, 3, 5]);
  });
});
