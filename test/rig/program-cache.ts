/**
 * Folders of programs in Fairway's cache, named `<name>-<hash>`: whoever looks for programs opens one, and of the others of its name the one used last
 * stays, for a second checkout or the commit before.
 *
 * What always holds: a folder that somebody opened within the last hours stays, so runs that go on side by side take nothing from each other; nothing
 * but folders of this very name is touched.
 */

import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDir } from '../../src/cli/envoy-binary.ts';

const hash = /^[0-9a-f]{12}$/;
/** Longer than any build, and than any run that starts programs it has found. */
const inUseMs = 3 * 3_600_000;
const olderKept = 1;

export function cacheRoot(): string {
  return defaultCacheDir(process.env);
}

/** The folder, made if need be; from now on it is in use. `say` is told what is removed instead. */
export function openProgramFolder(root: string, name: string, hash: string, say: (message: string) => void): string {
  const folder = join(root, `${name}-${hash}`);
  mkdirSync(folder, { recursive: true });
  utimesSync(folder, new Date(), new Date());
  const removed = removeOlder(root, name, hash);
  if (removed.length > 0) say(`removed older builds of ${name} from ${root}: ${removed.join(', ')}`);
  return folder;
}

function removeOlder(root: string, name: string, current: string): string[] {
  const prefix = `${name}-`;
  const others = readdirSync(root)
    .filter((entry) => entry.startsWith(prefix) && hash.test(entry.slice(prefix.length)))
    .filter((entry) => entry !== `${prefix}${current}`)
    .map((entry) => ({ entry, usedMs: usedMs(join(root, entry)) }))
    .sort((a, b) => b.usedMs - a.usedMs);
  return others.slice(olderKept).flatMap(({ entry }) => (remove(root, entry) ? [entry] : []));
}

/** Whether this process removed it: of several that want to, one succeeds in renaming it. */
function remove(root: string, entry: string): boolean {
  const going = join(root, `.going-${entry}`);
  try {
    if (usedMs(join(root, entry)) > Date.now() - inUseMs) return false;
    renameSync(join(root, entry), going);
  } catch {
    return false;
  }
  rmSync(going, { recursive: true, force: true });
  return true;
}

/** When it was opened last, ms since the epoch; one that has just gone was used long ago. */
function usedMs(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
