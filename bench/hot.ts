/**
 * Workload `hot`: one service with thousands of endpoints, of which one changes; then, once every proxy has it, the next. Over EDS an assignment
 * is one resource, so every proxy is sent all of its endpoints anew: what is measured is mostly bytes.
 */

import { measureChanges } from './change.ts';
import type { Workload } from './workload.ts';

export const hot: Workload = {
  name: 'hot',
  about: 'one service with 5,000 endpoints, one of which changes, until every proxy has it',
  async run({ quick, latencies }) {
    return measureChanges(
      'endpoint',
      {
        mesh: { services: 1, endpoints: quick ? 1000 : 5000 },
        proxies: quick ? 50 : 1000,
        clientProcesses: quick ? 1 : 2,
        transport: 'delta',
      },
      quick ? 5 : 20,
      (ms) => latencies('delta', ms),
    );
  },
};
