/**
 * ExternalServices at work: what people applied and the services that there are go in; which hosts outside are services of the mesh, and the
 * verdict on each object, come out.
 *
 * What always holds: what is in force depends on the objects and the catalog, not on their order; a host whose object did not change is the
 * very same service object as before. Cost: a change of an object looks at all of them (there are few); a change of the catalog at none,
 * unless a service came or went whose name is somebody's host.
 */

import type { Logger } from '../core/logger.ts';
import {
  type ExternalClaim,
  type ExternalLoss,
  externalLosses,
  externalServices,
  serviceNamedBy,
} from '../mesh/external.ts';
import type { ExternalService } from '../model/external.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { externalHead } from '../rules/external/head.ts';
import { parseExternalService } from '../rules/external/parse.ts';
import { type ObjectRecord, ObjectSet } from '../rules/object-set.ts';
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
  /** Services whose names are hosts of some object. */
  readonly #watched = new Set<ServiceKey>();
  /** By record: the mesh revision since which its present form is in force. */
  readonly #since = new Map<string, { readonly hash: string; readonly revision: number }>();
  #losses: ReadonlyMap<string, ExternalLoss> = new Map();
  #dirty = false;

  constructor({ logger, clusterDomain }: ExternalsInputs) {
    this.#clusterDomain = clusterDomain;
    this.objects = new ObjectSet({
      head: externalHead,
      parse: parseExternalService,
      logger,
      maxObjects,
      defaultNamespace: 'default',
    });
    this.objects.onChange(() => {
      this.#dirty = true;
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
    if (!this.#dirty && !this.#watched.values().some((key) => changed.has(key))) return new Set();
    this.#dirty = false;
    const claims = this.objects
      .records()
      .flatMap(({ key, lastGood }): ExternalClaim[] => (lastGood === undefined ? [] : [{ key, external: lastGood }]));
    this.#losses = externalLosses(claims, (key) => catalog.has(key), this.#clusterDomain);
    this.#watch(claims);
    const inForce = claims.filter(({ key }) => !this.#losses.has(key));
    for (const key of this.#since.keys()) if (!inForce.some((claim) => claim.key === key)) this.#since.delete(key);
    this.history.remember(
      inForce.map((claim) => this.#madeOf(claim)),
      revision,
    );
    const wanted = new Map<ServiceKey, CatalogService>();
    for (const claim of inForce) {
      for (const service of this.#madeOf(claim).services) wanted.set(service.key, service);
      if (this.#since.get(claim.key)?.hash !== claim.external.hash)
        this.#since.set(claim.key, { hash: claim.external.hash, revision });
    }
    for (const key of this.#made.keys()) if (this.objects.record(key)?.lastGood === undefined) this.#made.delete(key);
    return this.#replace(wanted);
  }

  #watch(claims: readonly ExternalClaim[]): void {
    this.#watched.clear();
    for (const { external } of claims) {
      for (const host of external.hosts) {
        const service = serviceNamedBy(host, this.#clusterDomain);
        if (service !== undefined) this.#watched.add(service);
      }
    }
  }

  #madeOf({ key, external }: ExternalClaim): ExternalInForce {
    const before = this.#made.get(key);
    if (before?.external.hash === external.hash) return before;
    const made = { external, services: externalServices(external) };
    this.#made.set(key, made);
    return made;
  }

  #replace(wanted: ReadonlyMap<ServiceKey, CatalogService>): ReadonlySet<ServiceKey> {
    const changed = new Set<ServiceKey>();
    for (const key of this.#services.keys()) {
      if (wanted.has(key)) continue;
      this.#services.delete(key);
      changed.add(key);
    }
    for (const [key, service] of wanted) {
      if (this.#services.get(key) === service) continue;
      this.#services.set(key, service);
      changed.add(key);
    }
    this.#hosts.clear();
    for (const { key, ruledAs = key } of wanted.values()) {
      const hosts = this.#hosts.get(ruledAs);
      if (hosts === undefined) this.#hosts.set(ruledAs, [key]);
      else hosts.push(key);
    }
    return changed;
  }
}
