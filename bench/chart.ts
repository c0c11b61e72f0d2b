/** Figures as SVG: horizontal bars, one chart per workload and unit. Readable on light and dark pages. */

export interface Bar {
  readonly label: string;
  readonly value: number;
}

const barHeight = 18;
const rowHeight = 26;
const labelWidth = 330;
const barWidth = 360;
const width = labelWidth + barWidth + 90;

export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const max = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const height = 44 + bars.length * rowHeight;
  const rows = bars.map(({ label, value }, at) => {
    const y = 36 + at * rowHeight;
    const length = Math.max(1, (value / max) * barWidth);
    const text = y + barHeight - 5;
    return `  <text x="${labelWidth - 8}" y="${text}" text-anchor="end">${escape(label)}</text>
  <rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2" fill="#2f7fb8"/>
  <text x="${labelWidth + length + 6}" y="${text}">${formatFigure(value)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#7a8794">
  <text x="${labelWidth}" y="20" font-weight="600">${escape(title)}, ${escape(unit)}</text>
${rows.join('\n')}
</svg>
`;
}

/** One chart for each unit that occurs; the unit is what follows the last comma of a figure's name. */
export function charts(workload: string, figures: Readonly<Record<string, number>>): ReadonlyMap<string, string> {
  const byUnit = new Map<string, Bar[]>();
  for (const [name, value] of Object.entries(figures)) {
    const comma = name.lastIndexOf(', ');
    const unit = comma < 0 ? 'count' : name.slice(comma + 2);
    const bars = byUnit.get(unit) ?? [];
    byUnit.set(unit, bars);
    bars.push({ label: comma < 0 ? name : name.slice(0, comma), value });
  }
  return new Map(
    [...byUnit].map(([unit, bars]) => {
      const file = unit
        .toLowerCase()
        .replaceAll('%', 'percent')
        .replaceAll(/[^a-z]+/g, '-');
      return [`${workload}-${file}.svg`, barChart(workload, unit, bars)];
    }),
  );
}

export function formatFigure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value !== 0 && Math.abs(value) < 1 ? 2 : 1);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
