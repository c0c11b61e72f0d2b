/** What Drain is called. */

import type { KindHead } from '../objects/kind-types.ts';

export const drainHead: KindHead = {
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'Drain',
  plural: 'drains',
  shortNames: ['dr'],
  namespaced: false,
  specFields: ['cluster', 'zone', 'services', 'over', 'startAt', 'force'],
};
