/** What a drain moves, as a table: per service the endpoints and the shares of each place, before and after, and what that is per endpoint. */

import type { DrainPlan, PlaceLoad, ServicePlan } from '../../model/drain-plan.ts';
import { renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** An endpoint that takes more than this many times its present load is worth a warning. */
const strainedFrom = 2;

export function printDrainPlan(plan: DrainPlan, format: 'table' | 'json', terminal: Terminal): void {
  if (format === 'json') {
    terminal.out(`${JSON.stringify(plan, null, 2)}\n`);
    return;
  }
  if (plan.services.length === 0) return;
  const { text } = renderTable<ServicePlan>({
    columns: [
      { title: 'SERVICE', cell: ({ namespace, name, port }) => `${namespace}/${name}:${port}`, shrinkTo: 12 },
      { title: 'READY', cell: ({ places }) => places.map(({ name, ready }) => `${name} ${ready}`).join(', ') },
      { title: 'NOW', cell: ({ places }) => sharesOf(places, ({ before }) => before) },
      { title: 'AFTER', cell: ({ places }) => sharesOf(places, ({ after }) => after) },
      { title: 'PER ENDPOINT', cell: ({ places }) => ratiosOf(places) },
      {
        title: 'OUTCOME',
        cell: ({ outcome }) => outcome,
        paint: (cell, { outcome }) => terminal.paint(outcome === 'moves' ? 'green' : 'red', cell),
      },
    ],
    rows: plan.services,
    width: terminal.columns,
    wide: false,
    notes: () => [],
    paintTitle: (title) => terminal.paint('bold', title),
  });
  terminal.out(text);
}

/** Services for which endpoints elsewhere take more than `strainedFrom` times their load; with none now, nobody knows what they bear. */
export function strained({ services }: DrainPlan): readonly ServicePlan[] {
  return services.filter(({ places }) => places.some((place) => (ratioOf(place) ?? 0) > strainedFrom + 0.005));
}

function ratioOf({ before, after, isDrained }: PlaceLoad): number | undefined {
  return isDrained || before === 0 ? undefined : after / before;
}

function sharesOf(places: readonly PlaceLoad[], of: (place: PlaceLoad) => number): string {
  const parts = places.filter((place) => of(place) > 0).map((place) => `${place.name} ${percent(of(place))}`);
  return parts.length === 0 ? 'nobody' : parts.join(', ');
}

function ratiosOf(places: readonly PlaceLoad[]): string {
  const parts = places.flatMap((place) => {
    const ratio = ratioOf(place);
    if (ratio !== undefined) return ratio > 1.005 ? [`${place.name} ${ratio.toFixed(1)}×`] : [];
    return !place.isDrained && place.after > 0 ? [`${place.name} from nothing`] : [];
  });
  return parts.length === 0 ? '-' : parts.join(', ');
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)}%`;
}
