/** The forms that an object had, as whoever keeps them says: what `fairway rule history` shows, and what `fairway rule undo` goes back to. */

export interface HistoryEntry {
  /** Rises with every form of the object; in Kubernetes it is metadata.generation. */
  readonly revision: number;
  /** The object's generation in this form. */
  readonly generation: number;
  /** RFC 3339: when this form was written, as far as known, or else first seen. */
  readonly at: string;
  /** Who wrote it, as far as known: a field manager, `admin API`, `file rules/reviews.yaml`; '' where it is not. */
  readonly by: string;
  /** Of the spec: equal specs have equal hashes, whatever the order of their keys. */
  readonly hash: string;
  /** The form could be in force; false: it was refused. */
  readonly valid: boolean;
  readonly spec: unknown;
  /** Labels and annotations, where they are kept with the form. */
  readonly metadata?: { readonly labels?: unknown; readonly annotations?: unknown };
}

export interface ObjectHistory {
  readonly kind: string;
  /** '' for kinds without one. */
  readonly namespace: string;
  readonly name: string;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** It outlives a restart of the pilot. */
  readonly durable: boolean;
  /** The object is not there any more: its last form is not in force. */
  readonly deleted: boolean;
}

/** Forms kept of each object; the oldest go first. */
export const historyLength = 10;
