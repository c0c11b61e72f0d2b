/**
 * What the services of the mesh ask of proxies, and what a proxy answers: the part of a scope that only exists where somebody asks.
 *
 * In: the mesh's services as they change; a proxy's identity. Out: the `Answers` of its scope, undefined where nobody asks or there is nothing
 * to say; and whose answers may be different after a change. What always holds: an answer says no more than some service asks, so that proxies
 * that differ in nothing that matters share one scope.
 */

import type { Locality } from '../../model/cluster.ts';
import type { Answers, Asks, Mesh, MeshService } from '../../model/mesh.ts';
import type { ProxyIdentity } from '../../model/proxy.ts';
import type { CatalogService, Endpoint, ServiceKey } from '../../model/service.ts';
import type { WorkloadIndex } from './workload-index.ts';

export interface Questions {
  readonly region: boolean;
  readonly zone: boolean;
  readonly node: boolean;
  readonly selectors: ReadonlySet<string>;
}

/** What a change of the questions means for proxies. */
export interface QuestionChange {
  /** Regions, zones or nodes are asked for that were not, or no longer are: every proxy's answers may differ. */
  readonly places: boolean;
  /** Selectors that came or went: only proxies that satisfy one of them answer differently. */
  readonly selectors: ReadonlySet<string>;
  /** Services that ask what nobody asked before. */
  readonly askers: ReadonlySet<ServiceKey>;
}

export interface ScopeInputsOptions {
  readonly workloads: WorkloadIndex;
  readonly services: ReadonlyMap<ServiceKey, CatalogService>;
  /** Of endpoints and proxies that name none. */
  readonly localityOf: (cluster: string) => Locality | undefined;
}

const places = ['region', 'zone', 'node'] as const;

export class ScopeInputs {
  readonly #options: ScopeInputsOptions;
  readonly #asks = new Map<ServiceKey, Asks>();
  /** How many services ask. */
  readonly #counts = { region: 0, zone: 0, node: 0 };
  readonly #selectors = new Map<string, number>();
  #revision = 0;
  #questions: Questions = { region: false, zone: false, node: false, selectors: new Set() };

  constructor(options: ScopeInputsOptions) {
    this.#options = options;
  }

  /** Counts up whenever a service asks other things than before, though all of them together may ask the same. */
  get revision(): number {
    return this.#revision;
  }

  get questions(): Questions {
    return this.#questions;
  }

