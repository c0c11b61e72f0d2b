/** The part of the schema that says how many requests each proxy lets through. How schemas are written here: see spec.ts. */

import { durationText } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

const amount = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  maximum: 1_000_000,
  'x-fairway': { code: 'FW-RULE-080', says: 'must be from 1 to 1000000' },
} as const;

/** Envoy takes no shorter interval. */
export const minRateIntervalMs = 50;
export const maxRateIntervalMs = 86_400_000;

export const rateLimit = {
  type: 'object',
  description: 'How many requests of this route each proxy lets through; the others are answered with 429.',
  required: ['requests', 'per'],
  properties: {
    requests: { ...amount, description: 'How many requests in each interval.' },
    per: {
      ...durationText,
      description: 'The interval, from 50ms to 24h.',
      'x-kubernetes-validations': [
        {
          rule: "duration(self) >= duration('50ms') && duration(self) <= duration('24h')",
          message: 'must be from 50ms to 24h',
        },
      ],
    },
    burst: { ...amount, description: 'How many at once, after a quiet time. Left out: as many as requests.' },
  },
} as const satisfies Schema;
