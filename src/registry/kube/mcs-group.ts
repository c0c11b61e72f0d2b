/** In which version an API serves the Multi-Cluster Services API, or another group of kinds, if it does. */

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
  return servedVersion(api, mcsGroup, known, plural, signal);
}

/** The first of `wanted` in which the API serves the kind. */
export async function servedVersion(
  api: ApiClient,
  group: string,
  wanted: readonly string[],
  plural: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const version of await servedVersions(api, group, wanted, signal)) {
    const apiVersion = `${group}/${version}`;
    const resources = list(fields(await api.json({ path: `/apis/${apiVersion}`, signal }))['resources']);
    if (resources.some((resource) => text(fields(resource)['name']) === plural)) return apiVersion;
  }
  return undefined;
}

async function servedVersions(
  api: ApiClient,
  group: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const versions = list(fields(await api.json({ path: `/apis/${group}`, signal }))['versions']);
    const served = new Set(versions.map((version) => text(fields(version)['version'])));
    return wanted.filter((version) => served.has(version));
  } catch (thrown) {
    const error = networkError(thrown);
    if (error.kind === 'not-found') return [];
    throw error;
  }
}
