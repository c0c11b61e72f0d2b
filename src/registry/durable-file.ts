/** Files that are whole or as they were before, whatever ends the process or the machine while they are written. */

import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

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
