/**
 * A DestinationRule's traffic policy as the part of a TrafficRule that says how endpoints are treated. In: the policy. Out: fields of the rule's
 * spec; what has no equal is noted.
 */

import type { RawSpec } from '../rules/traffic-rule/schema/spec.ts';
import type { Notes } from './notes.ts';
import { child, numberOf, type Part, textOf } from './parts.ts';
import { loadBalancingOf } from './policy-load-balancing.ts';
import { localityOf } from './policy-locality.ts';
import { portPolicies, simpleTls } from './policy-tls.ts';
import { durationOf, durationText } from './values.ts';

export type PolicySpec = Pick<RawSpec, 'loadBalancing' | 'affinity' | 'connections' | 'outlierDetection' | 'locality'>;

/** `isOutside`: it is for the hosts of a ServiceEntry, where TLS is said in the ExternalService (origination.ts). */
export function policyOf(policy: Part | undefined, isOutside: boolean, notes: Notes): PolicySpec {
  if (policy === undefined) return {};
  if (isOutside)
    for (const { tls } of [{ tls: child(policy, 'tls') }, ...portPolicies(policy, notes)]) simpleTls(tls, notes);
  else {
    sayTls(child(policy, 'tls'), notes);
    sayPorts(child(policy, 'portLevelSettings'), notes);
  }
  const balancer = child(policy, 'loadBalancer');
  const outliers = child(policy, 'outlierDetection');
  const { loadBalancing, affinity } = loadBalancingOf(balancer, outliers, notes);
  const connections = connectionsOf(child(policy, 'connectionPool'), child(policy, 'retryBudget'), notes);
  const outlierDetection = outlierDetectionOf(outliers, notes);
  const locality = localityOf(child(balancer, 'localityLbSetting'), outliers, notes);
  return {
    ...(locality === undefined ? {} : { locality }),
    ...(loadBalancing === undefined ? {} : { loadBalancing }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(connections === undefined ? {} : { connections }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
  };
}

function sayPorts(ports: Part | undefined, notes: Notes): void {
  if (ports === undefined) return;
  const message = 'has no equal here: a policy is for all ports of the service';
  notes.warn('FW-ISTIO-002', ports, message, 'Give the ports a Service each');
}

/** Proxies hold no keys: what is sent within the mesh is sent as it is. */
function sayTls(tls: Part | undefined, notes: Notes): void {
  const mode = child(tls, 'mode');
  if (tls === undefined || textOf(mode, notes) === 'DISABLE') return;
  const message = `tls ${textOf(mode, notes) ?? 'SIMPLE'} has no equal here: proxies hold no keys, and send what they get as it is`;
  notes.warn('FW-ISTIO-002', mode ?? tls, message, 'Let the workloads speak TLS themselves where it is needed');
}

function connectionsOf(
  pool: Part | undefined,
  budget: Part | undefined,
  notes: Notes,
): RawSpec['connections'] | undefined {
  const tcp = child(pool, 'tcp');
  const http = child(pool, 'http');
  const keepalive = keepaliveOf(child(tcp, 'tcpKeepalive'), notes);
  const retryBudget = retryBudgetOf(budget, notes);
  const maxRetries = limitOf(child(http, 'maxRetries'), notes);
  const connections = {
    ...optional('connectTimeout', positiveDuration(child(tcp, 'connectTimeout'), notes)),
    ...optional('max', limitOf(child(tcp, 'maxConnections'), notes)),
    ...optional('maxPending', limitOf(child(http, 'http1MaxPendingRequests'), notes)),
    ...optional('maxRequests', limitOf(child(http, 'http2MaxRequests'), notes)),
    ...optional('maxRetries', retryBudget === undefined ? maxRetries : undefined),
    ...optional('maxRequestsPerConnection', limitOf(child(http, 'maxRequestsPerConnection'), notes)),
    ...optional('maxAge', positiveDuration(child(tcp, 'maxConnectionDuration'), notes)),
    ...optional('idleTimeout', idleTimeoutOf(child(tcp, 'idleTimeout'), child(http, 'idleTimeout'), notes)),
    ...optional('keepalive', keepalive),
    ...optional('retryBudget', retryBudget),
  };
  return Object.keys(connections).length === 0 ? undefined : connections;
}

/** 0 and less are Istio's way to leave it out; near 2^31 is no limit. */
function limitOf(part: Part | undefined, notes: Notes): number | undefined {
  const limit = numberOf(part, notes);
  return limit === undefined || limit <= 0 || limit > 1_000_000_000 ? undefined : Math.floor(limit);
}

function positiveDuration(part: Part | undefined, notes: Notes): string | undefined {
  const ms = durationOf(part, notes);
  return ms === undefined || ms === 0 ? undefined : durationText(ms);
}

/** One for HTTP and TCP alike. */
function idleTimeoutOf(tcp: Part | undefined, http: Part | undefined, notes: Notes): string | undefined {
  const ofTcp = durationOf(tcp, notes);
  const ofHttp = durationOf(http, notes);
  if (tcp !== undefined && ofTcp !== undefined && ofHttp !== undefined && ofTcp !== ofHttp) {
    const message = `is left out: connections have one idle timeout, and that for HTTP is ${durationText(ofHttp)}`;
    notes.warn('FW-ISTIO-004', tcp, message, 'Write the same in both places');
  }
  const ms = ofHttp ?? ofTcp;
  return ms === undefined ? undefined : durationText(ms);
}

type RawConnections = NonNullable<RawSpec['connections']>;

function keepaliveOf(part: Part | undefined, notes: Notes): RawConnections['keepalive'] | undefined {
  if (part === undefined) return undefined;
  const probes = limitOf(child(part, 'probes'), notes);
  return {
    ...optional('idle', positiveDuration(child(part, 'time'), notes)),
    ...optional('interval', positiveDuration(child(part, 'interval'), notes)),
    ...optional('probes', probes),
  };
}

function retryBudgetOf(part: Part | undefined, notes: Notes): RawConnections['retryBudget'] | undefined {
  if (part === undefined) return undefined;
  const percentPart = child(part, 'percent');
  const percent = numberOf(percentPart, notes) ?? 20;
  const whole = Math.round(percent);
  if (percentPart !== undefined && whole !== percent)
    notes.warn('FW-ISTIO-004', percentPart, `is taken as ${whole}: whole per cents count`);
  return { percent: whole, ...optional('minConcurrency', numberOf(child(part, 'minRetryConcurrency'), notes)) };
}

/** Istio's defaults are written out where they differ from a rule's. */
function outlierDetectionOf(part: Part | undefined, notes: Notes): RawSpec['outlierDetection'] | undefined {
  if (part === undefined) return undefined;
  const errors = numberOf(child(part, 'consecutive5xxErrors') ?? child(part, 'consecutiveErrors'), notes);
  const percent = numberOf(child(part, 'maxEjectionPercent'), notes) ?? 0;
  const base = durationOf(child(part, 'baseEjectionTime'), notes);
  return {
    ...optional('consecutiveErrors', errors),
    ...optional('consecutiveGatewayErrors', numberOf(child(part, 'consecutiveGatewayErrors'), notes)),
    ...optional('interval', positiveDuration(child(part, 'interval'), notes)),
    ...(base === undefined || base === 0 ? {} : { baseEjection: durationText(base) }),
    maxEjectedPercent: percent > 0 ? percent : 10,
  };
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
