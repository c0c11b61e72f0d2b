/**
 * Writes objects into a folder of YAML files, for the admin API: one object per file, `[<namespace>.]<name>.<kind>.yaml`; an object that already
 * lives in another file is edited there.
 *
 * What always holds: a file is replaced whole (temporary file, fsync, rename), so that no reader sees half of it; of a file with several
 * documents only the one meant is rewritten, every other byte stays; writes happen one after the other; nothing outside the folder is touched.
 */

import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isSeq, type ParsedNode, stringify, type YAMLSeq } from 'yaml';
import { errorMessage, FairwayError } from '../../core/errors.ts';
import { parseDocuments } from '../../manifest/parse.ts';
import { readYaml } from '../../manifest/yaml-documents.ts';
import { makeFolder } from '../durable-file.ts';
import { ruleObjectId } from '../rule-sink.ts';
import { clusterScoped, type HeldObject, identify } from './file-objects.ts';
import { defaultFolderLimits } from './folder-watch.ts';

export interface WriteOutcome {
  readonly action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'not-found';
  /** The file that was written, removed or found; '' for `not-found`. */
  readonly file: string;
}

/** What may stand in a file's name. Kubernetes' own names all do. */
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

interface Place {
  /** Relative to the folder. */
  readonly file: string;
  readonly text: string;
  readonly held: HeldObject;
}

export class RulesWriter {
  readonly #folder: string;
  readonly #clusterScoped: ReadonlySet<string>;
  #turn: Promise<unknown> = Promise.resolve();

  /** `without`: the kinds that have no namespace. */
  constructor(folder: string, without: ReadonlySet<string> = clusterScoped) {
    this.#folder = folder;
    this.#clusterScoped = without;
  }

  /** Throws FairwayError: FW-FILE-016 (the object cannot be filed), FW-FILE-018 (the disk). */
  apply(object: unknown): Promise<WriteOutcome> {
    return this.#inTurn(() => this.#apply(object));
  }

  /** Throws FairwayError FW-FILE-018. */
  delete(kind: string, namespace: string, name: string): Promise<WriteOutcome> {
    return this.#inTurn(() => this.#delete(kind, namespace, name));
  }

