/** The part of the schema that says which requests a route takes and what happens to them. How schemas are written here: see schema.ts. */

import { backend } from './schema-backend.ts';
import { cors } from './schema-cors.ts';
import { fault, mirror } from './schema-fault.ts';
import { headerChange } from './schema-headers.ts';
import { match } from './schema-match.ts';
import { rateLimit } from './schema-rate-limit.ts';
import { redirect, respond, rewrite } from './schema-redirect.ts';
import { retry } from './schema-retry.ts';
import { timeouts } from './schema-timeouts.ts';
import type { Schema } from './schema-types.ts';

/** What only a request that is sent on can have. */
export const needBackends = ['rewrite', 'mirrors', 'rateLimit', 'timeouts', 'retry', 'requestHeaders'] as const;

export const route = {
  type: 'object',
  description: 'Which requests, and what happens to them.',
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
      description: 'Where the requests go, shared out by weight. Left out exactly where redirect or respond answers.',
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
    redirect,
    respond,
    rewrite,
    mirrors: {
      type: 'array',
      description: 'Who else gets a copy of the requests. What a copy is answered with is thrown away.',
      items: mirror,
      maxItems: 4,
      'x-kubernetes-list-type': 'atomic',
    },
    fault,
    cors,
    rateLimit,
    timeouts,
    retry,
    requestHeaders: { ...headerChange, description: 'Changes to the request before it is sent on.' },
    responseHeaders: { ...headerChange, description: 'Changes to the response before it is sent back.' },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.backends), has(self.redirect), has(self.respond)].filter(given, given).size() == 1',
      message: 'must have exactly one of backends, redirect and respond',
    },
    {
      rule: `has(self.backends) || !(${needBackends.map((name) => `has(self.${name})`).join(' || ')})`,
      message: `${needBackends.join(', ')} are for requests that are sent on: with redirect or respond the proxy answers by itself`,
    },
    ...['redirect', 'rewrite'].map((name) => ({
      rule: `!has(self.${name}) || !has(self.${name}.path) || !has(self.${name}.path.prefix) || !has(self.matches) || self.matches.all(match, !has(match.path) || has(match.path.prefix))`,
      message: `${name}.path.prefix needs matches by path.prefix alone: exact and regex match no prefix that could be replaced`,
    })),
  ],
} as const satisfies Schema;
