/** What ClusterPolicy is called. */

import type { KindHead } from '../objects/kind-types.ts';

export const clusterPolicyHead: KindHead = {
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'ClusterPolicy',
  plural: 'clusterpolicies',
  shortNames: ['cp'],
  namespaced: false,
  specFields: ['clusters', 'grants', 'precedence', 'writeStatus'],
};
