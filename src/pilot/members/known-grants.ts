/**
 * What rules may refer to in other namespaces, as far as it is known: in come the grants that there are, and how far sources have been read. What
 * always holds: until each source has been read once, or what was saved of it is in force, no grant is missed, so that a start moves no traffic.
 */

import type { Permits } from '../../rules/traffic-rule/cross-namespace.ts';
import type { RuleInputs } from '../rules/rule-inputs.ts';
import { memberOfSource } from './member-rules.ts';

type Sources = Pick<RuleInputs, 'isKnown' | 'onProgress'>;

export class KnownGrants {
  readonly #given: Permits;
  #sources: Sources | undefined;

  /** `permits`: by the grants that there are. */
  constructor(permits: Permits) {
    this.#given = permits;
  }

  readonly permits: Permits = (from, to) => this.#given(from, to) || !this.#isKnown();

  /** Once. `changed`: everything may be permitted otherwise than before. */
  follow(sources: Sources, changed: () => void): void {
    this.#sources = sources;
    let before = this.#isKnown();
    sources.onProgress(() => {
      const now = this.#isKnown();
      if (now === before) return;
      before = now;
      changed();
    });
  }

  /** Grants of members count for nothing. */
  #isKnown(): boolean {
    return this.#sources?.isKnown((name) => memberOfSource(name) === undefined) ?? true;
  }
}
