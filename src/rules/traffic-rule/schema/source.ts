/** The part of the schema that says who asks. How schemas are written here: see spec.ts. */

import type { Schema } from '../../objects/schema-types.ts';
import { placeFields } from './place.ts';

export const source = {
  type: 'object',
  description: 'Which clients: all that is given must be theirs. Left out, or {}: all.',
  properties: {
    cluster: { ...placeFields.cluster, description: "The client's cluster. Left out: any." },
    namespace: {
      type: 'string',
      description: "The client's namespace. Left out: any.",
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-126', says: 'must be the name of a namespace, such as shop', keepsPattern: true },
    },
    labels: {
      type: 'object',
      description: "Labels of the client's workload, with their values. Left out: any.",
      additionalProperties: {
        type: 'string',
        description: "The label's value.",
        maxLength: 63,
        pattern: '^([A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?)?$',
        'x-fairway': { code: 'FW-RULE-127', says: 'must be a value that a label can have', keepsPattern: true },
      },
      maxProperties: 8,
    },
  },
} as const satisfies Schema;
