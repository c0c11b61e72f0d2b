/** A target of a rule that is not there. */

export type ResolutionReason =
  | 'ServiceNotFound'
  | 'ClusterNotFound'
  | 'WithinNotFound'
  | 'RefNotPermitted'
  | 'BackendNotFound'
  | 'PlaceNotFound'
  | 'VersionNotFound';

export interface Missing {
  readonly reason: ResolutionReason;
  /** The same target missed by two routes is one message. */
  readonly message: string;
  readonly hint: string;
  readonly path: readonly (string | number)[];
}
