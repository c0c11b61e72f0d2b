/**
 * From all endpoints that the slices of one service name to those that it has: each once, and of one family where a pod has two.
 *
 * Pure: the order of the slices does not matter. What is left out is said in the skips.
 */

import type { Endpoint } from '../model/service.ts';
import type { SkipList } from './derive-skips.ts';

export interface FoundEndpoint {
  readonly endpoint: Endpoint;
  readonly family: 'IPv4' | 'IPv6';
  readonly slice: string;
}

/** A dual-stack pod stands in a slice of each family; counted twice it would get twice the load of a single-stack one elsewhere. */
export function dropOtherFamily(
  found: readonly FoundEndpoint[],
  primary: 'IPv4' | 'IPv6' | '',
  skips: SkipList,
  subject: string,
): readonly FoundEndpoint[] {
  const wanted = primary || 'IPv4';
  const inWanted = new Set<string>();
  let others = 0;
  for (const { endpoint, family } of found) {
    if (family !== wanted) others += 1;
    else if (endpoint.workload !== '') inWanted.add(endpoint.workload);
  }
  if (others === 0 || inWanted.size === 0) return found;
  const kept = found.filter((item) => item.family === wanted || !inWanted.has(item.endpoint.workload));
  if (kept.length < found.length) skips.add('other-family', subject, found.length - kept.length);
  return kept;
}

/**
 * An address may stand in several slices, for a moment while the controller moves it or for good with other ports. Every (address, port
 * name, number) is kept once, from the best entry: ready before serving before the rest; then by slice name, so that the order of events
 * does not matter.
 */
export function mergeDuplicates(found: readonly FoundEndpoint[], skips: SkipList): readonly Endpoint[] {
  const byAddress = new Map<string, FoundEndpoint[]>();
  for (const item of found) {
    const same = byAddress.get(item.endpoint.address);
    if (same === undefined) byAddress.set(item.endpoint.address, [item]);
    else same.push(item);
  }
  const merged: Endpoint[] = [];
  for (const same of byAddress.values()) {
    if (same.length === 1) {
      for (const { endpoint } of same) merged.push(Object.freeze(endpoint));
      continue;
    }
    const taken = new Set<string>();
    let portless = false;
    for (const { endpoint, slice } of same.toSorted(byPreference)) {
      const fresh = [...endpoint.ports].filter(([name, port]) => !taken.has(`${name}:${port}`));
      const keep = endpoint.ports.size === 0 ? !portless && taken.size === 0 : fresh.length > 0;
      if (!keep) {
        skips.add('duplicate-endpoint', `EndpointSlice ${slice}`);
        continue;
      }
      portless ||= endpoint.ports.size === 0;
      for (const [name, port] of fresh) taken.add(`${name}:${port}`);
      const ports = fresh.length === endpoint.ports.size ? endpoint.ports : new Map(fresh);
      merged.push(Object.freeze({ ...endpoint, ports }));
    }
  }
  return Object.freeze(merged.sort(byPlace));
}

function byPreference(a: FoundEndpoint, b: FoundEndpoint): number {
  const rank = ({ endpoint }: FoundEndpoint): number =>
    endpoint.ready && !endpoint.terminating ? 0 : endpoint.ready ? 1 : endpoint.serving ? 2 : 3;
  return (
    rank(a) - rank(b) ||
    compare(a.slice, b.slice) ||
    compare(a.endpoint.workload, b.endpoint.workload) ||
    comparePorts(a.endpoint, b.endpoint)
  );
}

function byPlace(a: Endpoint, b: Endpoint): number {
  return compare(a.address, b.address) || compare(a.workload, b.workload) || comparePorts(a, b);
}

function comparePorts(a: Endpoint, b: Endpoint): number {
  if (a.ports === b.ports) return 0;
  return compare(JSON.stringify([...a.ports]), JSON.stringify([...b.ports]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
