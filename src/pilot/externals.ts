/**
 * ExternalServices at work: what people applied and the services that there are go in; which hosts outside are services of the mesh, and the
 * verdict on each object, come out.
 *
 * What always holds: what is in force depends on the objects and the catalog, not on their order; a host whose object did not change is the
 * very same service object as before. Cost: a change looks at the objects that it touches and at those with which they have hosts or names in
 * common; a change of the catalog at none, unless a service came or went whose name is somebody's host.
 */

import type { Logger } from '../core/logger.ts';
import { type ExternalClaim, type ExternalLoss, externalLosses, externalServices } from '../mesh/external.ts';
import { ExternalContests } from '../mesh/external-contests.ts';
import type { ExternalService } from '../model/external.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { externalHead } from '../rules/external/head.ts';
import { parseExternalService } from '../rules/external/parse.ts';
import { type ObjectRecord, ObjectSet } from '../rules/objects/object-set.ts';
import { ExternalHistory, type ExternalInForce } from './external-history.ts';

const maxObjects = 2_000;

export interface ExternalsInputs {
  readonly logger: Logger;
  readonly clusterDomain: string;
}

export class Externals {
  readonly objects: ObjectSet<ExternalService>;
  readonly #clusterDomain: string;
  readonly #services = new Map<ServiceKey, CatalogService>();
  readonly #hosts = new Map<ServiceKey, ServiceKey[]>();
  /** By record: what its last good form was made into. */
  readonly #made = new Map<string, ExternalInForce>();
  readonly history = new ExternalHistory();
  /** What counts of each object, and who has what in common with whom. */
  readonly #contests: ExternalContests;
  /** By record: the mesh revision since which its present form is in force. */
  readonly #since = new Map<string, { readonly hash: string; readonly revision: number }>();
  readonly #losses = new Map<string, ExternalLoss>();
  /** Records that came, changed or went. */
  #dirty = new Set<string>();
  /** Looked at since this was last taken. */
  #judged = new Set<string>();

  constructor({ logger, clusterDomain }: ExternalsInputs) {
    this.#clusterDomain = clusterDomain;
    this.objects = new ObjectSet({
      head: externalHead,
      parse: parseExternalService,
      logger,
      maxObjects,
      defaultNamespace: 'default',
    });
    this.#contests = new ExternalContests(clusterDomain);
    this.objects.onChange((key) => {
      this.#dirty.add(key);
    });
  }

  /** The hosts in force, as services; live. */
  get services(): ReadonlyMap<ServiceKey, CatalogService> {
    return this.#services;
  }

  /** Hosts of the objects with this namespace and name. */
  hostsOf(key: ServiceKey): readonly ServiceKey[] {
    return this.#hosts.get(key) ?? [];
  }

  /** Why an object's last good form is not in force; undefined: it is, if it has one. */
  loss(record: ObjectRecord<ExternalService>): ExternalLoss | undefined {
    return this.#losses.get(record.key);
  }

  /** The revision since which the last good form of the object is in force; undefined: it is not, or not yet. */
  since(record: ObjectRecord<ExternalService>): number | undefined {
    const since = this.#since.get(record.key);
    return since !== undefined && since.hash === record.lastGood?.hash ? since.revision : undefined;
  }

  /**
   * Brings the hosts up to the objects and the catalog, of which these services changed. Returns the keys of hosts that came, changed or went.
   * `revision`: which the mesh will have with them.
   */
  update(
    catalog: ReadonlyMap<ServiceKey, CatalogService>,
    changed: ReadonlySet<ServiceKey>,
    revision: number,
  ): ReadonlySet<ServiceKey> {
    const begun = new Set(this.#dirty);
    this.#dirty = new Set();
    for (const service of changed) for (const key of this.#contests.named(service)) begun.add(key);
    if (begun.size === 0) return new Set();
    const before = this.#contests.around(begun);
    const ids = new Set([...before].flatMap((key) => this.#contests.claim(key) ?? []).map(idOf));
    for (const key of begun) this.#contests.set(key, this.objects.record(key)?.lastGood);
    const touched = before.union(this.#contests.around(begun));
    const claims = [...touched].flatMap((key) => this.#contests.claim(key) ?? []);
    const losses = externalLosses(claims, (key) => catalog.has(key), this.#clusterDomain);
    for (const claim of claims) ids.add(idOf(claim));
    for (const key of touched) {
      this.#judged.add(key);
      const loss = losses.get(key);
      if (loss === undefined) this.#losses.delete(key);
      else this.#losses.set(key, loss);
    }
    return this.#replace(claims, touched, ids, revision);
  }

  /** Records that were looked at since this was last asked: what is said of them may be another. */
  takeJudged(): ReadonlySet<string> {
    const judged = this.#judged;
    this.#judged = new Set();
    return judged;
  }

  #madeOf({ key, external }: ExternalClaim): ExternalInForce {
    const before = this.#made.get(key);
    if (before?.external.hash === external.hash) return before;
    const made = { external, services: externalServices(external) };
    this.#made.set(key, made);
    return made;
  }

  /** `claims`: those of the records that are touched and have a form that counts; `ids`: of all of these. */
  #replace(
    claims: readonly ExternalClaim[],
    touched: ReadonlySet<string>,
    ids: ReadonlySet<string>,
    revision: number,
  ): ReadonlySet<ServiceKey> {
    const former = new Set<ServiceKey>();
    for (const key of touched) for (const { key: host } of this.#made.get(key)?.services ?? []) former.add(host);
    const wanted = new Map<ServiceKey, CatalogService>();
    const inForce = claims.filter(({ key }) => !this.#losses.has(key));
    const made = inForce.map((claim) => this.#madeOf(claim));
    this.history.remember(made, revision, ids);
    for (const { services } of made) for (const service of services) wanted.set(service.key, service);
    for (const { key, external } of inForce)
      if (this.#since.get(key)?.hash !== external.hash) this.#since.set(key, { hash: external.hash, revision });
    for (const key of touched) {
      if (this.#losses.has(key) || this.#contests.claim(key) === undefined) this.#since.delete(key);
      if (this.#contests.claim(key) === undefined) this.#made.delete(key);
    }
    const changed = new Set<ServiceKey>();
    for (const key of former) if (!wanted.has(key) && this.#services.delete(key)) changed.add(key);
    for (const [key, service] of wanted) {
      if (this.#services.get(key) === service) continue;
      this.#services.set(key, service);
      changed.add(key);
    }
    for (const id of ids) this.#hosts.delete(id as ServiceKey);
    for (const { key, ruledAs = key } of wanted.values()) {
      const hosts = this.#hosts.get(ruledAs);
      if (hosts === undefined) this.#hosts.set(ruledAs, [key]);
      else hosts.push(key);
    }
    return changed;
  }
}

function idOf({ external: { ref } }: ExternalClaim): string {
  return `${ref.namespace}/${ref.name}`;
}
