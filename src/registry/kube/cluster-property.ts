/**
 * What an API says of its cluster's id in the clusterset: the ClusterProperty `cluster.clusterset.k8s.io` (about.k8s.io, KEP-2149). An API without
 * it, or one that does not let it be read, says nothing.
 */

import { fields, text } from '../object-fields.ts';
import type { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';

const path = '/apis/about.k8s.io/v1/clusterproperties/cluster.clusterset.k8s.io';

/** undefined: nothing is said. Throws an ApiError where that cannot be told now. */
export async function readClusterId(api: ApiClient, signal: AbortSignal): Promise<string | undefined> {
  try {
    const value = text(fields(fields(await api.json({ path, signal }))['spec'])['value']);
    return value === '' ? undefined : value;
  } catch (thrown) {
    const error = networkError(thrown);
    if (error.kind === 'not-found' || error.kind === 'forbidden') return undefined;
    throw error;
  }
}
