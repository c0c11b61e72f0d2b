/** The part of the schema that says where requests go: destinations, shares and fallbacks. How schemas are written here: see spec.ts. */

import type { Schema } from '../../objects/schema-types.ts';
import { headerChange } from './headers.ts';
import { placeFields } from './place.ts';

export const destination = {
  version: {
    type: 'string',
    description: "The value of the workloads' version label. Left out: any version.",
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?$',
    'x-fairway': {
      code: 'FW-RULE-026',
      says: 'must be a value that a version label can have, such as v2; leave it out for any version',
    },
  },
  ...placeFields,
} as const;

const dnsLabel = { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$' } as const;

/** Another service than the rule's own. */
export const otherService = {
  service: {
    ...dnsLabel,
    description: "Another service, whose endpoints these then are. Left out: the rule's own.",
    'x-fairway': { code: 'FW-RULE-180', says: 'must be the name of a service, such as ratings', keepsPattern: true },
  },
  namespace: {
    ...dnsLabel,
    description: "The other service's namespace. Left out: the rule's.",
    'x-fairway': { code: 'FW-RULE-180', says: 'must be the name of a namespace, such as shop', keepsPattern: true },
  },
  port: {
    type: 'integer',
    format: 'int32',
    description: 'The port of the service. Left out: the one that was asked for.',
    minimum: 1,
    maximum: 65_535,
    'x-fairway': { code: 'FW-RULE-064', says: 'must be from 1 to 65535' },
  },
} as const satisfies Readonly<Record<string, Schema>>;

export const needsService = {
  rule: 'has(self.service) || !has(self.namespace)',
  message: 'namespace needs service',
} as const;

export const backend = {
  type: 'object',
  description:
    'Where a share of the requests goes: a version, a place (cluster, region, zone), both, or (with neither) any endpoint of the service.',
  properties: {
    ...otherService,
    ...destination,
    weight: {
      type: 'integer',
      format: 'int32',
      description:
        "This backend's share: its weight divided by the sum over the route's backends. 0 takes no requests.",
      minimum: 0,
      // 16 backends of this weight stay far below the uint32 that Envoy sums them in.
      maximum: 1_000_000,
      default: 1,
      'x-fairway': { code: 'FW-RULE-024', says: 'must be from 0 to 1000000' },
    },
    fallback: {
      type: 'array',
      description:
        'Who takes over, in this order, what the backend cannot: an entry takes requests in the proportion in which those before it lack healthy endpoints. {} stands for any endpoint of the service.',
      items: {
        type: 'object',
        description: 'A version, a place, both, or with {} any endpoint of the service.',
        properties: destination,
      },
      maxItems: 8,
      'x-kubernetes-list-type': 'atomic',
    },
    requestHeaders: { ...headerChange, description: 'Changes to the requests of this share alone.' },
    responseHeaders: { ...headerChange, description: 'Changes to the responses of this share alone.' },
  },
  'x-kubernetes-validations': [needsService],
} as const satisfies Schema;
