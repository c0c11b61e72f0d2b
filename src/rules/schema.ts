/**
 * TrafficRule's spec, said once: the CRD (crd.ts), the check of what people write (structure.ts) and the TypeScript types all come from here.
 *
 * What a schema cannot say (exactly one of, weights not all zero, …) stands here as a CEL rule for the API server and again in checks.ts for
 * everyone else; test/support/bad-rules.ts holds both to the same answers. `x-fairway` gives a value's pattern and bounds a code and words.
 */

import { headerChange } from './schema-headers.ts';
import { match } from './schema-match.ts';
import type { FromSchema, Schema } from './schema-types.ts';

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

export const maxMatchesPerRule = 256;

const destination = {
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
  cluster: {
    type: 'string',
    description: 'The name of a registered cluster. Left out: any cluster.',
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?$',
    'x-fairway': {
      code: 'FW-RULE-027',
      says: 'must be the name of a cluster, such as west; leave it out for any cluster',
    },
  },
} as const;

const backend = {
  type: 'object',
  description:
    'Where a share of the requests goes: a version, a cluster, both, or (with neither) any endpoint of the service.',
  properties: {
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
        description: 'A version, a cluster, both, or with {} any endpoint of the service.',
        properties: destination,
      },
      maxItems: 8,
      'x-kubernetes-list-type': 'atomic',
    },
  },
} as const satisfies Schema;

const durationText = {
  type: 'string',
  minLength: 2,
  maxLength: 32,
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  'x-fairway': { code: 'FW-RULE-030', says: 'must be a duration such as 500ms, 3s or 1h30m' },
} as const;

const timeouts = {
  type: 'object',
  description: 'How long a request may take.',
  properties: {
    request: { ...durationText, description: 'The whole request with all its retries. 0s, or left out: no limit.' },
    backendRequest: { ...durationText, description: 'One try; at most as long as request. 0s, or left out: no limit.' },
  },
  'x-kubernetes-validations': [
    {
      rule: "!(has(self.request) && has(self.backendRequest)) || duration(self.request) == duration('0s') || duration(self.backendRequest) <= duration(self.request)",
      message: 'backendRequest must not be longer than request',
    },
  ],
} as const satisfies Schema;

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

const retry = {
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
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.on) || !has(self.__true__)', message: 'must not have both on and true: they mean the same' },
  ],
} as const satisfies Schema;

const route = {
  type: 'object',
  description: 'Which requests, and what happens to them.',
  required: ['backends'],
  properties: {
    name: {
      type: 'string',
      description:
        'A name for people, logs and metrics; unique in the rule. Left out: route-0, route-1, … by position.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-013', says: 'must be lower-case letters, digits and "-", at most 63 characters' },
    },
    matches: {
      type: 'array',
      description:
        'Alternatives: the route takes a request that satisfies any of them. Left out or empty: every request.',
      items: match,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    backends: {
      type: 'array',
      description: 'Where the requests go, shared out by weight.',
      items: backend,
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
      'x-kubernetes-validations': [
        {
          rule: 'self.exists(backend, backend.weight > 0)',
          message: 'at least one backend must have a weight above 0',
        },
      ],
    },
    timeouts,
    retry,
    requestHeaders: { ...headerChange, description: 'Changes to the request before it is sent on.' },
    responseHeaders: { ...headerChange, description: 'Changes to the response before it is sent back.' },
  },
} as const satisfies Schema;

export const specSchema = {
  type: 'object',
  description: 'Where the requests to one service go.',
  required: ['service', 'routes'],
  properties: {
    service: {
      type: 'string',
      description: "The service, by its name in the rule's own namespace. The rule holds for it in every cluster.",
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
      'x-fairway': {
        code: 'FW-RULE-012',
        says: "must be the name of a service in the rule's own namespace, such as reviews, without namespace or domain",
      },
    },
    routes: {
      type: 'array',
      description:
        'Tried in the order in which they are written: the first that matches takes the request. A request that matches none gets 404.',
      items: route,
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'atomic',
      'x-kubernetes-validations': [
        {
          rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
          message: 'each route must have a name of its own',
        },
        {
          rule: `self.map(route, has(route.matches) ? route.matches.size() : 0).sum() <= ${maxMatchesPerRule}`,
          message: `all routes together must have at most ${maxMatchesPerRule} matches`,
        },
      ],
    },
  },
} as const satisfies Schema;

export type RawSpec = FromSchema<typeof specSchema>;
export type RawRoute = RawSpec['routes'][number];
export type RawMatch = NonNullable<RawRoute['matches']>[number];
export type RawHeaderMatch = NonNullable<RawMatch['headers']>[number];
export type RawBackend = RawRoute['backends'][number];
export type RawHeaderChange = NonNullable<RawRoute['requestHeaders']>;
