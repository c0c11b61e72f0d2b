/**
 * CRDs in a real API, and when they can be used. `kubectl wait --for condition=Established` is not used for that: it fails at once on a CRD
 * that has no conditions yet.
 */

import { waitFor } from '../wait.ts';
import type { KubeApi } from './api.ts';

/** Applies CRDs, named as for `kubectl apply`, and waits until the API serves them. */
export async function installCrds(
  api: Pick<KubeApi, 'kubectl'>,
  apply: readonly string[],
  input?: string,
): Promise<void> {
  await api.kubectl(['apply', '--server-side', ...apply], input);
  await untilCrdsServed(api);
}

/** All that the API holds. */
export async function untilCrdsServed(api: Pick<KubeApi, 'kubectl'>): Promise<void> {
  let missing: readonly string[] = [];
  await waitFor(
    'the CRDs to be served',
    async () => {
      const { items } = JSON.parse(await api.kubectl(['get', 'crd', '-o', 'json'])) as {
        readonly items: readonly Crd[];
      };
      missing = items.filter((crd) => !isEstablished(crd)).map(({ metadata }) => metadata.name);
      return missing.length === 0;
    },
    { timeoutMs: 60_000 },
    () => `not yet: ${missing.join(', ')}`,
  );
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isEstablished({ status }: Crd): boolean {
  const conditions = status?.conditions ?? [];
  return conditions.some(({ type, status: value }) => type === 'Established' && value === 'True');
}
