/**
 * Tests that this machine cannot run. What always holds: none is passed over in silence; why is said at once on stderr, and again when all is over
 * (reporter.ts).
 */

export const noEnvoy = 'no Envoy to test with; set ENVOY_BIN, or run `fairway envoy` once';
export const noGo = 'no Go to build it with; install Go 1.26 or newer';

const reasons = new Map<string, number>();

/** Skips a test, or from a suite's `before` all of its tests. */
export function skip(context: Mocha.Context, why: string): never {
  saySkipped(why);
  return context.skip();
}

/** For those who find out away from the test, which then has nothing to go on with and ends with `this.skip()`. */
export function saySkipped(why: string): undefined {
  reasons.set(why, (reasons.get(why) ?? 0) + 1);
  process.stderr.write(`SKIPPED: ${why}\n`);
  return undefined;
}

/** How often, by reason; so far. */
export function skipReasons(): ReadonlyMap<string, number> {
  return reasons;
}
