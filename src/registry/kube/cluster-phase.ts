/**
 * From how the watchers and the probe of one cluster fare to the state that people see. Pure.
 *
 * Before the first sync, what needs a person's hand is `refused` and the rest is `connecting` or `syncing`, with the trouble named. After
 * it, any trouble that lasts makes the cluster `stale`: what it last said stays in force, and one thing to do about it is said.
 */

import type { ErrorCode } from '../../core/errors.ts';
import type { ClusterPhase, ClusterState } from '../../model/cluster.ts';
import type { ApiError } from './api-error.ts';
import type { WatchHealth } from './watch-health.ts';

export interface WatcherView {
  /** `pods`; with its group, `endpointslices.discovery.k8s.io`. */
  readonly resource: string;
  readonly health: WatchHealth;
}

export interface PhaseInput {
  readonly nowMs: number;
  /** The API's address, for messages. */
  readonly server: string;
  readonly synced: boolean;
  /** Any good answer so far. */
  readonly heard: boolean;
  /** The last good answer, ms since the epoch. */
  readonly lastNewsMs: number;
  readonly watchers: readonly WatcherView[];
  readonly probe: { readonly failures: number; readonly error: ApiError | undefined };
  /** Another cluster answers at the address. */
  readonly impostor: { readonly uid: string; readonly sinceMs: number } | undefined;
  /** A watcher's error younger than this is not yet worth a change of state: a watch is opened again all the time. */
  readonly graceMs: number;
  /** Failed probes in a row that make the API unreachable. */
  readonly probeFailures: number;
}

type Problem = NonNullable<ClusterState['problem']>;

export interface PhaseOutput {
  readonly phase: ClusterPhase;
  readonly problem: Problem | undefined;
  /** For `stale`: the last moment that is known to be good, ms since the epoch. */
  readonly staleSinceMs: number;
  /** Evaluate again after this long; undefined: only when something happens. */
  readonly againMs: number | undefined;
}

export function evaluatePhase(input: PhaseInput): PhaseOutput {
  const calm = { staleSinceMs: input.lastNewsMs, againMs: undefined };
  if (input.impostor !== undefined) {
    const phase = input.synced ? 'stale' : 'refused';
    return {
      ...calm,
      phase,
      problem: impostorProblem(input),
      staleSinceMs: Math.min(input.impostor.sinceMs, input.lastNewsMs),
    };
  }
  const trouble = worstTrouble(input);
  const suspicious = input.watchers.find(({ health }) => health.suspicion !== undefined);
  const suspicion = suspicious?.health.suspicion;
  const problem =
    trouble !== undefined
      ? problemOf(trouble, input)
      : suspicious !== undefined && suspicion !== undefined
        ? emptyProblem(suspicious.resource, suspicion.held)
        : undefined;
  if (!input.synced) {
    if (trouble !== undefined && needsHand(trouble.error)) return { ...calm, phase: 'refused', problem };
    return { ...calm, phase: input.heard ? 'syncing' : 'connecting', problem };
  }
  if (suspicion !== undefined && trouble === undefined) {
    return { ...calm, phase: 'stale', problem, staleSinceMs: suspicion.sinceMs };
  }
  if (trouble === undefined) return { ...calm, phase: 'fresh', problem: undefined };
  const sinceMs = Math.min(
    input.lastNewsMs,
    ...input.watchers.map(({ health }) => health.failingSinceMs ?? input.nowMs),
  );
  const lastedMs = input.nowMs - sinceMs;
  const unanswered = input.probe.failures >= input.probeFailures;
  if (!needsHand(trouble.error) && !unanswered && lastedMs < input.graceMs) {
    return { ...calm, phase: 'fresh', problem: undefined, againMs: input.graceMs - lastedMs };
  }
  return { phase: 'stale', problem, staleSinceMs: sinceMs, againMs: undefined };
}

interface Trouble {
  readonly error: ApiError;
  /** What was asked for; '' for the probe. */
  readonly resource: string;
}

