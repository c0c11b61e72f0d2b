/**
 * A ClusterPolicy as somebody wrote it in; the policy with its defaults applied, and everything that is wrong with it, out. With a finding of
 * severity error there is no policy; nothing is thrown, whatever the object is.
 */

import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import { contentHash } from '../objects/content-hash.ts';
import type { Findings, Path } from '../objects/findings.ts';
import { objectParser } from '../objects/parse-object.ts';
import { clusterPolicyHead } from './head.ts';
import { clusterPolicySpecSchema, type RawClusterPolicySpec } from './schema.ts';

export const parseClusterPolicy = objectParser<RawClusterPolicySpec, ClusterPolicy>({
  head: clusterPolicyHead,
  schema: clusterPolicySpecSchema,
  check({ clusters, grants }, findings) {
    checkStar(clusters, ['spec', 'clusters'], findings);
    for (const [i, grant] of (grants ?? []).entries())
      checkStar(grant?.namespaces, ['spec', 'grants', i, 'namespaces'], findings);
  },
  build(spec, { name, generation, createdAtMs, origin }) {
    const content = build(spec);
    const hash = contentHash([name, createdAtMs, content]);
    return { ref: { name, generation }, createdAtMs, ...content, hash, origin };
  },
});

function checkStar(names: readonly (string | undefined)[] | undefined, path: Path, findings: Findings): void {
  if (names === undefined || names.length < 2 || !names.includes('*')) return;
  const message = '* stands for all, so no name may stand beside it';
  findings.error('FW-RULE-194', path, message, 'Remove the other names, or *');
}

function build({
  clusters,
  grants,
  precedence = 'member',
  writeStatus = false,
}: RawClusterPolicySpec): Pick<ClusterPolicy, 'clusters' | 'grants' | 'precedence' | 'writeStatus'> {
  return {
    clusters: clusters.toSorted(),
    grants: grants.map(({ namespaces, kinds }) => ({ namespaces: namespaces.toSorted(), kinds: kinds.toSorted() })),
    precedence,
    writeStatus,
  };
}
