/**
 * Who writes imports into which cluster: in come links to registered clusters, the clusterset's services and leadership; writers are started and
 * stopped, and told what may be another.
 *
 * What always holds: only the leader writes; nobody writes before every cluster that was found has been read, or is known to be out of reach; what
 * was made of the exports of a cluster of which nothing is known stays as it is; a cluster that does not have a service's namespace holds nothing
 * of it.
 */

import { type Clock, sleep } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import { exportConditions } from '../../mcs/conditions.ts';
import { desiredImport } from '../../mcs/imports.ts';
import { splitServiceKey } from '../../model/service.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { ImportSource, McsHost, McsOutcome, McsWriter, StartMcsWriter } from '../../registry/mcs-host.ts';
import type { MemberLink } from '../../registry/member-host.ts';
import type { Clustersets } from './clustersets.ts';
import { withHeld } from './stand-in.ts';

export interface McsWritersInputs {
  readonly inventory: Pick<Inventory, 'clusters' | 'onChange' | 'isWhole'>;
  /** Everything that can be known at the start is known, and taken up. */
  readonly isReady: () => boolean;
  readonly clustersets: Clustersets;
  readonly clock: Clock;
  readonly wrote: (outcome: McsOutcome) => void;
}

/** How often leadership and readiness are looked at. */
const lookMs = 500;

export class McsWriters {
  readonly #inputs: McsWritersInputs;
  readonly #stop = new AbortController();
  /** The newest last. */
  readonly #links = new Map<string, StartMcsWriter[]>();
  readonly #writers = new Map<string, { readonly start: StartMcsWriter; readonly writer: McsWriter }>();
  readonly #ends = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #isLeader: () => boolean = () => false;
  /** What is known of clusters as a whole, at the last look. */
  #known = '';

  constructor(inputs: McsWritersInputs) {
    this.#inputs = inputs;
    inputs.clustersets.onChange((keys) => {
      for (const { writer } of this.#writers.values()) writer.touch(keys);
    });
    inputs.inventory.onChange(({ cluster, services, namespaces }) => {
      const writer = this.#writers.get(cluster)?.writer;
      if (writer === undefined) return;
      // An export that is none yet (its Service comes) is part of no clusterset.
      if (services.size > 0) writer.touch(services);
      if (namespaces.size === 0) return;
      const { services: all } = inputs.clustersets;
      writer.touch([...all.values()].filter(({ namespace }) => namespaces.has(namespace)).map(({ key }) => key));
    });
    this.#done = this.#run();
  }

  /** For discoveries of clusters, as OpenMember. */
  open(cluster: string, { writeImports }: MemberLink): () => void {
    if (writeImports === undefined) return () => undefined;
    const links = this.#links.get(cluster);
    if (links === undefined) this.#links.set(cluster, [writeImports]);
    else links.push(writeImports);
    this.#settle();
    return () => {
      const rest = (this.#links.get(cluster) ?? []).filter((other) => other !== writeImports);
      if (rest.length > 0) this.#links.set(cluster, rest);
      else this.#links.delete(cluster);
      this.#settle();
    };
  }

  leadBy(isLeader: () => boolean): void {
    this.#isLeader = isLeader;
  }

  /** What is wrong with writing into a cluster. */
  findings(cluster: string): readonly Finding[] {
    return this.#writers.get(cluster)?.writer.findings() ?? [];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#settle();
    await this.#done;
    await Promise.all(this.#ends);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#settle();
      const { clustersets, inventory } = this.#inputs;
      const known = JSON.stringify([[...clustersets.ids()], clustersets.unknown(), inventory.isWhole()]);
      if (known !== this.#known) {
        this.#known = known;
        for (const { writer } of this.#writers.values()) writer.touch('all');
      }
      await sleep(this.#inputs.clock, lookMs, signal);
    }
  }

  #settle(): void {
    const mayWrite = !this.#stop.signal.aborted && this.#inputs.isReady() && this.#isLeader();
    for (const [cluster, { start, writer }] of this.#writers) {
      if (mayWrite && this.#links.get(cluster)?.at(-1) === start) continue;
      this.#writers.delete(cluster);
      const end = writer.stop().finally(() => this.#ends.delete(end));
      this.#ends.add(end);
    }
    if (!mayWrite) return;
    for (const [cluster, links] of this.#links) {
      const start = links.at(-1);
      if (start === undefined || this.#writers.has(cluster)) continue;
      this.#writers.set(cluster, { start, writer: start(this.#hostFor(cluster)) });
    }
  }

  #unknownSources(): (source: ImportSource) => boolean {
    const { inventory, clustersets } = this.#inputs;
    const unknown = new Set(clustersets.unknown());
    const known = new Set<string>();
    for (const [name, id] of clustersets.ids()) if (!unknown.has(name)) known.add(id);
    return ({ id, name }) => {
      // Whoever is not registered (any more) exports nothing: as soon as it is known who is.
      if (name !== undefined) return inventory.clusters().has(name) ? unknown.has(name) : !inventory.isWhole();
      // What an unknown cluster calls itself is not known either: any id that nobody known has may be its.
      return !known.has(id) && (unknown.size > 0 || !inventory.isWhole());
    };
  }

  #hostFor(cluster: string): McsHost {
    const { inventory, clustersets, wrote } = this.#inputs;
    return {
      keys: () => clustersets.services.keys(),
      desired: (key, held) => {
        const known = clustersets.services.get(key);
        const service = held === undefined ? known : withHeld(key, known, held);
        if (service === undefined) return undefined;
        const hasNamespace = inventory.clusters().get(cluster)?.namespaces.has(service.namespace) === true;
        return hasNamespace ? desiredImport(service, cluster, clustersets.ids(), held?.sources) : undefined;
      },
      unknownAmong: (sources) => {
        const isUnknown = this.#unknownSources();
        return new Set(sources.filter(isUnknown).map(({ id }) => id));
      },
      exportConditions: (key) => {
        const { namespace, name } = splitServiceKey(key);
        const shard = inventory.clusters().get(cluster)?.services.get(`${namespace}/${name}`);
        if (shard?.export === undefined) return undefined;
        if (shard.externalName !== undefined) return exportConditions({ kind: 'external-name' });
        const service = clustersets.services.get(key);
        // It takes the batch that is under way to become part of it.
        return service?.exports.has(cluster) === true ? exportConditions({ kind: 'exported', service }) : undefined;
      },
      conditionsWithout: (service) => exportConditions({ kind: withoutKinds[service] }),
      wrote,
    };
  }
}

const withoutKinds = { none: 'no-service', alias: 'external-name', pending: 'pending' } as const;
