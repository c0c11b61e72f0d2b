/**
 * The forms that objects had, kept in Kubernetes as ControllerRevisions (apps/v1), written by the leader: what `fairway rule history` reads.
 *
 * In: every form of each object as it is seen. Out: one ControllerRevision per form, named by the object's uid and generation, owned by the
 * object (and so deleted with it), the last few per object; older ones are deleted. What always holds: a form that is kept already is not
 * written again, by another replica or after a restart either; a pilot without the right says so once, and goes on without.
 */

import { Backoff } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { historyLength } from '../../model/history.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { type ApiError, networkError } from './api-error.ts';
import { LeaderLoop } from './leader-loop.ts';
import { ownerLabel, revisionAnnotation, revisionName } from './revision-names.ts';

export interface RevisionOwner {
  readonly apiVersion: string;
  readonly kind: string;
  /** '' for kinds without one: their revisions are in the pilot's namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface ObjectForm {
  readonly generation: number;
  readonly at: string;
  readonly by: string;
  readonly hash: string;
  readonly valid: boolean;
  readonly spec: unknown;
}

export interface RevisionWriterOptions {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isLeader: () => boolean;
  /** The pilot's own. */
  readonly namespace: string;
  /** Pause after each write, ms. */
  readonly pauseMs?: number;
  /** Without the right to write, it is tried again after this long. */
  readonly refusedMs?: number;
}

export interface RevisionCounters {
  readonly written: number;
  readonly deleted: number;
  /** Forms that could not be kept: there were too many at once, or the API refused one. */
  readonly dropped: number;
}

interface Wanted {
  readonly owner: RevisionOwner;
  /** By generation; while another leads, the latest alone. */
  readonly forms: Map<number, ObjectForm>;
}

interface Kept {
  /** Generations, ascending. */
  generations: number[];
}

const pageSize = 500;
/** Objects whose forms wait to be written. */
const maxWaiting = 20_000;

export class RevisionWriter {
  readonly #options: RevisionWriterOptions;
  readonly #api: ApiClient;
  /** By the owner's uid. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #backoff = new Backoff({ firstMs: 200, maxMs: 30_000 });
  readonly #loop: LeaderLoop;
  /** What the API keeps, by the owner's uid; undefined until it has been read in this time of leading. */
  #kept: Map<string, Kept> | undefined;
  #isRefused = false;
  #counters: RevisionCounters = { written: 0, deleted: 0, dropped: 0 };

