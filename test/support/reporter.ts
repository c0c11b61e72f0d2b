/**
 * mocha's spec reporter, closed by why tests were skipped and by one plain line that machines count: `N passed, N failed`.
 *
 * What always holds: the process ends after that line. What a failed hook left running (children, servers) does not hold it for longer than
 * `graceMs`: it is named on stderr and ended, and mocha's exit code stands.
 */

import Mocha from 'mocha';
import { describeLeftovers, endLeftovers, findLeftovers, newRunSign, runVariable } from './leftovers.ts';
import { skipReasons } from './skips.ts';

const graceMs = 3000;

// Before any test runs, so that every process they start bears it.
process.env[runVariable] ??= newRunSign();
const sign = process.env[runVariable] ?? '';

export default class PlainClosingLine extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      for (const [why, times] of skipReasons())
        process.stdout.write(`SKIPPED${times > 1 ? ` ${times} times` : ''}: ${why}\n`);
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
      // It does not hold the process itself: it fires only where something else does.
      setTimeout(endByForce, graceMs).unref();
    });
  }
}

/** mocha's own handler of the end sets the exit code. */
function endByForce(): void {
  const children = findLeftovers(sign);
  const handles = Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind))
    .map(([kind, all]) => `${kind} ${all?.length}`)
    .join(', ');
  const processes = children.length === 0 ? 'no process' : describeLeftovers(children);
  process.stderr.write(
    `the tests are over, and something they started still runs; it is ended now. Processes: ${processes}. Open here: ${handles}\n`,
  );
  endLeftovers(children);
  process.exit();
}
