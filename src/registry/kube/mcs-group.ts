/** In which version an API serves the Multi-Cluster Services API, if it does. */

import { fields, list, text } from '../object-fields.ts';
import type { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';

export const mcsGroup = 'multicluster.x-k8s.io';

/** The best first. */
const known = ['v1beta1', 'v1alpha1'] as const;

/** `multicluster.x-k8s.io/v1beta1`; undefined: the API does not have it. Throws an ApiError where that cannot be told now. */
export async function servedMcsVersion(
  api: ApiClient,
  plural: 'serviceexports' | 'serviceimports',
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const version of await servedVersions(api, signal)) {
    const apiVersion = `${mcsGroup}/${version}`;
    const resources = list(fields(await api.json({ path: `/apis/${apiVersion}`, signal }))['resources']);
    if (resources.some((resource) => text(fields(resource)['name']) === plural)) return apiVersion;
  }
  return undefined;
}

async function servedVersions(api: ApiClient, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const versions = list(fields(await api.json({ path: `/apis/${mcsGroup}`, signal }))['versions']);
    const served = new Set(versions.map((version) => text(fields(version)['version'])));
    return known.filter((version) => served.has(version));
  } catch (thrown) {
    const error = networkError(thrown);
    if (error.kind === 'not-found') return [];
    throw error;
  }
}
