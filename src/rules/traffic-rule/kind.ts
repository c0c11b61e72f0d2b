/** TrafficRule as a row of the table of kinds. */

import type { ObjectKind } from '../objects/kind-types.ts';
import { count, progressColumns, stateColumns, statusSchema } from '../status/status-schema.ts';
import { trafficRuleHead } from './head.ts';
import { parseRuleObject } from './parse.ts';
import { specSchema } from './schema/spec.ts';

export const trafficRuleKind: ObjectKind = {
  ...trafficRuleHead,
  description:
    'A TrafficRule says where the requests to one service go: to which versions, in which clusters, in which shares.',
  schemaFile: 'src/rules/traffic-rule/schema/spec.ts',
  spec: specSchema,
  status: statusSchema(
    'rule',
    'Accepted: valid, and in force for its service. ResolvedRefs: its targets exist. Programmed: all connected proxies acknowledged it.',
    { routes: count('How many routes are in force, or would be.') },
  ),
  columns: [
    { name: 'Service', type: 'string', jsonPath: '.spec.service' },
    ...stateColumns,
    { name: 'Routes', type: 'integer', jsonPath: '.status.routes', priority: 1 },
    ...progressColumns,
  ],
  shown: [{ title: 'SERVICE', of: (spec) => String((spec as { readonly service?: unknown } | null)?.service ?? '') }],
  parse: parseRuleObject,
};
