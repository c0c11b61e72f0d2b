/** The part of the schema that says which pages in browsers may use the service (https://fetch.spec.whatwg.org/#http-cors-protocol). How schemas are written here: see spec.ts. */

import { durationText } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

const token = "(\\*|[A-Za-z0-9!#$%&'+\\-.^_`|~]+)";

const headerNames = {
  type: 'array',
  items: {
    type: 'string',
    description: 'A header name, or "*" for any.',
    minLength: 1,
    maxLength: 128,
    pattern: `^${token}$`,
    'x-fairway': { code: 'FW-RULE-077', says: 'must be a header name of 1 to 128 characters, or "*"' },
  },
  maxItems: 32,
  'x-kubernetes-list-type': 'set',
} as const;

export const cors = {
  type: 'object',
  description: 'Which pages in browsers may use the service. Without it, CORS headers and preflights pass as they are.',
  required: ['allowOrigins'],
  properties: {
    allowOrigins: {
      type: 'array',
      description:
        'Where the pages come from: https://shop.example.com, https://*.example.com (any number of labels), or "*".',
      items: {
        type: 'string',
        description: 'An origin, an origin whose host begins with "*.", or "*".',
        minLength: 1,
        maxLength: 253,
        pattern: '^(\\*|[a-z][a-z0-9+\\-.]*://(\\*\\.)?[a-z0-9]([a-z0-9\\-.]*[a-z0-9])?(:[0-9]{1,5})?)$',
        'x-fairway': {
          code: 'FW-RULE-076',
          says: 'must be an origin in small letters without a path, such as https://shop.example.com or https://*.example.com, or "*"',
        },
      },
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
    },
    allowMethods: {
      type: 'array',
      description: 'The methods that pages may use besides GET, HEAD and POST. "*" stands for any.',
      items: {
        type: 'string',
        description: 'A method in capitals, or "*".',
        minLength: 1,
        maxLength: 32,
        pattern: '^(\\*|[A-Z][A-Z0-9_\\-]*)$',
        'x-fairway': { code: 'FW-RULE-077', says: 'must be an HTTP method in capitals, such as PUT, or "*"' },
      },
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
    },
    allowHeaders: { ...headerNames, description: 'The request headers that pages may set. "*" stands for any.' },
    exposeHeaders: { ...headerNames, description: 'The response headers that pages may read. "*" stands for any.' },
    maxAge: {
      ...durationText,
      description: 'How long a browser may remember the answer to a preflight; whole seconds count.',
    },
    allowCredentials: {
      type: 'boolean',
      description: 'Whether requests of pages may carry cookies and the like. Left out: false.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: "!has(self.allowCredentials) || !self.allowCredentials || !('*' in self.allowOrigins || (has(self.allowMethods) && '*' in self.allowMethods) || (has(self.allowHeaders) && '*' in self.allowHeaders) || (has(self.exposeHeaders) && '*' in self.exposeHeaders))",
      message: 'must not have "*" in a list together with allowCredentials',
    },
  ],
} as const satisfies Schema;
