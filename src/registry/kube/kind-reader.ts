/**
 * Reads the objects of one kind from one API, in the version that it is told: it can be told another one later, or none.
 *
 * What always holds: what an earlier version's reading still has under way changes nothing; objects that are there in the new version too are not
 * removed in between; without a version there are no objects.
 */

import type { Clock } from '../../core/clock.ts';
import type { ApiClient } from './api-client.ts';
import { type HeldRule, readRule } from './held-rule.ts';
import { ListerWatcher, type WatchSettings } from './lister-watcher.ts';
import type { RequestBudget } from './request-budget.ts';
import { groupOf, type RuleKind } from './rule-kind.ts';
import { untried, type WatchHealth } from './watch-health.ts';

export interface KindReaderOptions {
  readonly kind: RuleKind;
  readonly api: ApiClient;
  readonly budget: RequestBudget;
  readonly clock: Clock;
  readonly settings: WatchSettings;
  readonly put: (rule: HeldRule) => void;
  readonly remove: (id: string) => void;
  /** `health` is different. */
  readonly changed: () => void;
}

export class KindReader {
  readonly #options: KindReaderOptions;
  readonly #ids = new Set<string>();
  readonly #ending = new Set<Promise<void>>();
  #current: { readonly apiVersion: string; readonly watcher: ListerWatcher<HeldRule> } | undefined;

  constructor(options: KindReaderOptions) {
    this.#options = options;
  }

  get kind(): RuleKind {
    return this.#options.kind;
  }

  /** The version that is read; undefined: none. */
  get apiVersion(): string | undefined {
    return this.#current?.apiVersion;
  }

  get size(): number {
    return this.#ids.size;
  }

  get health(): WatchHealth {
    return this.#current?.watcher.health ?? untried;
  }

  /** From now on this version is read; undefined: there are no such objects. */
  read(apiVersion: string | undefined): void {
    if (this.#current?.apiVersion === apiVersion) return;
    if (this.#current !== undefined) {
      const ended = this.#current.watcher.stop().finally(() => this.#ending.delete(ended));
      this.#ending.add(ended);
      this.#current = undefined;
    }
    if (apiVersion !== undefined) this.#current = { apiVersion, watcher: this.#watch(apiVersion) };
    else for (const id of [...this.#ids]) this.#remove(id);
  }

  kick(sinceMs: number): void {
    this.#current?.watcher.kick(sinceMs);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#ending, this.#current?.watcher.stop()]);
  }

  #watch(apiVersion: string): ListerWatcher<HeldRule> {
    const { kind, api, settings, clock, budget, changed } = this.#options;
    const isCurrent = (): boolean => this.#current?.watcher === watcher;
    const put = (id: string, rule: HeldRule): void => {
      if (!isCurrent()) return;
      this.#ids.add(id);
      this.#options.put(rule);
    };
    const remove = (id: string): void => {
      if (isCurrent()) this.#remove(id);
    };
    const watcher: ListerWatcher<HeldRule> = new ListerWatcher<HeldRule>({
      api,
      resource: { name: kind.plural, group: groupOf(kind), path: `/apis/${apiVersion}/${kind.plural}` },
      target: {
        read(raw) {
          const value = readRule(raw, kind, apiVersion);
          return { key: value.id, value };
        },
        size: () => this.#ids.size,
        has: (id) => this.#ids.has(id),
        replace: (items) => {
          for (const id of [...this.#ids]) if (!items.has(id)) remove(id);
          for (const [id, rule] of items) put(id, rule);
        },
        put,
        remove,
      },
      settings,
      clock,
      budget,
      empty: 'possible',
      verify: () => Promise.resolve(),
      heard: () => undefined,
      changed: () => {
        if (isCurrent()) changed();
      },
      updated: () => undefined,
    });
    return watcher;
  }

  #remove(id: string): void {
    if (this.#ids.delete(id)) this.#options.remove(id);
  }
}
