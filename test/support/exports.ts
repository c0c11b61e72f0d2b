/** Exported shards for tests of multi-cluster services. */

import type { ServiceExport, ServiceShard } from '../../src/model/service.ts';
import { testShard } from './shards.ts';

/** An export of 2026, made `second` seconds after its first. */
export function exportMs(second: number): number {
  return Date.UTC(2026, 0, 1, 0, 0, second);
}

export function testExport(second: number, fields: Partial<ServiceExport> = {}): ServiceExport {
  return {
    createdAtMs: exportMs(second),
    labels: {},
    annotations: {},
    sessionAffinity: 'None',
    ipFamilies: ['IPv4'],
    appProtocols: [],
    otherFamily: [],
    ...fields,
  };
}

/** `reviews` of shop with one endpoint, exported at `second`. */
export function exportedShard(
  cluster: string,
  second: number,
  fields: Partial<ServiceShard> = {},
  exported: Partial<ServiceExport> = {},
): ServiceShard {
  const number = Buffer.from(cluster).reduce((sum, byte) => (sum * 31 + byte) % 250, 7);
  return testShard(cluster, 'reviews', [`10.${number}.0.1`], { export: testExport(second, exported), ...fields });
}
