/** Mirrors as a TrafficRule writes them. Istio has them in an older form, with one destination, and in a list; both together are all meant. */

import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import { type DestinationContext, targetOf } from './destinations.ts';
import type { RouteParts } from './match-parts.ts';
import { child, itemsOf, type Part } from './parts.ts';
import { percentOf } from './values.ts';

type RawMirror = NonNullable<RawRoute['mirrors']>[number];

const maxMirrors = 4;

export function mirrorsOf(fields: RouteParts['fields'], context: DestinationContext): readonly RawMirror[] {
  const { notes } = context;
  const one = fields.get('mirror');
  const first =
    one === undefined
      ? []
      : [{ destination: one, percent: percentOf(fields.get('mirrorPercentage'), fields.get('mirrorPercent'), notes) }];
  const more = itemsOf(fields.get('mirrors')).flatMap((item): { destination: Part; percent: number }[] => {
    const destination = child(item, 'destination');
    if (destination === undefined) return [];
    return [{ destination, percent: percentOf(child(item, 'percentage'), undefined, notes) }];
  });
  // Zero is Istio's way to say that nothing is copied.
  const wanted = [...first, ...more].filter(({ percent }) => percent > 0);
  for (const { destination } of wanted.slice(maxMirrors)) {
    notes.error('FW-ISTIO-005', destination, `a route has at most ${maxMirrors} mirrors`, 'Remove some');
  }
  return wanted.slice(0, maxMirrors).flatMap(({ destination, percent }) => {
    const target = targetOf(destination, context);
    return target === undefined ? [] : [{ ...target, ...(percent === 100 ? {} : { percent }) }];
  });
}
