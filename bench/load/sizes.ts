/** How large the workloads with many proxies are. */

import type { LoadOptions } from './load-run.ts';

type Sizes = Pick<LoadOptions, 'mesh' | 'proxies' | 'clientProcesses'>;

const full: Sizes = { mesh: { services: 1000, endpoints: 10 }, proxies: 1000, clientProcesses: 2 };
const small: Sizes = { mesh: { services: 200, endpoints: 10 }, proxies: 100, clientProcesses: 1 };

export function sizes(quick: boolean): Sizes {
  return quick ? small : full;
}

export const transports = ['delta', 'sotw'] as const;
