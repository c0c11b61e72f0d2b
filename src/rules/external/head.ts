/** What ExternalService is called. */

import type { KindHead } from '../objects/kind-types.ts';

export const externalHead: KindHead = {
  apiVersion: 'fairway.dev/v1alpha1',
  kind: 'ExternalService',
  plural: 'externalservices',
  shortNames: ['es', 'ext'],
  namespaced: true,
  specFields: ['hosts', 'ports', 'resolution', 'endpoints'],
};
