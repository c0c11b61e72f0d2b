/** How busy the process is. */

import { performance } from 'node:perf_hooks';

/** How long the event loop has not been idle since the process began, ms: time in which the process waited for a core counts. */
export function eventLoopBusyMs(): number {
  return performance.eventLoopUtilization().active;
}