  constructor(options: RevisionWriterOptions) {
    this.#options = options;
    this.#api = new ApiClient(options.access, options.clock);
    const { clock, isLeader } = options;
    this.#loop = new LeaderLoop({
      clock,
      isLeader,
      step: (signal) => this.#step(signal),
      followed: () => {
        this.#kept = undefined;
      },
    });
  }

  get counters(): RevisionCounters {
    return this.#counters;
  }

  /** The object has this form from now on. */
  put(owner: RevisionOwner, form: ObjectForm): void {
    if (this.#kept?.get(owner.uid)?.generations.includes(form.generation) === true) return;
    const waiting = this.#wanted.get(owner.uid);
    if (waiting === undefined && this.#wanted.size >= maxWaiting) return this.#add({ dropped: 1 });
    const forms = waiting?.forms ?? new Map<number, ObjectForm>();
    if (!this.#options.isLeader()) forms.clear();
    forms.set(form.generation, form);
    const [oldest] = forms.keys();
    if (forms.size > historyLength && oldest !== undefined) forms.delete(oldest);
    this.#wanted.set(owner.uid, { owner, forms });
    this.#loop.wake();
  }

  rotate(access: Access): void {
    this.#api.rotate(access);
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#api.close();
    await stopped;
  }

  async #step(signal: AbortSignal): Promise<number | undefined> {
    const { pauseMs = 50, refusedMs = 600_000 } = this.#options;
    const next = this.#wanted.values().next().value;
    if (next === undefined) return undefined;
    try {
      this.#kept ??= await this.#read(signal);
      const isWritten = await this.#write(next, this.#kept, signal);
      this.#backoff.reset();
      this.#isRefused = false;
      return isWritten ? pauseMs : 0;
    } catch (thrown) {
      const error = networkError(thrown);
      if (signal.aborted) return undefined;
      this.#say(error);
      return error.kind === 'forbidden' ? refusedMs : (error.retryAfterMs ?? this.#backoff.next());
    }
  }

  /** Only names and labels: the forms themselves may be hundreds of MB. */
  async #read(signal: AbortSignal): Promise<Map<string, Kept>> {
    const kept = new Map<string, Kept>();
    let token = '';
    do {
      const page = (await this.#api.json({
        path: '/apis/apps/v1/controllerrevisions',
        query: { labelSelector: ownerLabel, limit: String(pageSize), ...(token === '' ? {} : { continue: token }) },
        accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
        signal,
      })) as { readonly items?: readonly PartialObject[]; readonly metadata?: { readonly continue?: string } };
      for (const { metadata } of page.items ?? []) {
        const uid = metadata.labels?.[ownerLabel] ?? '';
        const generation = Number(/\d+$/.exec(metadata.name)?.[0] ?? Number.NaN);
        if (Number.isSafeInteger(generation)) keptOf(kept, uid).generations.push(generation);
      }
      token = page.metadata?.continue ?? '';
    } while (token !== '');
    for (const one of kept.values()) one.generations.sort((a, b) => a - b);
    return kept;
  }

  /** Whether anything was written. */
  async #write({ owner, forms }: Wanted, kept: Map<string, Kept>, signal: AbortSignal): Promise<boolean> {
    const mine = keptOf(kept, owner.uid);
    const [form] = forms.values();
    if (form === undefined) {
      this.#wanted.delete(owner.uid);
      return false;
    }
    const isKept = mine.generations.includes(form.generation);
    if (!isKept) await this.#create(owner, form, mine, signal);
    forms.delete(form.generation);
    while (mine.generations.length > historyLength) {
      const [oldest] = mine.generations;
      if (oldest === undefined) break;
      await this.#delete(owner, oldest, signal);
      mine.generations.shift();
    }
    return !isKept;
  }

  async #create(owner: RevisionOwner, form: ObjectForm, mine: Kept, signal: AbortSignal): Promise<void> {
    const { apiVersion, kind, name, uid } = owner;
    const path = this.#path(owner);
    const body = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: revisionName(name, uid, form.generation),
        labels: { 'app.kubernetes.io/managed-by': 'fairway', [ownerLabel]: uid },
        annotations: {
          [revisionAnnotation.at]: form.at,
          [revisionAnnotation.by]: form.by,
          [revisionAnnotation.hash]: form.hash,
          [revisionAnnotation.valid]: String(form.valid),
        },
        ownerReferences: [{ apiVersion, kind, name, uid }],
      },
      revision: form.generation,
      data: { spec: form.spec },
    };
    try {
      await this.#api.json({ method: 'POST', path, body, signal });
      this.#add({ written: 1 });
    } catch (thrown) {
      const error = networkError(thrown);
      // Another replica was faster; or the namespace ends, and the object with it.
      if (error.kind === 'not-found' || error.kind === 'invalid') {
        this.#add({ dropped: 1 });
        const fields = {
          object: `${kind} ${owner.namespace}/${name}`,
          generation: form.generation,
          err: errorMessage(error),
        };
        if (error.kind === 'not-found')
          this.#options.logger.debug('an object is gone before its form was kept', fields);
        else {
          this.#options.logger.warn('the API does not take a form of an object, so its history has a gap', {
            code: 'FW-KUBE-044',
            ...fields,
            hint: 'The object is in force all the same. `err` has the API’s reason; an admission policy may forbid ControllerRevisions.',
          });
        }
      } else if (error.kind !== 'conflict') throw error;
    }
    mine.generations = [...mine.generations, form.generation].sort((a, b) => a - b);
  }

  async #delete(owner: RevisionOwner, generation: number, signal: AbortSignal): Promise<void> {
    const path = `${this.#path(owner)}/${revisionName(owner.name, owner.uid, generation)}`;
    try {
      await this.#api.json({ method: 'DELETE', path, signal });
      this.#add({ deleted: 1 });
    } catch (thrown) {
      if (networkError(thrown).kind !== 'not-found') throw thrown;
    }
  }

  #path({ namespace }: RevisionOwner): string {
    const space = namespace === '' ? this.#options.namespace : namespace;
    return `/apis/apps/v1/namespaces/${encodeURIComponent(space)}/controllerrevisions`;
  }

  #say(error: ApiError): void {
    if (this.#isRefused || error.kind === 'unreachable') return;
    this.#isRefused = true;
    this.#options.logger.warn('the history of rules cannot be kept', {
      code: 'FW-KUBE-042',
      err: errorMessage(error),
      hint: 'Give the pilot a ClusterRole with list, create and delete on controllerrevisions.apps; all but `fairway rule history` and `undo` works without it.',
    });
  }

  #add(more: Partial<RevisionCounters>): void {
    const { written, deleted, dropped } = this.#counters;
    this.#counters = {
      written: written + (more.written ?? 0),
      deleted: deleted + (more.deleted ?? 0),
      dropped: dropped + (more.dropped ?? 0),
    };
  }
}

interface PartialObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

function keptOf(kept: Map<string, Kept>, uid: string): Kept {
  const known = kept.get(uid) ?? { generations: [] };
  kept.set(uid, known);
  return known;
}
