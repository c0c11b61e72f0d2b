/**
 * `node scripts/check-imports.ts [src folder]`: holds the rooms of src/ to scripts/imports/rooms.ts, and finds cycles.
 * Prints each fault as file:line: reason, then what was checked; exits 1 when there is a fault, or when there was nothing to check.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { findCycles, judgeImports, type Sources, unusedExceptions } from './imports/judge.ts';
import { readImports } from './imports/read-imports.ts';
import { importTable } from './imports/rooms.ts';

const root = process.argv[2] ?? 'src';

const sources: Sources = new Map(
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [relative(root, path).split(sep).join('/'), readImports(path, readFileSync(path, 'utf8'))]),
);

const faults = judgeImports(sources, importTable);
const cycles = findCycles(sources);
for (const fault of faults) console.error(`${root}/${fault.file}:${fault.line}: ${fault.message}`);
for (const cycle of cycles) console.error(`cycle: ${cycle.join(' → ')}`);
for (const row of unusedExceptions(sources, importTable)) console.log(`note: nothing uses the exception ${row}`);

const imports = [...sources.values()].reduce((sum, items) => sum + items.length, 0);
console.log(
  `${sources.size} files, ${imports} imports, ${importTable.rooms.length} rooms: ${faults.length} wrong, ${cycles.length} cycles`,
);
if (sources.size === 0 || faults.length > 0 || cycles.length > 0) process.exitCode = 1;
