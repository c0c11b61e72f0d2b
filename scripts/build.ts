/**
 * `npm run build`: compiles src/ to dist/src/, where the packed command and the image run from (Node strips no types under node_modules).
 * What always holds: dist/ holds only what this run made, and the command in it starts.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const command = 'dist/src/cli/main.js';

rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });

const source = readFileSync(command, 'utf8');
if (!source.startsWith('#!')) writeFileSync(command, `#!/usr/bin/env node\n${source}`);
chmodSync(command, 0o755);

const version = execFileSync(process.execPath, [command, 'version', '--help'], { encoding: 'utf8' });
if (version.trim() === '') throw new Error(`${command} starts and says nothing`);
console.log(`built ${command}`);
