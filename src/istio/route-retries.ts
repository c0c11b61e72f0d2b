/** Timeouts, retries and faults of an HTTP route as a TrafficRule writes them. */

import { retryConditions } from '../rules/traffic-rule/schema/retry.ts';
import type { RawRoute } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { booleanOf, child, numberOf, type Part, textOf } from './parts.ts';
import { durationOf, durationText, durationTextOf, percentOf } from './values.ts';

type RawRetry = NonNullable<RawRoute['retry']>;
type RawFault = NonNullable<RawRoute['fault']>;
type Condition = NonNullable<RawRetry['on']>[number];

/** What Istio retries where nothing is said. */
const defaultConditions: readonly Condition[] = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'];

const maxAttempts = 10;

export function timeoutsOf(timeout: Part | undefined, retries: Part | undefined, notes: Notes): RawRoute['timeouts'] {
  const request = durationOf(timeout, notes);
  const tryPart = child(retries, 'perTryTimeout');
  const perTry = durationOf(tryPart, notes);
  const isIdle = perTry !== undefined && request !== undefined && request > 0 && perTry > request;
  if (isIdle && tryPart !== undefined) {
    const message = 'is left out: it is longer than the timeout of the whole request, which ends the try before';
    notes.warn('FW-ISTIO-004', tryPart, message, 'Shorten it, or remove it');
  }
  const given = {
    ...(request === undefined || request === 0 ? {} : { request: durationText(request) }),
    ...(perTry === undefined || perTry === 0 || isIdle ? {} : { backendRequest: durationText(perTry) }),
  };
  return Object.keys(given).length === 0 ? undefined : given;
}

export function retryOf(part: Part | undefined, notes: Notes): RawRetry | undefined {
  if (part === undefined) return undefined;
  const attemptsPart = child(part, 'attempts');
  const wanted = numberOf(attemptsPart, notes) ?? 0;
  if (wanted <= 0) return { attempts: 0 };
  if (wanted > maxAttempts && attemptsPart !== undefined) {
    notes.warn(
      'FW-ISTIO-004',
      attemptsPart,
      `is taken as ${maxAttempts}: more retries are not made`,
      `Write ${maxAttempts} or fewer`,
    );
  }
  const on = conditionsOf(child(part, 'retryOn'), notes);
  const backoff = durationOf(child(part, 'backoff'), notes);
  const ignorePrevious = booleanOf(child(part, 'retryIgnorePreviousHosts'), notes);
  return {
    attempts: Math.min(wanted, maxAttempts),
    on: [...on],
    ...(backoff === undefined || backoff === 0 ? {} : { backoff: { base: durationText(backoff) } }),
    ...(ignorePrevious === undefined ? {} : { otherHostFirst: ignorePrevious }),
  };
}

function conditionsOf(part: Part | undefined, notes: Notes): readonly Condition[] {
  const text = textOf(part, notes);
  if (part === undefined || text === undefined) return defaultConditions;
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '' && word !== 'retriable-status-codes');
  const known = words.filter((word) => isCondition(word));
  const others = words.filter((word) => !isCondition(word));
  if (others.length > 0) {
    const message = `${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} left out: rules do not know ${others.length === 1 ? 'it' : 'them'}`;
    notes.warn(
      'FW-ISTIO-004',
      part,
      message,
      `Known are ${retryConditions.join(', ')}, and status codes from 400 to 599`,
    );
  }
  return known.length === 0 ? defaultConditions : [...new Set(known)];
}

function isCondition(word: string): boolean {
  return (retryConditions as readonly string[]).includes(word) || /^[45][0-9][0-9]$/.test(word);
}

export function faultOf(part: Part | undefined, notes: Notes): RawFault | undefined {
  const delay = delayOf(child(part, 'delay'), notes);
  const abort = abortOf(child(part, 'abort'), notes);
  if (delay === undefined && abort === undefined) return undefined;
  return { ...(delay === undefined ? {} : { delay }), ...(abort === undefined ? {} : { abort }) };
}

function delayOf(part: Part | undefined, notes: Notes): RawFault['delay'] | undefined {
  const duration = durationTextOf(child(part, 'fixedDelay'), notes);
  if (duration === undefined || duration === '0s') return undefined;
  return { percent: percentOf(child(part, 'percentage'), child(part, 'percent'), notes), duration };
}

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, from 1. */
const grpcStatuses = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

function abortOf(part: Part | undefined, notes: Notes): RawFault['abort'] | undefined {
  if (part === undefined) return undefined;
  const percent = percentOf(child(part, 'percentage'), undefined, notes);
  const status = numberOf(child(part, 'httpStatus'), notes);
  if (status !== undefined) return { percent, status };
  const grpcPart = child(part, 'grpcStatus');
  const name = textOf(grpcPart, notes);
  if (grpcPart === undefined || name === undefined) return undefined;
  const grpcStatus = grpcStatuses.indexOf(name.toUpperCase()) + 1;
  if (grpcStatus > 0) return { percent, grpcStatus };
  notes.warn(
    'FW-ISTIO-004',
    grpcPart,
    `is left out: ${JSON.stringify(name)} is no gRPC status that a fault can have`,
    'Write UNAVAILABLE, for instance',
  );
  return undefined;
}
