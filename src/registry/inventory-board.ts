/**
 * What the inventory shows: a record per cluster, events to listeners, and one line in the log per transition and finding.
 *
 * What always holds: a record is replaced, never changed; nothing is emitted when nothing is different; a listener that fails costs the others
 * nothing.
 */

import { errorMessage, type Finding, formatFinding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ClusterState } from '../model/cluster.ts';
import type { ServiceKey } from '../model/service.ts';
import { type ClusterRecord, type InventoryChange, sameState } from './inventory-record.ts';
import {
  effectiveState,
  findingsOf,
  infoOf,
  type Registration,
  recordOf,
  rotationState,
} from './inventory-registration.ts';
import { sameInfo } from './same-shard.ts';

export interface ShownChange {
  readonly services?: ReadonlySet<ServiceKey>;
  readonly namespaces?: ReadonlySet<string>;
  /** Emits in any case. */
  readonly force?: boolean;
}

export class Board {
  readonly #logger: Logger;
  readonly #listeners = new Set<(change: InventoryChange) => void>();
  readonly #records = new Map<string, ClusterRecord>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get records(): ReadonlyMap<string, ClusterRecord> {
    return this.#records;
  }

  /** Returns how to stop listening. */
  listen(listener: (change: InventoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  remove(registration: Registration): void {
    this.#records.delete(registration.name);
    this.emit({
      cluster: registration.name,
      services: new Set(registration.services.keys()),
      namespaces: new Set(registration.namespaces.keys()),
      stateChanged: true,
    });
  }

  /** Renews what is shown of a cluster, before anybody is told; returns how to tell them. */
  renew(
    registration: Registration,
    nowMs: number,
    change: ShownChange = {},
  ): { stateMoved: boolean; tell: () => void } {
    const before = registration.shown;
    const info = infoOf(registration);
    const findings = findingsOf(registration);
    const state = effectiveState(registration, nowMs);
    const rotation = rotationState(registration);
    const stateMoved = !sameState(before.state, state);
    const rotationMoved = !sameState(before.rotation, rotation);
    const findingsMoved = !sameFindings(before.findings, findings);
    const versionMoved = (this.#records.get(registration.name)?.version ?? '') !== (registration.active?.version ?? '');
    const infoMoved = before.info === undefined || !sameInfo(before.info, info);
    registration.shown = {
      state: stateMoved ? state : before.state,
      rotation: rotationMoved ? rotation : before.rotation,
      findings: findingsMoved ? findings : before.findings,
      info,
    };
    this.#records.set(registration.name, recordOf(registration));
    if (stateMoved) this.#logState(registration.name, before.state, state);
    if (rotation?.problem !== undefined && rotation.problem.code !== before.rotation?.problem?.code) {
      this.log({ ...rotation.problem, severity: 'warning', where: { cluster: registration.name } }, registration.name);
    }
    if (findingsMoved) {
      const known = new Set(before.findings.map(formatFinding));
      for (const finding of findings) if (!known.has(formatFinding(finding))) this.log(finding, registration.name);
    }
    const { services = new Set(), namespaces = new Set(), force = false } = change;
    const stateChanged = force || stateMoved || rotationMoved || findingsMoved || infoMoved || versionMoved;
    const news = stateChanged || services.size > 0 || namespaces.size > 0;
    const tell = (): void => {
      if (news) this.emit({ cluster: registration.name, services, namespaces, stateChanged });
    };
    return { stateMoved, tell };
  }

  emit(change: InventoryChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        const fields = { cluster: change.cluster, code: 'FW-CLUSTER-008', err: errorMessage(error) };
        this.#logger.error('a listener of the inventory failed', fields);
      }
    }
  }

  log(finding: Finding, cluster: string): void {
    const fields = { cluster, code: finding.code, where: finding.where, hint: finding.hint };
    if (finding.severity === 'error') this.#logger.error(finding.message, fields);
    else this.#logger.warn(finding.message, fields);
  }

  /** Tells nobody anything any more. */
  close(): void {
    this.#listeners.clear();
  }

  /** Only what people would call a transition: another phase, or another reason. */
  #logState(cluster: string, before: ClusterState, { phase, sinceMs, problem }: ClusterState): void {
    if (phase === before.phase && problem?.code === before.problem?.code) return;
    const since = new Date(sinceMs).toISOString();
    const why = problem === undefined ? {} : { code: problem.code, err: problem.message, hint: problem.hint };
    const loud = phase === 'stale' || phase === 'refused' || problem !== undefined;
    if (loud) this.#logger.warn(`cluster is ${phase}`, { cluster, phase, since, ...why });
    else this.#logger.info(`cluster is ${phase}`, { cluster, phase, since });
  }
}

function sameFindings(a: readonly Finding[], b: readonly Finding[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length && a.every((finding, index) => formatFinding(finding) === formatFinding(b[index] as Finding))
  );
}
