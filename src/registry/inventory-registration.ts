/**
 * One registered cluster: its source (and the one that may replace it), and what is in force of it. A plain record that the inventory alone
 * writes; here are the pure questions about it.
 */

import type { Clock } from '../core/clock.ts';
import type { Finding } from '../core/errors.ts';
import { type ClusterInfo, type ClusterState, unknownLocality } from '../model/cluster.ts';
import type { NamespaceShard, ServiceKey, ServiceShard } from '../model/service.ts';
import type { Link } from './inventory-link.ts';
import type { ClusterRecord } from './inventory-record.ts';

export interface Registration {
  readonly name: string;
  origin: string;
  /** Order of registration; the lower one wins. */
  readonly sequence: number;
  readonly addedMonotonicMs: number;
  /** undefined for a cluster known from its last good state alone. */
  active: Link | undefined;
  /** A rotated source that has not taken over yet. */
  next: Link | undefined;
  info: ClusterInfo | undefined;
  readonly services: Map<ServiceKey, ServiceShard>;
  readonly namespaces: Map<string, NamespaceShard>;
  endpointCount: number;
  /** What is held came from disk, and no source has confirmed it yet. */
  fromLastGood: boolean;
  /** When it was last known to be as it is held. */
  lastNewsMs: number | undefined;
  /** Too much was said at once; what is held is from before that. */
  excess: { readonly sinceMs: number; readonly message: string } | undefined;
  /** The last good state was given up. */
  expired: boolean;
  /** The initial wait was over before it had synced. */
  missed: boolean;
  /** The API that the cluster is bound to, '' for none; `boundFromDisk`: since before this process. */
  uid: string;
  boundFromDisk: boolean;
  /** What the store said when its file was read. */
  loadFindings: readonly Finding[];
  /** What was shown last, to tell whether something changed. */
  shown: {
    state: ClusterState;
    info: ClusterInfo | undefined;
    findings: readonly Finding[];
    rotation: ClusterState | undefined;
  };
}

/** Nothing is known of it yet but what the store said of its file. */
export function newRegistration(
  name: string,
  origin: string,
  sequence: number,
  clock: Clock,
  loadFindings: readonly Finding[],
): Registration {
  return {
    name,
    origin,
    sequence,
    addedMonotonicMs: clock.monotonic(),
    active: undefined,
    next: undefined,
    info: undefined,
    services: new Map(),
    namespaces: new Map(),
    endpointCount: 0,
    fromLastGood: false,
    lastNewsMs: undefined,
    excess: undefined,
    expired: false,
    missed: false,
    uid: '',
    boundFromDisk: false,
    loadFindings,
    shown: {
      state: { phase: 'connecting', sinceMs: clock.now() },
      info: undefined,
      findings: [],
      rotation: undefined,
    },
  };
}

/** The state that people see: what the source says, tempered by what the inventory knows. */
export function effectiveState(registration: Registration, nowMs: number): ClusterState {
  const { active, name } = registration;
  const said: ClusterState = active?.state ?? { phase: 'connecting', sinceMs: registration.lastNewsMs ?? nowMs };
  const lastNewsMs = registration.lastNewsMs ?? said.sinceMs;
  if (active?.duplicateOf !== undefined)
    return { phase: 'refused', sinceMs: said.sinceMs, problem: duplicate(active.duplicateOf) };
  if (registration.expired) {
    return {
      phase: 'stale',
      sinceMs: lastNewsMs,
      problem: {
        code: 'FW-CLUSTER-006',
        message: 'there has been no news for longer than the last good state is kept, so its endpoints were taken away',
        hint: `Bring cluster ${name} back, or unregister it; serve’s --stale-keep sets the time.`,
      },
    };
  }
  if (registration.excess !== undefined) {
    return { phase: 'stale', sinceMs: registration.excess.sinceMs, problem: excessive(registration.excess.message) };
  }
  if (active?.synced === true || said.phase === 'refused') return said;
  if (registration.fromLastGood) {
    return {
      phase: 'stale',
      sinceMs: lastNewsMs,
      problem: said.problem ?? {
        code: 'FW-CLUSTER-014',
        message: 'it has not been read since the start; its last good state, from disk, is in force',
        hint: 'Wait for its first sync; if it does not come, see whether its API can be reached from here.',
      },
    };
  }
  // A source may not call itself fresh before it has said anything.
  const phase = said.phase === 'fresh' ? 'syncing' : said.phase;
  if (!registration.missed || said.problem !== undefined) return { ...said, phase };
  return {
    ...said,
    phase,
    problem: {
      code: 'FW-CLUSTER-007',
      message: 'it had not synced when the initial wait was over; streams are answered without it',
      hint: 'See whether its API can be reached from here; its endpoints join as soon as it syncs.',
    },
  };
}

function excessive(amount: string): NonNullable<ClusterState['problem']> {
  return {
    code: 'FW-CLUSTER-005',
    message: `it reports ${amount}; all of it is set aside, and what was said before stays in force`,
    hint: 'Find out what fills the cluster, and delete what is not needed; it counts again as soon as it is below the limit.',
  };
}

function duplicate(holder: string): NonNullable<ClusterState['problem']> {
  return {
    code: 'FW-CLUSTER-003',
    message: `it is the same API as cluster ${holder}, which was registered first`,
    hint: `Unregister one of the two; this one takes over when ${holder} goes.`,
  };
}

/** The state of the source that waits to take over, if there is one. */
export function rotationState(registration: Registration): ClusterState | undefined {
  const { next } = registration;
  if (next === undefined) return undefined;
  const excess = next.said.excess();
  if (excess !== undefined) return { phase: 'refused', sinceMs: next.state.sinceMs, problem: excessive(excess) };
  if (next.duplicateOf === undefined) return next.state;
  return { phase: 'refused', sinceMs: next.state.sinceMs, problem: duplicate(next.duplicateOf) };
}

export function findingsOf(registration: Registration): readonly Finding[] {
  const { active } = registration;
  if (active === undefined) return registration.loadFindings;
  const dropped = active.said.findings();
  if (dropped.length === 0 && registration.loadFindings.length === 0) return active.findings;
  return [...registration.loadFindings, ...active.findings, ...dropped];
}

export function infoOf(registration: Registration): ClusterInfo {
  return (
    registration.info ?? {
      name: registration.name,
      network: '',
      locality: unknownLocality,
      uid: registration.uid,
      origin: registration.origin,
    }
  );
}

export function recordOf(registration: Registration): ClusterRecord {
  return {
    info: infoOf(registration),
    state: registration.shown.state,
    version: registration.active?.version ?? '',
    exportsUnknown: registration.active?.exportsUnknown === true,
    services: registration.services,
    namespaces: registration.namespaces,
    endpointCount: registration.endpointCount,
    lastNewsMs: registration.lastNewsMs,
    findings: registration.shown.findings,
    droppedTotal: (registration.active?.said.droppedTotal ?? 0) + (registration.next?.said.droppedTotal ?? 0),
    rotation: registration.shown.rotation,
  };
}

/** What is held is what its source says now, all of it. */
export function isCurrent(registration: Registration): boolean {
  const { active, excess, shown } = registration;
  return (
    active?.synced === true && active.duplicateOf === undefined && excess === undefined && shown.state.phase === 'fresh'
  );
}
