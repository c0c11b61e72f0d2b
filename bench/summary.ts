/** The short table at the top of docs/performance.md: chosen figures of several workloads, Fairway's beside the peer's. */

import { formatFigure, type Table } from './table.ts';
import type { Report } from './workload.ts';

interface Line {
  readonly what: string;
  readonly workload: string;
  /** The figure's name. */
  readonly fairway: string;
  /** Of the same workload; left out where the peer is not measured. */
  readonly peer?: string;
  readonly unit: string;
}

const beside = (what: string, workload: string, figure: string, unit: string): Line => ({
  what,
  workload,
  unit,
  fairway: `delta, fairway: ${figure}, ${unit}`,
  peer: `delta, peer: ${figure}, ${unit}`,
});

const lines: readonly Line[] = [
  beside('storm: until the last proxy holds everything', 'peer-storm', 'last proxy', 'ms'),
  beside('storm: CPU of the control plane', 'peer-storm', 'control plane', 'CPU-s'),
  beside('storm: resident memory after', 'peer-storm', 'resident after', 'MB'),
  beside('endpoint change: p50 over proxies', 'peer-endpoint', 'p50', 'ms'),
  beside('endpoint change: until the last proxy', 'peer-endpoint', 'last proxy p50', 'ms'),
  beside('endpoint change: CPU of the control plane', 'peer-endpoint', 'control plane per change', 'CPU-ms'),
  beside('rule change: p50 over proxies', 'peer-rule', 'p50', 'ms'),
  beside('rule change: until the last proxy', 'peer-rule', 'last proxy p50', 'ms'),
  beside('rule change: CPU of the control plane', 'peer-rule', 'control plane per change', 'CPU-ms'),
  beside('rule change: bytes to each proxy', 'peer-rule', 'to each proxy per change', 'kB'),
];

/** Lines whose figures the report has none of are left out. */
export function summaryTable({ results }: Pick<Report, 'results'>): Table {
  const value = (workload: string, figure: string | undefined): number =>
    results[workload]?.figures?.[figure ?? ''] ?? Number.NaN;
  const show = (number: number, unit: string): string =>
    Number.isFinite(number) ? `${formatFigure(number)} ${unit}` : '–';
  const rows = lines.flatMap(({ what, workload, fairway, peer, unit }) => {
    const own = value(workload, fairway);
    const other = value(workload, peer);
    if (Number.isNaN(own) && Number.isNaN(other)) return [];
    return [[what, show(own, unit), show(other, unit), show(other / own, '×')]];
  });
  return { columns: ['over delta', 'Fairway', 'peer', 'times'], rows };
}
