/**
 * A folder of YAML files with rules (or any other objects that people apply), watched: files in, puts and removals by object out.
 *
 * What always holds: what a broken file held stays in force, and its findings are said; an object is put again only when its text or its place
 * changed; while the folder cannot be read nothing is removed.
 */

import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import { defaultYamlLimits, type YamlLimits } from '../../manifest/yaml-documents.ts';
import type { RuleSink, RuleSource } from '../rule-sink.ts';
import { FileObjects, type HeldObject } from './file-objects.ts';
import type { FolderLimits } from './folder-look.ts';
import { type FolderNews, FolderWatch } from './folder-watch.ts';

export interface RulesFolderOptions {
  readonly folder: string;
  readonly sink: RuleSink;
  readonly clock: Clock;
  /** Kinds without a namespace. Default: none but Kubernetes' own. */
  readonly clusterScoped?: ReadonlySet<string>;
  readonly folderLimits?: Partial<FolderLimits>;
  readonly yamlLimits?: Partial<YamlLimits>;
}

export class RulesFolder implements RuleSource {
  readonly #sink: RuleSink;
  readonly #watch: FolderWatch;
  readonly #objects: FileObjects;
  #put: ReadonlyMap<string, HeldObject> = new Map();
  #findings: readonly Finding[] = [];
  #synced = false;
  #stopped = false;

  constructor(options: RulesFolderOptions) {
    this.#sink = options.sink;
    this.#objects = new FileObjects(
      options.folder,
      { ...defaultYamlLimits, ...options.yamlLimits },
      options.clusterScoped,
    );
    this.#watch = new FolderWatch({
      folder: options.folder,
      clock: options.clock,
      listener: {
        news: (news) => this.#news(news),
        lost: (finding) => this.#sink.problem([finding, ...this.#findings]),
      },
      ...(options.folderLimits === undefined ? {} : { limits: options.folderLimits }),
    });
  }

  start(): void {
    this.#watch.start();
  }

  /** Looks at the folder now, and takes what it finds as settled; resolves when the sink has heard of it. */
  rescan(): Promise<void> {
    return this.#watch.rescan();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#watch.stop();
  }

  async #news(news: FolderNews): Promise<void> {
    for (const change of news.changed) {
      await this.#objects.change(change);
      if (this.#stopped) return;
    }
    for (const path of news.removed) this.#objects.remove(path);
    const { objects, findings } = this.#objects.resolve();
    for (const id of this.#put.keys()) if (!objects.has(id)) this.#sink.remove(id);
    for (const [id, object] of objects) {
      const before = this.#put.get(id);
      if (before === undefined || !sameWriting(before, object)) this.#sink.put(object.raw, id);
    }
    this.#put = objects;
    this.#findings = [...news.findings, ...findings];
    this.#sink.problem(this.#findings);
    if (this.#synced) return;
    this.#synced = true;
    this.#sink.synced();
  }
}

/** Written in the same words at the same place. */
export function sameWriting(a: HeldObject, b: HeldObject): boolean {
  return (
    a.raw === b.raw ||
    (a.file === b.file &&
      a.raw.line === b.raw.line &&
      a.raw.text === b.raw.text &&
      a.raw.path.length === b.raw.path.length &&
      a.raw.path.every((step, index) => step === b.raw.path[index]))
  );
}
