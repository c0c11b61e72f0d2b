/** The subsets that the DestinationRules for a service define, as versions and places. */

import type { Subset } from './destinations.ts';
import type { ServiceName } from './hosts.ts';
import type { Notes } from './notes.ts';
import { child, entriesOf, type IstioObject, isMapping, itemsOf, specOf, textOf } from './parts.ts';

/** Istio puts these on endpoints by where they are. */
const places: ReadonlyMap<string, 'cluster' | 'region' | 'zone'> = new Map([
  ['topology.istio.io/cluster', 'cluster'],
  ['topology.kubernetes.io/region', 'region'],
  ['topology.kubernetes.io/zone', 'zone'],
]);

const versionLabels = ['version', 'app.kubernetes.io/version'];

/** `rules`: those for the service, the one that goes first first. Of two subsets with one name the first counts. */
export function subsetsOf(
  service: ServiceName,
  rules: readonly IstioObject[],
  notes: Notes,
): ReadonlyMap<string, Subset | 'inexpressible'> {
  const found = new Map<string, Subset | 'inexpressible'>();
  for (const rule of rules) {
    for (const part of itemsOf(child(specOf(rule), 'subsets'))) {
      const name = textOf(child(part, 'name'), notes);
      if (name === undefined) {
        notes.error('FW-ISTIO-003', part, 'a subset must have a name');
        continue;
      }
      if (found.has(name)) {
        notes.warn(
          'FW-ISTIO-016',
          part,
          `subset ${name} of ${service.namespace}/${service.name} is defined before, and that counts`,
        );
        continue;
      }
      const said = child(part, 'labels');
      if (said !== undefined && !isMapping(said.value)) {
        // Without its labels it would stand for all endpoints.
        notes.error('FW-ISTIO-003', said, 'must be a mapping of labels to values');
        found.set(name, 'inexpressible');
        continue;
      }
      const labels = new Map(entriesOf(said).map(([key, at]) => [key, textOf(at, notes) ?? '']));
      found.set(name, subsetBy(labels));
      const unread = [...labels.keys()].filter((key) => !places.has(key) && key !== versionLabel(labels));
      if (found.get(name) === 'inexpressible') {
        const message = `subset ${name} is told by ${[...labels.keys()].join(', ')}: versions are told by ${versionLabels.join(' or ')}`;
        notes.warn('FW-ISTIO-013', said ?? part, message);
      } else if (unread.length > 0) {
        const message = `of subset ${name} the version alone counts; ${unread.join(', ')} ${unread.length === 1 ? 'is' : 'are'} not looked at`;
        notes.warn('FW-ISTIO-014', said ?? part, message);
      }
    }
  }
  return found;
}

function versionLabel(labels: ReadonlyMap<string, string>): string | undefined {
  return versionLabels.find((key) => labels.has(key));
}

function subsetBy(labels: ReadonlyMap<string, string>): Subset | 'inexpressible' {
  if (labels.size === 0) return {};
  const version = labels.get(versionLabel(labels) ?? '');
  const place = Object.fromEntries(
    [...labels].flatMap(([key, value]) => {
      const name = places.get(key);
      return name === undefined ? [] : [[name, value]];
    }),
  ) as Pick<Subset, 'cluster' | 'region' | 'zone'>;
  const others = [...labels.keys()].some((key) => !places.has(key));
  if (version === undefined && others) return 'inexpressible';
  return { ...(version === undefined ? {} : { version }), ...place };
}
