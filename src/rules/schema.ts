/**
 * TrafficRule's spec, said once: the CRD (crd.ts), the check of what people write (structure.ts) and the TypeScript types all come from here.
 *
 * What a schema cannot say (exactly one of, weights not all zero, …) stands here as a CEL rule for the API server and again in checks.ts for
 * everyone else; test/support/bad-rules.ts holds both to the same answers. `x-fairway` gives a value's pattern and bounds a code and words.
 */

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

/** Headers that belong to one connection, to the message's framing, or to routing itself (RFC 9110 §7.6.1, RFC 9113 §8.2.2). */
export const unchangeableHeaders = [
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

export const maxMatchesPerRule = 256;
export const maxRegexLength = 1024;

const headerNamePattern = "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$";

const regex = {
  type: 'string',
  description: 'A regular expression in RE2 syntax. It must match the whole value.',
  minLength: 1,
  maxLength: maxRegexLength,
  'x-fairway': { code: 'FW-RULE-018', says: 'must be a regular expression of 1 to 1024 characters' },
  'x-kubernetes-validations': [
    {
      // `matches` compiles with Go's RE2 and fails on a bad expression; what it answers for a good one makes no difference.
      rule: "''.matches(self) in [true, false]",
      message: 'must be a regular expression in RE2 syntax (no look-around, no back-references)',
    },
  ],
} as const satisfies Schema;

const plainPath = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  pattern: '^/[^?#]*$',
  'x-fairway': { code: 'FW-RULE-016', says: 'must begin with "/" and hold neither "?" nor "#"' },
  'x-kubernetes-validations': [
    {
      rule: "!self.contains('//') && !(self + '/').contains('/./') && !(self + '/').contains('/../')",
      message: 'must not hold "//", "/./" or "/../": requests are normalised before they are matched',
    },
  ],
} as const;

const pathMatch = {
  type: 'object',
  description: 'Matches the path, without the query. Give exactly one of exact, prefix and regex.',
  properties: {
    exact: { ...plainPath, description: 'The whole path.' },
    prefix: {
      ...plainPath,
      description: 'The leading elements of the path: /api matches /api and /api/x, and not /apix. A closing slash makes no difference.',
    },
    regex,
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.exact), has(self.prefix), has(self.regex)].filter(given, given).size() == 1',
      message: 'must have exactly one of exact, prefix and regex',
    },
  ],
} as const satisfies Schema;

const matchedValue = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$',
  'x-fairway': { code: 'FW-RULE-021', says: 'must have 1 to 1024 characters, none of them a control character', keepsPattern: true },
} as const;

const valueMatch = {
  value: { ...matchedValue, description: 'The whole value; upper and lower case differ.' },
  prefix: { ...matchedValue, description: 'What the value begins with; upper and lower case differ.' },
  regex,
} as const;

const oneValueMatch = [
  {
    rule: '[has(self.value), has(self.prefix), has(self.regex)].filter(given, given).size() == 1',
    message: 'must have exactly one of value, prefix and regex',
  },
] as const;

const headerMatch = {
  type: 'object',
  description: 'Matches a request header. Give its name and exactly one of value, prefix and regex.',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      description: "The header's name; upper and lower case are the same.",
      minLength: 1,
      maxLength: 128,
      pattern: headerNamePattern,
      'x-fairway': { code: 'FW-RULE-020', says: 'must be a header name of 1 to 128 characters, such as x-group' },
    },
    ...valueMatch,
  },
  'x-kubernetes-validations': oneValueMatch,
} as const satisfies Schema;

const queryParamMatch = {
  type: 'object',
  description: 'Matches a query parameter. Give its name and exactly one of value, prefix and regex.',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      description: "The parameter's name; upper and lower case differ. Of several parameters with one name, the first counts.",
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\x00-\\x1f\\x7f]+$',
      'x-fairway': { code: 'FW-RULE-022', says: 'must be a parameter name of 1 to 128 characters' },
    },
    ...valueMatch,
  },
  'x-kubernetes-validations': oneValueMatch,
} as const satisfies Schema;

