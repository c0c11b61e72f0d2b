/** A spec that is wrong, and what is said of it. */

export interface BadRule {
  readonly name: string;
  /** YAML. */
  readonly spec: string;
  /** Exactly these, in any order. */
  readonly codes: readonly string[];
  /** The field of the first one. */
  readonly field: string;
  /** A part of the message that says what is wrong, or of the hint. */
  readonly says: string;
  /** What the API server says; undefined where it takes the rule, and the rule's status says what is wrong. */
  readonly api: string | undefined;
}
