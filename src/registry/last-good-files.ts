/**
 * The files of a folder of last good state: how they are called, read, written and thrown away.
 *
 * What always holds: a file is replaced whole (temporary file, fsync, rename, fsync of the folder), so a kill or a full disk leaves the old
 * one. Whoever calls sees to it that one file is not written twice at a time.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { clusterNamePattern } from '../model/cluster.ts';
import { syncFolder } from './durable-file.ts';
import { encodeLastGood, type LastGood } from './last-good-format.ts';

/** How much is put together before it is written, bytes; between two such pieces others get their turn. */
const chunkBytes = 256 * 1024;

/** A temporary file this old belongs to nobody any more, ms. */
const orphanAgeMs = 600_000;

const suffix = '.last-good.jsonl';

export function lastGoodPath(folder: string, cluster: string): string {
  return join(folder, `${fileOfCluster(cluster)}${suffix}`);
}

/** The clusters that have a file, sorted. Throws when the folder cannot be read. */
export function lastGoodClusters(folder: string): readonly string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(suffix));
  const names = files.map((file) => clusterOfFile(file.slice(0, -suffix.length)));
  return names.filter((name) => name !== undefined).sort();
}

/** Capitals are marked, since some file systems do not tell them apart. */
function fileOfCluster(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `+${letter.toLowerCase()}`);
}

function clusterOfFile(file: string): string | undefined {
  const name = file.replace(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return clusterNamePattern.test(name) && fileOfCluster(name) === file ? name : undefined;
}

/** Throws what the disk says. `abandoned`: asked between two pieces; when it says so, the file stays what it was. */
export async function writeLastGood(
  folder: string,
  cluster: string,
  state: LastGood,
  maxBytes: number,
  abandoned: () => boolean,
): Promise<void> {
  const temporary = join(folder, `${fileOfCluster(cluster)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      let chunk = '';
      let written = 0;
      for (const line of encodeLastGood(cluster, state)) {
        chunk += line;
        if (chunk.length < chunkBytes) continue;
        await handle.appendFile(chunk);
        written += chunk.length;
        chunk = '';
        if (abandoned()) return;
        if (written > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      }
      await handle.appendFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, lastGoodPath(folder, cluster));
    await syncFolder(folder);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Says what became of the file. */
export function setAside(path: string): string {
  try {
    renameSync(path, `${path}.bad`);
    return `it was set aside as ${path}.bad`;
  } catch (error) {
    return `it could not be set aside: ${errorMessage(error)}`;
  }
}

/** Removes what processes left that ended while they wrote. */
export function removeOrphans(folder: string, nowMs: number): void {
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.tmp')) continue;
    const path = join(folder, file);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && nowMs - stat.mtimeMs > orphanAgeMs) rmSync(path, { force: true });
  }
}

/** undefined: there is none. */
export function readWhole(path: string, maxBytes: number): { bytes: Buffer; modifiedMs: number } | undefined {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > maxBytes) throw new Error(`it has ${stat.size} bytes, more than ${maxBytes}`);
    const bytes = Buffer.alloc(stat.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(handle, bytes, length, bytes.length - length, length);
    }
    return { bytes: bytes.subarray(0, length), modifiedMs: stat.mtimeMs };
  } finally {
    closeSync(handle);
  }
}
