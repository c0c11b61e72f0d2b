/**
 * ClusterPolicy's spec, said once: the CRD, the check of what people write and the TypeScript types come from here. What a schema cannot say
 * stands as CEL for the API server and again in parse.ts; test/support/bad-cluster-policies.ts holds both to the same answers.
 */

import type { FromSchema, Schema } from '../objects/schema-types.ts';

const starAlone = {
  rule: "self.size() == 1 || !self.exists(name, name == '*')",
  message: '* stands for all, so no name may stand beside it',
} as const;

export const clusterPolicySpecSchema = {
  type: 'object',
  description: 'Which rules of their own member clusters may hold.',
  required: ['clusters', 'grants'],
  properties: {
    clusters: {
      type: 'array',
      description: 'Who is granted it: names of clusters, or beginnings with `*` behind them (edge-*).',
      items: {
        type: 'string',
        description: 'A name, a beginning with `*` behind it, or `*`.',
        minLength: 1,
        maxLength: 63,
        pattern: '^([A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?|([A-Za-z0-9][A-Za-z0-9_\\-]*)?\\*)$',
        'x-fairway': {
          code: 'FW-RULE-190',
          says: 'must be the name of a cluster, or a beginning with * behind it',
          keepsPattern: true,
        },
      },
      minItems: 1,
      maxItems: 256,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-validations': [starAlone],
    },
    grants: {
      type: 'array',
      description: 'What these clusters may hold.',
      items: {
        type: 'object',
        description: 'Objects of some kinds in some namespaces.',
        required: ['namespaces', 'kinds'],
        properties: {
          namespaces: {
            type: 'array',
            description:
              'Names of namespaces, or beginnings with `*` behind them. A rule is for services of its own namespace.',
            items: {
              type: 'string',
              description: 'A name, a beginning with `*` behind it, or `*`.',
              minLength: 1,
              maxLength: 63,
              pattern: '^([a-z0-9]([a-z0-9\\-]*[a-z0-9])?|([a-z0-9][a-z0-9\\-]*)?\\*)$',
              'x-fairway': {
                code: 'FW-RULE-191',
                says: 'must be the name of a namespace, or a beginning with * behind it',
                keepsPattern: true,
              },
            },
            minItems: 1,
            maxItems: 128,
            'x-kubernetes-list-type': 'set',
            'x-kubernetes-validations': [starAlone],
          },
          kinds: {
            type: 'array',
            description: 'The kinds of objects.',
            items: {
              type: 'string',
              description: 'A kind.',
              enum: ['TrafficRule'],
              'x-fairway': { code: 'FW-RULE-192', says: 'must be TrafficRule' },
            },
            minItems: 1,
            maxItems: 8,
            'x-kubernetes-list-type': 'set',
          },
        },
      },
      minItems: 1,
      maxItems: 32,
    },
    precedence: {
      type: 'string',
      description:
        'Whose rule is in force for the member’s own proxies where the primary and the member have one for the same service. Default member.',
      enum: ['primary', 'member'],
      'x-fairway': { code: 'FW-RULE-193', says: 'must be primary or member' },
    },
    writeStatus: {
      type: 'boolean',
      description:
        'Whether the statuses of the members’ rules are written into the members, which takes a right there (patch on trafficrules/status). Default false.',
    },
  },
} as const satisfies Schema;

export type RawClusterPolicySpec = FromSchema<typeof clusterPolicySpecSchema>;
