/** What of an object others depend on: which services it is for, where it leads, whom it delegates to. In: any object. Out: names; nothing is noted. */

import type { ServiceKey } from '../model/service.ts';
import { type DelegateName, delegatesOf } from './delegates.ts';
import { hostOf, keyOf, type ServiceName } from './hosts.ts';
import { child, type IstioObject, isMapping, itemsOf, specOf } from './parts.ts';

/** Of one object; each is a rule of its own. */
export const maxHosts = 128;

export interface Outline {
  /** The services of the mesh that it is for; of a ServiceEntry, what its hosts are ruled as; [] for delegates. */
  readonly services: readonly ServiceName[];
  /** Hosts outside of the mesh that it is for, or of a ServiceEntry, that it has. */
  readonly outside: readonly string[];
  /** Those whose subsets its routes may name, by key. */
  readonly leadsTo: ReadonlySet<ServiceKey>;
  readonly delegates: readonly DelegateName[];
}

/** Everything that an object names, its own name as a VirtualService among it; services by their keys. Two objects that meet have one in common. */
export function namesOf(object: IstioObject, clusterDomain: string): ReadonlySet<string> {
  const { services, outside, leadsTo, delegates } = outlineOf(object, clusterDomain);
  return new Set([
    ...services.map(keyOf),
    ...leadsTo,
    ...outside.map((host) => `host ${host}`),
    ...[...delegates, object].map(({ namespace, name }) => `VirtualService ${namespace}/${name}`),
  ]);
}

export function outlineOf(object: IstioObject, clusterDomain: string): Outline {
  const spec = specOf(object);
  const named = (value: unknown): readonly ServiceName[] => {
    if (typeof value !== 'string') return [];
    const host = hostOf(value, object.namespace, clusterDomain);
    return host.kind === 'service' ? [{ namespace: host.namespace, name: host.name }] : [];
  };
  const outsideOf = (values: readonly unknown[]): readonly string[] => [
    ...new Set(values.flatMap((value) => (typeof value === 'string' && isOutside(value) ? [value.toLowerCase()] : []))),
  ];
  const isOutside = (value: string): boolean => hostOf(value, object.namespace, clusterDomain).kind === 'outside';
  const hosts = itemsOf(child(spec, 'hosts'))
    .slice(0, maxHosts)
    .map(({ value }) => value);
  switch (object.kind) {
    case 'DestinationRule': {
      const host = child(spec, 'host')?.value;
      return { services: named(host), outside: outsideOf([host]), leadsTo: new Set(), delegates: [] };
    }
    case 'ServiceEntry': {
      const { namespace, name } = object;
      return { services: [{ namespace, name }], outside: outsideOf(hosts), leadsTo: new Set(), delegates: [] };
    }
    case 'VirtualService': {
      const services = [...new Map(hosts.flatMap(named).map((host) => [keyOf(host), host])).values()];
      const leadsTo = new Set(subsetHosts(object.spec).flatMap((host) => named(host).map(keyOf)));
      return { services, outside: outsideOf(hosts), leadsTo, delegates: delegatesOf(object) };
    }
  }
}

/** Hosts of destinations with a subset, wherever they stand. */
function subsetHosts(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(subsetHosts);
  if (!isMapping(value)) return [];
  const own = typeof value['subset'] === 'string' && value['subset'] !== '' ? [value['host']] : [];
  return [...own, ...Object.values(value).flatMap(subsetHosts)];
}
