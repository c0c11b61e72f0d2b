/**
 * Whether an API lets the pilot read a kind, asked so that nobody is refused anything: an audit log shows no complaint.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */

import type { ApiClient } from './api-client.ts';
import { groupOf, type RuleKind } from './rule-kind.ts';

/** In all namespaces. Throws an ApiError where the API does not say. */
export async function mayRead(api: ApiClient, kind: RuleKind, signal: AbortSignal): Promise<boolean> {
  for (const verb of ['list', 'watch']) {
    const answer = await api.json({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { group: groupOf(kind), resource: kind.plural, verb } },
      },
      signal,
    });
    const { status } = (answer ?? {}) as { readonly status?: { readonly allowed?: unknown } };
    if (status?.allowed !== true) return false;
  }
  return true;
}
