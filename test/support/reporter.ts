/** mocha's spec reporter, closed by why tests were skipped and by one plain line that machines count: `N passed, N failed`. */

import Mocha from 'mocha';
import { skipReasons } from './skips.ts';

export default class PlainClosingLine extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      for (const [why, times] of skipReasons())
        process.stdout.write(`SKIPPED${times > 1 ? ` ${times} times` : ''}: ${why}\n`);
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
}
