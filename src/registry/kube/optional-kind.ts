/**
 * Follows a kind that an API may have or not, and may come to have or lose at any time. In: how to find the version that is served, and how to watch
 * it. Out: calls, one at a time: the watch for as long as the kind is there, else that there is none, or that this may not be told.
 *
 * What always holds: an API without the kind costs a question now and then, and is no error; where something is held of it, the kind is believed gone
 * only after several answers that say so.
 */

import { type Clock, sleep } from '../../core/clock.ts';
import { networkError } from './api-error.ts';
import type { WatchSettings } from './lister-watcher.ts';
import type { RequestBudget } from './request-budget.ts';

export interface OptionalKind {
  readonly settings: WatchSettings;
  readonly clock: Clock;
  readonly budget: RequestBudget;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** The apiVersion; undefined: the API has no such kind. */
  readonly served: (signal: AbortSignal) => Promise<string | undefined>;
  /** Resolves when it cannot be watched any more; whether to look again soon. */
  readonly watch: (apiVersion: string) => Promise<boolean>;
  /** Whether anything is held of the kind. */
  readonly holds: () => boolean;
  readonly none: () => void;
  /** Whether the API has the kind may not be asked. */
  readonly forbidden: () => void;
}

/** An API that has no such kind is asked again after this many pauses of one that refuses. */
const absentPauses = 2;

export async function followOptionalKind(kind: OptionalKind): Promise<void> {
  const { settings, clock, budget, signal } = kind;
  let absences = 0;
  let backoffMs = settings.backoff.firstMs;
  while (!signal.aborted) {
    let waitMs = settings.refusedRetryMs * absentPauses * (0.75 + Math.random() / 2);
    try {
      await budget.turn(signal);
      const apiVersion = await kind.served(signal);
      backoffMs = settings.backoff.firstMs;
      absences = apiVersion === undefined ? absences + 1 : 0;
      if (apiVersion !== undefined) {
        if (await kind.watch(apiVersion)) waitMs = settings.emptyConfirmMs;
      } else if (kind.holds() && absences < settings.emptyConfirmations) waitMs = settings.emptyConfirmMs;
      else kind.none();
    } catch (thrown) {
      if (signal.aborted) return;
      const error = networkError(thrown);
      if (error.kind === 'forbidden') kind.forbidden();
      if (error.retryAfterMs !== undefined) budget.pause(error.retryAfterMs);
      waitMs = backoffMs;
      backoffMs = Math.min(backoffMs * 2, settings.backoff.maxMs);
    }
    await sleep(clock, waitMs, signal);
  }
}
