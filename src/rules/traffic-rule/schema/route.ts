/** The part of the schema that says which requests a route takes and what happens to them. How schemas are written here: see spec.ts. */

import type { Schema } from '../../objects/schema-types.ts';
import { backend } from './backend.ts';
import { cors } from './cors.ts';
import { fault, mirror } from './fault.ts';
import { headerChange } from './headers.ts';
import { match } from './match.ts';
import { rateLimit } from './rate-limit.ts';
import { redirect, respond, rewrite } from './redirect.ts';
import { retry } from './retry.ts';
import { timeouts } from './timeouts.ts';

/** What is done with requests, of which a connection shows none. */
export const doneWithRequests = [
  'rewrite',
  'mirrors',
  'rateLimit',
  'timeouts',
  'retry',
  'requestHeaders',
  'responseHeaders',
  'fault',
  'cors',
] as const;

/** What only a request that is sent on can have. */
export const needBackends = ['rewrite', 'mirrors', 'timeouts', 'retry', 'requestHeaders'] as const;

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
    ports: {
      type: 'array',
      description:
        "The service's ports that the route is for. Left out: all. A port that no route is for goes on as without a rule.",
      items: {
        type: 'integer',
        format: 'int32',
        description: 'A port of the service.',
        minimum: 1,
        maximum: 65_535,
        'x-fairway': { code: 'FW-RULE-064', says: 'must be from 1 to 65535' },
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
    },
    takes: {
      type: 'string',
      description:
        'requests: of ports that show them (HTTP and all that is made of it). connections: of all other ports. Left out: requests, and connections too where it takes every request.',
      enum: ['requests', 'connections'],
      'x-fairway': { code: 'FW-RULE-182', says: 'must be requests or connections' },
    },
    sni: {
      type: 'array',
      description: 'Of TLS connections, those that ask for one of these names. Left out: all.',
      items: {
        type: 'string',
        description: 'A server name: db.example.com, or *.example.com for all below.',
        minLength: 1,
        maxLength: 253,
        pattern: '^(\\*\\.)?[a-z0-9]([a-z0-9\\-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9\\-]*[a-z0-9])?)*$',
        'x-fairway': {
          code: 'FW-RULE-183',
          says: 'must be a host name in small letters, such as db.example.com or *.example.com',
          keepsPattern: true,
        },
      },
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
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
      rule: `!has(self.${name}) || !has(self.${name}.path) || !has(self.${name}.path.prefix) || !has(self.matches) || self.matches.all(match, !has(match.path) || has(match.path.prefix) || has(match.path.startsWith))`,
      message: `${name}.path.prefix needs matches by path.prefix or path.startsWith alone: exact and regex match no prefix that could be replaced`,
    })),
    {
      rule: "!has(self.sni) || (has(self.takes) && self.takes == 'connections')",
      message: 'sni needs takes: connections',
    },
    {
      rule: `!has(self.takes) || self.takes != 'connections' || (has(self.backends) && ${doneWithRequests.map((name) => `!has(self.${name})`).join(' && ')})`,
      message: 'a route that takes connections has backends, and nothing that is done with a request',
    },
  ],
} as const satisfies Schema;
