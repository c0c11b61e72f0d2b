/**
 * A workload's figures as SVG charts: bars for each unit that occurs (series side by side), and one chart of how latencies are spread. In:
 * results; out: texts of files by name. What cannot be drawn (no number) is left out of the charts; it stands in the table.
 */

import {
  escapeXml,
  fontPx,
  formatTick,
  legend,
  line,
  linearTicks,
  logTicks,
  round,
  seriesClass,
  svg,
  text,
  textWidth,
} from './chart-frame.ts';
import { type Distribution, distributionPercents } from './figures.ts';
import { formatFigure, splitFigureName } from './table.ts';
import type { Result } from './workload.ts';

export interface BarGroup {
  readonly label: string;
  /** One for each series; undefined where it has none. */
  readonly values: readonly (number | undefined)[];
}

const barHeight = 14;
const plotWidth = 420;
const top = 40;
const axisHeight = 44;

/** Horizontal bars from 0, grouped by label; every series has its colour. */
export function barChart(title: string, unit: string, series: readonly string[], groups: readonly BarGroup[]): string {
  const max = Math.max(...groups.flatMap(({ values }) => values.filter((value) => value !== undefined)), 0);
  const ticks = linearTicks(max);
  const scale = plotWidth / (ticks.at(-1) ?? 1);
  const left = 16 + Math.max(...groups.map(({ label }) => textWidth(label)), 60);
  const names = legend(series, left + plotWidth);
  const begins = top + names.height;
  const groupHeight = barHeight * series.length + 10;
  const bottom = begins + groups.length * groupHeight;
  const bars = groups.flatMap(({ label, values }, group) => {
    const from = begins + group * groupHeight + 5;
    const middle = from + (barHeight * series.length) / 2;
    return [
      text(left - 8, middle + fontPx * 0.35, label, { anchor: 'end' }),
      ...values.flatMap((value, at) => {
        if (value === undefined) return [];
        const y = from + at * barHeight;
        const length = Math.max(1, value * scale);
        return [
          `<rect class="bar ${seriesClass(at)}" x="${round(left)}" y="${round(y + 1)}" width="${round(length)}" height="${barHeight - 2}" rx="1.5"/>`,
          text(left + length + 5, y + barHeight - 3, formatFigure(value), { role: 'soft' }),
        ];
      }),
    ];
  });
  const grid = ticks.flatMap((tick) => [
    line('grid', left + tick * scale, begins, left + tick * scale, bottom),
    text(left + tick * scale, bottom + 17, formatTick(tick), { role: 'soft', anchor: 'middle' }),
  ]);
  return svg(`${title}: ${unit}`, left + plotWidth + 70, bottom + axisHeight, [
    text(16, 22, `${title}: ${unit}`, { isBold: true }),
    ...names.draw(16, top + 6),
    ...grid,
    line('axis', left, begins, left, bottom),
    ...bars,
    text(left + plotWidth / 2, bottom + 36, unit, { role: 'soft', anchor: 'middle' }),
  ]);
}

const percentTicks = [0, 50, 90, 99, 99.9] as const;
const plotHeight = 260;

/**
 * Lines over percentiles, the slow end drawn wide as in an HDR histogram; latencies on a logarithmic axis. What a point says: so many per
 * cent of the samples took at most so long.
 */
