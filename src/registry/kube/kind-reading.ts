/** How the reading of one kind fares, and what is wrong with it, in words. Pure. */

import type { Finding } from '../../core/errors.ts';
import type { ApiError } from './api-error.ts';
import { type RuleKind, resourceOf } from './rule-kind.ts';
import type { ServedKind } from './served-kinds.ts';
import type { WatchHealth } from './watch-health.ts';

export type KindReadingState =
  /** Listed and watched. */
  | 'read'
  /** The API was not asked yet, or is being listed. */
  | 'waiting'
  /** The API serves no version of it that is read. */
  | 'absent'
  /** It was there, or should be, and the API does not know it. */
  | 'missing'
  /** The right to read it is missing. */
  | 'refused'
  /** Any other trouble. */
  | 'failing';

export interface KindReading {
  readonly kind: string;
  /** `httproutes.gateway.networking.k8s.io` */
  readonly resource: string;
  readonly foreign: boolean;
  readonly state: KindReadingState;
  /** The version that is read; undefined: none. */
  readonly apiVersion: string | undefined;
  /** Versions that are served, where none that is read is. */
  readonly otherVersions: readonly string[];
  /** A whole list has been taken, once. */
  readonly isRead: boolean;
  /** What objects there are is known, none among it. */
  readonly isKnown: boolean;
  readonly error: ApiError | undefined;
  readonly suspicion: WatchHealth['suspicion'];
  readonly truncated: boolean;
}

interface Reader {
  readonly kind: RuleKind;
  readonly apiVersion: string | undefined;
  readonly health: WatchHealth;
}

export function readingOf(
  { kind, apiVersion, health }: Reader,
  served: { of(kind: string): ServedKind | undefined },
): KindReading {
  const found = served.of(kind.kind);
  const foreign = kind.foreign === true;
  const isAbsent = foreign && found !== undefined && apiVersion === undefined;
  return {
    kind: kind.kind,
    resource: resourceOf(kind),
    foreign,
    state: isAbsent ? 'absent' : stateOf(health),
    apiVersion,
    otherVersions: found?.otherVersions ?? [],
    isRead: health.listed,
    isKnown: health.listed || (isAbsent && found.confirmed),
    error: health.error,
    suspicion: health.suspicion,
    truncated: health.truncated,
  };
}

function stateOf({ listed, error }: WatchHealth): KindReadingState {
  if (error === undefined || error.kind === 'expired') return listed ? 'read' : 'waiting';
  if (error.kind === 'not-found') return 'missing';
  return error.kind === 'forbidden' ? 'refused' : 'failing';
}

/** What is wrong with the readings of one cluster. That CRDs of our own are missing is said once, when it is known of all of them. */
export function readingFindings(readings: readonly KindReading[], cluster: string): readonly Finding[] {
  const own = readings.filter(({ foreign }) => !foreign);
  const missing = own.filter(({ state, isRead }) => state === 'missing' && !isRead).map(({ resource }) => resource);
  const findings = readings.flatMap((reading) => troubleOf(reading, cluster));
  if (missing.length === 0 || own.some(({ state }) => state === 'waiting')) return findings;
  const are = missing.length === 1 ? 'is' : 'are';
  return [
    {
      code: 'FW-KUBE-014',
      severity: 'warning',
      message: `${missing.join(', ')} ${are} not installed there, so there are no such objects`,
      where: { cluster },
      hint: 'Install the CRDs (kubectl apply -f deploy/crds); they are found without a restart.',
    },
    ...findings,
  ];
}

function troubleOf(reading: KindReading, cluster: string): readonly Finding[] {
  const { resource, suspicion, truncated } = reading;
  const findings = [...(reading.foreign ? foreignTrouble(reading, cluster) : ownTrouble(reading, cluster))];
  if (suspicion !== undefined && suspicion.held > 0) {
    findings.push({
      code: 'FW-KUBE-008',
      severity: 'warning',
      message: `the API lists no ${resource}; before, there were ${suspicion.held}. That is not believed yet, and nothing is removed`,
      where: { cluster },
      hint: 'If all were really deleted, this passes by itself.',
    });
  }
  if (truncated) {
    findings.push({
      code: 'FW-KUBE-011',
      severity: 'error',
      message: `there are too many ${resource}; those over the limit are left out`,
      where: { cluster },
      hint: 'Delete what is not needed.',
    });
  }
  return findings;
}

function ownTrouble(reading: KindReading, cluster: string): readonly Finding[] {
  const { error, isRead, resource } = reading;
  if (error === undefined || error.kind === 'expired') return [];
  // Said of all of them at once.
  if (error.kind === 'not-found' && !isRead) return [];
  const hint =
    error.kind === 'forbidden' ? `Give the pilot a ClusterRole with get, list and watch on ${resource}.` : tryAgain;
  return [unreadable(reading, error, cluster, hint)];
}

function foreignTrouble(reading: KindReading, cluster: string): readonly Finding[] {
  const { error, resource, otherVersions, state } = reading;
  if (state === 'absent' && otherVersions.length > 0) {
    return [
      {
        code: 'FW-KUBE-046',
        severity: 'warning',
        message: `${resource} is served there as ${otherVersions.join(', ')} alone, which is not read`,
        where: { cluster },
        hint: 'Install its newer CRD; it is found without a restart.',
      },
    ];
  }
  // A CRD that is not there is no trouble, and discovery says so soon.
  if (error === undefined || error.kind === 'expired' || error.kind === 'not-found') return [];
  if (error.kind !== 'forbidden') return [unreadable(reading, error, cluster, tryAgain)];
  return [
    {
      code: 'FW-KUBE-045',
      severity: 'warning',
      message: `${resource} is served there and may not be read: ${error.message}; all else goes on`,
      where: { cluster },
      hint: 'Let the pilot get, list and watch it, as deploy/pilot/roles.yaml does. What --standards leaves out is not read, but for ReferenceGrants.',
    },
  ];
}

const tryAgain = 'Check that the API is up and that the pilot’s credential is good; it is tried again all the time.';

function unreadable({ resource }: KindReading, error: ApiError, cluster: string, hint: string): Finding {
  return {
    code: 'FW-KUBE-018',
    severity: 'error',
    message: `${resource} cannot be read: ${error.message}; what was read before stays in force`,
    where: { cluster },
    hint,
  };
}
