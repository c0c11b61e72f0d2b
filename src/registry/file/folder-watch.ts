/**
 * A folder tree of YAML and JSON files, watched: out come the contents of files that changed and the names of those that are gone.
 *
 * The kernel's events only say when to look; what is said is always what a look at the whole tree found, and a slow poll looks anyway, since
 * events get lost. What always holds: a file is said to be gone (or empty) only when a second look, a moment later, finds it so too, since
 * editors replace files and shells truncate them first; nothing is said to be gone because a folder could not be read.
 */

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../../core/clock.ts';
import { errorMessage, type Finding } from '../../core/errors.ts';
import { type FolderLimits, type Look, lookAt, readText } from './folder-look.ts';

export const defaultFolderLimits: FolderLimits = {
  debounceMs: 25,
  pollMs: 5000,
  confirmMs: 300,
  maxFiles: 20_000,
  maxDepth: 8,
  maxFileBytes: 4 * 1024 * 1024,
};

export interface FileChange {
  /** Relative to the folder, with `/` between the parts. */
  readonly path: string;
  /** The contents, or why they cannot be had. */
  readonly content: { readonly text: string } | { readonly finding: Finding };
}

export interface FolderNews {
  /** Sorted by path. */
  readonly changed: readonly FileChange[];
  readonly removed: readonly string[];
  /** All files now, sorted; also those that cannot be read. */
  readonly files: readonly string[];
  /** What is wrong with the tree now: parts that cannot be read, limits. */
  readonly findings: readonly Finding[];
  /** Folders whose contents cannot be read now. */
  readonly unread: readonly string[];
}

export interface FolderListener {
  /** After the first look always, then when something changed. There is no further look before it is done. */
  news(news: FolderNews): Promise<void>;
  /** The folder itself cannot be read. Said once; the next `news` ends it. */
  lost(finding: Finding): void;
}

export interface FolderWatchOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly listener: FolderListener;
  readonly limits?: Partial<FolderLimits>;
}

/** A file written this recently may be written again without a change of its times, ms. */
const racyMs = 100;

/** The poll while events cannot be had. */
const blindPollMs = 1000;

interface KnownFile {
  /** What tells whether it changed; '' to read it at the next look in any case. */
  stamp: string;
  text: string | undefined;
  problem: string | undefined;
  /** When it was first found gone or empty; undefined while it is there. */
  doubtSinceMs: number | undefined;
}

