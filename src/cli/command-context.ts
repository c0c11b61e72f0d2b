/** What every command gets: where it writes, its environment, the time, and a way to end well at Ctrl-C. */

import { type Clock, systemClock } from '../core/clock.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** From this call on, the first Ctrl-C or SIGTERM aborts the signal instead of ending the process. */
  interruptSignal(): AbortSignal;
}

/** The system's time, with timers that keep the process alive: a command that waits has nothing else to stay for. */
export const commandClock: Clock = {
  ...systemClock,
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Makes an action of Commander's out of what a command does: it gets its context and says how the process ends. */
export type Run = <Args extends unknown[]>(
  action: (context: CommandContext, ...args: Args) => Promise<number>,
) => (...args: Args) => Promise<void>;
