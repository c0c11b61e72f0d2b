/** The part of the schema that says when a request is tried again. How schemas are written here: see spec.ts. */

import { durationText, positiveDuration } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

/** Envoy's retry conditions that a rule may name; what they mean is said in docs/traffic-rules.md. */
export const retryConditions = [
  '5xx',
  'cancelled',
  'connect-failure',
  'deadline-exceeded',
  'gateway-error',
  'internal',
  'refused-stream',
  'reset',
  'reset-before-request',
  'resource-exhausted',
  'retriable-4xx',
  'unavailable',
] as const;

const retryOn = {
  type: 'array',
  items: {
    type: 'string',
    description: 'A retry condition or a status code.',
    maxLength: 32,
    pattern: `^(${retryConditions.join('|')}|[45][0-9][0-9])$`,
    'x-fairway': {
      code: 'FW-RULE-033',
      says: `must be one of ${retryConditions.join(', ')}, or a status code from "400" to "599"`,
    },
  },
  minItems: 1,
  maxItems: 16,
  'x-kubernetes-list-type': 'set',
} as const;

export const retry = {
  type: 'object',
  description: "When a failed request is tried again. Left out: the mesh's defaults.",
  required: ['attempts'],
  properties: {
    attempts: {
      type: 'integer',
      format: 'int32',
      description: 'How many times, after the first try. 0: never.',
      minimum: 0,
      maximum: 10,
      'x-fairway': { code: 'FW-RULE-032', says: 'must be from 0 to 10' },
    },
    on: {
      ...retryOn,
      description: `What is tried again: ${retryConditions.join(', ')}, or a status code from "400" to "599". Left out: cancelled, connect-failure, refused-stream, reset-before-request, unavailable.`,
    },
    // kubectl reads YAML 1.1, where a bare `on` is the boolean true: this is how it then arrives at the API server.
    true: { ...retryOn, description: 'The same as on: what kubectl makes of an on that is not in quotes.' },
    backoff: {
      type: 'object',
      description: 'How long to wait before a retry. Left out: 25 ms, growing to 250 ms.',
      required: ['base'],
      properties: {
        base: {
          ...positiveDuration,
          description: 'The first wait is a random time below this; later ones may be longer.',
        },
        max: { ...durationText, description: 'No wait is longer. Left out: ten times base.' },
      },
      'x-kubernetes-validations': [
        {
          rule: '!has(self.max) || duration(self.max) >= duration(self.base)',
          message: 'max must not be shorter than base',
        },
      ],
    },
    otherHostFirst: {
      type: 'boolean',
      description: 'Whether a retry prefers an endpoint that was not tried yet. Left out: true.',
    },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.on) || !has(self.__true__)', message: 'must not have both on and true: they mean the same' },
  ],
} as const satisfies Schema;
