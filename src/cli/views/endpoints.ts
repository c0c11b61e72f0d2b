/** `fairway get endpoints`: every address of a service, where it runs, and whether requests may go there. */

import type { EndpointReport } from '../../model/report.ts';
import { ageOf } from '../duration.ts';
import { formatLocality, joinNames, orDash, type View, type ViewContext } from './view.ts';

export function endpointsView(
  { nowMs, paint }: ViewContext,
  rows: readonly EndpointReport[] = [],
): View<EndpointReport> {
  return {
    columns: [
      { title: 'NAMESPACE', cell: (row) => row.namespace, dropOrder: 4, shrinkTo: 9 },
      { title: 'SERVICE', cell: (row) => row.service, shrinkTo: 10 },
      ...(rows.some(({ clusterset }) => clusterset === true)
        ? [{ title: 'DOMAIN', cell: (row: EndpointReport) => (row.clusterset === true ? 'clusterset' : 'cluster') }]
        : []),
      { title: 'ADDRESS', cell: (row) => row.address, shrinkTo: 15 },
      { title: 'PORTS', cell: formatPorts, dropOrder: 3, shrinkTo: 6 },
      { title: 'CLUSTER', cell: (row) => row.cluster, shrinkTo: 8 },
      { title: 'VERSION', cell: (row) => orDash(row.version), shrinkTo: 7 },
      {
        title: 'STATE',
        cell: stateOf,
        paint: (text, row) => paint(row.ready ? 'green' : row.serving ? 'yellow' : 'red', text),
      },
      {
        title: 'STALE',
        cell: (row) => ageOf(row.staleSince, nowMs),
        paint: (text) => (text === '-' ? text : paint('red', text)),
        dropOrder: 1,
      },
      { title: 'WORKLOAD', cell: (row) => orDash(row.workload), dropOrder: 2, shrinkTo: 12 },
      { title: 'LOCALITY', cell: (row) => formatLocality(row.locality), priority: 1 },
      { title: 'NETWORK', cell: (row) => orDash(row.network), priority: 1 },
      { title: 'SERVICEACCOUNT', cell: (row) => orDash(row.serviceAccount), priority: 1 },
    ],
    notes: () => [],
    resourceName: (row) => `endpoint/${row.service}/${row.address}`,
  };
}

function stateOf(row: EndpointReport): string {
  if (row.terminating) return row.serving ? 'draining' : 'terminating';
  return row.ready ? 'ready' : 'not-ready';
}

/** Target ports; with their names where there are several. */
function formatPorts(row: EndpointReport): string {
  const entries = Object.entries(row.ports);
  if (entries.length === 1) return String(entries[0]?.[1]);
  return joinNames(entries.map(([name, port]) => (name === '' ? String(port) : `${name}:${port}`)));
}
