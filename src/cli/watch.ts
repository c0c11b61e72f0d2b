/** `get --watch`: what a command shows, again each time that it is another. Ends with Ctrl-C, or as the command does when it fails. */

import { sleep } from '../core/clock.ts';
import type { CommandContext } from './command-context.ts';
import { type ExitCode, exitCode } from './failure.ts';

const pollMs = 1000;

/** `data`: gives what is compared; `show` prints. Ages, which are always others, must not be in the first. */
export async function watch(
  data: (context: CommandContext) => Promise<unknown>,
  show: (context: CommandContext) => Promise<unknown>,
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, clock } = context;
  const signal = context.interruptSignal();
  let last: string | undefined;
  while (!signal.aborted) {
    let text = '';
    const take = (more: string): void => {
      text += more;
    };
    await data({ ...context, terminal: { ...terminal, out: take, err: () => {} } });
    if (text !== last) {
      if (last !== undefined) terminal.out('\n');
      await show(context);
      last = text;
    }
    await sleep(clock, pollMs, signal);
  }
  return exitCode.interrupted;
}
