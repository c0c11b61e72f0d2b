/**
 * Routes that lead to other services than the one that they are for. In: the rule in force per service, as it changes. Out: for each service,
 * the chains that others' routes need of it besides the one that all have, and whose routes these are.
 *
 * What always holds: the outcome depends on the rules in force, not on the order in which they came.
 */

import { anywhere, chainName, type RuleBackend, type RuleRoute } from '../model/rule.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';

type Chain = RuleBackend['chain'];

interface Need {
  readonly target: ServiceKey;
  readonly chain: Chain;
}

const none: readonly never[] = [];
const needsOf = new WeakMap<readonly RuleRoute[], readonly Need[]>();

/** What a rule's routes need of other services, each chain once. */
function needs(routes: readonly RuleRoute[]): readonly Need[] {
  let known = needsOf.get(routes);
  if (known === undefined) {
    const found = new Map<string, Need>();
    for (const { backends, mirrors = [] } of routes) {
      const parts = [
        ...backends.filter(({ weight, refused }) => weight > 0 && refused === undefined),
        ...mirrors.map(({ destination, service }) => ({ chain: [destination], service })),
      ];
      for (const { chain, service } of parts) {
        if (service === undefined) continue;
        const target = serviceKey(service.namespace, service.name);
        found.set(`${target} ${chainName(chain)}`, { target, chain });
      }
    }
    known = found.size === 0 ? none : [...found.values()];
    needsOf.set(routes, known);
  }
  return known;
}

/** The other services that routes lead to, each once, in the order of the routes. */
export function servicesElsewhere(routes: readonly RuleRoute[]): readonly ServiceKey[] {
  const found = needs(routes);
  return found.length === 0 ? none : [...new Set(found.map(({ target }) => target))];
}

/** What would be needed if some services had other routes. */
export interface ElsewhereThen {
  /** Services of which other chains would be needed than now. */
  readonly touched: ReadonlySet<ServiceKey>;
  readonly chains: (target: ServiceKey) => readonly Chain[];
}

interface Target {
  /** By the service whose routes need them. */
  readonly bySource: Map<ServiceKey, readonly Chain[]>;
  /** All of them, each once, sorted by name; the same array until it is another. */
  chains: readonly Chain[];
}

export class Elsewhere {
  readonly #targets = new Map<ServiceKey, Target>();
  readonly #ofSource = new Map<ServiceKey, readonly ServiceKey[]>();

  /** No routes lead to other services. */
  get isEmpty(): boolean {
    return this.#ofSource.size === 0;
  }

  /** The routes in force for a service. Returns the services of which other chains are needed than before. */
  set(source: ServiceKey, routes: readonly RuleRoute[] | undefined): readonly ServiceKey[] {
    const before = this.#ofSource.get(source) ?? none;
    const found = routes === undefined ? none : needs(routes);
    if (before.length === 0 && found.length === 0) return none;
    const after = new Map([...Map.groupBy(found, ({ target }) => target)]);
    if (after.size === 0) this.#ofSource.delete(source);
    else this.#ofSource.set(source, [...after.keys()]);
    const touched = new Set([...before, ...after.keys()]);
    return [...touched].filter((target) =>
      this.#settle(
        target,
        source,
        after.get(target)?.map(({ chain }) => chain),
      ),
    );
  }

  /** What others' routes need of a service; live no longer than until the next `set`. */
  chains(target: ServiceKey): readonly Chain[] {
    return this.#targets.get(target)?.chains ?? none;
  }

  /** The services whose routes lead to this one. */
  sources(target: ServiceKey): Iterable<ServiceKey> {
    return this.#targets.get(target)?.bySource.keys() ?? none;
  }

  /** `routes`: of services that would have others, or none. Valid until the next `set`. */
  with(routes: ReadonlyMap<ServiceKey, readonly RuleRoute[] | undefined>): ElsewhereThen {
    const bySource = new Map([...routes].map(([source, own]) => [source, own === undefined ? none : needs(own)]));
    const chains = (target: ServiceKey): readonly Chain[] => {
      const others = [...(this.#targets.get(target)?.bySource ?? none)].filter(([source]) => !bySource.has(source));
      const own = [...bySource.values()].flat().filter((need) => need.target === target);
      return sorted([...others.flatMap(([, all]) => all), ...own.map(({ chain }) => chain)]);
    };
    const touched = [...bySource].flatMap(([source, found]) => [
      ...(this.#ofSource.get(source) ?? none),
      ...found.map(({ target }) => target),
    ]);
    const isOther = (target: ServiceKey): boolean => namesOf(chains(target)) !== namesOf(this.chains(target));
    return { touched: new Set(touched.filter(isOther)), chains };
  }

  #settle(key: ServiceKey, source: ServiceKey, chains: readonly Chain[] | undefined): boolean {
    const target = this.#targets.get(key) ?? { bySource: new Map<ServiceKey, readonly Chain[]>(), chains: none };
    if (chains === undefined) target.bySource.delete(source);
    else target.bySource.set(source, chains);
    if (target.bySource.size === 0) this.#targets.delete(key);
    else this.#targets.set(key, target);
    const after = sorted([...target.bySource.values()].flat());
    if (namesOf(after) === namesOf(target.chains)) return false;
    target.chains = after;
    return true;
  }
}

const anywhereName = chainName([anywhere]);

/** Each once, by name. Anywhere is left out: every service has that chain without being asked. */
function sorted(chains: readonly Chain[]): readonly Chain[] {
  const byName = new Map(chains.map((chain) => [chainName(chain), chain]));
  byName.delete(anywhereName);
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, chain]) => chain);
}

function namesOf(chains: readonly Chain[]): string {
  return chains.map(chainName).join();
}
