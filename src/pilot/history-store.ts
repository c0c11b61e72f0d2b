/**
 * Where the forms of objects are kept that no Kubernetes keeps: one file per object in one folder, replaced whole (temporary file, fsync, rename,
 * fsync of the folder), or this process' memory. A file that cannot be used is said and set aside; the object's history begins anew.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { HistoryEntry } from '../model/history.ts';
import { makeFolder, replaceFile } from '../registry/durable-file.ts';

export interface HistoryStore {
  readonly durable: boolean;
  /** [] for an object that is not known. Never throws. */
  load(id: string): Promise<readonly HistoryEntry[]>;
  save(id: string, entries: readonly HistoryEntry[]): Promise<void>;
}

interface HistoryFile {
  readonly format: 1;
  readonly id: string;
  readonly checksum: string;
  readonly entries: readonly HistoryEntry[];
}

/** Ten forms of the largest spec. */
const fileLimitBytes = 16 * 1024 * 1024;
/** Files in the folder: of objects that are gone, too. */
const maxFiles = 20_000;

export function memoryHistoryStore(): HistoryStore {
  const held = new Map<string, readonly HistoryEntry[]>();
  return {
    durable: false,
    load: async (id) => held.get(id) ?? [],
    async save(id, entries) {
      held.delete(id);
      held.set(id, entries);
      const [oldest] = held.keys();
      if (held.size > maxFiles && oldest !== undefined) held.delete(oldest);
    },
  };
}

/** Makes the folder; throws what that throws. */
export function folderHistoryStore(folder: string, logger: Logger): HistoryStore {
  makeFolder(folder, 0o700);
  let files: number | undefined;
  return {
    durable: true,
    async load(id) {
      const path = join(folder, fileName(id));
      try {
        const text = await readFile(path, 'utf8');
        if (text.length > fileLimitBytes) throw new RangeError('the file is too large');
        const file = JSON.parse(text) as HistoryFile;
        if (file.format !== 1 || file.id !== id || file.checksum !== checksum(file.entries))
          throw new Error('it is damaged, or of another format');
        return file.entries;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          logger.error('the history of an object cannot be used, and begins anew', {
            code: 'FW-PILOT-031',
            object: id,
            file: path,
            err: errorMessage(error),
            hint: 'Nothing needs to be done; earlier forms of the object cannot be shown. If it happens again, check the disk.',
          });
        }
        return [];
      }
    },
    async save(id, entries) {
      const path = join(folder, fileName(id));
      try {
        const file: HistoryFile = { format: 1, id, checksum: checksum(entries), entries };
        await replaceFile(path, JSON.stringify(file));
        files = files === undefined ? (await readdir(folder)).length : files + 1;
        if (files > maxFiles) files = await removeOldest(folder);
      } catch (error) {
        logger.error('the history of an object could not be saved; what was saved before stays', {
          code: 'FW-PILOT-032',
          object: id,
          file: path,
          err: errorMessage(error),
          hint: 'See whether the disk of the state folder is full or read-only.',
        });
      }
    },
  };
}

/** Leaves nine tenths, the youngest; returns how many files there are then. */
async function removeOldest(folder: string): Promise<number> {
  const names = await readdir(folder);
  const kept = Math.floor(maxFiles * 0.9);
  if (names.length <= kept) return names.length;
  const files = await Promise.all(names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })));
  const oldest = files.sort((a, b) => a.ms - b.ms).slice(0, names.length - kept);
  for (const { name } of oldest) await rm(join(folder, name), { force: true });
  return kept;
}

/** For people to find; ids that read alike are different objects. */
function fileName(id: string): string {
  const readable = id.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 150);
  return `${readable}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}.history.json`;
}

function checksum(entries: readonly HistoryEntry[]): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}
