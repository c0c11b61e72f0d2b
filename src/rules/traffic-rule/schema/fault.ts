/** The part of the schema that says which shares of the requests are copied, delayed or refused. How schemas are written here: see spec.ts. */

import { positiveDuration } from '../../objects/schema-duration.ts';
import type { Schema } from '../../objects/schema-types.ts';
import { destination, needsService, otherService } from './backend.ts';

/** Envoy counts shares in millionths. */
export const percentStep = 0.0001;

const percent = {
  type: 'number',
  minimum: 0,
  maximum: 100,
  'x-fairway': { code: 'FW-RULE-069', says: `must be from 0 to 100, in steps of ${percentStep}` },
  'x-kubernetes-validations': [
    {
      // To the nearest step and back: what is left over is what a double cannot say.
      rule: '(self * 10000.0 - double(int(self * 10000.0 + 0.5))) < 0.000001 && (self * 10000.0 - double(int(self * 10000.0 + 0.5))) > -0.000001',
      message: `must be from 0 to 100, in steps of ${percentStep}`,
    },
  ],
} as const;

export const mirror = {
  type: 'object',
  description:
    'A version, a cluster, both, or (with neither) any endpoint of the service; and which share of the requests it gets a copy of.',
  properties: {
    ...otherService,
    ...destination,
    percent: {
      ...percent,
      description: 'The share of the requests that is copied, in percent; 0.5 is one in 200. Left out: 100.',
    },
  },
  'x-kubernetes-validations': [needsService],
} as const satisfies Schema;

const delay = {
  type: 'object',
  description: 'A share of the requests waits before it is sent on.',
  required: ['percent', 'duration'],
  properties: {
    percent: { ...percent, description: 'The share of the requests, in percent.' },
    duration: { ...positiveDuration, description: 'How long they wait.' },
  },
} as const satisfies Schema;

const abort = {
  type: 'object',
  description:
    'A share of the requests is answered by the proxy and not sent on. Give exactly one of status and grpcStatus.',
  required: ['percent'],
  properties: {
    percent: { ...percent, description: 'The share of the requests, in percent.' },
    status: {
      type: 'integer',
      format: 'int32',
      description: 'The HTTP status code of the answer; a gRPC call gets the gRPC status that corresponds.',
      minimum: 200,
      maximum: 599,
      'x-fairway': { code: 'FW-RULE-072', says: 'must be from 200 to 599' },
    },
    grpcStatus: {
      type: 'integer',
      format: 'int32',
      description:
        'The gRPC status of the answer, by its number: 14 is UNAVAILABLE. On a port that is not gRPC, the HTTP status code that corresponds.',
      minimum: 1,
      maximum: 16,
      'x-fairway': { code: 'FW-RULE-073', says: 'must be a gRPC status from 1 to 16' },
    },
  },
  'x-kubernetes-validations': [
    { rule: 'has(self.status) != has(self.grpcStatus)', message: 'must have exactly one of status and grpcStatus' },
  ],
} as const satisfies Schema;

export const fault = {
  type: 'object',
  description: 'Trouble made on purpose, to see what it does. The two shares are drawn independently.',
  properties: { delay, abort },
  'x-kubernetes-validations': [
    { rule: 'has(self.delay) || has(self.abort)', message: 'must have at least one of delay and abort' },
  ],
} as const satisfies Schema;
