/**
 * What every chart has in common: an SVG that names itself, colours that follow the reader's light or dark page, a legend, and round numbers
 * for an axis.
 */

/** Of the n-th series, on light pages and on dark ones; told apart also in grey by their order in the legend. */
const colours = [
  ['#1f6fb2', '#6cb6f5'],
  ['#d1690e', '#f5a55a'],
  ['#2a8c55', '#66d08f'],
  ['#8a4fbf', '#c79bf2'],
  ['#b83245', '#f2808f'],
  ['#6b7280', '#a8b0bb'],
  ['#0e7f8a', '#5cc9d4'],
  ['#8a6d1f', '#d9bd62'],
] as const;

export const fontPx = 13;
const legendRowHeight = 24;

/** An upper bound, good enough for layout: nothing measures text here. */
export function textWidth(text: string): number {
  return text.length * fontPx * 0.58;
}

export function seriesClass(at: number): string {
  return `s${at % colours.length}`;
}

export function svg(title: string, width: number, height: number, body: readonly string[]): string {
  const rules = (dark: 0 | 1): string =>
    colours.map((pair, at) => `.s${at}{--c:${pair[dark]}}`).join('') +
    (dark === 0
      ? '.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#818b98}'
      : '.ink{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}.axis{stroke:#818b98}');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}" role="img" font-family="system-ui, sans-serif" font-size="${fontPx}">
  <title>${escapeXml(title)}</title>
  <style>${rules(0)}.bar{fill:var(--c)}.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}@media (prefers-color-scheme:dark){${rules(1)}}</style>
${body.map((line) => `  ${line}`).join('\n')}
</svg>
`;
}

export function text(
  x: number,
  y: number,
  content: string,
  { role = 'ink', anchor = 'start', isBold = false }: TextStyle = {},
): string {
  const weight = isBold ? ' font-weight="600"' : '';
  return `<text class="${role}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${weight}>${escapeXml(content)}</text>`;
}

interface TextStyle {
  readonly role?: 'ink' | 'soft';
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly isBold?: boolean;
}

export function line(role: 'grid' | 'axis', x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${role}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

export interface Legend {
  readonly height: number;
  draw(x: number, y: number): readonly string[];
}

/** Names beside their colours, in as many rows as `width` needs; nothing for a single series without a name. */
export function legend(series: readonly string[], width: number): Legend {
  if (series.length < 2 && (series[0] ?? '') === '') return { height: 0, draw: () => [] };
  let row = 0;
  let end = 0;
  const places = series.map((name, at) => {
    const wide = 36 + textWidth(name);
    if (end > 0 && end + wide > width) {
      row += 1;
      end = 0;
    }
    const place = { name, at, dx: end, dy: row * legendRowHeight };
    end += wide;
    return place;
  });
  return {
    height: (row + 1) * legendRowHeight,
    draw: (x, y) =>
      places.flatMap(({ name, at, dx, dy }) => [
        `<rect class="bar ${seriesClass(at)}" x="${round(x + dx)}" y="${round(y + dy - 10)}" width="12" height="12" rx="2"/>`,
        text(x + dx + 18, y + dy, name),
      ]),
  };
}

/** Round numbers from 0 to at least `max`, about four of them beside 0. */
export function linearTicks(max: number): readonly number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const magnitude = 10 ** Math.floor(Math.log10(max / 4));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((one) => max / one <= 4.5) ?? max;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** 1, 2 and 5 of each power of ten (or, where that is few, more), from at most `min` to at least `max`; both above 0. */
export function logTicks(min: number, max: number): readonly number[] {
  const coarse = logTicksOf([1, 2, 5], min, max);
  return coarse.length > 3 ? coarse : logTicksOf([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8], min, max);
}

function logTicksOf(factors: readonly number[], min: number, max: number): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); ticks.at(-1) === undefined || (ticks.at(-1) ?? 0) < max; power++)
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)));
  const first = ticks.findLastIndex((tick) => tick <= min);
  const last = ticks.findIndex((tick) => tick >= max);
  const chosen = ticks.slice(Math.max(0, first), last + 1);
  return chosen.length > 1 ? chosen : ticks.slice(Math.max(0, first), last + 2);
}

/** Without needless digits: 0.5, 20, 1,000. */
export function formatTick(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 3 });
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escapeXml(content: string): string {
  return (
    content
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // What XML 1.0 cannot hold at all.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  );
}
