/** `npm run bench [-- ARGUMENTS]`: compiles the bench beside dist/src, since what it measures runs compiled, and runs it (main.ts). */

import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
execFileSync('tsc', ['-p', `${root}bench`], { stdio: 'inherit' });
const { status } = spawnSync(process.execPath, [`${root}dist/bench/main.js`, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
