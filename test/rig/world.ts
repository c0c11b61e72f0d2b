/**
 * Runs a script of the rig twice: outside, to find, build or install what it needs; then inside namespaces of its own, where there is no way out
 * and which take everything with them when they end. In: the script and what it does inside; out: its exit code.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolation, isolationProblem, missingPackages, prepareInside, runIsolated } from './hosts/isolation.ts';
import { toolPrograms } from './images.ts';
import { installDebianPackages } from './kubernetes/binaries.ts';
import { prepareRig } from './rig.ts';

const dirVariable = 'FAIRWAY_RIG_DIR';
const preparedVariable = 'FAIRWAY_RIG_PREPARED';

export interface World {
  /** `import.meta.filename` of the script, which calls `inRigWorld` again inside. */
  readonly script: string;
  readonly limitMs: number;
  readonly say: (message: string) => void;
  /** Outside, after the rig's own programs; what it gives is `prepared` inside. */
  prepare?(): readonly string[];
  /** `dir`: for logs; kept with FAIRWAY_RIG_KEEP=1. */
  inside(dir: string, prepared: readonly string[]): Promise<number>;
}

export async function inRigWorld(world: World): Promise<number> {
  if (isolation() !== undefined) {
    prepareInside();
    const prepared = JSON.parse(process.env[preparedVariable] ?? '[]') as readonly string[];
    return world.inside(process.env[dirVariable] ?? '', prepared);
  }
  const { say } = world;
  if (process.getuid?.() !== 0) return refuse(say, 'needs root: pods get users, mounts and networks of their own');
  const missing = missingPackages(toolPrograms);
  if (missing.length > 0) {
    if (process.env['CI'] === 'true') installDebianPackages(missing, say);
    else {
      const list = missing.join(' ');
      return refuse(say, `needs ${list}: install them (Debian and Ubuntu: apt-get install ${list})`);
    }
  }
  await prepareRig(say);
  process.env[preparedVariable] = JSON.stringify(world.prepare?.() ?? []);
  const problem = isolationProblem();
  if (problem !== undefined) return refuse(say, `cannot make namespaces: ${problem}`);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-rig-'));
  process.env[dirVariable] = dir;
  try {
    return await runIsolated(process.execPath, [world.script, ...process.argv.slice(2)], world.limitMs);
  } finally {
    if (process.env['FAIRWAY_RIG_KEEP'] === undefined) rmSync(dir, { recursive: true, force: true });
    else say(`logs are in ${dir}`);
  }
}

function refuse(say: World['say'], message: string): number {
  say(message);
  return 1;
}
