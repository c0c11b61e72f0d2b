/** Which endpoints come first by where they are: Istio's locality settings as `locality` of a TrafficRule. */

import type { RawSpec } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { booleanOf, child, entriesOf, itemsOf, numberOf, type Part, textOf } from './parts.ts';

type RawLocality = NonNullable<RawSpec['locality']>;
type Step = NonNullable<RawLocality['prefer']>[number];
type Share = NonNullable<RawLocality['shares']>[number];

/** Istio looks at places only where outliers are detected, and then does by itself, unless it is told not to. */
export function localityOf(
  setting: Part | undefined,
  outliers: Part | undefined,
  notes: Notes,
): RawLocality | undefined {
  if (booleanOf(child(setting, 'enabled'), notes) === false) return undefined;
  const distribute = child(setting, 'distribute');
  if (itemsOf(distribute).length > 0) return sharesOf(itemsOf(distribute), notes);
  if (outliers === undefined) {
    for (const name of ['failover', 'failoverPriority']) {
      const part = child(setting, name);
      if (part !== undefined && itemsOf(part).length > 0) {
        const message = 'is left out: in Istio too it counts only beside outlierDetection';
        notes.warn('FW-ISTIO-004', part, message, 'Add outlierDetection, or remove it');
      }
    }
    return undefined;
  }
  const failover = child(setting, 'failover');
  if (failover !== undefined && itemsOf(failover).length > 0) {
    const message =
      'is left out: which region stands in for which is the same for all clients here; the nearest come first, then all others';
    notes.warn(
      'FW-ISTIO-004',
      failover,
      message,
      'Name the places in order in the TrafficRule: locality.order, or the fallback of a backend',
    );
  }
  const priority = child(setting, 'failoverPriority');
  if (priority !== undefined && itemsOf(priority).length > 0) return priorityOf(priority, notes);
  return { prefer: ['zone', 'region'] };
}

const steps: ReadonlyMap<string, Step> = new Map([
  ['topology.istio.io/network', 'network'],
  ['topology.kubernetes.io/region', 'region'],
  ['failure-domain.beta.kubernetes.io/region', 'region'],
  ['topology.kubernetes.io/zone', 'zone'],
  ['failure-domain.beta.kubernetes.io/zone', 'zone'],
  ['topology.istio.io/cluster', 'cluster'],
  ['kubernetes.io/hostname', 'node'],
]);

/** Istio's list goes from the widest to the nearest: an endpoint's place is how many of them, from the first on, it has in common with the client. */
function priorityOf(part: Part, notes: Notes): RawLocality | undefined {
  const found: Step[] = [];
  for (const item of itemsOf(part)) {
    const label = textOf(item, notes);
    const step = label === undefined ? undefined : steps.get(label);
    if (step === undefined) {
      const message = `${JSON.stringify(label ?? '')} and what follows it is left out: endpoints are told apart by ${[...new Set(steps.values())].join(', ')}`;
      notes.warn('FW-ISTIO-004', item, message);
      break;
    }
    if (!found.includes(step)) found.push(step);
  }
  if (found.length > 1 && !isNested(found)) {
    const message = `a nearer place goes first although a wider one differs: ${found.toReversed().join(', then ')}`;
    notes.warn('FW-ISTIO-004', part, message, 'Order them so that each lies within the one before');
  }
  return found.length === 0 ? undefined : { prefer: found.toReversed() };
}

const within: Readonly<Partial<Record<Step, readonly Step[]>>> = {
  zone: ['region'],
  node: ['zone', 'region', 'cluster'],
};

/** Each lies within all before it. */
function isNested(found: readonly Step[]): boolean {
  return found.every((step, i) => found.slice(0, i).every((outer) => within[step]?.includes(outer) ?? false));
}

function sharesOf(items: readonly Part[], notes: Notes): RawLocality | undefined {
  const shares = items.flatMap((item): Share[] => {
    const from = placeOf(textOf(child(item, 'from'), notes), child(item, 'from') ?? item, notes);
    const to = entriesOf(child(item, 'to')).flatMap(([text, part]) => {
      const place = placeOf(text, part, notes);
      const weight = numberOf(part, notes) ?? 0;
      return place === undefined || weight <= 0 ? [] : [{ ...place, weight }];
    });
    if (from === undefined || to.length === 0) return [];
    if (to.some((place) => Object.keys(place).length === 1)) {
      notes.warn('FW-ISTIO-004', item, 'is left out: a share is for a named place, and * is all of them');
      return [];
    }
    return [{ ...(Object.keys(from).length === 0 ? {} : { from }), to }];
  });
  return shares.length === 0 ? undefined : { shares };
}

/** `region/zone/subzone`, of which `*` is any; undefined, with a note, where a part of a zone is named. */
function placeOf(
  text: string | undefined,
  at: Part,
  notes: Notes,
): { readonly region?: string; readonly zone?: string } | undefined {
  const [region = '*', zone = '*', subzone = '*'] = (text ?? '').split('/');
  if (subzone !== '*' && subzone !== '')
    notes.warn('FW-ISTIO-004', at, `the part ${subzone} of the zone is left out: zones are the smallest places`);
  const is = (name: string): boolean => name !== '*' && name !== '';
  return { ...(is(region) ? { region } : {}), ...(is(zone) ? { zone } : {}) };
}
