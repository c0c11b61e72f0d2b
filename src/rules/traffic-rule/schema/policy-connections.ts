/** The part of the schema that bounds a proxy's connections and requests to a service. How schemas are written here: see spec.ts. */

import { atLeast, durationText } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';

/** An Envoy cluster's limits are 32 bits wide; a number near that is no limit. */
const limit = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  maximum: 1_000_000_000,
  'x-fairway': { code: 'FW-RULE-099', says: 'must be from 1 to 1000000000; leave it out for no limit' },
} as const;

const keepalive = {
  type: 'object',
  description: 'TCP keepalive: notices on a connection without traffic that the other side is gone.',
  properties: {
    idle: {
      ...durationText,
      description: 'Without traffic for this long, the first probe is sent. Whole seconds. Left out: 60s.',
      'x-kubernetes-validations': [atLeast('1s')],
    },
    interval: {
      ...durationText,
      description: 'Between probes. Whole seconds. Left out: 10s.',
      'x-kubernetes-validations': [atLeast('1s')],
    },
    probes: {
      type: 'integer',
      format: 'int32',
      description: 'So many without an answer end the connection. Left out: 3.',
      minimum: 1,
      maximum: 100,
      'x-fairway': { code: 'FW-RULE-099', says: 'must be from 1 to 100' },
    },
  },
} as const satisfies Schema;

const retryBudget = {
  type: 'object',
  description: 'How many retries may be in flight, by the number of requests; a retry above that is not made.',
  required: ['percent'],
  properties: {
    percent: {
      type: 'integer',
      format: 'int32',
      description: 'Retries in flight, in per cent of all requests in flight or waiting.',
      minimum: 0,
      maximum: 100,
      'x-fairway': { code: 'FW-RULE-099', says: 'must be from 0 to 100' },
    },
    minConcurrency: {
      type: 'integer',
      format: 'int32',
      description: 'So many may be in flight however few requests there are. Left out: 3.',
      minimum: 0,
      maximum: 1_000_000_000,
      'x-fairway': { code: 'FW-RULE-099', says: 'must be from 0 to 1000000000' },
    },
  },
} as const satisfies Schema;

export const connections = {
  type: 'object',
  description: "One proxy's connections and requests to one backend of the service, with its fallbacks.",
  properties: {
    connectTimeout: {
      ...durationText,
      description: "How long an endpoint may take to accept a connection. Left out: the mesh's (5s).",
      'x-kubernetes-validations': [atLeast('1ms')],
    },
    max: {
      ...limit,
      description: 'Connections at most; HTTP requests above that wait for one, other connections are closed.',
    },
    maxPending: {
      ...limit,
      description: 'Requests that wait for a connection, one that is being opened too, at most; 503 above that.',
    },
    maxRequests: { ...limit, description: 'Requests in flight at most; 503 above that.' },
    maxRetries: {
      ...limit,
      description: 'Retries in flight at most; above that none is made. 0: none at all.',
      minimum: 0,
      'x-fairway': { code: 'FW-RULE-099', says: 'must be from 0 to 1000000000; leave it out for no limit' },
    },
    maxRequestsPerConnection: {
      ...limit,
      description: 'After so many requests a connection is replaced. 1: no reuse.',
    },
    maxAge: {
      ...durationText,
      description:
        'A connection that is older takes no more requests and is closed once they are done; a TCP connection is closed.',
      'x-kubernetes-validations': [atLeast('1ms')],
    },
    idleTimeout: {
      ...durationText,
      description: 'A connection without requests (TCP: without bytes) is closed after this. 0s: never. Left out: 1h.',
    },
    keepalive,
    unacknowledged: {
      ...durationText,
      description:
        'A connection ends on which sent bytes wait so long for the other side to take them. 0s: never. Left out: where a fallback or locality stands in, 3s for HTTP/1 and 900ms for HTTP/2 and gRPC; elsewhere never.',
    },
    retryBudget,
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.maxRetries) || !has(self.retryBudget)',
      message: 'must not have both maxRetries and retryBudget',
    },
  ],
} as const satisfies Schema;
