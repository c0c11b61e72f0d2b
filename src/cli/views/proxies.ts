/** `fairway get proxies`: per type of configuration whether a proxy holds the newest, waits for it since when, or rejected it and why. */

import type { ProxyReport } from '../../model/report.ts';
import { ageOf } from '../duration.ts';
import type { Column } from '../table.ts';
import { orDash, type View, type ViewContext } from './view.ts';

type TypeReport = ProxyReport['types'][string];

/** Columns that are always there; others (VHDS, SDS) come when some proxy asked for them. */
const usualTypes = ['CDS', 'EDS', 'LDS', 'RDS'] as const;

export function proxiesView({ nowMs, paint }: ViewContext, rows: readonly ProxyReport[]): View<ProxyReport> {
  const seen = new Set(rows.flatMap((row) => Object.keys(row.types)));
  const others = [...seen].filter((type) => !usualTypes.some((usual) => usual === type)).sort();

  const typeColumn = (type: string): Column<ProxyReport> => ({
    title: type,
    cell: (row) => formatType(typeOf(row, type), nowMs),
    paint: (text, row) => {
      const state = typeOf(row, type)?.state;
      return state === undefined || state === 'unsubscribed'
        ? text
        : paint(state === 'synced' ? 'green' : state === 'pending' ? 'yellow' : 'red', text);
    },
  });

  return {
    columns: [
      { title: 'NAME', cell: proxyName, shrinkTo: 14 },
      { title: 'CLUSTER', cell: (row) => orDash(row.identity.cluster), dropOrder: 3, shrinkTo: 7 },
      ...usualTypes.map(typeColumn),
      ...others.map(typeColumn),
      { title: 'CONNECTED', cell: (row) => ageOf(row.connectedSince, nowMs), dropOrder: 1 },
      { title: 'ENVOY', cell: (row) => orDash(row.identity.envoyVersion), dropOrder: 2 },
      { title: 'PEER', cell: (row) => row.peer, priority: 1 },
      { title: 'XDS', cell: (row) => row.transport, priority: 1 },
      { title: 'NODE', cell: (row) => row.identity.nodeId, priority: 1 },
    ],
    notes: (row) =>
      Object.entries(row.types)
        .filter(([, { state, error }]) => state === 'rejected' || error !== '')
        .map(
          ([type, { since, error }]) => `${type} rejected ${ageOf(since, nowMs)} ago: ${error || 'no reason given'}`,
        ),
    resourceName: (row) => `proxy/${row.identity.nodeId}`,
  };
}

/** `reviews-v1-abc.shop`, as istioctl names proxies; the node id where it says no workload. */
export function proxyName({ identity }: ProxyReport): string {
  return identity.workload === '' ? identity.nodeId : `${identity.workload}.${identity.namespace}`;
}

function typeOf(row: ProxyReport, type: string): TypeReport | undefined {
  return Object.hasOwn(row.types, type) ? row.types[type] : undefined;
}

/** `synced`, `pending 3s`, `REJECTED`, `-` for a type that was not asked for. */
function formatType(report: TypeReport | undefined, nowMs: number): string {
  switch (report?.state) {
    case undefined:
    case 'unsubscribed':
      return '-';
    case 'synced':
      return 'synced';
    case 'pending':
      return `pending ${ageOf(report.since, nowMs)}`;
    case 'rejected':
      return 'REJECTED';
  }
}
