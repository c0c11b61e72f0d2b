/**
 * Drains at work: what people applied, the services that there are and the time go in; which places count for each service, and how far, come
 * out. It asks to be updated when a step is due.
 *
 * What always holds: a step follows from the object and the wall clock alone, so that replicas agree and a restart goes on where it was; what
 * counts for a service does not depend on the order in which objects came. Cost: an update looks at each drain; a step at the services that
 * have endpoints in its place; a change of an object at all services.
 */

import type { Clock, Timer } from '../core/clock.ts';
import { compareText } from '../core/compare-text.ts';
import type { Logger } from '../core/logger.ts';
import { hasEndpoints } from '../mesh/drain-outcome.ts';
import { exportedKey } from '../model/clusterset.ts';
import { type Drain, type DrainedPlace, type ServiceDrain, serviceDrain } from '../model/drain.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { drainHead } from '../rules/drain/head.ts';
import { parseDrain } from '../rules/drain/parse.ts';
import { type ObjectRecord, ObjectSet } from '../rules/objects/object-set.ts';
import { type DrainPhase, drainAt } from './drain-steps.ts';

const maxObjects = 1_000;
/** A wall clock may be set: so nobody sleeps longer than this, ms. */
const lookMs = 60_000;

export interface DrainsOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when `update` would find something, soon. */
  readonly due: () => void;
}

/** A drain in force. */
interface Active {
  readonly key: string;
  readonly drain: Drain;
  readonly startMs: number;
  phase: DrainPhase;
  /** undefined: it counts for nothing, not yet or not any more. */
  step: number | undefined;
  /** The mesh revision that brought the step into force. */
  since: number;
  /** Services that have endpoints in the place. */
  readonly services: Set<ServiceKey>;
}

export interface DrainState {
  readonly startMs: number;
  readonly phase: DrainPhase;
  readonly step: number | undefined;
  readonly since: number;
  readonly services: ReadonlySet<ServiceKey>;
}

export class Drains {
  readonly objects: ObjectSet<Drain>;
  readonly #options: DrainsOptions;
  /** The oldest first. */
  #active: readonly Active[] = [];
  /** By record: the same object from another source, which counts instead. */
  readonly #losses = new Map<string, ObjectRecord<Drain>>();
  /** When objects were seen first that do not say when they were made. */
  readonly #seenMs = new Map<string, number>();
  #applied = new WeakMap<CatalogService, CatalogService>();
  #timer: Timer | undefined;
  #isDirty = false;

