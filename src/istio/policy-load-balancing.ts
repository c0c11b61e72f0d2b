/** Which endpoint takes a request: a DestinationRule's load balancer as loadBalancing and affinity of a TrafficRule. */

import type { RawSpec } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { booleanOf, child, numberOf, type Part, textOf } from './parts.ts';
import { durationOf, durationText } from './values.ts';

type RawLoadBalancing = NonNullable<RawSpec['loadBalancing']>;
type RawAffinity = NonNullable<RawSpec['affinity']>;

interface Balancing {
  readonly loadBalancing?: RawLoadBalancing;
  readonly affinity?: RawAffinity;
}

export function loadBalancingOf(balancer: Part | undefined, outliers: Part | undefined, notes: Notes): Balancing {
  const hash = child(balancer, 'consistentHash');
  const affinity = affinityOf(hash, notes);
  const policy = affinity === undefined ? simpleOf(child(balancer, 'simple'), notes) : hashPolicyOf(hash, notes);
  const slowStart = slowStartOf(balancer, affinity !== undefined || policy?.policy === 'random', notes);
  const panicThreshold = panicThresholdOf(outliers, notes);
  const loadBalancing = {
    ...policy,
    ...(slowStart === undefined ? {} : { slowStart }),
    ...(panicThreshold === undefined ? {} : { panicThreshold }),
  };
  return {
    ...(Object.keys(loadBalancing).length === 0 ? {} : { loadBalancing }),
    ...(affinity === undefined ? {} : { affinity }),
  };
}

const policies: ReadonlyMap<string, RawLoadBalancing['policy']> = new Map([
  ['ROUND_ROBIN', 'roundRobin'],
  ['RANDOM', 'random'],
  ['LEAST_REQUEST', 'leastRequest'],
  ['LEAST_CONN', 'leastRequest'],
]);

function simpleOf(part: Part | undefined, notes: Notes): RawLoadBalancing | undefined {
  const simple = textOf(part, notes);
  if (part === undefined || simple === undefined || simple === 'UNSPECIFIED') return undefined;
  const policy = policies.get(simple);
  if (policy !== undefined) return { policy };
  const message =
    simple === 'PASSTHROUGH'
      ? 'PASSTHROUGH has no equal here: requests of a service go to endpoints that the mesh knows'
      : `Istio has no load balancing ${JSON.stringify(simple)}`;
  notes.warn('FW-ISTIO-004', part, message, `Use ${[...policies.keys()].slice(0, 3).join(', ')}`);
  return undefined;
}

function affinityOf(hash: Part | undefined, notes: Notes): RawAffinity | undefined {
  if (hash === undefined) return undefined;
  const header = textOf(child(hash, 'httpHeaderName'), notes);
  if (header !== undefined) return { header };
  const queryParam = textOf(child(hash, 'httpQueryParameterName'), notes);
  if (queryParam !== undefined) return { queryParam };
  const cookie = child(hash, 'httpCookie');
  const name = textOf(child(cookie, 'name'), notes);
  if (cookie !== undefined && name !== undefined) return { cookie: { name, ...cookieOf(cookie, notes) } };
  if (booleanOf(child(hash, 'useSourceIp'), notes) === true) return { sourceIP: true };
  notes.warn(
    'FW-ISTIO-004',
    hash,
    'is left out: it does not say by what',
    'Name a header, a cookie, a query parameter or useSourceIp',
  );
  return undefined;
}

function cookieOf(cookie: Part, notes: Notes): { readonly path?: string; readonly ttl?: string } {
  const path = textOf(child(cookie, 'path'), notes);
  const ttlPart = child(cookie, 'ttl');
  const ttl = durationOf(ttlPart, notes);
  if (ttlPart === undefined) {
    notes.warn(
      'FW-ISTIO-004',
      cookie,
      'a client without the cookie gets one; in Istio none, without a ttl',
      'Write ttl: 0s',
    );
  } else if (ttl !== undefined && ttl > 0 && ttl < 1000) {
    notes.warn('FW-ISTIO-004', ttlPart, 'is taken as 1s: cookies live for whole seconds');
  }
  return {
    ...(path === undefined ? {} : { path }),
    ...(ttl === undefined || ttl === 0 ? {} : { ttl: durationText(Math.max(1000, ttl)) }),
  };
}

function hashPolicyOf(hash: Part | undefined, notes: Notes): RawLoadBalancing | undefined {
  const maglev = child(hash, 'maglev');
  if (maglev !== undefined) {
    const tableSize = numberOf(child(maglev, 'tableSize'), notes);
    return { policy: 'maglev', ...(tableSize === undefined || tableSize === 0 ? {} : { tableSize }) };
  }
  const size = numberOf(child(child(hash, 'ringHash'), 'minimumRingSize') ?? child(hash, 'minimumRingSize'), notes);
  return size === undefined || size === 0 ? undefined : { policy: 'ringHash', minRingSize: size };
}

function slowStartOf(balancer: Part | undefined, isImpossible: boolean, notes: Notes): string | undefined {
  const warmup = child(balancer, 'warmup');
  const part = child(warmup, 'duration') ?? child(balancer, 'warmupDurationSecs');
  const ms = durationOf(part, notes);
  const percent = child(warmup, 'minimumPercent');
  if (percent !== undefined && (numberOf(percent, notes) ?? 10) !== 10) {
    notes.warn('FW-ISTIO-004', percent, 'is left out: an endpoint begins with a tenth of its share');
  }
  const aggression = child(warmup, 'aggression');
  if (aggression !== undefined && (numberOf(aggression, notes) ?? 1) !== 1) {
    notes.warn('FW-ISTIO-004', aggression, 'is left out: the share grows evenly');
  }
  if (part === undefined || ms === undefined || ms === 0) return undefined;
  if (!isImpossible) return durationText(ms);
  notes.warn('FW-ISTIO-004', part, 'is left out: it is for ROUND_ROBIN and LEAST_REQUEST');
  return undefined;
}

/** Istio switches panic off where it detects outliers, unless it is told a threshold. */
function panicThresholdOf(outliers: Part | undefined, notes: Notes): number | undefined {
  if (outliers === undefined) return undefined;
  const percent = numberOf(child(outliers, 'minHealthPercent'), notes) ?? 0;
  return percent < 0 ? undefined : Math.min(100, Math.round(percent));
}
