/** Asks an API whether it answers at all, for watches alone do not show an outage; and what it is. */

import type { ApiClient } from './api-client.ts';
import { ApiError, networkError } from './api-error.ts';

/** What is wrong, or undefined. Never throws. */
export async function probeOnce(api: ApiClient, answerMs: number, signal: AbortSignal): Promise<ApiError | undefined> {
  try {
    const { status } = await api.answer({ path: '/readyz', signal, answerMs });
    // Some APIs hide their health from ordinary users; that they answer is enough.
    return status === 200 || status === 403 || status === 404
      ? undefined
      : new ApiError('server', `/readyz answers ${status}`, { status });
  } catch (error) {
    return networkError(error);
  }
}

/** `v1.36.1`; '' where it does not say, or may not be asked. Never throws. */
export async function readVersion(api: ApiClient, answerMs: number, signal: AbortSignal): Promise<string> {
  const answer = await api.json({ path: '/version', signal, answerMs }).catch(() => undefined);
  const version = (answer as { readonly gitVersion?: unknown } | null | undefined)?.gitVersion;
  return typeof version === 'string' ? version.slice(0, 64) : '';
}