const match = {
  type: 'object',
  description: 'What a request must be like: all that is given must hold. An empty match takes every request.',
  properties: {
    path: pathMatch,
    method: {
      type: 'string',
      description: 'The HTTP method, in capitals.',
      minLength: 1,
      maxLength: 32,
      pattern: '^[A-Z][A-Z0-9_-]*$',
      'x-fairway': { code: 'FW-RULE-019', says: 'must be an HTTP method in capitals, such as GET' },
    },
    headers: {
      type: 'array',
      description: 'Request headers, all of which must match.',
      items: headerMatch,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    queryParams: {
      type: 'array',
      description: 'Query parameters, all of which must match.',
      items: queryParamMatch,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
  },
} as const satisfies Schema;

const destination = {
  version: {
    type: 'string',
    description: "The value of the workloads' version label. Left out: any version.",
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?$',
    'x-fairway': { code: 'FW-RULE-026', says: 'must be a value that a version label can have, such as v2; leave it out for any version' },
  },
  cluster: {
    type: 'string',
    description: 'The name of a registered cluster. Left out: any cluster.',
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?$',
    'x-fairway': { code: 'FW-RULE-027', says: 'must be the name of a cluster, such as west; leave it out for any cluster' },
  },
} as const;

const backend = {
  type: 'object',
  description: 'Where a share of the requests goes: a version, a cluster, both, or (with neither) any endpoint of the service.',
  properties: {
    ...destination,
    weight: {
      type: 'integer',
      format: 'int32',
      description: "This backend's share: its weight divided by the sum over the route's backends. 0 takes no requests.",
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
      items: { type: 'object', description: 'A version, a cluster, both, or with {} any endpoint of the service.', properties: destination },
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
    'x-fairway': { code: 'FW-RULE-033', says: `must be one of ${retryConditions.join(', ')}, or a status code from "400" to "599"` },
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
  'x-kubernetes-validations': [{ rule: '!has(self.on) || !has(self.__true__)', message: 'must not have both on and true: they mean the same' }],
} as const satisfies Schema;

const changedHeaderName = {
  type: 'string',
  description: "The header's name; upper and lower case are the same.",
  minLength: 1,
  maxLength: 128,
  pattern: headerNamePattern,
  'x-fairway': { code: 'FW-RULE-020', says: 'must be a header name of 1 to 128 characters, such as x-group' },
  'x-kubernetes-validations': [
    {
      rule: `!(self.lowerAscii() in [${unchangeableHeaders.map((name) => `'${name}'`).join(', ')}])`,
      message: `must not be one of ${unchangeableHeaders.join(', ')}: they belong to the connection or to routing`,
    },
  ],
} as const satisfies Schema;

const headerToWrite = {
  type: 'object',
  description: 'A header and its value.',
  required: ['name', 'value'],
  properties: {
    name: changedHeaderName,
    value: {
      type: 'string',
      description: 'Written as it stands; no character has a special meaning.',
      maxLength: 4096,
      pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$',
      'x-fairway': { code: 'FW-RULE-035', says: 'must have at most 4096 characters, none of them a control character', keepsPattern: true },
    },
  },
} as const satisfies Schema;

const headerChange = {
  type: 'object',
  properties: {
    set: {
      type: 'array',
      description: 'Headers that are given this value, whatever they were.',
      items: headerToWrite,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    add: {
      type: 'array',
      description: 'Headers that are added to those that are there.',
      items: headerToWrite,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    remove: {
      type: 'array',
      description: 'Headers that are taken away.',
      items: changedHeaderName,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
    },
  },
} as const;

const route = {
  type: 'object',
  description: 'Which requests, and what happens to them.',
  required: ['backends'],
  properties: {
    name: {
      type: 'string',
      description: 'A name for people, logs and metrics; unique in the rule. Left out: route-0, route-1, … by position.',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
      'x-fairway': { code: 'FW-RULE-013', says: 'must be lower-case letters, digits and "-", at most 63 characters' },
    },
    matches: {
      type: 'array',
      description: 'Alternatives: the route takes a request that satisfies any of them. Left out or empty: every request.',
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
        { rule: 'self.exists(backend, backend.weight > 0)', message: 'at least one backend must have a weight above 0' },
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
      description: 'Tried in the order in which they are written: the first that matches takes the request. A request that matches none gets 404.',
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
