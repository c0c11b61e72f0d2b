/**
 * The forms of ExternalServices in force, with what was in force before: what a proxy goes on with that refuses the present one.
 *
 * In: the objects that came into force or went out of it; out: which forms a message may have brought, and for a set of forms that are set aside, which hosts
 * are others then. What always holds: an earlier form brings back no host that the present one gave up, for somebody else may have it by now;
 * a host that only forms set aside have is not there.
 */

import type { OutsideHosts } from '../mesh/mesh-state.ts';
import type { ExternalService } from '../model/external.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';

/** An object in force, and what its hosts are as services. */
export interface ExternalInForce {
  readonly external: ExternalService;
  readonly services: readonly CatalogService[];
}

interface Entry {
  readonly present: ExternalInForce;
  /** The newest first. */
  readonly earlier: readonly ExternalInForce[];
  /** The mesh revision that brought `present` into force. */
  readonly since: number;
}

/** How many earlier forms of an object a proxy may fall back to. */
const earlierMax = 4;

/** One form of one object, as scopes name it; no form of a rule begins so. */
export function externalForm({ ref, hash }: ExternalService): string {
  return `ExternalService ${ref.namespace}/${ref.name}@${hash}`;
}

/** `ExternalService shop/pay`; undefined: it is no such form. */
export function externalOfForm(form: string): string | undefined {
  return form.startsWith('ExternalService ') ? form.slice(0, form.lastIndexOf('@')) : undefined;
}

function idOf({ ref }: ExternalService): string {
  return `${ref.namespace}/${ref.name}`;
}

export class ExternalHistory {
  readonly #entries = new Map<string, Entry>();

  /** These are in force from this revision on, and all objects of these ids (`namespace/name`) that are not among them are not. */
  remember(inForce: readonly ExternalInForce[], revision: number, ids: Iterable<string>): void {
    const present = new Map(inForce.map((one) => [idOf(one.external), one]));
    for (const id of ids) if (!present.has(id)) this.#entries.delete(id);
    for (const [id, one] of present) {
      const known = this.#entries.get(id);
      const { hash } = one.external;
      if (known?.present.external.hash === hash) continue;
      const former = known === undefined ? [] : [known.present, ...known.earlier];
      const earlier = former.filter(({ external }) => external.hash !== hash).slice(0, earlierMax);
      this.#entries.set(id, { present: one, earlier, since: revision });
    }
  }

  /** The objects that came into force after revision `after` and up to `upTo`, in the form that a proxy sees that has set some aside. */
  changes(after: number, upTo: number, isAside: (form: string) => boolean): ExternalService[] {
    const brought = [...this.#entries.values()].filter(({ since }) => since > after && since <= upTo);
    return brought.flatMap((entry) => seen(entry, isAside)?.external ?? []);
  }

  /** Every form that is in force or may be fallen back to. */
  *forms(): Generator<string> {
    for (const { present, earlier } of this.#entries.values())
      for (const { external } of [present, ...earlier]) yield externalForm(external);
  }

  /** What is otherwise for a proxy for which forms are set aside. */
  without(isAside: (form: string) => boolean): OutsideHosts {
    const services = new Map<ServiceKey, CatalogService>();
    const hidden = new Set<ServiceKey>();
    for (const entry of this.#entries.values()) {
      const form = seen(entry, isAside);
      if (form === entry.present) continue;
      const former = new Map(form?.services.map((service) => [service.key, service]));
      for (const { key } of entry.present.services) {
        const service = former.get(key);
        if (service === undefined) hidden.add(key);
        else services.set(key, service);
      }
    }
    return { services, hidden };
  }
}

function seen({ present, earlier }: Entry, isAside: (form: string) => boolean): ExternalInForce | undefined {
  return [present, ...earlier].find(({ external }) => !isAside(externalForm(external)));
}
