/**
 * Where a command writes: data to `out`, everything else to `err`; how wide the page is, and whether it may have colours. Made once in main.ts
 * from the process, and given to every command.
 */

import { styleText } from 'node:util';

export type Colour = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

export interface Terminal {
  /** Data, as given: lines bring their own newline. */
  out(text: string): void;
  /** One message for people; the newline is added. */
  err(message: string): void;
  /** undefined: not a page but a pipe, nothing is cut to fit. */
  readonly columns: number | undefined;
  readonly hasColour: boolean;
  paint(colour: Colour, text: string): string;
  /** True where messages go to a person at a terminal, who may be shown progress. */
  readonly isInteractive: boolean;
}

export interface TerminalInput {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** --no-color */
  readonly noColour: boolean;
}

/** Narrower pages are treated as this wide. */
const fewestColumns = 20;

export function openTerminal({ stdout, stderr, env, noColour }: TerminalInput): Terminal {
  const hasColour = !noColour && wantsColour(stdout, env);
  return {
    out: (text) => void stdout.write(text),
    err: (message) => void stderr.write(`${message}\n`),
    columns: readColumns(stdout, env),
    hasColour,
    paint: (colour, text) => (hasColour ? styleText(colour, text, { validateStream: false }) : text),
    isInteractive: stderr.isTTY === true,
  };
}

/** https://no-color.org: any non-empty NO_COLOR; FORCE_COLOR is the opposite. */
function wantsColour(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  if ((env.FORCE_COLOR ?? '') !== '') return env.FORCE_COLOR !== '0';
  return stdout.isTTY === true && env.TERM !== 'dumb';
}

/** $COLUMNS when somebody exported it, so that a pipe can be cut too; else the terminal's own width. */
function readColumns(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): number | undefined {
  const given = Number(env.COLUMNS);
  if (Number.isInteger(given) && given > 0) return Math.max(given, fewestColumns);
  return stdout.isTTY === true ? Math.max(stdout.columns, fewestColumns) : undefined;
}
