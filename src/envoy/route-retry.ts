/** A route's retries in Envoy's words. */

import type { RouteRetry, RuleRoute } from '../model/rule.ts';
import { constantAny, durationMs, type Plain } from './proto/encode.ts';

/** Stands in nearly every route. Envoy finds an extension by the type of its configuration; what it is called is for people alone. */
const previousHosts: Plain = {
  name: 'previous_hosts',
  typed_config: constantAny('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
};

/**
 * A retry leaves a level of the chain once it was tried often enough, so that a level that is lost, but not yet reported so, is left: after two
 * tries, for one failure may be a single workload's; after one, if there is but one retry.
 */
function previousPriorities(attempts: number): Plain {
  return attempts > 1 ? afterTwoTries : afterOneTry;
}

const [afterOneTry, afterTwoTries] = [leaveAfter(1), leaveAfter(2)] as const;

function leaveAfter(tries: number): Plain {
  return {
    name: 'envoy.retry_priorities.previous_priorities',
    typed_config: constantAny('envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', {
      update_frequency: tries,
    }),
  };
}

/** RFC 9110, section 9.2.1: whoever sends these asks for nothing to be done, so that they may be sent again whatever became of them. */
const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

export const safeMethodsPattern: string = safeMethods.join('|');

export function isSafeMethod(method: string): boolean {
  return safeMethods.includes(method);
}

/** A chain of one has levels too where `isSplit`: by how near its endpoints are. */
function hasLevels({ backends }: RuleRoute, isSplit: boolean): boolean {
  return isSplit || backends.some(({ weight, chain }) => weight > 0 && chain.length > 1);
}

/**
 * Another place stands in for what is lost, and no rule says what is tried again: then safe requests are, also those that went out over a
 * connection that broke before the answer came.
 */
export function retriesSafeOnes(route: RuleRoute, isSplit: boolean): boolean {
  return route.retry === undefined && hasLevels(route, isSplit);
}

/** `fallback`: for routes that say nothing of retries. `isSafe`: for requests with a safe method alone. */
export function retryPolicy(
  route: RuleRoute,
  fallback: RouteRetry,
  isSplit: boolean,
  isSafe: boolean,
): Plain | undefined {
  const given = route.retry ?? fallback;
  const retry =
    isSafe && retriesSafeOnes(route, isSplit) ? { ...given, on: [...new Set([...given.on, 'reset'])] } : given;
  const perTry = route.backendRequestTimeoutMs;
  // Envoy keeps the limit of one try in the retry policy, where it holds with no retries too.
  const limit = perTry === undefined ? {} : { per_try_timeout: durationMs(perTry) };
  if (retry.attempts === 0) return perTry === undefined ? undefined : { num_retries: 0, ...limit };
  return {
    retry_on: [...retry.on, ...(retry.statusCodes.length > 0 ? ['retriable-status-codes'] : [])].join(','),
    retriable_status_codes: retry.statusCodes,
    num_retries: retry.attempts,
    ...(retry.otherHostFirst === false
      ? {}
      : { retry_host_predicate: [previousHosts], host_selection_retry_max_attempts: 5 }),
    ...(retry.backoff === undefined ? {} : { retry_back_off: backOff(retry.backoff) }),
    retry_priority: hasLevels(route, isSplit) ? previousPriorities(retry.attempts) : undefined,
    ...limit,
  };
}

function backOff({ baseMs, maxMs }: NonNullable<RouteRetry['backoff']>): Plain {
  return { base_interval: durationMs(baseMs), max_interval: durationMs(maxMs) };
}
