/** ClusterPolicy as a row of the table of kinds. */

import type { ObjectKind } from '../objects/kind-types.ts';
import { field, texts } from '../objects/raw-fields.ts';
import { conditionStatus, statusSchema } from '../status/status-schema.ts';
import { clusterPolicyHead } from './head.ts';
import { parseClusterPolicy } from './parse.ts';
import { clusterPolicySpecSchema } from './schema.ts';

export const clusterPolicyKind: ObjectKind = {
  ...clusterPolicyHead,
  description:
    'A ClusterPolicy grants member clusters the right to hold traffic rules of their own, for their own proxies. It counts in the primary alone.',
  schemaFile: 'src/rules/cluster-policy/schema.ts',
  spec: clusterPolicySpecSchema,
  status: statusSchema(
    'policy',
    'Accepted: valid, and in force. ResolvedRefs: the clusters that it names are registered. Programmed: all proxies of these clusters acknowledged what it last changed.',
  ),
  columns: [
    { name: 'Clusters', type: 'string', jsonPath: '.spec.clusters' },
    { name: 'Precedence', type: 'string', jsonPath: '.spec.precedence' },
    { name: 'Accepted', type: 'string', jsonPath: conditionStatus('Accepted') },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'ResolvedRefs', type: 'string', jsonPath: conditionStatus('ResolvedRefs'), priority: 1 },
  ],
  shown: [
    { title: 'CLUSTERS', of: (spec) => texts(field(spec, 'clusters')).join(',') },
    {
      title: 'NAMESPACES',
      of: (spec) => {
        const grants = field(spec, 'grants');
        const lists = Array.isArray(grants) ? grants.map((grant) => texts(field(grant, 'namespaces'))) : [];
        return [...new Set(lists.flat())].join(',');
      },
    },
    { title: 'PRECEDENCE', of: (spec) => String(field(spec, 'precedence') ?? 'member') },
  ],
  parse: parseClusterPolicy,
};
