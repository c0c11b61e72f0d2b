/** An Envoy cluster in passing: without endpoints, there at once, and for a moment only. */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import { encodeResource } from './proto/encode.ts';

export function passingCluster(name: string): EncodedResource {
  return encodeResource(typeUrl.cluster, name, { name, type: 'STATIC', connect_timeout: '1s' });
}

export function noEndpoints(name: string): EncodedResource {
  return encodeResource(typeUrl.endpoint, name, { cluster_name: name });
}
