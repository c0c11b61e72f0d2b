/**
 * The rules of each source on disk, as they were last read: a pilot that starts while the primary's API is out of reach must route as it did
 * before. One file per source, replaced whole (temporary file, fsync, rename, fsync of the folder); a file that cannot be used is ignored and said.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { makeFolder, replaceFile } from '../../registry/durable-file.ts';

export interface RememberedObject {
  readonly id: string;
  readonly object: unknown;
}

interface RuleFile {
  readonly format: 1;
  readonly source: string;
  readonly savedAt: string;
  readonly checksum: string;
  readonly objects: readonly RememberedObject[];
}

const saveDelayMs = 500;
/** The wait after a save that failed. */
const retryMs = 30_000;
const fileLimitBytes = 256 * 1024 * 1024;

export interface RuleMemoryOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class RuleMemory {
  readonly #options: RuleMemoryOptions;
  readonly #waiting = new Map<string, { timer: Timer; objects: () => readonly RememberedObject[] }>();
  /** Saves happen one after the other. */
  #saving: Promise<void> = Promise.resolve();
  /** Sources whose rules are to be on disk. */
  readonly #kept = new Set<string>();
  #closed = false;

  constructor(options: RuleMemoryOptions) {
    this.#options = options;
    makeFolder(options.folder, 0o700);
  }

  /** What was saved of a source; undefined when there is nothing that can be used. */
  load(source: string): { readonly objects: readonly RememberedObject[]; readonly savedAt: string } | undefined {
    const path = this.#path(source);
    try {
      const text = readFileSync(path, 'utf8');
      if (text.length > fileLimitBytes) throw new RangeError('the file is too large');
      const file = JSON.parse(text) as RuleFile;
      if (file.format !== 1 || file.source !== source || file.checksum !== checksum(file.objects))
        throw new Error('it is damaged, or of another format');
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#options.logger.error('the saved rules of a source cannot be used', {
          code: 'FW-PILOT-001',
          source,
          file: path,
          err: errorMessage(error),
          hint: 'Nothing needs to be done: it is written anew once the source has been read. If it happens again, check the disk.',
        });
      }
      return undefined;
    }
  }

  /** Saves soon; `objects` is asked for when the time has come. */
  save(source: string, objects: () => readonly RememberedObject[]): void {
    this.#kept.add(source);
    this.#saveAfter(saveDelayMs, source, objects);
  }

  #saveAfter(delayMs: number, source: string, objects: () => readonly RememberedObject[]): void {
    if (this.#waiting.has(source)) return;
    const timer = this.#options.clock.after(delayMs, () => this.#flush(source));
    this.#waiting.set(source, { timer, objects });
  }

  /** The source is gone for good. */
  forget(source: string): void {
    this.#waiting.get(source)?.timer.cancel();
    this.#waiting.delete(source);
    this.#kept.delete(source);
    const path = this.#path(source);
    this.#saving = this.#saving.then(async () => {
      try {
        await rm(path, { force: true });
      } catch (error) {
        this.#options.logger.error('the saved rules of a source that is gone could not be removed', {
          code: 'FW-PILOT-002',
          source,
          file: path,
          err: errorMessage(error),
          hint: 'Delete the file: a pilot that starts with the source again would begin with these rules.',
        });
      }
    });
  }

  /** Writes what is waiting. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const source of [...this.#waiting.keys()]) this.#flush(source);
    await this.#saving;
  }

  #flush(source: string): void {
    const job = this.#waiting.get(source);
    if (job === undefined) return;
    job.timer.cancel();
    this.#waiting.delete(source);
    const objects = job.objects().filter(({ object }) => isPlain(object));
    this.#saving = this.#saving.then(async () => {
      const written = await this.#write(source, objects);
      if (!written && !this.#closed && this.#kept.has(source)) this.#saveAfter(retryMs, source, job.objects);
    });
  }

  async #write(source: string, objects: readonly RememberedObject[]): Promise<boolean> {
    const path = this.#path(source);
    try {
      const savedAt = new Date(this.#options.clock.now()).toISOString();
      const file: RuleFile = { format: 1, source, savedAt, checksum: checksum(objects), objects };
      await replaceFile(path, JSON.stringify(file));
      return true;
    } catch (error) {
      this.#options.logger.error('the rules of a source could not be saved; what was saved before stays', {
        code: 'FW-PILOT-002',
        source,
        file: path,
        err: errorMessage(error),
        hint: 'See whether the disk of the state folder is full or read-only; it is tried again.',
      });
      return false;
    }
  }

  #path(source: string): string {
    const readable = source.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 100);
    // Names that read alike are different sources.
    const digest = createHash('sha256').update(source).digest('hex').slice(0, 8);
    return join(this.#options.folder, `${readable}-${digest}.rules.json`);
  }
}

/** YAML's anchors can make an object that holds itself; no good rule does. */
function isPlain(object: unknown): boolean {
  try {
    JSON.stringify(object);
    return true;
  } catch {
    return false;
  }
}

function checksum(objects: readonly RememberedObject[]): string {
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex');
}
