/** Asks an API whether it answers at all: watches alone do not show an outage. */

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
