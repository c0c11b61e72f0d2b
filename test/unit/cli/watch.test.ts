import assert from 'node:assert/strict';
import type { CommandContext } from '../../../src/cli/command-context.ts';
import { exitCode } from '../../../src/cli/failure.ts';
import { watch } from '../../../src/cli/watch.ts';
import { systemClock } from '../../../src/core/clock.ts';

describe('get --watch', () => {
  it('prints again what is another, and nothing else, until Ctrl-C', async () => {
    const states = ['a', 'a', 'b', 'b', 'a'];
    const interrupt = new AbortController();
    let out = '';
    let polls = 0;
    const context = {
      terminal: {
        out: (text: string) => {
          out += text;
        },
        err: () => assert.fail('nothing to say'),
      },
      env: {},
      // Time passes at once.
      clock: { ...systemClock, after: (_ms: number, callback: () => void) => systemClock.after(0, callback) },
      interruptSignal: () => interrupt.signal,
    } as unknown as CommandContext;
    const exit = await watch(
      async ({ terminal }) => {
        terminal.out(states[polls] ?? 'a');
        terminal.err('a note');
        polls += 1;
        if (polls === states.length + 2) interrupt.abort();
      },
      async ({ terminal }) => terminal.out(`shown ${states[polls - 1] ?? 'a'}\n`),
      context,
    );
    assert.equal(out, 'shown a\n\nshown b\n\nshown a\n');
    assert.equal(exit, exitCode.interrupted);
  });
});
