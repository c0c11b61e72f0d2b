/**
 * Where routes lead: a destination's host, subset and port as a backend of a TrafficRule. In: parts, and what the DestinationRules say of subsets.
 * Out: the backend without its weight; undefined, with an error noted, where no rule can lead there.
 */

import type { RawBackend } from '../rules/traffic-rule/schema/spec.ts';
import { hostOf, type ServiceName } from './hosts.ts';
import type { Notes } from './notes.ts';
import { child, numberOf, type Part, textOf } from './parts.ts';

/** Endpoints of a version, in a place. */
export type Subset = Pick<RawBackend, 'version' | 'cluster' | 'region' | 'zone'>;

/** `missing`: no DestinationRule defines it; `inexpressible`: one does, by labels that say no version and no place. */
export type FindSubset = (service: ServiceName, name: string) => Subset | 'missing' | 'inexpressible';

export interface DestinationContext {
  /** The rule's own service. */
  readonly own: ServiceName;
  /** Hosts outside that are ruled as it; [] for a service of the mesh. */
  readonly ownHosts: readonly string[];
  readonly clusterDomain: string;
  readonly subset: FindSubset;
  /** The service's ports, where they are known. */
  readonly ports: (service: ServiceName) => readonly number[] | undefined;
  readonly notes: Notes;
}

export type Target = Omit<RawBackend, 'weight' | 'fallback' | 'requestHeaders' | 'responseHeaders'>;

export function targetOf(destination: Part, context: DestinationContext): Target | undefined {
  const { own, notes } = context;
  const hostPart = child(destination, 'host');
  const text = textOf(hostPart, notes);
  if (hostPart === undefined || text === undefined) {
    notes.error('FW-ISTIO-003', destination, 'must name a host');
    return undefined;
  }
  // Short names are those of the object in which they stand: a delegate's are its own.
  const isOwnHost = context.ownHosts.includes(text.toLowerCase());
  const host = isOwnHost
    ? ({ kind: 'service', ...own } as const)
    : hostOf(text, hostPart.object.namespace, context.clusterDomain);
  if (host.kind !== 'service') {
    const hint =
      host.kind === 'outside'
        ? 'Lead requests to services of the mesh, written reviews or reviews.shop.svc.cluster.local, or to the hosts of the VirtualService itself'
        : 'Name one service';
    notes.error(
      'FW-ISTIO-005',
      hostPart,
      `requests cannot be sent to ${JSON.stringify(text)}: it is no service of the mesh`,
      hint,
    );
    return undefined;
  }
  const isOwn = host.namespace === own.namespace && host.name === own.name;
  const subset = subsetOf(child(destination, 'subset'), host, context);
  if (subset === undefined) return undefined;
  const port = portOf(child(child(destination, 'port'), 'number'), host, isOwn, hostPart, context);
  return {
    ...(isOwn ? {} : { service: host.name }),
    ...(host.namespace === own.namespace ? {} : { namespace: host.namespace }),
    ...(port === undefined ? {} : { port }),
    ...subset,
  };
}

function portOf(
  part: Part | undefined,
  host: ServiceName,
  isOwn: boolean,
  hostPart: Part,
  { ports, notes }: DestinationContext,
): number | undefined {
  const port = numberOf(part, notes);
  const known = ports(host);
  if (port !== undefined && port !== 0) {
    // The only port of the rule's own service is the one that is asked for.
    return isOwn && known?.length === 1 && known[0] === port ? undefined : port;
  }
  if (isOwn) return undefined;
  if (known?.length === 1) return known[0];
  if (known === undefined) {
    notes.warn('FW-ISTIO-020', hostPart, `no port of ${host.name} is named: it is the one that was asked for`);
  }
  return undefined;
}

function subsetOf(
  part: Part | undefined,
  host: ServiceName,
  { subset, notes }: DestinationContext,
): Subset | undefined {
  const name = textOf(part, notes);
  if (part === undefined || name === undefined) return {};
  const found = subset(host, name);
  if (found === 'inexpressible') {
    notes.error(
      'FW-ISTIO-013',
      part,
      `subset ${name} of ${host.namespace}/${host.name} is neither a version nor a place`,
    );
    return undefined;
  }
  if (found !== 'missing') return found;
  if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(name)) {
    notes.error('FW-ISTIO-012', part, `no DestinationRule defines subset ${name} of ${host.namespace}/${host.name}`);
    return undefined;
  }
  const message = `no DestinationRule defines subset ${name} of ${host.namespace}/${host.name}: it is taken for version ${name}`;
  notes.warn('FW-ISTIO-012', part, message);
  return { version: name };
}
