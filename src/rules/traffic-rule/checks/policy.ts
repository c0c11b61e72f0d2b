/**
 * What the schema cannot say of how endpoints are treated. In: a spec whose parts all have the right type (or are missing). Out: findings. The
 * CEL rules beside the schema say the same to the API server, but for primes and for what is only a warning.
 */

import { durationMs } from '../../objects/duration.ts';
import type { Findings, Path } from '../../objects/findings.ts';
import { show } from '../../objects/findings.ts';
import type { Sound } from '../../objects/structure.ts';
import { defaultMinRingSize, hashPolicies, type LoadBalancingPolicy, settingsOfPolicies } from '../schema/policy.ts';
import { defaultBaseEjection } from '../schema/policy-health.ts';
import type { RawSpec } from '../schema/spec.ts';

type Spec = Sound<RawSpec>;

/** What is in force where the spec says nothing; undefined where it says something that is no policy. */
export function policyInForce(spec: Pick<Spec, 'affinity' | 'loadBalancing'>): LoadBalancingPolicy {
  return spec.loadBalancing?.policy ?? (spec.affinity === undefined ? 'leastRequest' : 'ringHash');
}

export function checkPolicy(spec: Spec, findings: Findings): void {
  checkLoadBalancing(spec, findings);
  checkAffinity(spec, findings);
  checkConnections(spec.connections, findings);
  checkOutlierDetection(spec.outlierDetection, findings);
  checkHealth(spec.healthCheck, findings);
}

function checkLoadBalancing(spec: Spec, findings: Findings): void {
  const { loadBalancing } = spec;
  if (loadBalancing === undefined) return;
  const at: Path = ['spec', 'loadBalancing'];
  const policy = policyInForce(spec);
  // An unknown policy has its own finding, and what belongs to it cannot be told.
  if ([...Object.values(settingsOfPolicies).flat(), 'random'].includes(policy)) {
    for (const [setting, policies] of Object.entries(settingsOfPolicies)) {
      if (!Object.hasOwn(loadBalancing, setting) || (policies as readonly string[]).includes(policy)) continue;
      const message = `${setting} is for ${policies.join(' and ')} only; the policy is ${policy}`;
      findings.error('FW-RULE-092', [...at, setting], message, `Remove ${setting}, or choose another policy`);
    }
  }
  const { minRingSize = defaultMinRingSize, maxRingSize, tableSize } = loadBalancing;
  if (maxRingSize !== undefined && minRingSize > maxRingSize) {
    const message = `minRingSize (${defaultMinRingSize}, if left out) must not be above maxRingSize; they are ${minRingSize} and ${maxRingSize}`;
    findings.error('FW-RULE-093', [...at, 'maxRingSize'], message, `Give minRingSize too, at most ${maxRingSize}`);
  }
  if (tableSize !== undefined && tableSize >= 2 && tableSize <= 5_000_011 && !isPrime(tableSize)) {
    const message = `tableSize must be a prime; it is ${tableSize}`;
    findings.error('FW-RULE-094', [...at, 'tableSize'], message, `The next prime is ${nextPrime(tableSize)}`);
  }
  checkShortest(loadBalancing.slowStart, 1, [...at, 'slowStart'], findings);
}

function checkAffinity(spec: Spec, findings: Findings): void {
  const { affinity } = spec;
  const policy = policyInForce(spec);
  const hasHash = hashPolicies.includes(policy);
  if (affinity === undefined) {
    if (!hasHash) return;
    const message = `${policy} needs affinity to tell which requests belong together; without it endpoints are chosen at random`;
    findings.warn('FW-RULE-097', ['spec', 'loadBalancing', 'policy'], message, 'Add affinity, or choose random');
    return;
  }
  const at: Path = ['spec', 'affinity'];
  checkOneOf(affinity, ['cookie', 'header', 'queryParam', 'sourceIP'], 'FW-RULE-095', at, findings);
  if (affinity.sourceIP === false) {
    const message = 'sourceIP must be true; it is false';
    findings.error('FW-RULE-095', [...at, 'sourceIP'], message, 'Leave affinity out for none');
  }
  if (!hasHash && ['leastRequest', 'roundRobin', 'random'].includes(policy)) {
    const message = `affinity needs a policy with a hash, ringHash or maglev; the policy is ${policy}`;
    const hint = 'Choose ringHash or maglev, or leave the policy out';
    findings.error('FW-RULE-096', ['spec', 'loadBalancing', 'policy'], message, hint);
  }
  checkShortest(affinity.cookie?.ttl, 1000, [...at, 'cookie', 'ttl'], findings);
}

