/**
 * The forms that the objects of the rules folder had. In: every object as its source puts it, and who is about to write one. Out: per object its
 * last forms, oldest first.
 *
 * What always holds: a form like the one before is no new one, over restarts too; an object's history stays when the object is deleted, so that
 * this can be undone as well; work that waits is bounded, and what does not fit is counted and said.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { type HistoryEntry, historyLength, type ObjectHistory } from '../model/history.ts';
import { ruleObjectId } from '../registry/rule-sink.ts';
import { specHash } from '../rules/objects/spec-hash.ts';
import type { HistoryStore } from './history-store.ts';

/** A form as a source put it. */
export interface SeenForm {
  /** `Kind/namespace/name` */
  readonly id: string;
  readonly object: unknown;
  readonly origin: string;
  readonly generation: number;
  readonly valid: boolean;
}

export interface HistoryOptions {
  readonly store: HistoryStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** Whether an object is there now, by its id. */
  readonly isThere: (id: string) => boolean;
  /** Forms that wait to be kept. */
  readonly maxWaiting?: number;
}

/** As many as a rule set takes objects. */
const defaultMaxWaiting = 20_000;

export class History {
  readonly #options: HistoryOptions;
  /** By id: who said that the next form is theirs. */
  readonly #writers = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #dropped = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Forms that were not kept: too many came at once, or one cannot be written down. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Forms of these objects that are seen from now on, until `end` is called, are by this writer. */
  claim(ids: readonly string[], writer: string): () => void {
    for (const id of ids) this.#writers.set(id, writer);
    return () => {
      for (const id of ids) this.#writers.delete(id);
    };
  }

  seen(form: SeenForm): void {
    const { maxWaiting = defaultMaxWaiting, logger, clock } = this.#options;
    const spec = fieldOf(form.object, 'spec');
    const hash = specHash(spec);
    if (this.#waiting >= maxWaiting || hash === undefined) {
      this.#dropped += 1;
      logger.warn('a form of an object is not kept in its history', {
        code: 'FW-PILOT-033',
        object: form.id,
        hint: 'The object is in force all the same. Apply fewer objects at once; one whose spec cannot be read has no history.',
      });
      return;
    }
    const by = this.#writers.get(form.id) ?? `file ${form.origin}`;
    const { generation, valid } = form;
    const entry = { generation, at: new Date(clock.now()).toISOString(), by, hash, valid, spec };
    const metadata = metadataOf(form.object);
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      await this.#add(form.id, { ...entry, ...(metadata === undefined ? {} : { metadata }) });
      this.#waiting -= 1;
    });
  }

  /** undefined: nothing is known of such an object. */
  async of(kind: string, namespace: string, name: string): Promise<ObjectHistory | undefined> {
    await this.#work;
    const { store, isThere } = this.#options;
    const id = ruleObjectId(kind, namespace, name);
    const entries = await store.load(id);
    if (entries.length === 0) return undefined;
    return { kind, namespace, name, entries, durable: store.durable, deleted: !isThere(id) };
  }

  /** Writes what is waiting. */
  async close(): Promise<void> {
    await this.#work;
  }

  async #add(id: string, entry: Omit<HistoryEntry, 'revision'>): Promise<void> {
    const { store } = this.#options;
    const before = await store.load(id);
    const last = before.at(-1);
    if (last?.hash === entry.hash && last.valid === entry.valid) {
      if (isDeepStrictEqual(last.metadata, entry.metadata)) return;
      // Labels make no new form; but the form is the object with them.
      const { metadata: _, ...rest } = last;
      const relabelled = entry.metadata === undefined ? rest : { ...rest, metadata: entry.metadata };
      return store.save(id, [...before.slice(0, -1), relabelled]);
    }
    const next: HistoryEntry = { revision: (last?.revision ?? 0) + 1, ...entry };
    return store.save(id, [...before, next].slice(-historyLength));
  }
}

function metadataOf(object: unknown): HistoryEntry['metadata'] {
  const metadata = fieldOf(object, 'metadata');
  const labels = fieldOf(metadata, 'labels');
  const annotations = fieldOf(metadata, 'annotations');
  if (labels === undefined && annotations === undefined) return undefined;
  return { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) };
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key] ?? undefined;
}