/** It will not get better by asking again. */
function needsHand(error: ApiError): boolean {
  return ['unauthorized', 'forbidden', 'credential', 'untrusted', 'not-found'].includes(error.kind);
}

const gravity: readonly ApiError['kind'][] = [
  'untrusted',
  'credential',
  'unauthorized',
  'forbidden',
  'not-found',
  'unreachable',
  'server',
  'throttled',
  'malformed',
];

/** One trouble to talk about, always the same one for the same set of them. */
function worstTrouble(input: PhaseInput): Trouble | undefined {
  const troubles: Trouble[] = [];
  if (
    input.probe.error !== undefined &&
    (input.probe.failures >= input.probeFailures || needsHand(input.probe.error))
  ) {
    troubles.push({ error: input.probe.error, resource: '' });
  }
  for (const { resource, health } of input.watchers) {
    if (health.error !== undefined && health.error.kind !== 'expired') troubles.push({ error: health.error, resource });
  }
  const rank = ({ error }: Trouble): number => {
    const at = gravity.indexOf(error.kind);
    return at < 0 ? gravity.length : at;
  };
  return troubles.sort((a, b) => rank(a) - rank(b))[0];
}

function problemOf({ error, resource }: Trouble, input: PhaseInput): Problem {
  const make = (code: ErrorCode, message: string, hint: string): Problem => ({ code, message, hint });
  const { server } = input;
  switch (error.kind) {
    case 'unauthorized':
      return make(
        'FW-KUBE-005',
        `${server} does not accept the credential (401)${input.synced ? '; it did before: it has expired or was withdrawn' : ''}`,
        'Give a new credential under the same name: it takes over once it has synced.',
      );
    case 'forbidden':
      return make(
        'FW-KUBE-006',
        `the credential may not read ${forbiddenResources(input) || resource || 'the API'} (403)`,
        'Give its user a ClusterRole with get, list and watch on services, pods, nodes, namespaces and endpointslices.discovery.k8s.io; see with: kubectl auth can-i list pods -A --as USER.',
      );
    case 'not-found':
      return make(
        'FW-KUBE-009',
        `${server} does not serve ${resource} (404)`,
        'Check that the address is a Kubernetes API of version 1.21 or newer.',
      );
    case 'untrusted':
      return make(
        'FW-KUBE-016',
        `the certificate of ${server} is not trusted: ${error.message}`,
        'Give the certificate authority of that API in the kubeconfig (certificate-authority-data).',
      );
    case 'credential':
      return make('FW-KUBE-004', error.message, 'Check the files or the credential plugin that the kubeconfig names.');
    case 'malformed':
      return make(
        'FW-KUBE-009',
        `${server} answers nonsense: ${error.message}`,
        'Check that the address is a Kubernetes API and not a login page or a proxy’s error page.',
      );
    default:
      return make(
        'FW-KUBE-007',
        `${server} cannot be read: ${error.message}`,
        'Check that the API is up and can be reached from the pilot; it is tried again all the time.',
      );
  }
}

function forbiddenResources(input: PhaseInput): string {
  return input.watchers
    .filter(({ health }) => health.error?.kind === 'forbidden')
    .map(({ resource }) => resource)
    .join(', ');
}

function emptyProblem(resource: string, held: number): Problem {
  const before = held === 0 ? '' : `; before, there were ${held}`;
  return {
    code: 'FW-KUBE-008',
    message: `the API lists no ${resource}${before}. That is not believed yet, and nothing is removed`,
    hint: 'Check the cluster (kubectl get all -A). If it is really empty, this passes by itself; if another API answers at this address, correct the kubeconfig.',
  };
}

function impostorProblem(input: PhaseInput): Problem {
  return {
    code: 'FW-KUBE-010',
    message: `another cluster answers at ${input.server} (its kube-system has the uid ${input.impostor?.uid || '?'}); what the first one said stays in force`,
    hint: 'If the cluster was replaced on purpose, remove its registration and add it again; else correct the address.',
  };
}
