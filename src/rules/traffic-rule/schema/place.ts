/** The part of the schema that names places: regions, zones, clusters. How schemas are written here: see spec.ts. */

import type { CelRule, Schema } from '../../objects/schema-types.ts';

/** The values that labels can have, which is where regions and zones come from. */
const topologyName = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?$',
} as const;

export const placeFields = {
  cluster: {
    type: 'string',
    description: 'The name of a registered cluster. Left out: any cluster.',
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?$',
    'x-fairway': {
      code: 'FW-RULE-027',
      says: 'must be the name of a cluster, such as west; leave it out for any cluster',
    },
  },
  region: {
    ...topologyName,
    description: 'A region, as the label topology.kubernetes.io/region names it. Left out: any region.',
    'x-fairway': {
      code: 'FW-RULE-120',
      says: 'must be the name of a region, such as eu-west-1; leave it out for any region',
      keepsPattern: true,
    },
  },
  zone: {
    ...topologyName,
    description: 'A zone, as the label topology.kubernetes.io/zone names it. Left out: any zone.',
    'x-fairway': {
      code: 'FW-RULE-120',
      says: 'must be the name of a zone, such as eu-west-1a; leave it out for any zone',
      keepsPattern: true,
    },
  },
} as const satisfies Readonly<Record<string, Schema>>;

export const namesPlace: readonly CelRule[] = [
  {
    rule: 'has(self.region) || has(self.zone) || has(self.cluster)',
    message: 'must name a region, a zone or a cluster',
  },
];
