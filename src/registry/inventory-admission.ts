/**
 * Who may be registered: in come a name and what there is already, out comes why not (or undefined). Pure; the inventory acts on it.
 */

import { clusterNamePattern } from '../model/cluster.ts';
import type { Problem } from './inventory-record.ts';
import type { Registration } from './inventory-registration.ts';

/** Nothing will ever make this name a cluster's. */
export function malformedName(name: string): Problem | undefined {
  if (clusterNamePattern.test(name)) return undefined;
  return {
    code: 'FW-CLUSTER-001',
    message: `${JSON.stringify(name.slice(0, 80))} cannot be a cluster's name`,
    hint: 'Use letters, digits, - and _, at most 63, with a letter or digit at both ends.',
  };
}

/** There may be a place later: the name is another origin's now, or there are as many clusters as there may be. */
export function noPlace(
  name: string,
  origin: string,
  held: Registration | undefined,
  clusterCount: number,
  maxClusters: number,
): Problem | undefined {
  if (held !== undefined && held.origin !== origin) {
    return {
      code: 'FW-CLUSTER-002',
      message: `the name ${name} is taken by ${held.origin}`,
      hint: 'Give one of the two another name, or unregister the first.',
    };
  }
  if (held === undefined && clusterCount >= maxClusters) {
    return {
      code: 'FW-CLUSTER-010',
      message: `there are ${clusterCount} clusters already, and ${maxClusters} are allowed`,
      hint: 'Unregister some, or give a part of the clusters a pilot of their own.',
    };
  }
  return undefined;
}
