/** `fairway get clusters`: who is connected, how fresh, and since when not. */

import { formatWhere } from '../../core/errors.ts';
import type { ClusterReport } from '../../model/report.ts';
import { ageOf } from '../duration.ts';
import type { Colour } from '../terminal.ts';
import { formatLocality, orDash, type View, type ViewContext } from './view.ts';

const colourOf: Readonly<Record<ClusterReport['phase'], Colour>> = {
  fresh: 'green',
  connecting: 'yellow',
  syncing: 'yellow',
  stale: 'red',
  refused: 'red',
};

const isBad = ({ phase }: ClusterReport): boolean => phase === 'stale' || phase === 'refused';

export function clustersView({ nowMs, paint }: ViewContext): View<ClusterReport> {
  return {
    columns: [
      { title: 'NAME', cell: (row) => row.name, shrinkTo: 20 },
      {
        title: 'STATE',
        cell: (row) => (isBad(row) ? row.phase.toUpperCase() : row.phase),
        paint: (text, row) => paint(colourOf[row.phase], text),
      },
      { title: 'SINCE', cell: (row) => ageOf(row.since, nowMs) },
      { title: 'SERVICES', cell: (row) => String(row.services), dropOrder: 2 },
      { title: 'ENDPOINTS', cell: (row) => String(row.endpoints), dropOrder: 1 },
      { title: 'PROXIES', cell: (row) => String(row.proxies), dropOrder: 3 },
      { title: 'NETWORK', cell: (row) => orDash(row.network), dropOrder: 4, shrinkTo: 8 },
      { title: 'LOCALITY', cell: (row) => formatLocality(row.locality), dropOrder: 5, shrinkTo: 10 },
      { title: 'ORIGIN', cell: (row) => row.origin, dropOrder: 6, shrinkTo: 16 },
      { title: 'VERSION', cell: (row) => orDash(row.version), priority: 1 },
      { title: 'DROPPED', cell: (row) => String(row.dropped), priority: 1 },
      { title: 'UID', cell: (row) => orDash(row.uid), priority: 1 },
    ],
    notes: (row) => [...problemNotes(row, nowMs), ...findingNotes(row)],
    resourceName: (row) => `cluster/${row.name}`,
  };
}

function problemNotes({ problem, phase, lastNews, since, rotation }: ClusterReport, nowMs: number): string[] {
  const notes: string[] = [];
  if (rotation !== undefined) {
    const { code, message, hint } = rotation.problem ?? {};
    const why = code === undefined ? '' : `: ${code} ${message} → ${hint}`;
    notes.push(`a new registration of it is ${rotation.phase} since ${ageOf(rotation.since, nowMs)}${why}`);
  }
  if (problem !== undefined) notes.push(`${problem.code} ${problem.message} → ${problem.hint}`);
  if (phase === 'stale') notes.push(`what it said ${ageOf(lastNews ?? since, nowMs)} ago is in force`);
  return notes;
}

function findingNotes({ findings, dropped }: ClusterReport): string[] {
  const notes = findings.map((finding) => {
    const where = formatWhere(finding.where);
    return `${finding.code} ${where === '' ? '' : `${where}: `}${finding.message} → ${finding.hint}`;
  });
  if (dropped > 0) notes.push(`${dropped} foreign or excess services and endpoints were left out`);
  return notes;
}
