/** Files that are whole or as they were before, whatever ends the process or the machine while they are written. */

import { existsSync, mkdirSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Replaces the file: temporary file beside it, fsync, rename, fsync of the folder. One writer per path at a time. Throws Node's errors. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncFolder(dirname(path));
}

/** A rename is on disk once its folder is; some file systems cannot, and then it is as good as it gets. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and those that it lies in, as far as they are missing. Throws Node's errors. Node's own `recursive` never returns where
 * nothing can be made in a folder that is there, and the system says ENOENT to it, as below /proc.
 */
export function makeFolder(folder: string, mode?: number): void {
  const missing: string[] = [];
  let at = resolve(folder);
  for (; !existsSync(at); at = dirname(at)) missing.unshift(at);
  if (!statSync(at).isDirectory()) missing.unshift(at);
  for (const each of missing) {
    try {
      mkdirSync(each, mode === undefined ? {} : { mode });
    } catch (error) {
      // Somebody else may have made it just now.
      if (statSync(each, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    }
  }
}
