/**
 * Drain's spec, said once: the CRD, the check of what people write and the TypeScript types come from here. What a schema cannot say stands as
 * CEL for the API server and again in parse.ts; test/support/bad-drains.ts holds both to the same answers.
 */

import { durationText } from '../objects/schema-duration.ts';
import type { FromSchema, Schema } from '../objects/schema-types.ts';

const name = '[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?';

const duration = {
  ...durationText,
  'x-fairway': { code: 'FW-RULE-214', says: 'must be a duration of at most 168h, such as 30s, 5m or 1h' },
  'x-kubernetes-validations': [
    { rule: "duration(self) <= duration('168h')", message: 'must be a duration of at most 168h' },
  ],
} as const;

const time = {
  type: 'string',
  minLength: 20,
  maxLength: 30,
  pattern: '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$',
  'x-fairway': {
    code: 'FW-RULE-215',
    says: 'must be a time in UTC, such as 2026-01-31T08:00:00Z',
    keepsPattern: true,
  },
  'x-kubernetes-validations': [
    { rule: "timestamp(self) > timestamp('2000-01-01T00:00:00Z')", message: 'must be a time in UTC' },
  ],
} as const;

export const drainSpecSchema = {
  type: 'object',
  description: 'A place whose load moves away, and how fast.',
  properties: {
    cluster: {
      type: 'string',
      description: 'The registered cluster to drain. Left out: the zone, in every cluster.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-211', says: 'must be the name of a cluster, such as west', keepsPattern: true },
    },
    zone: {
      type: 'string',
      description: 'The zone to drain, as topology.kubernetes.io/zone names it. Left out: the whole cluster.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-212', says: 'must be the name of a zone, such as eu-1a', keepsPattern: true },
    },
    services: {
      type: 'array',
      description: 'The services to move, each NAMESPACE/NAME. Left out: all that have endpoints in the place.',
      items: {
        type: 'string',
        description: 'NAMESPACE/NAME.',
        minLength: 3,
        maxLength: 127,
        pattern: `^${name}/${name}$`,
        'x-fairway': { code: 'FW-RULE-213', says: 'must be NAMESPACE/NAME, such as shop/reviews', keepsPattern: true },
      },
      minItems: 1,
      maxItems: 1000,
      'x-kubernetes-list-type': 'set',
    },
    over: {
      ...duration,
      description: 'How long it takes from the first tenth to the last, at most 168h. 0s, or left out: at once.',
    },
    startAt: {
      ...time,
      description: 'When the first tenth moves, in UTC. Left out: when the object is made.',
    },
    undrain: {
      type: 'object',
      description:
        'The way back, in as many steps as were taken. Left out: the load comes back at once when the object is deleted.',
      required: ['startAt'],
      properties: {
        startAt: { ...time, description: 'When the first of them is taken back, in UTC.' },
        over: {
          ...duration,
          description: 'How long it takes until the last one is, at most 168h. 0s, or left out: at once.',
        },
      },
    },
    force: {
      type: 'boolean',
      description: 'Moves services too that are left without a ready endpoint: their requests are refused then.',
    },
  },
  'x-kubernetes-validations': [
    { rule: 'has(self.cluster) || has(self.zone)', message: 'must name a cluster, a zone, or both' },
  ],
} as const satisfies Schema;

export type RawDrainSpec = FromSchema<typeof drainSpecSchema>;
