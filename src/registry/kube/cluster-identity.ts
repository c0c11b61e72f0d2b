/**
 * Is the API that answers still that of the cluster that was read? Known by the uid of its namespace kube-system. In: the uid at the first sync.
 * Out: who answers in its place, while somebody does.
 */

import type { Clock } from '../../core/clock.ts';
import { readClusterObject } from '../derive-objects.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';

export class ClusterIdentity {
  readonly #api: ApiClient;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #uid = '';
  #impostor: { readonly uid: string; readonly sinceMs: number } | undefined;

  /** `changed`: `impostor` is another. */
  constructor(api: ApiClient, clock: Clock, changed: () => void) {
    this.#api = api;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** '' before the first sync, and where the cluster does not say. */
  get uid(): string {
    return this.#uid;
  }

  get impostor(): { readonly uid: string; readonly sinceMs: number } | undefined {
    return this.#impostor;
  }

  learn(uid: string): void {
    this.#uid = uid;
  }

  /** @throws ApiError unless the API is the one that was synced from; where that is not known, any is. */
  async verify(signal: AbortSignal): Promise<void> {
    if (this.#uid === '') return;
    const answer = await this.#api.json({ path: '/api/v1/namespaces/kube-system', signal });
    const read = readClusterObject('Namespace', answer);
    const uid = read.kind === 'Namespace' ? read.uid : '';
    if (uid === this.#uid) {
      if (this.#impostor === undefined) return;
      this.#impostor = undefined;
      this.#changed();
      return;
    }
    this.#impostor = { uid, sinceMs: this.#impostor?.sinceMs ?? this.#clock.now() };
    this.#changed();
    throw new ApiError('malformed', 'another cluster answers');
  }
}