function checkConnections(connections: Spec['connections'], findings: Findings): void {
  if (connections === undefined) return;
  const at: Path = ['spec', 'connections'];
  if (connections.maxRetries !== undefined && connections.retryBudget !== undefined) {
    const message = 'must not have both maxRetries and retryBudget: the budget alone would count';
    findings.error('FW-RULE-100', [...at, 'maxRetries'], message, 'Remove maxRetries');
  }
  checkShortest(connections.connectTimeout, 1, [...at, 'connectTimeout'], findings);
  checkShortest(connections.maxAge, 1, [...at, 'maxAge'], findings);
  checkShortest(connections.keepalive?.idle, 1000, [...at, 'keepalive', 'idle'], findings);
  checkShortest(connections.keepalive?.interval, 1000, [...at, 'keepalive', 'interval'], findings);
}

function checkOutlierDetection(outlier: Spec['outlierDetection'], findings: Findings): void {
  if (outlier === undefined) return;
  const at: Path = ['spec', 'outlierDetection'];
  for (const field of ['interval', 'baseEjection', 'maxEjection'] as const) {
    checkShortest(outlier[field], 1, [...at, field], findings);
  }
  const base = durationMs(outlier.baseEjection ?? defaultBaseEjection);
  const max = outlier.maxEjection === undefined ? undefined : durationMs(outlier.maxEjection);
  if (base !== undefined && max !== undefined && base > max) {
    const message = `baseEjection (${defaultBaseEjection}, if left out) must not be longer than maxEjection, which is ${outlier.maxEjection}`;
    findings.error(
      'FW-RULE-103',
      [...at, 'maxEjection'],
      message,
      `Give baseEjection too, at most ${outlier.maxEjection}`,
    );
  }
  const { consecutiveErrors, consecutiveGatewayErrors = 0, ...others } = outlier;
  if (consecutiveErrors === 0 && consecutiveGatewayErrors === 0 && Object.keys(others).length > 0) {
    const message =
      'nothing counts as an error here, so endpoints are never left out and the other settings say nothing';
    findings.warn('FW-RULE-108', at, message, 'Remove the other settings, or count errors');
  }
}

function checkHealth(health: Spec['healthCheck'], findings: Findings): void {
  if (health === undefined) return;
  const at: Path = ['spec', 'healthCheck'];
  checkOneOf(health, ['http', 'grpc', 'tcp'], 'FW-RULE-104', at, findings);
  checkShortest(health.interval, 1, [...at, 'interval'], findings);
  checkShortest(health.timeout, 1, [...at, 'timeout'], findings);
  for (const [i, text] of (health.http?.statuses ?? []).entries()) {
    const [from, to] = text?.split('-') ?? [];
    if (from === undefined || to === undefined || from <= to) continue;
    const message = `a range must not end before it begins; it is ${show(text)}`;
    findings.error('FW-RULE-105', [...at, 'http', 'statuses', i], message, `Write "${to}-${from}"`);
  }
}

function checkOneOf(
  given: object,
  names: readonly string[],
  code: 'FW-RULE-095' | 'FW-RULE-104',
  path: Path,
  findings: Findings,
): void {
  const has = names.filter((name) => Object.hasOwn(given, name));
  if (has.length === 1) return;
  const message = `must have exactly one of ${names.join(', ')}; it has ${has.length === 0 ? 'none' : has.join(' and ')}`;
  const hint = has.length === 0 ? `Add one of ${names.join(', ')}` : `Keep one of ${has.join(', ')}`;
  findings.error(code, path, message, hint);
}

/** What is no duration has its own finding. */
function checkShortest(text: string | undefined, shortestMs: 1 | 1000, path: Path, findings: Findings): void {
  const ms = text === undefined ? undefined : durationMs(text);
  if (ms === undefined || ms >= shortestMs) return;
  const shortest = shortestMs === 1 ? '1ms' : '1s';
  const message = `${String(path.at(-1))} must be at least ${shortest}; it is ${text}`;
  findings.error('FW-RULE-101', path, message, `Give ${shortest} or more`);
}

/** For numbers up to some millions. */
function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

/** 5000011, the greatest that a table may have, is one. */
function nextPrime(number: number): number {
  let next = number + 1;
  while (!isPrime(next)) next += 1;
  return next;
}
