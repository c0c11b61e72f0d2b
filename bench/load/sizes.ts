/** How large the workloads with many proxies are, and which kinds of clients they are measured with. */

import type { LoadOptions } from './load-run.ts';

type Sizes = Pick<LoadOptions, 'mesh' | 'proxies' | 'clientProcesses'>;

const full: Sizes = { mesh: { services: 1000, endpoints: 10 }, proxies: 1000, clientProcesses: 2 };
const small: Sizes = { mesh: { services: 200, endpoints: 10 }, proxies: 100, clientProcesses: 1 };

export function sizes(quick: boolean): Sizes {
  return quick ? small : full;
}

/** A series of figures: proxies of one kind. */
export interface Series extends Pick<LoadOptions, 'transport' | 'shape' | 'uses' | 'accessLog'> {
  readonly name: string;
}

const tables: Series = { name: 'delta', transport: 'delta' };
const vhds: Series = { name: 'delta, VHDS', transport: 'delta', shape: 'vhds' };
const onDemand: Series = { name: 'on-demand', transport: 'delta', shape: 'on-demand', uses: 20 };
const quiet: Series = { ...onDemand, name: 'on-demand, no log', accessLog: false };
const sotw: Series = { name: 'sotw', transport: 'sotw' };

/** By workload. Whole route tables where nothing else is said; the first is the one to compare with others. */
export const series = {
  storm: [tables, vhds, onDemand, quiet, sotw],
  eachKind: [tables, vhds, onDemand, sotw],
  endpoint: [tables, vhds, sotw],
  rule: [vhds, tables, sotw],
  restart: [tables, vhds, onDemand, sotw],
} as const;
