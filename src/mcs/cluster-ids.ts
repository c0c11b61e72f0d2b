/**
 * The ids by which clusters are known in the clusterset: what their ClusterProperty `cluster.clusterset.k8s.io` says (KEP-2149), else the names
 * under which they are registered, as DNS labels. In: name and claim of each registered cluster, in any order. Out: one id each.
 *
 * What always holds: no two clusters have one id, whatever they claim; a claim never takes a registered cluster's name away; what becomes of it
 * depends on the registered clusters and their claims alone.
 */

import type { Finding } from '../core/errors.ts';
import { mcsFinding } from './codes.ts';
import { compare } from './order.ts';

export interface ClusterClaim {
  readonly name: string;
  /** undefined: its API has no such property. */
  readonly claim: string | undefined;
}

const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function clusterIds(clusters: Iterable<ClusterClaim>): {
  readonly ids: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
} {
  const sorted = [...clusters].sort((a, b) => compare(a.name, b.name));
  const findings: Finding[] = [];
  const claims = Map.groupBy(
    sorted.filter(({ claim }) => claim !== undefined && dnsLabel.test(claim)),
    ({ claim }) => claim as string,
  );
  const names = new Set(sorted.map(({ name }) => name));
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const give = (name: string, id: string): void => {
    ids.set(name, id);
    taken.add(id);
  };
  for (const { name, claim } of sorted) {
    if (claim === undefined) continue;
    const where = { cluster: name, object: 'ClusterProperty cluster.clusterset.k8s.io' };
    const rivals = (claims.get(claim) ?? []).filter((other) => other.name !== name).map((other) => other.name);
    if (!dnsLabel.test(claim)) {
      findings.push(
        mcsFinding('FW-MCS-007', `the cluster id ${JSON.stringify(claim.slice(0, 80))} is no DNS label`, where),
      );
    } else if (rivals.length > 0) {
      findings.push(mcsFinding('FW-MCS-006', `the cluster id ${claim} is claimed by ${rivals.join(', ')} too`, where));
    } else if (claim !== name && names.has(claim)) {
      findings.push(
        mcsFinding('FW-MCS-006', `the cluster id ${claim} is the name of another registered cluster`, where),
      );
    } else give(name, claim);
  }
  for (const { name } of sorted) if (!ids.has(name) && dnsLabel.test(name) && !taken.has(name)) give(name, name);
  for (const { name } of sorted) {
    if (ids.has(name)) continue;
    const label = asLabel(name);
    let id = label;
    for (let count = 2; taken.has(id); count++) id = `${label.slice(0, 58)}-${count}`;
    findings.push(
      mcsFinding('FW-MCS-007', `the cluster is known as ${id}, for ${name} is no DNS label, or taken`, {
        cluster: name,
      }),
    );
    give(name, id);
  }
  return { ids, findings };
}

function asLabel(name: string): string {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return label === '' ? 'cluster' : label;
}
