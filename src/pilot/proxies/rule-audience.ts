/**
 * How far a rule has got with those that it is for: a rule of a member is for that cluster's proxies; one of the primary for all but those
 * that have a rule of their own in its place. In: a census of the proxies and the mesh; out: the count. Costs nothing more than the census
 * where no cluster has a rule of its own for the service.
 */

import type { MeshState } from '../../mesh/mesh-state.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ProgressCensus, RuleProgress } from './rule-progress.ts';

/** `holder`: '' for the primary. */
export function progressOfRule(
  census: ProgressCensus,
  mesh: Pick<MeshState, 'ruleSince' | 'isOverruled' | 'clustersApart'>,
  rule: TrafficRule,
  holder: string,
): RuleProgress {
  if (holder !== '') return census.ofCluster(holder).ofRule(rule, mesh.ruleSince(rule, holder));
  const since = mesh.ruleSince(rule);
  const all = census.ofRule(rule, since);
  let { acknowledged, total } = all;
  const others = new Set<string>();
  for (const cluster of mesh.clustersApart(rule.service)) {
    const there = census.ofCluster(cluster);
    const counted = there.ofRule(rule, since);
    acknowledged -= counted.acknowledged;
    if (mesh.isOverruled(rule.service, cluster)) {
      total -= counted.total;
      for (const { node } of counted.rejections) others.add(node);
    } else {
      // They came to see it later than all others.
      acknowledged += there.ofRule(rule, mesh.ruleSince(rule, cluster)).acknowledged;
    }
  }
  return { acknowledged, total, rejections: all.rejections.filter(({ node }) => !others.has(node)) };
}