  async #apply(object: unknown): Promise<WriteOutcome> {
    const target = fileable(object, this.#clusterScoped);
    const place = await this.#find(target.id);
    if (place === undefined) {
      const space = target.namespace === '' ? '' : `${target.namespace}.`;
      const file = `${space}${target.name}.${target.kind.toLowerCase()}.yaml`;
      // A broken file of this very name holds, as far as anyone can tell, this object.
      const exists = await stat(join(this.#folder, file)).then(
        () => true,
        () => false,
      );
      await this.#write(file, stringify(object, { lineWidth: 0 }));
      return { action: exists ? 'configured' : 'created', file: join(this.#folder, file) };
    }
    const file = join(this.#folder, place.file);
    if (isDeepStrictEqual(place.held.raw.object, object)) return { action: 'unchanged', file };
    await this.#write(place.file, edit(place, object));
    return { action: 'configured', file };
  }

  async #delete(kind: string, namespace: string, name: string): Promise<WriteOutcome> {
    let outcome: WriteOutcome = { action: 'not-found', file: '' };
    // If it stands in several places the next one would come into force.
    for (;;) {
      const place = await this.#find(ruleObjectId(kind, namespace, name));
      if (place === undefined) return outcome;
      const file = join(this.#folder, place.file);
      const text = edit(place, undefined);
      if (holdsNothing(text)) await this.#guard(file, () => rm(file));
      else await this.#write(place.file, text);
      outcome = { action: 'deleted', file };
    }
  }

  /** The first file, by name, that holds the object; files that do not parse hold nothing that could be edited. */
  async #find(id: string): Promise<Place | undefined> {
    await this.#guard(this.#folder, async () => makeFolder(this.#folder));
    const files = await this.#guard(this.#folder, () =>
      readdir(this.#folder, { recursive: true, withFileTypes: true }),
    );
    const paths = files
      .filter((entry) => !entry.isDirectory() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(join(this.#folder, '/').length))
      .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
      .sort();
    for (const file of paths) {
      const path = join(this.#folder, file);
      const stats = await stat(path).catch(() => undefined);
      if (stats === undefined || !stats.isFile() || stats.size > defaultFolderLimits.maxFileBytes) continue;
      const text = await readFile(path, 'utf8').catch(() => '');
      for (const raw of readYaml(text, path).objects) {
        const held = identify(raw, file, this.#clusterScoped);
        if ('id' in held && held.id === id) return { file, text, held };
      }
    }
    return undefined;
  }

  async #write(file: string, text: string): Promise<void> {
    const path = join(this.#folder, file);
    const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
    await this.#guard(path, async () => {
      try {
        const handle = await open(temporary, 'wx', 0o644);
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, path);
      } finally {
        await rm(temporary, { force: true });
      }
      const folder = await open(dirname(path), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    });
  }

  async #guard<T>(file: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new FairwayError(
        {
          code: 'FW-FILE-018',
          message: `the rules folder cannot be written: ${errorMessage(error)}`,
          where: { file },
          hint: 'See whether the folder is writable and the disk has room; what was there before is still there.',
        },
        { cause: error },
      );
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function fileable(object: unknown, without: ReadonlySet<string>): HeldObject {
  const raw = { object, origin: 'request', where: () => ({}), document: 0, path: [], text: '', line: 1 };
  const target = identify(raw, '', without);
  if ('code' in target) {
    throw new FairwayError({ code: 'FW-FILE-016', message: target.message, where: {}, hint: target.hint });
  }
  const parts: readonly (readonly [string, string])[] = [
    ['kind', target.kind],
    ['metadata.name', target.name],
    ['metadata.namespace', target.namespace || 'default'],
  ];
  for (const [field, value] of parts) {
    if (namePattern.test(value)) continue;
    throw new FairwayError({
      code: 'FW-FILE-016',
      message: `${field} cannot be part of a file's name`,
      where: { object: target.kind, field },
      hint: 'Use letters, digits, - and ., at most 253.',
    });
  }
  return target;
}

/** The file's text with the object replaced (undefined: taken out). */
function edit({ text, held, file }: Place, object: unknown): string {
  const document = parseDocuments(text)[held.raw.document];
  if (document === undefined) return text;
  const [start, , end] = document.range;
  const before = text.slice(0, start);
  const written = text.slice(start, end);
  const after = text.slice(end);
  const [, index] = held.raw.path;
  if (index === undefined) {
    if (object === undefined) return before + after;
    if (file.endsWith('.json')) return `${before}${JSON.stringify(object, undefined, 2)}\n${after}`;
    const marker = /^---[^\n]*(\n[ \t]*(#[^\n]*)?(?=\n))*\n?/.exec(written)?.[0] ?? '';
    const tail = /\n\.\.\.\s*$/.test(written) ? '...\n' : '';
    return `${before}${marker === '' || marker.endsWith('\n') ? marker : `${marker}\n`}${stringify(object, { lineWidth: 0 })}${tail}${after}`;
  }
  const items = isMap(document.contents) ? document.contents.get('items') : undefined;
  if (isSeq(items)) {
    if (object === undefined) items.delete(index);
    else replaceItem(items, index, document.createNode(object) as ParsedNode);
  }
  if (file.endsWith('.json')) return `${before}${JSON.stringify(document.toJS(), undefined, 2)}\n${after}`;
  const emptied = object === undefined && isSeq(items) && items.items.length === 0;
  if (emptied) return before + after;
  const again = document.toString({ lineWidth: 0 });
  const marked = written.startsWith('---') && !again.startsWith('---') ? `---\n${again}` : again;
  return `${before}${marked}${after}`;
}

/** Comments before an item belong to its place. */
function replaceItem(items: YAMLSeq, index: string | number, node: ParsedNode): void {
  const before = items.get(index, true);
  if (isNode(before)) {
    node.commentBefore = before.commentBefore ?? null;
    node.spaceBefore = before.spaceBefore ?? false;
  }
  items.set(index, node);
}

function holdsNothing(text: string): boolean {
  return parseDocuments(text).every((document) => document.toJS() == null);
}
