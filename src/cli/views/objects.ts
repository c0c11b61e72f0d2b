/** `fairway get` for any kind of object besides TrafficRule: the kind's own columns, and whether it was accepted and who holds it. */

import type { ObjectReport } from '../../model/report.ts';
import { type AnyKind, groupOf } from '../../rules/objects/kind-types.ts';
import { ageOf } from '../duration.ts';
import { conditionNotes, conditionOf, findingNotes, formatProgrammed } from './rules.ts';
import { orDash, type View, type ViewContext } from './view.ts';

export function objectsView(kind: AnyKind, { nowMs, paint }: ViewContext): View<ObjectReport> {
  const status = (row: ObjectReport, type: 'Accepted' | 'Programmed'): string =>
    conditionOf(row, type)?.status ?? 'Unknown';
  const colour = (text: string, row: ObjectReport, type: 'Accepted' | 'Programmed'): string => {
    const value = status(row, type);
    return paint(value === 'True' ? 'green' : value === 'False' ? 'red' : 'yellow', text);
  };
  return {
    columns: [
      ...(kind.namespaced ? [{ title: 'NAMESPACE', cell: (row: ObjectReport) => row.namespace, shrinkTo: 9 }] : []),
      { title: 'NAME', cell: (row) => row.name, shrinkTo: 20 },
      ...kind.shown.map(({ title, of }, index) => ({
        title,
        cell: (row: ObjectReport) => orDash(of(row.spec, row.conditions)),
        dropOrder: 1 + index,
        shrinkTo: 15,
      })),
      {
        title: 'ACCEPTED',
        cell: (row) => status(row, 'Accepted'),
        paint: (text, row) => colour(text, row, 'Accepted'),
      },
      {
        title: 'PROGRAMMED',
        cell: (row) => formatProgrammed(row),
        paint: (text, row) => colour(text, row, 'Programmed'),
      },
      { title: 'AGE', cell: (row) => ageOf(row.createdAt, nowMs), dropOrder: 2 + kind.shown.length },
      { title: 'ORIGIN', cell: (row) => row.origin, dropOrder: 3 + kind.shown.length, shrinkTo: 14 },
      { title: 'GENERATION', cell: (row) => String(row.generation), priority: 1 },
    ],
    notes: (row) => [...conditionNotes(row), ...findingNotes(row)],
    resourceName: (row) => `${kind.kind.toLowerCase()}.${groupOf(kind)}/${row.name}`,
  };
}
