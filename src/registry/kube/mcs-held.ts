/**
 * What an API holds of one kind, as far as it has been told: by its watch, and by its answers to writes, whichever is newer. In: raw objects. Out: the
 * same by `namespace/name`, and by the service that each belongs to.
 */

import { type ServiceKey, serviceKey } from '../../model/service.ts';
import { type Fields, fields, text } from '../object-fields.ts';
import type { Target } from './lister-watcher.ts';

export interface HeldObject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  readonly generation: number;
  readonly labels: Fields;
  readonly annotations: Fields;
  readonly object: Fields;
}

export class HeldObjects {
  readonly #serviceOf: (object: HeldObject) => string;
  readonly #changed: (key: ServiceKey) => void;
  readonly #objects = new Map<string, HeldObject>();
  readonly #byService = new Map<ServiceKey, Map<string, HeldObject>>();

  /** `serviceOf`: the name of the service that an object belongs to; '' for none. `changed`: something of that service is another. */
  constructor(serviceOf: (object: HeldObject) => string, changed: (key: ServiceKey) => void) {
    this.#serviceOf = serviceOf;
    this.#changed = changed;
  }

  get(namespace: string, name: string): HeldObject | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  ofService(key: ServiceKey): Iterable<HeldObject> {
    return this.#byService.get(key)?.values() ?? [];
  }

  services(): Iterable<ServiceKey> {
    return this.#byService.keys();
  }

  /** For a watcher. */
  target(): Target<HeldObject> {
    return {
      read(raw) {
        const value = readHeld(raw);
        return { key: `${value.namespace}/${value.name}`, value };
      },
      size: () => this.#objects.size,
      has: (id) => this.#objects.has(id),
      replace: (items) => {
        for (const [id, held] of this.#objects) if (!items.has(id)) this.#set(id, undefined, held);
        for (const value of items.values()) this.put(value);
      },
      put: (_, value) => this.put(value),
      remove: (id) => this.#set(id, undefined, this.#objects.get(id)),
    };
  }

  /** What an answer says is there now. An older state than the one held changes nothing. */
  put(value: HeldObject): void {
    const id = `${value.namespace}/${value.name}`;
    const before = this.#objects.get(id);
    if (before !== undefined && before.uid === value.uid && !isNewer(value.version, before.version)) return;
    this.#set(id, value, before);
  }

  delete(value: HeldObject): void {
    const id = `${value.namespace}/${value.name}`;
    const before = this.#objects.get(id);
    if (before?.uid === value.uid) this.#set(id, undefined, before);
  }

  #set(id: string, now: HeldObject | undefined, before: HeldObject | undefined): void {
    const [left, entered] = [before && this.#keyOf(before), now && this.#keyOf(now)];
    if (left !== undefined) {
      const rest = this.#byService.get(left);
      rest?.delete(id);
      if (rest?.size === 0) this.#byService.delete(left);
    }
    if (now === undefined) this.#objects.delete(id);
    else this.#objects.set(id, now);
    if (now !== undefined && entered !== undefined) {
      const all = this.#byService.get(entered);
      if (all === undefined) this.#byService.set(entered, new Map([[id, now]]));
      else all.set(id, now);
    }
    for (const key of new Set([left, entered])) if (key !== undefined) this.#changed(key);
  }

  #keyOf(held: HeldObject): ServiceKey | undefined {
    const service = this.#serviceOf(held);
    return service === '' ? undefined : serviceKey(held.namespace, service);
  }
}

export function readHeld(raw: unknown): HeldObject {
  const { managedFields: _, ...metadata } = fields(fields(raw)['metadata']);
  const generation = metadata['generation'];
  return {
    namespace: text(metadata['namespace']),
    name: text(metadata['name']),
    uid: text(metadata['uid']),
    version: text(metadata['resourceVersion']),
    generation: typeof generation === 'number' ? generation : 0,
    labels: fields(metadata['labels']),
    annotations: fields(metadata['annotations']),
    object: { ...fields(raw), metadata },
  };
}

/** Versions are decimal numbers that can be compared (KEP-5504); where one is not, the later word counts. */
function isNewer(version: string, than: string): boolean {
  if (version === than) return false;
  const decimal = /^[0-9]{1,40}$/;
  if (!decimal.test(version) || !decimal.test(than)) return true;
  return BigInt(version) > BigInt(than);
}
