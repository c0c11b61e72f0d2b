/** What the engine (engine.ts) is made with, and what it tells. */

import type { Clock } from '../core/clock.ts';
import type { DebounceLimits } from '../core/debounce.ts';
import type { Logger } from '../core/logger.ts';
import type { MemberRuleTable } from '../mesh/member-meshes.ts';
import type { Locality } from '../model/cluster.ts';
import type { ConfigMode, MeshSettings } from '../model/mesh.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { ServiceKey, ServiceShard } from '../model/service.ts';
import type { ProgressEvent, ResourceView, StreamTypeStatus } from '../xds/view.ts';
import type { Drains } from './drains.ts';
import type { Egress } from './egress.ts';
import type { Externals } from './externals.ts';
import type { McsNames } from './mcs/names.ts';
import type { AckedFloor } from './proxies/rule-progress.ts';

/** What the engine needs of the protocol; src/xds/server.ts is it. */
export interface Protocol {
  /** Clients are taken from now on (`XdsHost.takesClients`). */
  opened(): void;
  changed(view: ResourceView, changes: ReadonlyMap<string, ReadonlySet<string>>): void;
  reassign(streamId: number, view: ResourceView): void;
  status(streamId: number): ReadonlyMap<string, StreamTypeStatus>;
  readonly ackedFloor: AckedFloor;
  /** Gives `job` one turn, soon, between those of streams. Left out: the engine does all of its work at once. */
  work?(job: { turn(): void }): void;
}

export interface EngineEvents {
  /** A batch was worked off: `services` changed in the mesh, for all or for some cluster; `looked`: all that it looked at, whether it changed or not. */
  batch(stats: {
    readonly services: ReadonlySet<ServiceKey>;
    readonly looked: ReadonlySet<ServiceKey>;
    readonly catalog: ReadonlySet<ServiceKey>;
    readonly waitedMs: number;
    readonly tookMs: number;
  }): void;
  connected?(): void;
  disconnected?(streamId: number): void;
  /** Some proxy got further, or refused to. */
  progress(event: ProgressEvent): void;
}

export interface EngineOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: MeshSettings;
  readonly debounce: DebounceLimits;
  /** How long the process has been busy since some moment in the past, ms. Default: only what batches take themselves counts as their cost. */
  readonly busyMs?: () => number;
  readonly shards: (key: ServiceKey) => readonly ServiceShard[];
  /** The rule in force per service; live. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule>;
  /** The rule in force that one is a part of; `holder`: the member whose rule it is, '' for the primary's. Default: itself. */
  readonly carrier?: (rule: TrafficRule, holder: string) => TrafficRule;
  /** By cluster: what its own proxies see in place of these; live. Default: nothing. */
  readonly memberRules?: MemberRuleTable;
  /** How much the proxies of a namespace hold that do not say it themselves; asked when one connects. Default: `eager`. */
  readonly configMode?: (cluster: string, namespace: string) => ConfigMode;
  /** Where a cluster is; undefined: not known. What changes in it is said by `placesChanged`. */
  readonly localityOf?: (cluster: string) => Locality | undefined;
  /** What a namespace lets out; default: what the mesh does. */
  readonly egress?: Egress;
  /** Hosts outside; default: none. */
  readonly externals?: Externals;
  /**
   * Rules that are made of other objects and of what there is: told which services of the catalog changed, brings `rules` up to it, and returns the
   * services whose rule may be another. Default: there are none.
   */
  readonly derivedRules?: (changed: ReadonlySet<ServiceKey>) => ReadonlySet<ServiceKey>;
  /** Default: nothing is drained. */
  readonly drains?: Drains;
  /** The names of exported services; told of shards by whoever gives them. Default: nothing is exported. */
  readonly names?: McsNames;
  readonly events: EngineEvents;
}
