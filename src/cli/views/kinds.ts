/** `fairway get kinds`: the kinds that others define, whether each is read, and why not. */

import type { KindReport } from '../../model/report.ts';
import { orDash, type View, type ViewContext } from './view.ts';

const bad: ReadonlySet<KindReport['state']> = new Set(['refused', 'failing']);

export function kindsView({ paint }: ViewContext): View<KindReport> {
  return {
    columns: [
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'GROUP', cell: ({ group }) => group, dropOrder: 1, shrinkTo: 10 },
      { title: 'VERSION', cell: ({ version }) => orDash(version) },
      { title: 'STANDARD', cell: ({ standard }) => standard, dropOrder: 2 },
      {
        title: 'STATE',
        cell: ({ state }) => state,
        paint: (text, { state }) =>
          state === 'read' ? paint('green', text) : bad.has(state) ? paint('red', text) : text,
      },
      { title: 'OBJECTS', cell: ({ objects }) => String(objects) },
      { title: 'WHY', cell: ({ message }) => orDash(message), shrinkTo: 20 },
    ],
    notes: () => [],
    resourceName: ({ plural, group }) => `${plural}.${group}`,
  };
}
