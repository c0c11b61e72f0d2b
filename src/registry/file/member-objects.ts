/**
 * The objects of Fairway's own that stand in a cluster's folder: told all of them after each look, it tells whoever reads them what came,
 * changed or went.
 */

import type { RuleSink, RuleSource } from '../rule-sink.ts';
import type { HeldObject } from './file-objects.ts';
import { sameWriting } from './rules-folder.ts';

/** Of whatever kind: who reads them says which kinds count. */
export function isOwnObject({ apiVersion }: Pick<HeldObject, 'apiVersion'>): boolean {
  return apiVersion.startsWith('fairway.dev/');
}

interface Reader {
  readonly sink: RuleSink;
  put: ReadonlyMap<string, HeldObject>;
  synced: boolean;
}

export class MemberObjects {
  readonly #readers = new Set<Reader>();
  #said: { readonly objects: ReadonlyMap<string, HeldObject>; readonly isPartial: boolean } | undefined;

  /** All of them, as they are now. `isPartial`: some file has never been read whole, so there may be more. */
  say(objects: readonly HeldObject[], isPartial: boolean): void {
    this.#said = { objects: new Map(objects.map((object) => [object.id, object])), isPartial };
    for (const reader of this.#readers) this.#tell(reader);
  }

  start(sink: RuleSink): RuleSource {
    const reader: Reader = { sink, put: new Map(), synced: false };
    this.#readers.add(reader);
    this.#tell(reader);
    return {
      stop: () => {
        this.#readers.delete(reader);
        return Promise.resolve();
      },
    };
  }

  #tell(reader: Reader): void {
    if (this.#said === undefined) return;
    const { objects, isPartial } = this.#said;
    for (const id of reader.put.keys()) if (!objects.has(id)) reader.sink.remove(id);
    for (const [id, object] of objects) {
      const before = reader.put.get(id);
      if (before === undefined || !sameWriting(before, object)) reader.sink.put(object.raw, id);
    }
    reader.put = objects;
    // What is not named may stand in the file that cannot be read: what was held of it stays.
    if (isPartial || reader.synced) return;
    reader.synced = true;
    reader.sink.synced();
  }
}