  /** `changed`: services that may ask other things than before. Undefined: all questions are as they were. */
  update(mesh: Mesh, changed: Iterable<ServiceKey>): QuestionChange | undefined {
    const before = this.#questions;
    const touched = new Set<ServiceKey>();
    for (const key of changed) {
      const asks = mesh.services.get(key)?.asks;
      const asked = this.#asks.get(key);
      if (asks === asked) continue;
      touched.add(key);
      if (asked !== undefined) this.#count(asked, -1);
      if (asks === undefined) this.#asks.delete(key);
      else {
        this.#asks.set(key, asks);
        this.#count(asks, 1);
      }
    }
    if (touched.size === 0) return undefined;
    this.#revision += 1;
    const { region, zone, node } = this.#counts;
    const now = { region: region > 0, zone: zone > 0, node: node > 0, selectors: new Set(this.#selectors.keys()) };
    const selectors = now.selectors.symmetricDifference(before.selectors);
    const moved = places.filter((place) => now[place] !== before[place]);
    if (selectors.size === 0 && moved.length === 0) return undefined;
    this.#questions = now;
    const askers = [...touched].filter((key) => {
      const asks = this.#asks.get(key);
      if (asks === undefined) return false;
      return (
        places.some((place) => asks[place] && !before[place]) ||
        asks.selectors.some((selector) => !before.selectors.has(selector))
      );
    });
    return { places: moved.length > 0, selectors, askers: new Set(askers) };
  }

  /** What is asked where these services take the place of those that all see; costs what differs. */
  questionsWith(own: ReadonlyMap<ServiceKey, Pick<MeshService, 'asks'>>): Questions {
    const counts = { ...this.#counts };
    const selectors = new Map<string, number>();
    const count = (asks: Asks | undefined, by: 1 | -1): void => {
      for (const place of places) if (asks?.[place] === true) counts[place] += by;
      for (const selector of asks?.selectors ?? [])
        selectors.set(selector, (selectors.get(selector) ?? this.#selectors.get(selector) ?? 0) + by);
    };
    for (const [key, { asks }] of own) {
      count(this.#asks.get(key), -1);
      count(asks, 1);
    }
    const asked = new Set(this.#selectors.keys());
    for (const [selector, number] of selectors) {
      if (number > 0) asked.add(selector);
      else asked.delete(selector);
    }
    return { region: counts.region > 0, zone: counts.zone > 0, node: counts.node > 0, selectors: asked };
  }

  #count(asks: Asks, by: 1 | -1): void {
    for (const place of places) if (asks[place]) this.#counts[place] += by;
    for (const selector of asks.selectors) {
      const count = (this.#selectors.get(selector) ?? 0) + by;
      if (count === 0) this.#selectors.delete(selector);
      else this.#selectors.set(selector, count);
    }
  }

  /** `questions`: of the mesh that the proxy sees, where that is not the one that all see. */
  answersOf(identity: ProxyIdentity, questions: Questions = this.#questions): Answers | undefined {
    const selectors = [...questions.selectors].filter((selector) => satisfies(identity.labels, selector)).sort();
    const { region, zone, node } =
      questions.region || questions.zone || questions.node ? this.#placeOf(identity) : nowhere;
    const answers = {
      region: questions.region ? region : '',
      zone: questions.zone ? zone : '',
      node: questions.node ? node : '',
      selectors,
    };
    const isEmpty = answers.region === '' && answers.zone === '' && answers.node === '' && selectors.length === 0;
    return isEmpty ? undefined : answers;
  }

  /** What the proxy says of itself, else what its cluster says of its workload, else where its cluster is. */
  #placeOf({ cluster, addresses, place = nowhere }: ProxyIdentity): Required<typeof nowhere> {
    const own = this.#endpointOf(cluster, addresses);
    const ofCluster = this.#options.localityOf(cluster) ?? nowhere;
    const said = [place, own?.locality ?? nowhere, ofCluster].find(({ region, zone }) => region !== '' || zone !== '');
    return {
      // A zone lies in a region; one that is not said is the cluster's.
      region: said?.region || ofCluster.region,
      zone: said?.zone ?? '',
      node: place.node || (own?.node ?? ''),
    };
  }

  #endpointOf(cluster: string, addresses: readonly string[]): Endpoint | undefined {
    const { workloads, services } = this.#options;
    // Several services may have the workload: all of their endpoints at its address are the same pod, on the same node.
    for (const key of [...workloads.services(cluster, addresses)].sort()) {
      const endpoints = services.get(key)?.shards.get(cluster)?.endpoints ?? [];
      const found = endpoints.find(({ address }) => addresses.includes(address));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const nowhere = { region: '', zone: '', node: '' };

/** `selectorText`: `app=web,tier=front`. */
export function satisfies(labels: ProxyIdentity['labels'], selector: string): boolean {
  return selector.split(',').every((part) => {
    const equals = part.indexOf('=');
    const key = part.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === part.slice(equals + 1);
  });
}

const ofMesh = new WeakMap<Mesh, Questions>();

/** All that a mesh asks, for the few proxies that see another one than all. Looks at every service, once per mesh. */
export function questionsOf(mesh: Mesh): Questions {
  let questions = ofMesh.get(mesh);
  if (questions === undefined) {
    const all = [...mesh.services.values()].flatMap(({ asks }) => asks ?? []);
    questions = {
      region: all.some(({ region }) => region),
      zone: all.some(({ zone }) => zone),
      node: all.some(({ node }) => node),
      selectors: new Set(all.flatMap(({ selectors }) => selectors)),
    };
    ofMesh.set(mesh, questions);
  }
  return questions;
}
