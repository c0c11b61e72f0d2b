/** The part of the schema that says which headers a route changes. How schemas are written here: see spec.ts. */

import type { Schema } from '../../objects/schema-types.ts';
import { headerNamePattern } from './match.ts';

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
      'x-fairway': {
        code: 'FW-RULE-035',
        says: 'must have at most 4096 characters, none of them a control character',
        keepsPattern: true,
      },
    },
  },
} as const satisfies Schema;

export const headerChange = {
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
