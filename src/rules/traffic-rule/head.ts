/** What TrafficRule is called. */

import type { KindHead } from '../objects/kind-types.ts';

export const ruleApiVersion = 'fairway.dev/v1alpha1';
export const ruleKind = 'TrafficRule';

export const trafficRuleHead: KindHead = {
  apiVersion: ruleApiVersion,
  kind: ruleKind,
  plural: 'trafficrules',
  shortNames: ['tr'],
  word: 'rule',
  namespaced: true,
  specFields: ['service', 'routes'],
};
