/** The shape of ReferenceGrants. See schema-references.ts. */

import type { FromSchema, Schema } from '../rules/objects/schema-types.ts';
import { group, kind, namespace, objectName } from './schema-references.ts';

export const grantSpec = {
  type: 'object',
  description: 'A ReferenceGrant.',
  properties: {
    from: {
      type: 'array',
      description: 'Who may refer to what is in this namespace.',
      minItems: 1,
      maxItems: 16,
      items: {
        type: 'object',
        description: 'Objects of one kind in one namespace.',
        properties: { group, kind, namespace },
        required: ['group', 'kind', 'namespace'],
      },
    },
    to: {
      type: 'array',
      description: 'What they may refer to.',
      minItems: 1,
      maxItems: 16,
      items: {
        type: 'object',
        description: 'Objects of one kind, or one of them.',
        properties: { group, kind, name: objectName },
        required: ['group', 'kind'],
      },
    },
  },
  required: ['from', 'to'],
} as const satisfies Schema;

export type RawGrant = FromSchema<typeof grantSpec>;
