/** `fairway get services`: the merged catalog, one service a row, with the rule in force. */

import type { ServiceReport } from '../../model/report.ts';
import { joinNames, type View, type ViewContext, within } from './view.ts';

export function servicesView({ paint }: ViewContext, rows: readonly ServiceReport[] = []): View<ServiceReport> {
  const hasParts = rows.some(isExportedPart);
  return {
    columns: [
      { title: 'NAMESPACE', cell: (row) => row.namespace, shrinkTo: 9 },
      { title: 'NAME', cell: (row) => row.name, shrinkTo: 12 },
      // Where only exported services merge, a name stands for one of each cluster, and for the exported part of them.
      ...(hasParts
        ? [{ title: 'DOMAIN', cell: (row: ServiceReport) => (isExportedPart(row) ? 'clusterset' : 'cluster') }]
        : []),
      { title: 'PORTS', cell: formatPorts, dropOrder: 2, shrinkTo: 8 },
      { title: 'CLUSTERS', cell: (row) => joinNames(row.clusters), shrinkTo: 8 },
      { title: 'VERSIONS', cell: (row) => joinNames(row.versions), dropOrder: 3, shrinkTo: 8 },
      {
        title: 'READY',
        cell: (row) => `${row.endpoints.ready}/${row.endpoints.total}`,
        paint: (text, row) => (row.endpoints.ready === 0 ? paint('red', text) : text),
      },
      { title: 'RULE', cell: (row) => within(row.namespace, row.rule ?? '-'), dropOrder: 1, shrinkTo: 8 },
      {
        title: 'EXPORTED BY',
        cell: (row) => joinNames((row.clusterset?.exportedBy ?? []).map(({ cluster }) => cluster)),
        priority: 1,
      },
      { title: 'HEADLESS', cell: (row) => (row.headless ? 'yes' : 'no'), priority: 1 },
    ],
    notes: (row) =>
      [...row.conflicts, ...(row.clusterset?.conflicts ?? [])].map(({ reason, message }) => `${reason}: ${message}`),
    resourceName: (row) => `service/${isExportedPart(row) ? row.clusterset?.host : row.name}`,
  };
}

/** A service of its own, beside the one of each cluster. */
function isExportedPart({ clusterset }: ServiceReport): boolean {
  return clusterset?.names === 'only';
}

/** `80/http,9090/grpc`. */
function formatPorts(row: ServiceReport): string {
  return joinNames(
    row.ports.map((port) => `${port.port}/${port.transport === 'TCP' ? port.protocol : port.transport.toLowerCase()}`),
  );
}
