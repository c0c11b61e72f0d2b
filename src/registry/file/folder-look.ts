/**
 * One look at a folder tree of YAML and JSON files: which there are, what tells whether they changed, and what one of them holds.
 *
 * What always holds: what could not be read is told apart from what is not there; every limit that cuts something off is a finding.
 */

import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, type Finding } from '../../core/errors.ts';

export interface FolderLimits {
  /** From an event to the look, ms. */
  readonly debounceMs: number;
  /** Between two looks without events, ms. */
  readonly pollMs: number;
  /** Between the two looks that a file which is gone takes, ms. */
  readonly confirmMs: number;
  readonly maxFiles: number;
  readonly maxDepth: number;
  readonly maxFileBytes: number;
}

export interface Look {
  readonly files: Map<string, { readonly stamp: string; readonly size: number; readonly modifiedMs: number }>;
  /** Folders whose contents are unknown. */
  readonly unread: string[];
  readonly folders: Map<string, string>;
  readonly findings: Finding[];
}

/** Called for each folder before it is read, so that nothing falls between the two; `identity` tells one from another of its name. */
export type WatchFolder = (inside: string, folder: string, identity: string) => void;

interface Tree {
  readonly folder: string;
  readonly limits: FolderLimits;
  readonly watch: WatchFolder;
}

/** Throws what the file system says when the folder itself cannot be read. */
export async function lookAt(folder: string, limits: FolderLimits, watch: WatchFolder): Promise<Look> {
  const look: Look = { files: new Map(), unread: [], folders: new Map(), findings: [] };
  await walk('', [], { folder, limits, watch }, look);
  return look;
}

/** `above`: the identities of the folders that this one lies in. */
async function walk(inside: string, above: readonly string[], tree: Tree, look: Look): Promise<void> {
  const folder = join(tree.folder, inside);
  // Watched before it is read, so that nothing falls between the two.
  const own = await stat(folder);
  const identity = `${own.dev}:${own.ino}`;
  if (above.includes(identity)) {
    overLimit(tree, look, `${inside} is a link to a folder that it lies in, and is not read`);
    return;
  }
  tree.watch(inside, folder, identity);
  look.folders.set(inside, folder);
  const entries = (await readdir(folder)).sort();
  for (const name of entries) {
    if (name.startsWith('.')) continue;
    const path = inside === '' ? name : `${inside}/${name}`;
    const stats = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
    if (stats === undefined) continue;
    if (stats.isDirectory()) await walkInto(path, [...above, identity], tree, look);
    else if (stats.isFile() && isManifest(name)) {
      if (look.files.size >= tree.limits.maxFiles) {
        overLimit(
          tree,
          look,
          `there are more than ${tree.limits.maxFiles} files; the rest, from ${path} on, is not read`,
        );
        return;
      }
      look.files.set(path, {
        stamp: `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`,
        size: Number(stats.size),
        modifiedMs: Number(stats.mtimeMs),
      });
    }
  }
}

async function walkInto(path: string, above: readonly string[], tree: Tree, look: Look): Promise<void> {
  if (above.length > tree.limits.maxDepth) {
    overLimit(tree, look, `${path} is more than ${tree.limits.maxDepth} folders deep and is not read`);
    return;
  }
  try {
    await walk(path, above, tree, look);
  } catch (error) {
    // Gone between two looks: then its files are missing, like any other.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    look.unread.push(path);
    look.findings.push({
      code: 'FW-FILE-015',
      severity: 'error',
      message: `the folder cannot be read: ${errorMessage(error)}`,
      where: { file: join(tree.folder, path) },
      hint: 'Make it readable; what it held stays in force until then.',
    });
  }
}

function overLimit(tree: Tree, look: Look, message: string): void {
  if (look.findings.some((finding) => finding.code === 'FW-FILE-014')) return;
  look.findings.push({
    code: 'FW-FILE-014',
    severity: 'error',
    message,
    where: { file: tree.folder },
    hint: 'Give a folder that holds nothing but these files; several objects may stand in one file.',
  });
}

/** A file as it is now; `size` is what the look found, and `grew` says that it has grown since. */
export async function readText(
  file: string,
  size: number,
  maxFileBytes: number,
): Promise<(({ readonly text: string } | { readonly problem: string }) & { readonly grew: boolean }) | 'gone'> {
  if (size > maxFileBytes) return { problem: `it has ${size} bytes, more than ${maxFileBytes}`, grew: false };
  let grew = false;
  try {
    const handle = await open(file, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(size + 1, maxFileBytes + 1));
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead;
      }
      grew = length > size;
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)), grew };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    return { problem: error instanceof TypeError ? 'it is not UTF-8 text' : errorMessage(error), grew };
  }
}

function isManifest(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}