  constructor(options: DrainsOptions) {
    this.#options = options;
    this.objects = new ObjectSet({
      head: drainHead,
      parse: parseDrain,
      logger: options.logger,
      maxObjects,
      defaultNamespace: 'default',
    });
    this.objects.onChange(() => {
      this.#isDirty = true;
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The same object that counts in place of this one. */
  loss(record: ObjectRecord<Drain>): ObjectRecord<Drain> | undefined {
    return this.#losses.get(record.key);
  }

  /** undefined: it is not in force, or not yet. */
  state(record: ObjectRecord<Drain>): DrainState | undefined {
    return this.#active.find(({ key }) => key === record.key);
  }

  /** What is in force for a service, or will be, and is not on its way back; the oldest first. */
  inForce(service: CatalogService): readonly (DrainedPlace & { readonly force: boolean })[] {
    return this.#active
      .filter(({ drain, phase }) => (phase === 'waiting' || phase === 'out') && isFor(drain, service))
      .map(({ drain: { place, force } }) => ({ ...place, force }));
  }

  /** The service with what counts for it; the same object as long as nothing changes. */
  applied(service: CatalogService): CatalogService {
    if (this.#active.length === 0) return service;
    const drain = this.#drainOf(service);
    if (drain === undefined) return service;
    let applied = this.#applied.get(service);
    if (applied?.drain?.id !== drain.id) {
      applied = { ...service, drain };
      this.#applied.set(service, applied);
    }
    return applied;
  }

  /**
   * Brings the steps up to the objects, the clock and the catalog, of which these services changed. Returns services for which `applied` may be
   * another than before, besides those. `revision`: which the mesh will have with them.
   */
  update(
    catalog: ReadonlyMap<ServiceKey, CatalogService>,
    changed: ReadonlySet<ServiceKey>,
    revision: number,
  ): ReadonlySet<ServiceKey> {
    const touched = new Set<ServiceKey>();
    if (this.#isDirty) {
      this.#isDirty = false;
      this.#read(catalog, touched);
    } else {
      for (const active of this.#active) {
        for (const key of changed) follow(active, catalog.get(key), key);
      }
    }
    const nowMs = this.#options.clock.now();
    for (const active of this.#active) {
      const { phase, step } = drainAt(active.drain, active.startMs, nowMs);
      active.phase = phase;
      if (step === active.step) continue;
      active.step = step;
      active.since = revision;
      for (const key of active.services) touched.add(key);
    }
    this.#sleep(nowMs);
    return touched;
  }

  /** The objects have changed: all services that were or are in one of their places are touched. */
  #read(catalog: ReadonlyMap<ServiceKey, CatalogService>, touched: Set<ServiceKey>): void {
    const before = new Map(this.#active.map((active) => [active.key, active]));
    for (const { services } of this.#active) for (const key of services) touched.add(key);
    this.#active = this.#winners().map(({ key, drain }): Active => {
      const known = before.get(key);
      const isSame = known?.drain.hash === drain.hash;
      const active: Active = {
        key,
        drain,
        startMs: this.#startOf(key, drain),
        phase: isSame ? known.phase : 'waiting',
        step: isSame ? known.step : undefined,
        since: known?.since ?? 0,
        services: new Set(),
      };
      for (const service of catalog.values()) follow(active, service, service.key);
      for (const service of active.services) touched.add(service);
      return active;
    });
  }

  #winners(): { readonly key: string; readonly drain: Drain }[] {
    const byName = new Map<string, ObjectRecord<Drain>>();
    this.#losses.clear();
    const records = [...this.objects.records()].sort(
      (a, b) => a.createdAtMs - b.createdAtMs || compareText(a.name, b.name) || compareText(a.key, b.key),
    );
    for (const record of records) {
      if (record.lastGood === undefined) continue;
      const other = byName.get(record.name);
      if (other === undefined) byName.set(record.name, record);
      else this.#losses.set(record.key, other);
    }
    for (const key of this.#seenMs.keys()) if (this.objects.record(key) === undefined) this.#seenMs.delete(key);
    return [...byName.values()].flatMap(({ key, lastGood }) =>
      lastGood === undefined ? [] : [{ key, drain: lastGood }],
    );
  }

  #startOf(key: string, { startAtMs, createdAtMs }: Drain): number {
    if (startAtMs !== undefined) return startAtMs;
    if (createdAtMs > 0) return createdAtMs;
    const seenMs = this.#seenMs.get(key) ?? this.#options.clock.now();
    this.#seenMs.set(key, seenMs);
    return seenMs;
  }

  #drainOf(service: CatalogService): ServiceDrain | undefined {
    return serviceDrain(
      this.#active.flatMap(({ drain, step }) =>
        step === undefined || !isFor(drain, service) ? [] : [{ ...drain.place, step, force: drain.force }],
      ),
    );
  }

  #sleep(nowMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const delays = this.#active.flatMap(({ drain, startMs }) => {
      const { untilMs } = drainAt(drain, startMs, nowMs);
      return untilMs === undefined ? [] : [Math.ceil(untilMs - nowMs)];
    });
    if (delays.length === 0) return;
    const delayMs = Math.min(lookMs, Math.max(1, Math.min(...delays)));
    this.#timer = this.#options.clock.after(delayMs, this.#options.due);
  }
}

function follow({ drain, services }: Active, service: CatalogService | undefined, key: ServiceKey): void {
  if (service !== undefined && isFor(drain, service)) services.add(key);
  else services.delete(key);
}

function isFor({ place, services }: Drain, service: CatalogService): boolean {
  return (services.length === 0 || services.includes(exportedKey(service.key))) && hasEndpoints(service, place);
}
