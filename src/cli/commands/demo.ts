/** `fairway demo`: finds an Envoy, then hands over to the demo's own room. */

import type { CommandContext } from '../command-context.ts';
import { findEnvoy } from '../envoy-binary.ts';

export interface DemoFlags {
  readonly once?: boolean;
  readonly keep?: boolean;
}

export async function runDemoCommand(flags: DemoFlags, { terminal, env }: CommandContext): Promise<number> {
  const { path } = await findEnvoy({ env, log: (line) => terminal.err(line) });
  const { runDemo } = await import('../../demo/main.ts');
  return runDemo({
    once: flags.once === true,
    keep: flags.keep === true,
    envoyBinary: path,
    colour: terminal.hasColour,
  });
}
