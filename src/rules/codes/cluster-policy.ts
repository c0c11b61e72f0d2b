/**
 * Findings about ClusterPolicies, and about what member clusters hold. docs/errors.md is generated from this table; a code is never reused for
 * another meaning.
 */

import type { CodeTable } from './code-table.ts';

export const clusterPolicyCodes = {
  'FW-RULE-190': {
    title: 'Bad name or pattern of a cluster',
    cure: 'Write the name of a cluster, a beginning with * behind it such as edge-*, or * for all.',
  },
  'FW-RULE-191': {
    title: 'Bad name or pattern of a namespace',
    cure: 'Write the name of a namespace, a beginning with * behind it such as team-*, or * for all.',
  },
  'FW-RULE-192': { title: 'A kind that cannot be granted', cure: 'Write TrafficRule.' },
  'FW-RULE-193': { title: 'Unknown precedence', cure: 'Use primary or member.' },
  'FW-RULE-194': {
    title: 'Names beside *',
    cure: 'Remove the other names: * stands for all; or remove *.',
  },
  'FW-RULE-195': {
    title: 'No such cluster is registered',
    cure: 'Register the cluster, or correct the name; it counts from when it appears.',
  },
  'FW-RULE-196': {
    title: 'Two ClusterPolicies differ in who goes first',
    cure: 'Give both the same precedence, or take the namespace out of one; until then the primary goes first.',
  },
  'FW-RULE-197': {
    title: 'The primary is no member',
    cure: 'Take it out of the policy: its rules hold for every cluster as they are.',
  },
  'FW-RULE-200': {
    title: 'A rule of a member that no policy grants',
    cure: 'Apply a ClusterPolicy in the primary that grants the cluster this namespace, or delete the rule in the member.',
  },
  'FW-RULE-201': {
    title: 'The rule of the primary goes before the rule of a member',
    cure: 'Delete the rule in the primary or in the member, or give the ClusterPolicy precedence: member.',
  },
  'FW-RULE-202': {
    title: 'A member holds an object of a kind that members cannot have',
    cure: 'Apply it in the primary; a member may hold TrafficRules alone.',
  },
} as const satisfies CodeTable;
