/**
 * The part of the schema that says how proxies tell a healthy endpoint, beyond what its cluster says. How schemas are written here: see spec.ts.
 */

import { atLeast, durationText } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

const inARow = {
  type: 'integer',
  format: 'int32',
  minimum: 0,
  maximum: 1000,
  'x-fairway': { code: 'FW-RULE-102', says: 'must be from 0 to 1000' },
} as const;

const positive = { ...durationText, 'x-kubernetes-validations': [atLeast('1ms')] } as const;

export const defaultBaseEjection = '30s';

export const outlierDetection = {
  type: 'object',
  description:
    'A proxy leaves out, for a while, an endpoint that fails it. Left out: 5 connections in a row that fail or break leave it out for 10s and more.',
  properties: {
    consecutiveErrors: {
      ...inARow,
      description:
        'So many in a row of answers from 500 to 599, failed connections and tries that took too long leave an endpoint out. 0: they do not count. Left out: 5.',
    },
    consecutiveGatewayErrors: {
      ...inARow,
      description:
        'The same for the answers 502, 503 and 504, failed connections and tries that took too long. Left out, or 0: they do not count.',
    },
    interval: { ...positive, description: 'How often it is looked whether endpoints may return. Left out: 10s.' },
    baseEjection: {
      ...positive,
      description: `How long an endpoint is left out: this, times how often it was before. Left out: ${defaultBaseEjection}.`,
    },
    maxEjection: { ...positive, description: 'How long at most. Left out: 300s, or baseEjection if that is longer.' },
    maxEjectedPercent: {
      type: 'integer',
      format: 'int32',
      description:
        "How many of a backend's endpoints, fallbacks included, may be left out at once, in per cent. Left out: 100; where all are, all are used.",
      minimum: 1,
      maximum: 100,
      'x-fairway': { code: 'FW-RULE-102', says: 'must be from 1 to 100' },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: `!has(self.maxEjection) || duration(has(self.baseEjection) ? self.baseEjection : '${defaultBaseEjection}') <= duration(self.maxEjection)`,
      message: `baseEjection (${defaultBaseEjection}, if left out) must not be longer than maxEjection`,
    },
  ],
} as const satisfies Schema;

const threshold = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  maximum: 100,
  'x-fairway': { code: 'FW-RULE-107', says: 'must be from 1 to 100' },
} as const;

const http = {
  type: 'object',
  description: 'GET requests.',
  properties: {
    path: {
      type: 'string',
      description: 'The path, with a query if need be. Left out: /.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^/[!-~]*$',
      'x-fairway': { code: 'FW-RULE-106', says: 'must begin with "/" and hold no blanks and no control characters' },
    },
    host: {
      type: 'string',
      description: "The Host header. Left out: the service's full name.",
      minLength: 1,
      maxLength: 253,
      pattern: '^[A-Za-z0-9.\\-_:\\[\\]]+$',
      'x-fairway': { code: 'FW-RULE-106', says: 'must be a host, such as reviews.shop' },
    },
    statuses: {
      type: 'array',
      description: 'Healthy are these status codes, alone or as ranges. Left out: "200-399".',
      items: {
        type: 'string',
        description: 'A status code or a range of them.',
        maxLength: 7,
        pattern: '^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$',
        'x-fairway': { code: 'FW-RULE-105', says: 'must be a status code or a range, such as "204" or "200-299"' },
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-validations': [
        {
          rule: "self.all(text, !text.contains('-') || text.split('-')[0] <= text.split('-')[1])",
          message: 'a range must not end before it begins',
        },
      ],
    },
  },
} as const satisfies Schema;

export const healthCheck = {
  type: 'object',
  description:
    'Every proxy asks every endpoint at intervals and uses those that answer. Give exactly one of http, grpc and tcp.',
  properties: {
    http,
    grpc: {
      type: 'object',
      description: "gRPC's health service. Ports that do not speak HTTP/2 are checked as with tcp.",
      properties: {
        service: {
          type: 'string',
          description: 'The name to ask for. Left out: the server as a whole.',
          minLength: 1,
          maxLength: 253,
          pattern: '^[!-~]+$',
          'x-fairway': { code: 'FW-RULE-106', says: 'must be the name of a gRPC service, such as shop.Reviews' },
        },
      },
    },
    tcp: {
      type: 'object',
      description: 'An endpoint is healthy if it accepts a connection: {}.',
      properties: {},
    },
    port: {
      type: 'integer',
      format: 'int32',
      description: "The port to ask. Left out: the endpoint's own.",
      minimum: 1,
      maximum: 65_535,
      'x-fairway': { code: 'FW-RULE-107', says: 'must be from 1 to 65535' },
    },
    interval: { ...positive, description: 'Between two checks of an endpoint. Left out: 10s.' },
    timeout: { ...positive, description: 'How long an answer may take. Left out: 1s.' },
    healthyThreshold: {
      ...threshold,
      description: 'So many good answers in a row bring an endpoint back. Left out: 1.',
    },
    unhealthyThreshold: {
      ...threshold,
      description: 'So many bad answers in a row take it out; a wrong status code does so at once. Left out: 3.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.http), has(self.grpc), has(self.tcp)].filter(given, given).size() == 1',
      message: 'must have exactly one of http, grpc and tcp',
    },
  ],
} as const satisfies Schema;
