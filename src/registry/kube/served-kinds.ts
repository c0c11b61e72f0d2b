/**
 * Which of some kinds an API serves, and in which version, by its own discovery: asked again from time to time, since CRDs come and go.
 *
 * What always holds: an answer counts only if it is one (an API that cannot be reached says nothing about its kinds); a kind that was served is
 * believed to be gone only after several looks in a row; a look costs one request per group that is not there, and one more per version that is.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */

import { Backoff } from '../../core/backoff.ts';
import { type Clock, sleep } from '../../core/clock.ts';
import type { ApiClient } from './api-client.ts';
import { type ApiError, networkError } from './api-error.ts';
import type { WatchSettings } from './lister-watcher.ts';
import type { RequestBudget } from './request-budget.ts';
import { groupOf, type RuleKind, versionsOf } from './rule-kind.ts';

export interface ServedKind {
  /** The newest of the versions that are read; undefined: none is served. */
  readonly apiVersion: string | undefined;
  /** Of the group and not read, where none of those that are read is served. */
  readonly otherVersions: readonly string[];
  /** Not served in several looks in a row: what was saved of it is gone too. */
  readonly confirmed: boolean;
}

export interface ServedKindsOptions {
  readonly api: ApiClient;
  readonly kinds: readonly RuleKind[];
  readonly clock: Clock;
  readonly budget: RequestBudget;
  readonly settings: WatchSettings;
  /** Called after each look that found something else than the one before, and after each that failed where the one before did not. */
  readonly changed: () => void;
}

/** Where all kinds are served, it is looked this many times less often whether a newer version is. */
const calmFactor = 3;

export class ServedKinds {
  readonly #options: ServedKindsOptions;
  readonly #groups: readonly string[];
  readonly #stop = new AbortController();
  /** By kind. */
  #served: ReadonlyMap<string, ServedKind> = new Map();
  /** How many looks in a row a kind was not there. */
  readonly #absences = new Map<string, number>();
  #error: ApiError | undefined;
  #wake = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: ServedKindsOptions) {
    this.#options = options;
    this.#groups = [...new Set(options.kinds.map(groupOf))];
    this.#done = options.kinds.length === 0 ? Promise.resolve() : this.#run();
  }

  /** undefined: not known yet. */
  of(kind: string): ServedKind | undefined {
    return this.#served.get(kind);
  }

  /** Why nothing new is known. */
  get error(): ApiError | undefined {
    return this.#error;
  }

  /** Something speaks for a change: looks now. */
  look(): void {
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, settings, budget, changed } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff(settings.backoff);
    while (!signal.aborted) {
      this.#wake = new AbortController();
      let waitMs: number;
      try {
        await budget.turn(signal);
        const served = this.#judge(await this.#ask(signal));
        const isNews = this.#error !== undefined || JSON.stringify([...served]) !== JSON.stringify([...this.#served]);
        this.#error = undefined;
        this.#served = served;
        backoff.reset();
        waitMs = this.#pauseMs() * (0.75 + Math.random() / 2);
        if (isNews) changed();
      } catch (thrown) {
        if (signal.aborted) return;
        const error = networkError(thrown);
        const isNews = this.#error?.kind !== error.kind;
        this.#error = error;
        waitMs = error.retryAfterMs ?? backoff.next();
        if (isNews) changed();
      }
      await sleep(clock, waitMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  #pauseMs(): number {
    const { settings } = this.#options;
    const all = [...this.#served.values()];
    const isDoubted = (absences: number): boolean => absences > 0 && absences < settings.emptyConfirmations;
    if ([...this.#absences.values()].some(isDoubted)) return settings.emptyConfirmMs;
    if (all.some(({ apiVersion }) => apiVersion === undefined)) return settings.refusedRetryMs;
    // What some reader doubts is looked at when it says so.
    return settings.refusedRetryMs * calmFactor;
  }

  /** A kind that was served stays so until it has been missing often enough. */
  #judge(found: ReadonlyMap<string, Omit<ServedKind, 'confirmed'>>): ReadonlyMap<string, ServedKind> {
    const served = new Map<string, ServedKind>();
    for (const [kind, now] of found) {
      const absences = now.apiVersion === undefined ? (this.#absences.get(kind) ?? 0) + 1 : 0;
      this.#absences.set(kind, absences);
      const confirmed = absences >= this.#options.settings.emptyConfirmations;
      const before = this.#served.get(kind);
      const isDoubted = absences > 0 && !confirmed && before?.apiVersion !== undefined;
      served.set(kind, isDoubted ? before : { ...now, confirmed });
    }
    return served;
  }

  async #ask(signal: AbortSignal): Promise<ReadonlyMap<string, Omit<ServedKind, 'confirmed'>>> {
    const found = new Map<string, Omit<ServedKind, 'confirmed'>>();
    for (const group of this.#groups) {
      const kinds = this.#options.kinds.filter((kind) => groupOf(kind) === group);
      const served = await this.#versionsServed(group, signal);
      const resources = new Map<string, ReadonlySet<string>>();
      for (const version of new Set(kinds.flatMap(versionsOf)))
        if (served.has(version)) resources.set(version, await this.#resources(version, signal));
      for (const kind of kinds) {
        const apiVersion = versionsOf(kind).find((version) => resources.get(version)?.has(kind.plural) === true);
        const otherVersions: string[] = [];
        for (const version of apiVersion === undefined ? served : []) {
          const plurals = resources.get(version) ?? (await this.#resources(version, signal));
          resources.set(version, plurals);
          if (plurals.has(kind.plural)) otherVersions.push(version);
        }
        found.set(kind.kind, { apiVersion, otherVersions });
      }
    }
    return found;
  }

  async #versionsServed(group: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const answer = await this.#get(`/apis/${group}`, signal);
    const { versions } = (answer ?? {}) as { readonly versions?: unknown };
    const all = Array.isArray(versions) ? versions : [];
    return new Set(all.map((one: { readonly groupVersion?: unknown } | null) => String(one?.groupVersion)));
  }

  /** Plurals; none of a version that went a moment ago. */
  async #resources(apiVersion: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const answer = await this.#get(`/apis/${apiVersion}`, signal);
    const { resources } = (answer ?? {}) as { readonly resources?: unknown };
    const all = Array.isArray(resources) ? resources : [];
    return new Set(all.map((one: { readonly name?: unknown } | null) => String(one?.name)));
  }

  /** undefined: there is no such thing. */
  async #get(path: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#options.api.json({ path, signal });
    } catch (error) {
      const known = networkError(error);
      if (known.kind === 'not-found') return undefined;
      throw known;
    }
  }
}
