/**
 * A ClusterPolicy as somebody wrote it in; the policy with its defaults applied, and everything that is wrong with it, out. With a finding of
 * severity error there is no policy; nothing is thrown, whatever the object is.
 */

import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { RawObject } from '../../model/object.ts';
import { contentHash } from '../build.ts';
import { readEnvelope } from '../envelope.ts';
import type { Findings, Path } from '../findings.ts';
import type { ParsedObject, ParseObjectOptions } from '../kind-types.ts';
import { checkShape, schemaCheck } from '../structure.ts';
import { clusterPolicyHead } from './head.ts';
import { clusterPolicySpecSchema, type RawClusterPolicySpec } from './schema.ts';

const structure = schemaCheck(clusterPolicySpecSchema);

export function parseClusterPolicy(raw: RawObject, options: ParseObjectOptions): ParsedObject<ClusterPolicy> {
  const { findings, namespace, name, createdAtMs, generation, spec } = readEnvelope(
    raw,
    options.defaultNamespace,
    clusterPolicyHead,
  );
  const known = { namespace, name, createdAtMs, spec, ...(generation === undefined ? {} : { generation }) };
  if (spec === undefined) return { ...known, findings: findings.list() };
  const { clusters, grants } = checkShape<RawClusterPolicySpec>(spec, findings, structure());
  checkStar(clusters, ['spec', 'clusters'], findings);
  for (const [i, grant] of (grants ?? []).entries())
    checkStar(grant?.namespaces, ['spec', 'grants', i, 'namespaces'], findings);
  if (findings.hasErrors) return { ...known, findings: findings.list() };
  const content = build(spec as RawClusterPolicySpec);
  const value: ClusterPolicy = {
    ref: { name, generation: generation ?? 1 },
    createdAtMs,
    ...content,
    hash: contentHash([name, createdAtMs, content]),
    origin: raw.origin,
  };
  return { ...known, value, findings: findings.list() };
}

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
