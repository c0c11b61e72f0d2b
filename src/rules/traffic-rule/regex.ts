/**
 * Would Envoy take this regular expression? RE2's own verdict, through re2js, with its size bounded.
 *
 * Envoy refuses expressions whose program is larger than the runtime setting `re2.max_program_size.error_level`: 100, unless the bootstrap
 * raises it. Its count is that of the C++ library, up to 7 times that of re2js (seen for Unicode classes), so that a proxy whose bootstrap sets
 * 32768, as Istio's does, takes whatever passes here; one that does not may refuse it, which its rule's status then says.
 */

import { RE2JS } from 're2js';

export const maxRegexProgramSize = 1000;

/** Over all expressions of a rule, tried or refused: one that unfolds takes up to 100 ms to compile, and a rule could hold hundreds. */
export const maxRegexStepsPerRule = 50_000;

export interface RegexBudget {
  /** Steps; not above 0 means that nothing more is compiled. */
  left: number;
}

export type RegexVerdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'refused' | 'too-large'; readonly message: string }
  /** The expressions before it used up the budget; the first such verdict says so, and the rest says nothing. */
  | { readonly kind: 'not-tried'; readonly isFirst: boolean };

export function judgeRegex(regex: string, budget: RegexBudget): RegexVerdict {
  if (budget.left <= 0) {
    const isFirst = Number.isFinite(budget.left);
    budget.left = Number.NEGATIVE_INFINITY;
    return { kind: 'not-tried', isFirst };
  }
  try {
    const size = RE2JS.compile(regex).programSize();
    budget.left -= size;
    if (size <= maxRegexProgramSize) return { kind: 'good' };
    return { kind: 'too-large', message: `it compiles to ${size} steps, and ${maxRegexProgramSize} are allowed` };
  } catch (error) {
    budget.left -= regex.length;
    return { kind: 'refused', message: error instanceof Error ? error.message : String(error) };
  }
}
