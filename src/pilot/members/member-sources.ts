/**
 * Which members' rules are read: in come links to registered clusters, and word that grants or registrations may be others; sources are
 * attached and detached accordingly.
 *
 * What always holds: the primary is no member; what was read of a cluster that is out of reach stays, over a restart too; what a cluster held goes
 * when its registration does. A cluster that no policy names is read as far as that takes nothing, to be shown as not granted: nobody waits for it.
 */

import type { MemberLink, MemberSource } from '../../registry/member-host.ts';
import type { RuleInputs } from '../rules/rule-inputs.ts';
import { memberSourceName } from './member-rules.ts';

export interface MemberSourcesInputs {
  readonly inputs: Pick<RuleInputs, 'attach' | 'detach' | 'recall'>;
  /** Some policy names the cluster. */
  readonly isGranted: (cluster: string) => boolean;
  readonly isPrimary: (cluster: string) => boolean;
  /** The registered clusters. */
  readonly clusters: () => ReadonlyMap<string, unknown>;
  /** Only the leader writes statuses. */
  readonly isLeader: () => boolean;
}

interface Attached {
  readonly link: MemberLink;
  readonly source: MemberSource;
  readonly isGranted: boolean;
}

export class MemberSources {
  readonly #options: MemberSourcesInputs;
  /** The newest last. */
  readonly #links = new Map<string, MemberLink[]>();
  /** undefined: what was saved of it is in force, and nothing reads it. */
  readonly #attached = new Map<string, Attached | undefined>();
  #stopped = false;

  constructor(options: MemberSourcesInputs) {
    this.#options = options;
  }

  /** As `OpenMember`. */
  open(cluster: string, link: MemberLink): () => void {
    const links = this.#links.get(cluster);
    if (links === undefined) this.#links.set(cluster, [link]);
    else links.push(link);
    this.settle(cluster);
    return () => {
      const rest = (this.#links.get(cluster) ?? []).filter((other) => other !== link);
      if (rest.length > 0) this.#links.set(cluster, rest);
      else this.#links.delete(cluster);
      this.settle(cluster);
    };
  }

  /** Grants may be others. */
  settleAll(): void {
    const clusters = new Set([...this.#options.clusters().keys(), ...this.#links.keys(), ...this.#attached.keys()]);
    for (const cluster of clusters) this.settle(cluster);
  }

  /** The cluster's registration may be another. */
  settle(cluster: string): void {
    if (this.#stopped) return;
    const { inputs, isGranted, isPrimary, isLeader, clusters } = this.#options;
    const link = this.#links.get(cluster)?.at(-1);
    const isThere = link !== undefined || clusters().has(cluster);
    const name = memberSourceName(cluster);
    if (!isThere || isPrimary(cluster)) {
      if (this.#attached.delete(cluster)) inputs.detach(name);
    } else if (link === undefined) {
      // Known from before a restart, and out of reach.
      if (!this.#attached.has(cluster) && inputs.recall(name, () => isGranted(cluster)))
        this.#attached.set(cluster, undefined);
    } else {
      const isAsked = link.isFree || isGranted(cluster);
      const before = this.#attached.get(cluster);
      if (before?.link === link && before.isGranted === isAsked) return;
      const isAwaited = (): boolean => link.isFree || isGranted(cluster);
      const source = inputs.attach(name, (sink) => link.start(sink, isLeader, isAsked), isAwaited);
      this.#attached.set(cluster, { link, source, isGranted: isAsked });
    }
  }

  /** Where a cluster's statuses are written; undefined: nowhere. */
  writerOf(cluster: string): MemberSource['writeStatus'] {
    return this.#attached.get(cluster)?.source.writeStatus;
  }

  /** Nothing is attached or detached any more. */
  stop(): void {
    this.#stopped = true;
  }
}
