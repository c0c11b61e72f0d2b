/** The shapes of filters, of HTTPRoutes and of GRPCRoutes. See schema-references.ts. */

import type { Schema } from '../rules/objects/schema-types.ts';
import { group, hostForm, kind, notSupported, objectName, objectReference, port } from './schema-references.ts';

const headerToken = "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$";

export const headerName = {
  type: 'string',
  description: 'The name of a header.',
  minLength: 1,
  maxLength: 256,
  pattern: headerToken,
  'x-fairway': { code: 'FW-GWAPI-005', says: 'must be a name of letters, digits and "-", at most 256 characters' },
} as const satisfies Schema;

function valueOf<Max extends number>(maxLength: Max) {
  return {
    type: 'string',
    description: 'The value.',
    minLength: 1,
    maxLength,
    'x-fairway': { code: 'FW-GWAPI-005', says: `must have 1 to ${maxLength} characters` },
  } as const satisfies Schema;
}

export const headerValue = valueOf(4096);
export const queryValue = valueOf(1024);

const headers = {
  type: 'array',
  description: 'Headers with their values.',
  maxItems: 16,
  items: {
    type: 'object',
    description: 'A header with its value.',
    properties: { name: headerName, value: headerValue },
    required: ['name', 'value'],
  },
} as const satisfies Schema;

const headerModifier = {
  type: 'object',
  description: 'Headers to set, add and remove.',
  properties: {
    set: headers,
    add: headers,
    remove: {
      type: 'array',
      description: 'Names of headers to remove.',
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', description: 'The name of a header.' },
    },
  },
} as const satisfies Schema;

const hostname = {
  type: 'string',
  description: 'A host name.',
  minLength: 1,
  maxLength: 253,
  pattern: `^${hostForm}$`,
  'x-fairway': { code: 'FW-GWAPI-012', says: 'must be a host name in small letters, without a port' },
} as const satisfies Schema;

const pathText = {
  type: 'string',
  description: 'The new path.',
  maxLength: 1024,
  'x-fairway': { code: 'FW-GWAPI-003', says: 'must have at most 1024 characters' },
} as const satisfies Schema;

const pathModifier = {
  type: 'object',
  description: 'The new path, or the part of it that takes the place of the prefix.',
  properties: {
    type: {
      type: 'string',
      description: 'ReplaceFullPath or ReplacePrefixMatch.',
      enum: ['ReplaceFullPath', 'ReplacePrefixMatch'],
      'x-fairway': { code: 'FW-GWAPI-005', says: 'must be ReplaceFullPath or ReplacePrefixMatch' },
    },
    replaceFullPath: pathText,
    replacePrefixMatch: pathText,
  },
  required: ['type'],
} as const satisfies Schema;

const extensionRef = {
  type: 'object',
  description: 'A filter of somebody else.',
  properties: { group, kind, name: objectName },
  required: ['group', 'kind', 'name'],
} as const satisfies Schema;

const requestMirror = {
  type: 'object',
  description: 'Where copies of requests go.',
  properties: {
    backendRef: {
      type: 'object',
      description: 'Where the copies go.',
      properties: objectReference,
      required: ['name'],
    },
    percent: {
      type: 'integer',
      description: 'How many of a hundred requests are copied.',
      minimum: 0,
      maximum: 100,
      'x-fairway': { code: 'FW-GWAPI-005', says: 'must be from 0 to 100' },
    },
    fraction: {
      type: 'object',
      description: 'The share of the requests that is copied.',
      properties: {
        numerator: {
          type: 'integer',
          description: 'Not more than the denominator.',
          minimum: 0,
          'x-fairway': { code: 'FW-GWAPI-005', says: 'must not be negative' },
        },
        denominator: {
          type: 'integer',
          description: 'Left out: 100.',
          minimum: 1,
          'x-fairway': { code: 'FW-GWAPI-005', says: 'must be at least 1' },
        },
      },
      required: ['numerator'],
    },
  },
  required: ['backendRef'],
} as const satisfies Schema;

const corsHeaders = {
  type: 'array',
  description: 'Names of headers, or "*" alone.',
  maxItems: 64,
  'x-kubernetes-list-type': 'set',
  items: headerName,
} as const satisfies Schema;

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

const cors = {
  type: 'object',
  description: 'Which pages of other origins may ask.',
  properties: {
    allowOrigins: {
      type: 'array',
      description: 'Origins, or "*" alone.',
      maxItems: 64,
      'x-kubernetes-list-type': 'set',
      items: {
        type: 'string',
        description: 'An origin: https://www.example.com, https://*.example.com.',
        minLength: 1,
        maxLength: 253,
        pattern: '(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)',
        'x-fairway': { code: 'FW-GWAPI-005', says: 'must be an origin such as https://www.example.com, or "*"' },
      },
    },
    allowMethods: {
      type: 'array',
      description: 'Methods, or "*" alone.',
      maxItems: 9,
      'x-kubernetes-list-type': 'set',
      items: {
        type: 'string',
        description: 'A method, in capitals.',
        enum: [...httpMethods, '*'],
        'x-fairway': { code: 'FW-GWAPI-005', says: 'must be a method in capitals, or "*"' },
      },
    },
    allowHeaders: corsHeaders,
    exposeHeaders: corsHeaders,
    allowCredentials: { type: 'boolean', description: 'Whether cookies may be sent.' },
    maxAge: {
      type: 'integer',
      description: 'How many seconds browsers keep the answer. Left out: 5.',
      minimum: 1,
      'x-fairway': { code: 'FW-GWAPI-005', says: 'must be at least 1' },
    },
  },
} as const satisfies Schema;

const requestRedirect = {
  type: 'object',
  description: 'The proxy answers with a redirect.',
  properties: {
    scheme: {
      type: 'string',
      description: 'http or https.',
      enum: ['http', 'https'],
      'x-fairway': { code: 'FW-GWAPI-005', says: 'must be http or https' },
    },
    hostname,
    path: pathModifier,
    port,
    statusCode: {
      type: 'integer',
      description: 'Left out: 302.',
      enum: [301, 302, 303, 307, 308],
      'x-fairway': { code: 'FW-GWAPI-005', says: 'must be 301, 302, 303, 307 or 308' },
    },
  },
} as const satisfies Schema;

const urlRewrite = {
  type: 'object',
  description: 'The host and path that the backend sees.',
  properties: { hostname, path: pathModifier },
} as const satisfies Schema;

/** One that is not of the standard channel, or of a later version, is told in the route's status. */
const filterType = {
  type: 'string',
  description: 'RequestHeaderModifier, RequestRedirect, URLRewrite, …',
  minLength: 1,
  maxLength: 63,
  'x-fairway': { code: 'FW-GWAPI-004', says: 'must be the name of a filter, such as RequestHeaderModifier' },
} as const satisfies Schema;

function filterList<P extends Readonly<Record<string, Schema>>>(properties: P) {
  return {
    type: 'array',
    description: 'What is done with the requests.',
    maxItems: 16,
    items: { type: 'object', description: 'A filter.', properties, required: ['type'] },
  } as const;
}

export const grpcFilters = filterList({
  type: filterType,
  requestHeaderModifier: headerModifier,
  responseHeaderModifier: headerModifier,
  requestMirror,
  extensionRef,
});

export const httpFilters = filterList({
  type: filterType,
  requestHeaderModifier: headerModifier,
  responseHeaderModifier: headerModifier,
  requestMirror,
  requestRedirect,
  urlRewrite,
  cors,
  extensionRef,
  externalAuth: notSupported('Not supported.'),
});
