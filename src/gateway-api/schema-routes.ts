/** The shapes of the four routes and of ReferenceGrants. See schema-references.ts. */

import type { FromSchema, Schema } from '../rules/objects/schema-types.ts';
import { grpcFilters, headerName, headerValue, httpFilters, httpMethods, queryValue } from './schema-filters.ts';
import { hostnames, notSupported, objectReference, parentRefs, sectionName, weight } from './schema-references.ts';

const matchType = {
  type: 'string',
  description: 'Exact or RegularExpression.',
  enum: ['Exact', 'RegularExpression'],
  'x-fairway': { code: 'FW-GWAPI-005', says: 'must be Exact or RegularExpression' },
} as const satisfies Schema;

function valueMatches<V extends Schema>(what: string, value: V) {
  return {
    type: 'array',
    description: `${what}s that the request must have.`,
    maxItems: 16,
    items: {
      type: 'object',
      description: `A ${what.toLowerCase()} that the request must have.`,
      properties: { type: matchType, name: headerName, value },
      required: ['name', 'value'],
    },
  } as const;
}

const headerMatches = valueMatches('Header', headerValue);
const queryMatches = valueMatches('Query parameter', queryValue);

/** `more`: fields of a backend besides what all have. */
function backendList<P extends Readonly<Record<string, Schema>>>(description: string, more: P) {
  return {
    type: 'array',
    description,
    maxItems: 16,
    items: {
      type: 'object',
      description: 'A Service, with its share.',
      properties: { ...objectReference, weight, ...more },
      required: ['name'],
    },
  } as const;
}

const duration = {
  type: 'string',
  description: 'A duration.',
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  'x-fairway': { code: 'FW-GWAPI-008', says: 'must be a duration, as in 500ms, 3s or 1h30m' },
} as const satisfies Schema;

const httpRule = {
  type: 'object',
  description: 'A rule.',
  properties: {
    name: sectionName,
    matches: {
      type: 'array',
      description: 'Which requests it is for; one of them must hold.',
      maxItems: 64,
      items: {
        type: 'object',
        description: 'A match; all of it must hold.',
        properties: {
          path: {
            type: 'object',
            description: 'The path.',
            properties: {
              type: {
                type: 'string',
                description: 'Exact, PathPrefix or RegularExpression.',
                enum: ['Exact', 'PathPrefix', 'RegularExpression'],
                'x-fairway': { code: 'FW-GWAPI-005', says: 'must be Exact, PathPrefix or RegularExpression' },
              },
              value: {
                type: 'string',
                description: 'The path, its beginning, or an expression for it.',
                maxLength: 1024,
                'x-fairway': { code: 'FW-GWAPI-003', says: 'must have at most 1024 characters' },
              },
            },
          },
          method: {
            type: 'string',
            description: 'The method.',
            enum: httpMethods,
            'x-fairway': { code: 'FW-GWAPI-005', says: 'must be a method in capitals' },
          },
          headers: headerMatches,
          queryParams: queryMatches,
        },
      },
    },
    filters: httpFilters,
    backendRefs: backendList('Where requests go.', { filters: httpFilters }),
    timeouts: {
      type: 'object',
      description: 'How long a request may take.',
      properties: { request: duration, backendRequest: duration },
    },
    retry: {
      type: 'object',
      description: 'Which requests are tried again.',
      properties: {
        codes: {
          type: 'array',
          description: 'Status codes.',
          'x-kubernetes-list-type': 'set',
          items: {
            type: 'integer',
            description: 'A status code.',
            minimum: 400,
            maximum: 599,
            'x-fairway': { code: 'FW-GWAPI-005', says: 'must be from 400 to 599' },
          },
        },
        attempts: {
          type: 'integer',
          // 0 since v1.7; before, the CRDs ask for at least 1.
          description: 'How often at most; 0: not at all.',
          minimum: 0,
          'x-fairway': { code: 'FW-GWAPI-005', says: 'must not be negative' },
        },
        backoff: duration,
      },
    },
    sessionPersistence: notSupported('Not supported.'),
  },
} as const satisfies Schema;

