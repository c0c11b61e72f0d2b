/** `node scripts/report-lengths.ts`: names source files that have grown past what reads well. A report, not a gate: the exit code is 0. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const warnAboveLines = 450;

const lengths = ['src', 'test', 'scripts', 'bench']
  .flatMap((folder) => listSources(folder))
  .map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n').length - 1 }))
  .sort((a, b) => b.lines - a.lines);

function listSources(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

for (const { path, lines } of lengths)
  if (lines > warnAboveLines) console.log(`warning: ${path} has ${lines} lines, more than ${warnAboveLines}`);
const longest = lengths[0];
console.log(
  `${lengths.length} files; the longest is ${longest === undefined ? 'none' : `${longest.path} with ${longest.lines} lines`}`,
);
