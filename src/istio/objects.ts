/**
 * All of Istio's objects that are looked at together, and who depends on whom. In: objects that come and go. Out: what is for a service, and the
 * services whose rule may be another because of an object.
 *
 * What always holds: the answers depend on the objects that are there, not on the order in which they came; a change costs what it touches.
 */

import { compareText } from '../core/compare-text.ts';
import type { ServiceKey } from '../model/service.ts';
import { keyOf, type ServiceName } from './hosts.ts';
import { type Outline, outlineOf } from './outline.ts';
import { child, type IstioKindName, type IstioObject, itemsOf, specOf } from './parts.ts';

interface Held {
  readonly object: IstioObject;
  readonly outline: Outline;
}

export class IstioObjects {
  readonly #clusterDomain: string;
  readonly #held = new Map<string, Held>();
  /** VirtualServices and DestinationRules by the services that they are for; ServiceEntries by what their hosts are ruled as. */
  readonly #claims = new Index<ServiceKey>();
  readonly #policies = new Index<ServiceKey>();
  readonly #entries = new Index<ServiceKey>();
  /** The same by hosts outside of the mesh. */
  readonly #claimsOutside = new Index<string>();
  readonly #policiesOutside = new Index<string>();
  readonly #entriesOutside = new Index<string>();
  /** VirtualServices by where they lead, by the delegates that they name, and by their own name. */
  readonly #leading = new Index<ServiceKey>();
  readonly #naming = new Index<string>();
  readonly #named = new Index<string>();

  constructor(clusterDomain: string) {
    this.#clusterDomain = clusterDomain;
  }