export function latencyChart(title: string, series: ReadonlyMap<string, Distribution>): string {
  const lines = [...series].map(([name, { count, ms }]) => ({ name, points: pointsOf(count, ms) }));
  const values = lines.flatMap(({ points }) => points.map(([, ms]) => ms));
  const ticks = logTicks(Math.min(...values), Math.max(...values));
  const [lowest = 1, highest = 10] = [ticks[0], ticks.at(-1)];
  const left = 74;
  const names = legend([...series.keys()], left + plotWidth);
  const begins = top + names.height;
  const bottom = begins + plotHeight;
  const slowest = Math.max(...lines.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const lastPercent = percentTicks.find((percent) => percent >= slowest) ?? 99.9;
  const x = (percent: number): number => left + Math.min(1, nines(percent) / nines(lastPercent)) * plotWidth;
  const y = (ms: number): number => bottom - (Math.log(ms / lowest) / Math.log(highest / lowest)) * plotHeight;
  return svg(title, left + plotWidth + 40, bottom + axisHeight, [
    text(16, 22, title, { isBold: true }),
    ...names.draw(16, top + 6),
    ...ticks.flatMap((tick) => [
      line('grid', left, y(tick), left + plotWidth, y(tick)),
      text(left - 6, y(tick) + 4, formatTick(tick), { role: 'soft', anchor: 'end' }),
    ]),
    ...percentTicks.flatMap((percent) =>
      percent > lastPercent
        ? []
        : [
            line('grid', x(percent), begins, x(percent), bottom),
            text(x(percent), bottom + 17, `p${percent}`, { role: 'soft', anchor: 'middle' }),
          ],
    ),
    `<text class="soft" transform="translate(20 ${round((begins + bottom) / 2)}) rotate(-90)" text-anchor="middle">ms</text>`,
    line('axis', left, begins, left, bottom),
    line('axis', left, bottom, left + plotWidth, bottom),
    ...lines.map(({ name, points }, at) => {
      const path = points.map(([percent, ms]) => `${round(x(percent))},${round(y(ms))}`).join(' ');
      return `<polyline class="line ${seriesClass(at)}" points="${path}"><title>${escapeXml(name)}</title></polyline>`;
    }),
    text(left + plotWidth / 2, bottom + 36, 'so many per cent took at most so long', {
      role: 'soft',
      anchor: 'middle',
    }),
  ]);
}

/** All charts of a workload: their texts by file name. */
export function charts(workload: string, { figures = {}, latencies = {} }: Result): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [unit, { series, groups }] of byUnit(figures)) {
    // A single bar says no more than its figure.
    if (series.length * groups.length < 2) continue;
    const name = unit === '' ? 'count' : unit;
    files.set(`${workload}-${fileName(name)}.svg`, barChart(workload, name, series, groups));
  }
  const spread = new Map(Object.entries(latencies).filter(([, { count, ms }]) => pointsOf(count, ms).length > 0));
  if (spread.size > 0)
    files.set(`${workload}-latencies.svg`, latencyChart(`${workload}: latencies by percentile`, spread));
  return files;
}

/** From few samples, a percentile beyond 1/n says no more than the largest; drawing ends there. */
function pointsOf(count: number, ms: readonly number[]): readonly (readonly [number, number])[] {
  const finest = 100 - 100 / Math.max(1, count);
  return distributionPercents
    .map((percent, at) => [percent === 100 ? finest : percent, ms[at] ?? Number.NaN] as const)
    .filter(([percent, value]) => percent <= finest && Number.isFinite(value) && value > 0)
    .sort(([a], [b]) => a - b);
}

function nines(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

function byUnit(
  figures: Readonly<Record<string, number>>,
): ReadonlyMap<string, { readonly series: readonly string[]; readonly groups: readonly BarGroup[] }> {
  const units = new Map<string, { series: string[]; rows: Map<string, Map<string, number>> }>();
  for (const [name, value] of Object.entries(figures)) {
    if (!Number.isFinite(value)) continue;
    const { series, what, unit } = splitFigureName(name);
    const entry = units.get(unit) ?? { series: [], rows: new Map<string, Map<string, number>>() };
    units.set(unit, entry);
    if (!entry.series.includes(series)) entry.series.push(series);
    const row = entry.rows.get(what) ?? new Map<string, number>();
    entry.rows.set(what, row);
    row.set(series, value);
  }
  return new Map(
    [...units].map(([unit, { series, rows }]) => {
      const groups = [...rows].map(([label, values]) => ({ label, values: series.map((name) => values.get(name)) }));
      return [unit, { series, groups }];
    }),
  );
}

function fileName(unit: string): string {
  const plain = unit.toLowerCase().replaceAll('%', 'percent');
  return plain.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'count';
}
