/**
 * Istio's objects translated into one rule per service, and kept so. Told what changed, it translates those services anew that may be others for it,
 * and no more; endpoints do not concern it.
 *
 * What always holds: rules and findings depend on the objects and the ports that there are, never on the order in which they came.
 */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { ServiceKey } from '../model/service.ts';
import { checkPlace } from './check-object.ts';
import { keyOf, type ServiceName } from './hosts.ts';
import { Notes, nameOf } from './notes.ts';
import { IstioObjects } from './objects.ts';
import { namesOf } from './outline.ts';
import type { IstioObject } from './parts.ts';
import { externalObjectOf } from './service-entry.ts';
import { translateService } from './translate.ts';

/** The numbers of a service's ports; undefined where there is no such service. */
export type FindPorts = (service: ServiceKey) => readonly number[] | undefined;

interface Made {
  readonly rule?: TrafficRule;
  /** Keys of the objects that it comes from. */
  readonly sources: readonly string[];
  readonly notes: Notes;
  /** What was known of ports, by service. */
  readonly asked: ReadonlyMap<ServiceKey, string>;
}

/** What an object comes to for one service. */
export interface ObjectOutcome {
  readonly service: ServiceKey;
  /** The rule that is made of it, among others; undefined: it is a part of none. */
  readonly rule?: TrafficRule;
}

export class IstioTable {
  readonly #clusterDomain: string;
  readonly #ports: FindPorts;
  readonly #objects: IstioObjects;
  readonly #rules = new Map<ServiceKey, TrafficRule>();
  readonly #made = new Map<ServiceKey, Made>();
  /** Services by those whose ports their rules ask for. */
  readonly #asking = new Map<ServiceKey, Set<ServiceKey>>();
  readonly #dirty = new Set<ServiceKey>();
  /** Names by which others may have to do with objects that came, changed or went, and services that were translated; since this was last taken. */
  #moved = new Set<string>();

  constructor(clusterDomain: string, ports: FindPorts) {
    this.#clusterDomain = clusterDomain;
    this.#ports = ports;
    this.#objects = new IstioObjects(clusterDomain);
  }

  /** Per service, live. */
  get rules(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#rules;
  }

  /** `key`: of the record that holds it; undefined: it holds none any more. */
  set(key: string, object: IstioObject | undefined): void {
    const before = this.#objects.get(key);
    const touched = object === undefined ? this.#objects.delete(key) : this.#objects.set({ ...object, key });
    for (const service of touched) this.#dirty.add(service);
    for (const one of [before, object])
      for (const name of one === undefined ? [] : this.names(one)) this.#moved.add(name);
  }

  /** `services`: of the catalog, that changed. Their ports may be others. */
  servicesChanged(services: Iterable<ServiceKey>): void {
    if (this.#asking.size === 0) return;
    for (const service of services) {
      const now = portsText(this.#ports(service));
      for (const asking of this.#asking.get(service) ?? []) {
        if (this.#made.get(asking)?.asked.get(service) !== now) this.#dirty.add(asking);
      }
    }
  }

  /** Returns the services whose rule is another. */
  update(): ReadonlySet<ServiceKey> {
    const changed = new Set<ServiceKey>();
    for (const service of this.#dirty) {
      this.#moved.add(service);
      if (this.#translate(service)) changed.add(service);
    }
    this.#dirty.clear();
    return changed;
  }

  /** Names (`names`) of what is otherwise since this was last asked. */
  takeMoved(): ReadonlySet<string> {
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  /** What an object has to do with others by: they have one of these in common. Services by their keys. */
  names(object: IstioObject): ReadonlySet<string> {
    return new Set([...this.#objects.touched(object), ...namesOf(object, this.#clusterDomain)]);
  }

  /** A ServiceEntry as an ExternalService, as things are now. */
  external(entry: IstioObject, notes: Notes): RawObject | undefined {
    return externalObjectOf(entry, this.#clusterDomain, notes, this.#objects);
  }

  /** ServiceEntries of which other ExternalServices may be made because of the object. */
  entriesFor(object: IstioObject): readonly IstioObject[] {
    return this.#objects.entriesFor(object);
  }

  outcomes(object: IstioObject): readonly ObjectOutcome[] {
    return [...this.#objects.touched(object)].sort().map((service) => {
      const made = this.#made.get(service);
      const isPart = made?.sources.includes(object.key) ?? false;
      return { service, ...(isPart && made?.rule !== undefined ? { rule: made.rule } : {}) };
    });
  }

  /** Besides what its parser says. */
  findings(object: IstioObject): readonly Finding[] {
    const own = new Notes();
    checkPlace(object, this.#objects, this.#clusterDomain, own);
    const all = [
      ...own.of(object),
      ...[...this.#objects.touched(object)].flatMap((service) => this.#made.get(service)?.notes.of(object) ?? []),
    ];
    return [...new Map(all.map((finding) => [JSON.stringify(finding), finding])).values()];
  }

  #translate(key: ServiceKey): boolean {
    const [namespace = '', name = ''] = key.split('/');
    const asked = new Map<ServiceKey, string>();
    const notes = new Notes();
    const ports = (service: ServiceName): readonly number[] | undefined => {
      const target = keyOf(service);
      const found = this.#ports(target);
      asked.set(target, portsText(found));
      return found;
    };
    const context = { clusterDomain: this.#clusterDomain, ports };
    const translated = translateService({ namespace, name }, this.#objects, context, notes);
    const before = this.#rules.get(key);
    const made = translated === undefined ? undefined : derivedRule(name, translated.rule, translated.sources);
    const rule = before !== undefined && isSame(before, made) ? before : made;
    this.#keep(key, {
      ...(rule === undefined ? {} : { rule }),
      sources: (translated?.sources ?? []).map((source) => source.key),
      notes,
      asked,
    });
    if (rule === before) return false;
    if (rule === undefined) this.#rules.delete(key);
    else this.#rules.set(key, rule);
    return true;
  }

  #keep(key: ServiceKey, made: Made): void {
    for (const target of this.#made.get(key)?.asked.keys() ?? []) {
      const asking = this.#asking.get(target);
      asking?.delete(key);
      if (asking?.size === 0) this.#asking.delete(target);
    }
    for (const target of made.asked.keys()) {
      const asking = this.#asking.get(target);
      if (asking === undefined) this.#asking.set(target, new Set([key]));
      else asking.add(key);
    }
    // What nothing is said of any more is forgotten.
    if (made.rule === undefined && this.#isUntouched(key)) this.#made.delete(key);
    else this.#made.set(key, made);
  }

  #isUntouched(key: ServiceKey): boolean {
    const [namespace = '', name = ''] = key.split('/');
    const service = { namespace, name };
    return this.#objects.claims(service).length === 0 && this.#objects.policies(service).length === 0;
  }
}

function portsText(ports: readonly number[] | undefined): string {
  return ports === undefined ? 'unknown' : ports.join();
}

/** Names of objects hold no colon: it is never taken for a TrafficRule. */
function derivedRule(service: string, rule: TrafficRule, sources: readonly IstioObject[]): TrafficRule {
  const origin = sources.map((source) => `${nameOf(source)} (${source.origin})`).join(', ');
  return { ...rule, ref: { ...rule.ref, name: `istio:${service}`, generation: 1 }, origin };
}

function isSame(a: TrafficRule, b: TrafficRule | undefined): boolean {
  return b !== undefined && a.hash === b.hash && a.origin === b.origin;
}
