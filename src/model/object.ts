/**
 * A Kubernetes-style object as somebody wrote it, before any validation, together with where it stands.
 */

import type { Where } from '../core/errors.ts';

export interface RawObject {
  /** Parsed YAML or JSON; untrusted. */
  readonly object: unknown;
  /**
   * Where a part of it stands: a path of keys and indexes to file, line and column (or to the object's name in a cluster).
   * `what`: the value there, unless said otherwise, or the key that names it.
   */
  where(path: readonly (string | number)[], what?: 'key' | 'value'): Where;
  /** Which source it came from: `rules/reviews.yaml`, `cluster primary`. A source owns the objects that it put. */
  readonly origin: string;
}
