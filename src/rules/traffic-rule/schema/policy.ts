/**
 * The part of the schema that says which endpoint of a service takes a request: load balancing and affinity. How schemas are written here: see
 * spec.ts.
 */

import { atLeast, durationText } from '../../objects/schema-duration.ts';
import type { CelRule, Schema } from '../../objects/schema-types.ts';
import { headerNamePattern } from './match.ts';

export const loadBalancingPolicies = ['leastRequest', 'roundRobin', 'random', 'ringHash', 'maglev'] as const;

export type LoadBalancingPolicy = (typeof loadBalancingPolicies)[number];

/** Which settings say something to which policies. checks/policy.ts and the CEL rules below are made from it. */
export const settingsOfPolicies = {
  choices: ['leastRequest'],
  minRingSize: ['ringHash'],
  maxRingSize: ['ringHash'],
  tableSize: ['maglev'],
  slowStart: ['leastRequest', 'roundRobin'],
} as const satisfies Readonly<Record<string, readonly LoadBalancingPolicy[]>>;

/** Envoy's default; so that a lone maxRingSize below it is seen to contradict it. */
export const defaultMinRingSize = 1024;

export const hashPolicies: readonly LoadBalancingPolicy[] = ['ringHash', 'maglev'];

const ringSize = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  maximum: 8_388_608,
  'x-fairway': { code: 'FW-RULE-091', says: 'must be from 1 to 8388608' },
} as const;

export const loadBalancing = {
  type: 'object',
  description: 'Which endpoint takes a request.',
  properties: {
    policy: {
      type: 'string',
      description:
        'leastRequest: of some at random, the one with the fewest requests in flight. roundRobin: each in turn. random: any. ringHash, maglev: by affinity. Left out: leastRequest, or with affinity ringHash.',
      enum: loadBalancingPolicies,
      'x-fairway': { code: 'FW-RULE-090', says: `must be one of ${loadBalancingPolicies.join(', ')}` },
    },
    choices: {
      type: 'integer',
      format: 'int32',
      description: 'leastRequest: of how many endpoints, picked at random, the least busy one is taken. Left out: 2.',
      minimum: 2,
      maximum: 100,
      'x-fairway': { code: 'FW-RULE-091', says: 'must be from 2 to 100' },
    },
    minRingSize: {
      ...ringSize,
      description: `ringHash: the least number of entries on the ring. More entries, more even shares. Left out: ${defaultMinRingSize}.`,
    },
    maxRingSize: {
      ...ringSize,
      description:
        'ringHash: the greatest number of entries on the ring, each a few bytes in each proxy. Left out: 8388608.',
    },
    tableSize: {
      type: 'integer',
      format: 'int32',
      description: 'maglev: the number of entries of the table, a prime. Left out: 65537.',
      minimum: 2,
      maximum: 5_000_011,
      'x-fairway': { code: 'FW-RULE-091', says: 'must be from 2 to 5000011' },
    },
    slowStart: {
      ...durationText,
      description:
        'leastRequest, roundRobin: over this time an endpoint that is new, or healthy again, comes up to its full share.',
      'x-kubernetes-validations': [atLeast('1ms')],
    },
    panicThreshold: {
      type: 'integer',
      format: 'int32',
      description:
        'In per cent. Where fewer endpoints are healthy, and no fallback can stand in, all are used, healthy or not. 0: never. Left out: 1.',
      minimum: 0,
      maximum: 100,
      'x-fairway': { code: 'FW-RULE-091', says: 'must be from 0 to 100' },
    },
  },
} as const satisfies Schema;

export const affinity = {
  type: 'object',
  description:
    'Requests that belong together go to the same endpoint, as long as it is there. Give exactly one of cookie, header, queryParam and sourceIP.',
  properties: {
    cookie: {
      type: 'object',
      description: 'By the value of a cookie. A client without it gets one.',
      required: ['name'],
      properties: {
        name: {
          type: 'string',
          description: "The cookie's name.",
          minLength: 1,
          maxLength: 128,
          pattern: headerNamePattern,
          'x-fairway': { code: 'FW-RULE-098', says: 'must be a cookie name of 1 to 128 characters, such as session' },
        },
        path: {
          type: 'string',
          description: 'For which paths the client sends the cookie. Left out: /.',
          minLength: 1,
          maxLength: 1024,
          pattern: '^/[!-:<-~]*$',
          'x-fairway': { code: 'FW-RULE-098', says: 'must begin with "/" and hold neither ";" nor blanks' },
        },
        ttl: {
          ...durationText,
          description: 'How long the client keeps the cookie, at least 1s. Left out: until it ends.',
          'x-kubernetes-validations': [atLeast('1s')],
        },
      },
    },
    header: {
      type: 'string',
      description: 'By the value of this request header. A request without it goes to any endpoint.',
      minLength: 1,
      maxLength: 128,
      pattern: headerNamePattern,
      'x-fairway': { code: 'FW-RULE-020', says: 'must be a header name of 1 to 128 characters, such as x-user' },
    },
    queryParam: {
      type: 'string',
      description: 'By the value of this query parameter. A request without it goes to any endpoint.',
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\x00-\\x1f\\x7f]+$',
      'x-fairway': { code: 'FW-RULE-022', says: 'must be a parameter name of 1 to 128 characters' },
    },
    sourceIP: {
      type: 'boolean',
      description:
        "By the client's address: true. To a sidecar the client is its own workload, whose requests then all go to one endpoint.",
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.cookie), has(self.header), has(self.queryParam), has(self.sourceIP)].filter(given, given).size() == 1',
      message: 'must have exactly one of cookie, header, queryParam and sourceIP',
    },
    { rule: '!has(self.sourceIP) || self.sourceIP', message: 'sourceIP must be true; leave affinity out for none' },
  ],
} as const satisfies Schema;

const celList = (words: readonly string[]): string => `[${words.map((word) => `'${word}'`).join(', ')}]`;

/** The policy that is in force, in CEL, of a spec that has loadBalancing. */
const policyInForce =
  "(has(self.loadBalancing.policy) ? self.loadBalancing.policy : has(self.affinity) ? 'ringHash' : 'leastRequest')";

const celRuleOf = ([setting, policies]: readonly [string, readonly string[]]): CelRule => ({
  rule: `!has(self.loadBalancing) || !has(self.loadBalancing.${setting}) || ${policyInForce} in ${celList(policies)}`,
  message: `loadBalancing.${setting} is for ${policies.join(' and ')} only`,
});

/** What loadBalancing and affinity must have in common, for the spec. */
export const policyRules: readonly CelRule[] = [
  {
    rule: `!has(self.affinity) || !has(self.loadBalancing) || ${policyInForce} in ${celList(hashPolicies)}`,
    message: 'affinity needs loadBalancing.policy to be ringHash or maglev, or to be left out',
  },
  ...Object.entries(settingsOfPolicies).map(celRuleOf),
  {
    rule: `!has(self.loadBalancing) || !has(self.loadBalancing.maxRingSize) || (has(self.loadBalancing.minRingSize) ? self.loadBalancing.minRingSize : ${defaultMinRingSize}) <= self.loadBalancing.maxRingSize`,
    message: `loadBalancing.minRingSize (${defaultMinRingSize}, if left out) must not be above maxRingSize`,
  },
];