export class FolderWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #listener: FolderListener;
  readonly #limits: FolderLimits;
  readonly #known = new Map<string, KnownFile>();
  readonly #watchers = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>();
  #soon: Timer | undefined;
  #poll: Timer | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #first = true;
  #lost = false;
  #blind = false;
  #findingsKey = '';
  #stopped = false;

  constructor(options: FolderWatchOptions) {
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#listener = options.listener;
    this.#limits = { ...defaultFolderLimits, ...options.limits };
  }

  start(): void {
    void this.#look(false);
  }

  /** Looks now, and takes what it finds as settled; resolves when the listener has heard of it. */
  async rescan(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
    await this.#look(true);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#soon?.cancel();
    this.#poll?.cancel();
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  #lookSoon(delayMs: number): void {
    if (this.#stopped || this.#soon !== undefined) return;
    this.#soon = this.#clock.after(delayMs, () => {
      this.#soon = undefined;
      void this.#look(false);
    });
  }

  async #look(settled: boolean): Promise<void> {
    if (this.#stopped) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookOnce(settled).finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
    if (this.#stopped) return;
    if (this.#lookAgain) {
      this.#lookAgain = false;
      this.#lookSoon(this.#limits.debounceMs);
    }
    this.#poll?.cancel();
    const wait = this.#blind || this.#lost ? Math.min(blindPollMs, this.#limits.pollMs) : this.#limits.pollMs;
    this.#poll = this.#clock.after(wait, () => void this.#look(false));
  }

  async #lookOnce(settled: boolean): Promise<void> {
    let look: Look;
    this.#blind = false;
    try {
      look = await lookAt(this.#folder, this.#limits, (...folder) => this.#watch(...folder));
    } catch (error) {
      if (!this.#stopped) this.#lose(error);
      return;
    }
    if (this.#stopped) return;
    this.#closeWatchers(look);
    const changed = await this.#readChanged(look, settled);
    const removed = this.#removed(look, settled);
    if (this.#stopped) return;
    const findingsKey = JSON.stringify(look.findings);
    const quiet = changed.length === 0 && removed.length === 0 && findingsKey === this.#findingsKey;
    if (quiet && !this.#first && !this.#lost) return;
    this.#first = false;
    this.#lost = false;
    this.#findingsKey = findingsKey;
    const files = [...this.#known.keys()].sort();
    await this.#listener.news({ changed, removed, files, findings: look.findings, unread: look.unread });
  }

  #lose(error: unknown): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    if (this.#lost) return;
    this.#lost = true;
    this.#listener.lost({
      code: 'FW-FILE-013',
      severity: 'error',
      message: `the folder cannot be read: ${errorMessage(error)}`,
      where: { file: this.#folder },
      hint: 'Bring the folder back, or make it readable; what it held stays in force until then.',
    });
  }

  #watch(inside: string, folder: string, identity: string): void {
    const known = this.#watchers.get(inside);
    if (known?.identity === identity || this.#stopped) return;
    known?.watcher.close();
    this.#watchers.delete(inside);
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon(this.#limits.debounceMs));
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(inside);
        this.#lookSoon(this.#limits.debounceMs);
      });
      this.#watchers.set(inside, { identity, watcher });
    } catch {
      // No more watches to be had: the poll finds changes, and does it more often.
      this.#blind = true;
    }
  }

  #closeWatchers(look: Look): void {
    for (const [inside, { watcher }] of this.#watchers) {
      if (look.folders.has(inside)) continue;
      watcher.close();
      this.#watchers.delete(inside);
    }
  }

  async #readChanged(look: Look, settled: boolean): Promise<readonly FileChange[]> {
    const changed: FileChange[] = [];
    for (const [path, { stamp, size, modifiedMs }] of look.files) {
      const known = this.#known.get(path);
      if (known !== undefined && known.doubtSinceMs === undefined && known.stamp === stamp) continue;
      const racy = Math.abs(this.#clock.now() - modifiedMs) < racyMs;
      if (racy) this.#lookSoon(racyMs + this.#limits.debounceMs);
      const content = await readText(join(this.#folder, path), size, this.#limits.maxFileBytes);
      if (content === 'gone') continue;
      if (this.#stopped) return changed;
      // It grew while it was read: there is an event to come.
      if (content.grew) this.#lookSoon(this.#limits.debounceMs);
      if ('problem' in content) {
        if (known?.problem !== content.problem)
          changed.push({ path, content: { finding: this.#unreadable(path, content.problem) } });
        this.#known.set(path, { stamp: '', text: known?.text, problem: content.problem, doubtSinceMs: undefined });
        continue;
      }
      const emptied = content.text.trim() === '' && known?.text !== undefined && known.text.trim() !== '';
      if (emptied && !this.#confirmed(known, settled)) continue;
      const same = known?.text === content.text && known.problem === undefined;
      this.#known.set(path, {
        stamp: racy ? '' : stamp,
        text: content.text,
        problem: undefined,
        doubtSinceMs: undefined,
      });
      if (!same) changed.push({ path, content: { text: content.text } });
    }
    return changed;
  }

  #removed(look: Look, settled: boolean): readonly string[] {
    const removed: string[] = [];
    const overLimit = look.findings.some((finding) => finding.code === 'FW-FILE-014');
    for (const [path, known] of this.#known) {
      if (look.files.has(path)) continue;
      if (overLimit || look.unread.some((folder) => path.startsWith(`${folder}/`))) continue;
      if (!this.#confirmed(known, settled)) continue;
      this.#known.delete(path);
      removed.push(path);
    }
    return removed;
  }

  /** Whether a file that looks gone has looked so for long enough. */
  #confirmed(known: KnownFile, settled: boolean): boolean {
    const now = this.#clock.monotonic();
    known.doubtSinceMs ??= now;
    const left = known.doubtSinceMs + this.#limits.confirmMs - now;
    if (settled || left <= 0) return true;
    // A look that is planned sooner leads to this one.
    this.#lookSoon(left);
    return false;
  }

  #unreadable(path: string, problem: string): Finding {
    return {
      code: 'FW-FILE-005',
      severity: 'error',
      message: `the file cannot be read: ${problem}`,
      where: { file: join(this.#folder, path) },
      hint: 'Correct or remove the file; what it held before stays in force until then.',
    };
  }
}
