/**
 * One running source of one cluster, and what it has said: the inventory's side of the sink.
 *
 * What always holds: after `stop` nothing that the source says is heard; a source that throws is a refused one, never a crash.
 */

import type { Clock } from '../core/clock.ts';
import { errorMessage, type Finding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ClusterState } from '../model/cluster.ts';
import type { ClusterSnapshot, NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import { keptExports } from './inventory-exports.ts';
import type { ClusterChange, ClusterSource, StartSource } from './source.ts';
import { Statement, type StatementLimits } from './statement.ts';

/** What a link tells the inventory; `keys` undefined means that everything may be different. */
export interface LinkEvents {
  stateChanged(link: Link): void;
  said(link: Link, keys: Iterable<ServiceKey> | undefined, namespaces: Iterable<string> | undefined): void;
  /** What is held of the cluster now, for a source that could not read all of it. */
  held(): {
    readonly services: ReadonlyMap<ServiceKey, ServiceShard>;
    readonly namespaces: ReadonlyMap<string, NamespaceShard>;
  };
}

export interface LinkOptions {
  readonly cluster: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: StatementLimits;
}

export class Link {
  readonly said: Statement;
  readonly #options: LinkOptions;
  #state: ClusterState;
  #synced = false;
  #findings: readonly Finding[] = [];
  #version = '';
  #exportsUnknown = false;
  #source: ClusterSource | undefined;
  #stopped = false;
  /** Another cluster serves the same API: nothing that this link says is used. */
  duplicateOf: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.said = new Statement(options.cluster, options.limits);
    this.#state = { phase: 'connecting', sinceMs: options.clock.now() };
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** It has said everything at least once. */
  get synced(): boolean {
    return this.#synced;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  /** Of its API; '' where it is not known. */
  get version(): string {
    return this.#version;
  }

  /** It cannot tell which services are exported. */
  get exportsUnknown(): boolean {
    return this.#exportsUnknown;
  }

  start(start: StartSource, events: LinkEvents): void {
    try {
      this.#source = start({
        state: (state) => {
          if (this.#stopped) return;
          this.#state = state;
          events.stateChanged(this);
        },
        sync: (snapshot, partial = false) => {
          if (this.#stopped) return;
          if (snapshot.info.name !== this.#options.cluster) {
            this.#refuse({
              code: 'FW-CLUSTER-009',
              message: `its source speaks for cluster ${snapshot.info.name}, not for ${this.#options.cluster}; nothing of it is used`,
              hint: 'Register the cluster under its own name.',
            });
            events.stateChanged(this);
            return;
          }
          if (partial && !this.#synced) {
            const held = events.held();
            this.said.seed(held.services, held.namespaces);
          }
          this.#synced = true;
          this.#exportsUnknown = snapshot.exportsUnknown === true;
          this.said.sync(withExports(snapshot, events), partial);
          events.said(this, undefined, undefined);
        },
        change: (change) => {
          if (this.#stopped) return;
          if (!this.#synced) {
            this.#options.logger.error('a source reported a change before its first sync; it is ignored', {
              cluster: this.#options.cluster,
              code: 'FW-CLUSTER-008',
              hint: 'This is a fault of Fairway; please report it with this message.',
            });
            return;
          }
          this.said.change(withExports(change, events));
          events.said(this, change.services.keys(), change.namespaces.keys());
        },
        findings: (findings) => {
          if (this.#stopped) return;
          this.#findings = findings;
          events.stateChanged(this);
        },
        version: (version) => {
          if (this.#stopped) return;
          this.#version = version;
          events.stateChanged(this);
        },
      });
    } catch (error) {
      this.#refuse({
        code: 'FW-CLUSTER-008',
        message: `its source could not be started: ${errorMessage(error)}`,
        hint: 'This is a fault of Fairway; please report it with this message.',
      });
      events.stateChanged(this);
    }
    // The sink may have ended this link before the source was there to be stopped.
    if (this.#stopped) void this.#stopSource();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#stopSource();
  }

  async #stopSource(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    try {
      await source?.stop();
    } catch (error) {
      this.#options.logger.error('a source could not be stopped', {
        cluster: this.#options.cluster,
        code: 'FW-CLUSTER-008',
        hint: 'This is a fault of Fairway; please report it with this message.',
        err: errorMessage(error),
      });
    }
  }

  #refuse(problem: NonNullable<ClusterState['problem']>): void {
    this.#state = { phase: 'refused', sinceMs: this.#options.clock.now(), problem };
  }
}

function withExports<T extends ClusterSnapshot | ClusterChange>(said: T, events: LinkEvents): T {
  const kept = keptExports(said, (key) => events.held().services.get(key));
  return kept.size === 0 ? said : { ...said, services: new Map([...said.services, ...kept]) };
}
