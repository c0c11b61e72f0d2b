/**
 * The seam between where traffic rules (and the other objects that people apply) come from, and the pilot that judges them.
 *
 * In come objects as somebody wrote them; nothing is validated here. What always holds: `put` and `remove` name one object by its id, a
 * `put` of a known id replaces it, and a source never removes what it did not see go (a broken file keeps what it held before).
 */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';

export interface RuleSink {
  /** The object is there, in this form. Objects that a source found unchanged are not put again. */
  put(raw: RawObject, id: string): void;
  /** The object is gone: it was deleted, or the file that held it. */
  remove(id: string): void;
  /** All that is wrong with the source itself now (a file that does not parse, an API that refuses); the whole list, [] when it is cured. */
  problem(findings: readonly Finding[]): void;
  /**
   * After the first complete reading: all objects have been put. `unread`: but for these kinds, of which nothing is known yet; of those what was
   * there before stays, and it is said again when they are read.
   */
  synced(unread?: ReadonlySet<string>): void;
}

/** What a rule source gives back when it is started. */
export interface RuleSource {
  /** Ends all work; afterwards the sink is not called any more. */
  stop(): Promise<void>;
}

/** `Kind/namespace/name`: the id of an object, the same from every source. */
export function ruleObjectId(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}
