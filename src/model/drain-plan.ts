/** What a drain would do, before anybody applies it: plain JSON for the admin API and the command line. */

import type { DrainedPlace } from './drain.ts';

export interface DrainPlan {
  readonly place: DrainedPlace;
  /** False: no such cluster is registered. */
  readonly isRegistered: boolean;
  /** Wanted services that no cluster has. */
  readonly unknown: readonly string[];
  /** With endpoints in the place, and wanted; sorted. */
  readonly services: readonly ServicePlan[];
}

export interface ServicePlan {
  readonly namespace: string;
  readonly name: string;
  /** The service's first TCP port, for which shares and endpoints are counted. */
  readonly port: number;
  /**
   * - `moves`: all of its requests have a ready endpoint elsewhere.
   * - `stays`: some have none, and go on to the place.
   * - `refused`: some have none, and by force get no answer.
   */
  readonly outcome: 'moves' | 'stays' | 'refused';
  /** Sorted by name. */
  readonly places: readonly PlaceLoad[];
}

/** Load and endpoints of a cluster; for a zone's drain, of a zone in a cluster. */
export interface PlaceLoad {
  /** `west`, `west/eu-1a`. */
  readonly name: string;
  readonly isDrained: boolean;
  readonly ready: number;
  /** Shares of the requests, 0 to 1: now, and after the last step. */
  readonly before: number;
  readonly after: number;
}
