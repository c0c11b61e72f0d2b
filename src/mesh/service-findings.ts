/** What is wrong with services as all clusters together have them. In: the merged catalog. Out: warnings, in the order of the services. */

import type { Finding } from '../core/errors.ts';
import type { CatalogService } from '../model/service.ts';
import { endpointsOf } from './rule-findings.ts';

export function serviceFindings(service: CatalogService): readonly Finding[] {
  const where = { object: `Service ${service.key}` };
  const conflicts = service.conflicts.map(
    ({ reason, message }): Finding => ({
      code: 'FW-MESH-001',
      severity: 'warning',
      message: `clusters differ over the service, ${reason}: ${message}`,
      where,
      hint: 'Give the service the same properties in every cluster',
    }),
  );
  const { upstream, ports } = service;
  if (upstream?.kind === 'dns' && ports.length === 0) {
    const alias: Finding = {
      code: 'FW-MESH-006',
      severity: 'warning',
      message: `the name stands for ${upstream.name} (ExternalName) and has no ports: no proxy knows it, and its requests are those to a host that nobody has`,
      where,
      hint: 'Add spec.ports to the Service: the ports that clients ask for',
    };
    return [...conflicts, alias];
  }
  const endpoints = endpointsOf(service);
  // Hosts outside have no endpoints; a service without ports takes no requests.
  const isServed = upstream !== undefined || ports.length === 0 || endpoints.some(({ ready }) => ready);
  if (isServed) return conflicts;
  const clusters = [...service.shards.keys()].join(', ');
  return [
    ...conflicts,
    {
      code: 'FW-MESH-002',
      severity: 'warning',
      message: `no endpoint is ready: 0 of ${endpoints.length} in ${clusters}`,
      where,
      hint: `Start its workloads, or correct its selector; see \`fairway get endpoints ${service.key}\``,
    },
  ];
}
