/**
 * TrafficRule's spec, said once: the CRD (objects/crd.ts), the check of what people write (checks/shape.ts) and the TypeScript types all come from here.
 *
 * What a schema cannot say (exactly one of, weights not all zero, …) stands here as a CEL rule for the API server and again in checks/ for
 * everyone else; test/support/bad-rules.ts holds both to the same answers. `x-fairway` gives a value's pattern and bounds a code and words.
 */

import type { FromSchema, Schema } from '../../objects/schema-types.ts';
import { locality, spillover, within } from './locality.ts';
import { affinity, loadBalancing, policyRules } from './policy.ts';
import { connections } from './policy-connections.ts';
import { healthCheck, outlierDetection } from './policy-health.ts';
import { route } from './route.ts';

export const maxMatchesPerRule = 256;

export const specSchema = {
  type: 'object',
  description: 'Where the requests to one service go.',
  required: ['service'],
  // A rule that names its service alone would do nothing.
  minProperties: 2,
  properties: {
    service: {
      type: 'string',
      description: "The service, by its name in the rule's own namespace. The rule holds for it in every cluster.",
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
      'x-fairway': {
        code: 'FW-RULE-012',
        says: "must be the name of a service in the rule's own namespace, such as reviews, without namespace or domain",
      },
    },
    routes: {
      type: 'array',
      description:
        'Tried in the order in which they are written: the first that matches takes the request. A request that matches none gets 404. Left out: every request, to any endpoint.',
      items: route,
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'atomic',
      'x-kubernetes-validations': [
        {
          rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
          message: 'each route must have a name of its own',
        },
        {
          rule: `self.map(route, has(route.matches) ? route.matches.size() : 0).sum() <= ${maxMatchesPerRule}`,
          message: `all routes together must have at most ${maxMatchesPerRule} matches`,
        },
      ],
    },
    locality,
    spillover,
    within,
    loadBalancing,
    affinity,
    connections,
    outlierDetection,
    healthCheck,
  },
  'x-kubernetes-validations': policyRules,
} as const satisfies Schema;

export type RawSpec = FromSchema<typeof specSchema>;
export type RawRoute = NonNullable<RawSpec['routes']>[number];
export type RawMatch = NonNullable<RawRoute['matches']>[number];
export type RawHeaderMatch = NonNullable<RawMatch['headers']>[number];
export type RawBackend = NonNullable<RawRoute['backends']>[number];
export type RawHeaderChange = NonNullable<RawRoute['requestHeaders']>;
