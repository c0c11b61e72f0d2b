/**
 * The part of the schema that says which places come first, and which count at all: locality, spillover, within. How schemas are written here:
 * see spec.ts.
 */

import type { Schema } from '../../objects/schema-types.ts';
import { namesPlace, placeFields } from './place.ts';

export const nearnessSteps = ['node', 'zone', 'region', 'cluster', 'network'] as const;

const { cluster, region, zone } = placeFields;

export const locality = {
  type: 'object',
  description:
    "Which endpoints come first, within each entry of a backend's chain. Give exactly one of prefer, order and shares. Left out: all alike.",
  properties: {
    prefer: {
      type: 'array',
      description:
        'The endpoints that have the first of these in common with the client come first, then those with the second, and so on; then all others.',
      items: {
        type: 'string',
        description: 'What client and endpoint have in common.',
        enum: nearnessSteps,
        'x-fairway': { code: 'FW-RULE-122', says: `must be one of ${nearnessSteps.join(', ')}` },
      },
      minItems: 1,
      maxItems: 5,
      'x-kubernetes-list-type': 'set',
    },
    order: {
      type: 'array',
      description:
        'Endpoints in the first of these places come first, then those in the second, and so on; then all others.',
      items: {
        type: 'object',
        description: 'A region, a zone, a cluster, or several of them at once.',
        properties: { region, zone, cluster },
        'x-kubernetes-validations': namesPlace,
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    shares: {
      type: 'array',
      description:
        'Shares by place, for clients in a place. The first entry that fits the client counts; where none does, all endpoints are alike.',
      items: {
        type: 'object',
        description: 'For which clients, and which shares.',
        required: ['to'],
        properties: {
          from: {
            type: 'object',
            description: 'Where the client is. Left out, or {}: anywhere.',
            properties: { region, zone, cluster },
          },
          to: {
            type: 'array',
            description: 'Places and their shares. All others take only what these cannot.',
            items: {
              type: 'object',
              description: 'A place and its share.',
              required: ['weight'],
              properties: {
                region,
                zone,
                cluster,
                weight: {
                  type: 'integer',
                  format: 'int32',
                  description: "The place's share: its weight divided by the sum over the entry's places.",
                  minimum: 1,
                  maximum: 1_000_000,
                  'x-fairway': {
                    code: 'FW-RULE-125',
                    says: 'must be from 1 to 1000000; leave out a place that is to take nothing',
                  },
                },
              },
              'x-kubernetes-validations': namesPlace,
            },
            minItems: 1,
            maxItems: 16,
            'x-kubernetes-list-type': 'atomic',
          },
        },
      },
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'atomic',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.prefer), has(self.order), has(self.shares)].filter(given, given).size() == 1',
      message: 'must have exactly one of prefer, order and shares',
    },
  ],
} as const satisfies Schema;

export const spillover = {
  type: 'integer',
  format: 'int32',
  description:
    'How much of its load a level of endpoints (an entry of a chain, a step of locality) keeps while some of them are not healthy, in per cent of its healthy share, before the next level helps. 140: until fewer than 5 in 7 are healthy; 100: from the first that is lost. Left out: 140.',
  minimum: 100,
  maximum: 100_000,
  'x-fairway': { code: 'FW-RULE-124', says: 'must be from 100 to 100000' },
} as const satisfies Schema;

export const within = {
  type: 'object',
  description:
    'Traffic never leaves this place, even when no endpoint is left in it: then requests are answered with 503.',
  properties: { region, zone, cluster },
  'x-kubernetes-validations': namesPlace,
} as const satisfies Schema;
