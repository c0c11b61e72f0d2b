/**
 * Files with their imports, and the table, in; wrong imports and cycles out, each with the place and the reason. Pure.
 */

import { posix } from 'node:path';
import type { Import } from './read-imports.ts';
import type { ImportTable } from './rooms.ts';

/** Paths are relative to src/, with forward slashes, and end in `.ts`. */
export type Sources = ReadonlyMap<string, readonly Import[]>;

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export function judgeImports(sources: Sources, table: ImportTable): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [file, imports] of sources) {
    for (const item of imports) {
      const message = judgeImport(file, item, sources, table);
      if (message !== undefined) faults.push({ file, line: item.line, message });
    }
  }
  return faults.sort((a, b) => compare(a.file, b.file) || a.line - b.line);
}

function judgeImport(file: string, item: Import, sources: Sources, table: ImportTable): string | undefined {
  if (item.specifier === '<computed>') return 'imports what it computes; name the module, so that it can be checked';
  if (item.specifier.startsWith('node:')) return undefined;
  if (!item.specifier.startsWith('.')) return judgePackage(file, item.specifier, table);
  const target = posix.normalize(posix.join(posix.dirname(file), item.specifier));
  if (target === '../package.json') return undefined;
  if (target.startsWith('..')) return `imports ${item.specifier}, which is outside src/`;
  if (!sources.has(target)) return `imports ${item.specifier}, which is no source file (imports end in .ts)`;
  const lazy = table.lazyFiles.find((row) => row.file === target);
  if (lazy !== undefined && item.kind === 'value')
    return `imports ${target} at start; use \`await import(…)\`: ${lazy.reason}`;
  return judgeRooms(file, target, item.kind, table);
}

function judgePackage(file: string, specifier: string, table: ImportTable): string | undefined {
  const name = packageName(specifier);
  const owner = table.packages.find((item) => item.package === name);
  if (owner === undefined || owner.owners.some((place) => covers(place, file))) return undefined;
  return `imports ${name}, which belongs to ${owner.owners.join(', ')}: ${owner.reason}`;
}

function judgeRooms(file: string, target: string, kind: Import['kind'], table: ImportTable): string | undefined {
  const from = roomOf(file);
  const to = roomOf(target);
  const room = table.rooms.find((item) => item.name === from);
  if (room === undefined) return `lies in src/${from}, a room without a row in scripts/imports/rooms.ts: give it one`;
  if (from === to || room.mayImport.includes(to)) return undefined;
  const exception = table.exceptions.find((item) => covers(item.from, file) && covers(item.to, target));
  if (exception === undefined) {
    const allowed = room.mayImport.length === 0 ? 'nothing' : room.mayImport.join(', ');
    return `${from} imports ${target}, and may import ${allowed}: ${room.reason}`;
  }
  if (exception.how === 'lazy' && kind === 'value') {
    return `imports ${target} at start; only \`await import(…)\` or types are allowed: ${exception.reason}`;
  }
  return undefined;
}

/** Cycles of imports that run at start (types and lazy imports cannot deadlock a module); each once, from its first file by name. */
export function findCycles(sources: Sources): readonly (readonly string[])[] {
  const next = new Map<string, readonly string[]>();
  for (const [file, imports] of sources) {
    const targets = imports
      .filter((item) => item.kind === 'value' && item.specifier.startsWith('.'))
      .map((item) => posix.normalize(posix.join(posix.dirname(file), item.specifier)))
      .filter((target) => sources.has(target));
    next.set(file, targets);
  }
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      cycles.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of next.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of [...sources.keys()].sort(compare)) visit(file);
  return cycles;
}

/** Rows that allow what nobody does any more: kept, they would let it come back unseen. */
export function unusedExceptions(sources: Sources, table: ImportTable): readonly string[] {
  return table.exceptions
    .filter(
      (exception) =>
        ![...sources].some(
          ([file, imports]) =>
            covers(exception.from, file) && imports.some((item) => reaches(file, item, exception.to)),
        ),
    )
    .map((exception) => `${exception.from} → ${exception.to}`);
}

function reaches(file: string, item: Import, place: string): boolean {
  return (
    item.specifier.startsWith('.') && covers(place, posix.normalize(posix.join(posix.dirname(file), item.specifier)))
  );
}

function covers(place: string, file: string): boolean {
  return place.endsWith('/') ? file.startsWith(place) : file === place;
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