  /** Returns the services whose rule may be another. */
  set(object: IstioObject): ReadonlySet<ServiceKey> {
    const before = this.#take(object.key);
    const held = { object, outline: outlineOf(object, this.#clusterDomain) };
    this.#held.set(object.key, held);
    this.#index(held, 'add');
    return new Set([...before, ...this.touched(object)]);
  }

  delete(key: string): ReadonlySet<ServiceKey> {
    return new Set(this.#take(key));
  }

  get(key: string): IstioObject | undefined {
    return this.#held.get(key)?.object;
  }

  all(): readonly IstioObject[] {
    return [...this.#held.values()].map(({ object }) => object).sort(compareObjects);
  }

  /** Services that some object is for. */
  services(): readonly ServiceKey[] {
    return [...new Set([...this.#claims.keys(), ...this.#policies.keys(), ...this.#entries.keys()])].sort();
  }

  /** VirtualServices whose hosts name the service, the oldest first, then by name. */
  claims(service: ServiceName): readonly IstioObject[] {
    const outside = this.outsideHosts(service);
    return this.#objects(
      this.#claims.get(keyOf(service)),
      ...outside.map((host) => this.#claimsOutside.get(host)),
    ).filter((object) => this.#namesAll(object, outside));
  }

  /** DestinationRules for the service: those of its own namespace first, then the oldest, then by name. */
  policies(service: ServiceName): readonly IstioObject[] {
    const outside = this.outsideHosts(service);
    const isOwn = (object: IstioObject): number => (object.namespace === service.namespace ? 0 : 1);
    return this.#objects(this.#policies.get(keyOf(service)), ...outside.map((host) => this.#policiesOutside.get(host)))
      .filter((object) => this.#namesAll(object, outside))
      .toSorted((a, b) => isOwn(a) - isOwn(b));
  }

  /** Hosts that are ruled as this service; [] for a service of the mesh. */
  outsideHosts(service: ServiceName): readonly string[] {
    const [entry] = this.#objects(this.#entries.get(keyOf(service)));
    return entry === undefined ? [] : (this.#held.get(entry.key)?.outline.outside ?? []);
  }

  /** The ServiceEntry that has a host; of several the one that goes first. */
  entryOf(host: string): IstioObject | undefined {
    return this.#objects(this.#entriesOutside.get(host.toLowerCase()))[0];
  }

  /** Of several sources' copies the one that goes first. */
  virtualService(namespace: string, name: string): IstioObject | undefined {
    return this.#objects(this.#named.get(`${namespace}/${name}`))[0];
  }

  /** Whether some other VirtualService names it as its delegate. */
  isDelegate({ namespace, name }: IstioObject): boolean {
    return this.#naming.get(`${namespace}/${name}`).size > 0;
  }

  /** ServiceEntries with hosts that the object names, whether or not it is held. */
  entriesFor(object: IstioObject): readonly IstioObject[] {
    const { outside } = outlineOf(object, this.#clusterDomain);
    return this.#objects(...outside.map((host) => this.#entriesOutside.get(host)));
  }

  /** The services whose rule depends on the object, whether or not it is held. */
  touched(object: IstioObject): ReadonlySet<ServiceKey> {
    const { services, outside } = outlineOf(object, this.#clusterDomain);
    const entries = outside.flatMap((host) => this.#objects(this.#entriesOutside.get(host)));
    const keys = [...services, ...entries].map(keyOf);
    if (object.kind === 'VirtualService') return new Set([...keys, ...this.#rootServices(object)]);
    if (object.kind === 'ServiceEntry') return new Set(keys);
    const leading = this.#objects(...keys.map((key) => this.#leading.get(key)));
    return new Set([...keys, ...leading.flatMap((other) => [...this.touched(other)])]);
  }

  /** What hosts outside are ruled as is ruled for all of them, or not at all. */
  #namesAll({ key }: IstioObject, hosts: readonly string[]): boolean {
    const named = this.#held.get(key)?.outline.outside ?? [];
    return hosts.every((host) => named.includes(host));
  }

  #rootServices({ namespace, name }: IstioObject): readonly ServiceKey[] {
    const roots = [...this.#naming.get(`${namespace}/${name}`)];
    return roots.flatMap((key) => {
      const { services = [], outside = [] } = this.#held.get(key)?.outline ?? {};
      return [...services, ...outside.flatMap((host) => this.#objects(this.#entriesOutside.get(host)))].map(keyOf);
    });
  }

  #take(key: string): readonly ServiceKey[] {
    const held = this.#held.get(key);
    if (held === undefined) return [];
    const touched = [...this.touched(held.object)];
    this.#index(held, 'delete');
    this.#held.delete(key);
    return touched;
  }

  #index({ object, outline }: Held, how: 'add' | 'delete'): void {
    const { key, kind, namespace, name } = object;
    const byKind: Readonly<Record<IstioKindName, readonly [Index<ServiceKey>, Index<string>]>> = {
      VirtualService: [this.#claims, this.#claimsOutside],
      DestinationRule: [this.#policies, this.#policiesOutside],
      ServiceEntry: [this.#entries, this.#entriesOutside],
    };
    const [inside, outside] = byKind[kind];
    for (const service of outline.services) inside[how](keyOf(service), key);
    for (const host of outline.outside) outside[how](host, key);
    if (kind !== 'VirtualService') return;
    this.#named[how](`${namespace}/${name}`, key);
    for (const service of outline.leadsTo) this.#leading[how](service, key);
    for (const delegate of outline.delegates) this.#naming[how](`${delegate.namespace}/${delegate.name}`, key);
  }

  #objects(...sets: readonly ReadonlySet<string>[]): readonly IstioObject[] {
    const keys = new Set(sets.flatMap((keys) => [...keys]));
    return [...keys].flatMap((key) => this.#held.get(key)?.object ?? []).sort(compareObjects);
  }
}

/** Keys under names. */
class Index<Name extends string> {
  readonly #keys = new Map<Name, Set<string>>();

  get(name: Name): ReadonlySet<string> {
    return this.#keys.get(name) ?? nothing;
  }

  keys(): Iterable<Name> {
    return this.#keys.keys();
  }

  add(name: Name, key: string): void {
    const keys = this.#keys.get(name);
    if (keys === undefined) this.#keys.set(name, new Set([key]));
    else keys.add(key);
  }

  delete(name: Name, key: string): void {
    const keys = this.#keys.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(name);
  }
}

const nothing: ReadonlySet<string> = new Set();

/** As Istio sorts what it chooses among. */
export function compareObjects(a: IstioObject, b: IstioObject): number {
  return (
    a.createdAtMs - b.createdAtMs ||
    compareText(a.name, b.name) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.key, b.key)
  );
}

/** A VirtualService without hosts: others name it. */
export function isDelegateForm(object: IstioObject): boolean {
  return object.kind === 'VirtualService' && itemsOf(child(specOf(object), 'hosts')).length === 0;
}