/** What all routes have besides their rules. */
const ofAllRoutes = { parentRefs, useDefaultGateways: { type: 'string', description: 'For Gateways.' } } as const;

export const httpRouteSpec = {
  type: 'object',
  description: 'An HTTPRoute.',
  properties: {
    hostnames,
    rules: { type: 'array', description: 'Its rules.', minItems: 1, maxItems: 16, items: httpRule },
    ...ofAllRoutes,
  },
} as const satisfies Schema;

const methodText = {
  type: 'string',
  description: 'A name.',
  maxLength: 1024,
  'x-fairway': { code: 'FW-GWAPI-011', says: 'must have at most 1024 characters' },
} as const satisfies Schema;

const grpcRule = {
  type: 'object',
  description: 'A rule.',
  properties: {
    name: sectionName,
    matches: {
      type: 'array',
      description: 'Which calls it is for; one of them must hold.',
      maxItems: 64,
      items: {
        type: 'object',
        description: 'A match; all of it must hold.',
        properties: {
          method: {
            type: 'object',
            description: 'The service and method that are called.',
            properties: { type: matchType, service: methodText, method: methodText },
          },
          headers: headerMatches,
        },
      },
    },
    filters: grpcFilters,
    backendRefs: backendList('Where calls go.', { filters: grpcFilters }),
    sessionPersistence: notSupported('Not supported.'),
  },
} as const satisfies Schema;

export const grpcRouteSpec = {
  type: 'object',
  description: 'A GRPCRoute.',
  properties: {
    hostnames,
    rules: { type: 'array', description: 'Its rules.', maxItems: 16, items: grpcRule },
    ...ofAllRoutes,
  },
} as const satisfies Schema;

/** TCPRoutes and TLSRoutes have one rule, for whatever comes. */
const connectionRules = {
  type: 'array',
  description: 'Its one rule.',
  minItems: 1,
  maxItems: 1,
  items: {
    type: 'object',
    description: 'The rule.',
    properties: {
      name: sectionName,
      backendRefs: { ...backendList('Where connections go.', {}), minItems: 1 },
    },
    required: ['backendRefs'],
  },
} as const satisfies Schema;

export const tcpRouteSpec = {
  type: 'object',
  description: 'A TCPRoute.',
  properties: {
    rules: connectionRules,
    ...ofAllRoutes,
  },
  required: ['rules'],
} as const satisfies Schema;

export const tlsRouteSpec = {
  type: 'object',
  description: 'A TLSRoute.',
  properties: {
    hostnames: { ...hostnames, minItems: 1, maxItems: 1024 },
    rules: connectionRules,
    ...ofAllRoutes,
  },
  required: ['hostnames', 'rules'],
} as const satisfies Schema;

/** v1alpha2 has several rules, and TLSRoutes there need no server names. */
const alphaRules = { ...connectionRules, maxItems: 16 } as const satisfies Schema;

export const tcpRouteAlphaSpec = {
  ...tcpRouteSpec,
  properties: { ...tcpRouteSpec.properties, rules: alphaRules },
} as const satisfies Schema;

export const tlsRouteAlphaSpec = {
  ...tlsRouteSpec,
  properties: { ...tlsRouteSpec.properties, hostnames: { ...hostnames, maxItems: 1024 }, rules: alphaRules },
  required: ['rules'],
} as const satisfies Schema;

export type RawHttpRoute = FromSchema<typeof httpRouteSpec>;
export type RawHttpRule = FromSchema<typeof httpRule>;
export type RawGrpcRoute = FromSchema<typeof grpcRouteSpec>;
export type RawGrpcRule = FromSchema<typeof grpcRule>;
export type RawTcpRoute = FromSchema<typeof tcpRouteSpec>;
export type RawTlsRoute = FromSchema<typeof tlsRouteAlphaSpec>;
export type RawHttpFilter = FromSchema<typeof httpFilters>[number];
export type RawParentRef = FromSchema<typeof parentRefs>[number];
