/**
 * The part of the schema that says what a route makes of a request's URL, or answers in the backend's place. How schemas are written here: see
 * spec.ts. The words are Gateway API's; `full` and `prefix` stand for its ReplaceFullPath and ReplacePrefixMatch.
 */

import type { Schema } from '../../objects/schema-types.ts';
import { plainPath, regex } from './match.ts';

const hostname = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9\\-]*[a-z0-9])?)*$',
  'x-fairway': {
    code: 'FW-RULE-063',
    says: 'must be a host name in small letters, such as www.example.com, without a port',
  },
} as const;

const pathChange = {
  type: 'object',
  properties: {
    full: { ...plainPath, description: 'The new path, whatever the old one was. The query stays.' },
    prefix: {
      ...plainPath,
      description:
        "What takes the place of the prefix that the route matched; the rest of the path, and the query, stay. Needs routes that match by path.prefix or path.startsWith, or by no path (which is the prefix '/').",
    },
    regex: {
      type: 'object',
      description: 'What an expression finds in the path is replaced, wherever it stands; the query stays.',
      required: ['match', 'substitution'],
      properties: {
        match: { ...regex, description: 'A regular expression in RE2 syntax. It matches a part of the path.' },
        substitution: {
          type: 'string',
          description: 'What takes its place; \\1 is what the first group matched.',
          maxLength: 1024,
          pattern: '^[!-"$->@-~]*$',
          'x-fairway': {
            code: 'FW-RULE-181',
            says: 'must have at most 1024 characters that can stand in a path: no "?", no "#", and spaces and all beyond ASCII as %20 and the like',
            keepsPattern: true,
          },
        },
      },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.full), has(self.prefix), has(self.regex)].filter(given, given).size() == 1',
      message: 'must have exactly one of full, prefix and regex',
    },
  ],
} as const satisfies Omit<Schema, 'description'>;

export const redirectStatusCodes = [301, 302, 303, 307, 308] as const;

export const redirect = {
  type: 'object',
  description: 'The proxy answers with a redirect. What is left out stays as the request has it.',
  properties: {
    scheme: {
      type: 'string',
      description: 'http or https.',
      enum: ['http', 'https'],
      'x-fairway': { code: 'FW-RULE-084', says: 'must be http or https' },
    },
    hostname: { ...hostname, description: 'The new host. The port goes too, unless port says one.' },
    port: {
      type: 'integer',
      format: 'int32',
      description: 'The new port.',
      minimum: 1,
      maximum: 65_535,
      'x-fairway': { code: 'FW-RULE-064', says: 'must be from 1 to 65535' },
    },
    path: { ...pathChange, description: 'The new path. Give exactly one of full, prefix and regex.' },
    statusCode: {
      type: 'integer',
      format: 'int32',
      description: '301, 302, 303, 307 or 308. Left out: 302.',
      enum: redirectStatusCodes,
      'x-fairway': { code: 'FW-RULE-065', says: `must be one of ${redirectStatusCodes.join(', ')}` },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: 'has(self.scheme) || has(self.hostname) || has(self.port) || has(self.path)',
      message: 'must have at least one of scheme, hostname, port and path',
    },
  ],
} as const satisfies Schema;

export const rewrite = {
  type: 'object',
  description: 'What the backend sees in place of what was asked for.',
  properties: {
    hostname: { ...hostname, description: 'The Host (authority) that the backend sees.' },
    path: {
      ...pathChange,
      description: 'The path that the backend sees. Give exactly one of full, prefix and regex.',
    },
  },
  'x-kubernetes-validations': [
    { rule: 'has(self.hostname) || has(self.path)', message: 'must have at least one of hostname and path' },
  ],
} as const satisfies Schema;

/** Envoy's own bound for what it answers by itself. */
export const maxBodyBytes = 4096;

export const respond = {
  type: 'object',
  description: 'The proxy answers by itself; no backend sees the request.',
  required: ['status'],
  properties: {
    status: {
      type: 'integer',
      format: 'int32',
      description: "The answer's status code.",
      minimum: 200,
      maximum: 599,
      'x-fairway': { code: 'FW-RULE-072', says: 'must be from 200 to 599' },
    },
    body: {
      type: 'string',
      description: "The answer's body, as text/plain unless responseHeaders set another content-type.",
      maxLength: maxBodyBytes,
      'x-fairway': { code: 'FW-RULE-082', says: `must have at most ${maxBodyBytes} bytes` },
      'x-kubernetes-validations': [
        { rule: `bytes(self).size() <= ${maxBodyBytes}`, message: `must have at most ${maxBodyBytes} bytes` },
      ],
    },
  },
} as const satisfies Schema;
