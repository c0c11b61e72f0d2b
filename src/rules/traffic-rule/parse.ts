/**
 * A TrafficRule as somebody wrote it in; the rule with its defaults applied, and everything that is wrong with it, out.
 *
 * What always holds: with a finding of severity error there is no rule; every error that can be told is told, not only the first; nothing is
 * thrown, whatever the object is.
 */

import type { Finding } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { serviceKey } from '../../model/service.ts';
import { contentHash } from '../objects/content-hash.ts';
import { readEnvelope } from '../objects/envelope.ts';
import type { ParsedObject } from '../objects/kind-types.ts';
import { warnOfOutside } from './build/place.ts';
import { buildPolicy } from './build/policy.ts';
import { buildRoutes } from './build/rule.ts';
import { checkStructure } from './checks/shape.ts';
import { checkSpec } from './checks/spec.ts';
import { trafficRuleHead } from './head.ts';
import type { RawSpec } from './schema/spec.ts';

export interface ParseOptions {
  /** For objects that name none, as kubectl does with its context's. */
  readonly defaultNamespace: string;
}

export interface ParsedRule {
  /** Undefined exactly when a finding is an error. `ref.generation` is metadata.generation, or 1 where there is none. */
  readonly rule?: TrafficRule;
  readonly findings: readonly Finding[];
  /** Which object this is, as far as it says so; '' where it does not. */
  readonly namespace: string;
  readonly name: string;
  /** From metadata; 0 where there is none: an object without a creation time has always been there. */
  readonly createdAtMs: number;
  /** metadata.generation, if it is a positive whole number. */
  readonly generation?: number;
  /** As given; undefined where it was not looked at: there is none, it is of another kind, or too large. */
  readonly spec: unknown;
  /** The service that it is for, if that much is valid. */
  readonly service?: ServiceKey;
}

/** As all kinds are parsed. */
export function parseRuleObject(raw: RawObject, options: ParseOptions): ParsedObject<TrafficRule> {
  const { rule, ...rest } = parseTrafficRule(raw, options);
  return rule === undefined ? rest : { ...rest, value: rule };
}

export function parseTrafficRule(raw: RawObject, options: ParseOptions): ParsedRule {
  const envelope = readEnvelope(raw, options.defaultNamespace, trafficRuleHead);
  const { findings, namespace, name, createdAtMs, generation, spec } = envelope;
  const known = { namespace, name, createdAtMs, spec, ...(generation === undefined ? {} : { generation }) };
  if (spec === undefined) return { ...known, findings: findings.list() };

  const sound = checkStructure(spec, findings);
  checkSpec(sound, findings);
  const { service: serviceName } = sound;
  const service =
    typeof serviceName === 'string' && serviceNamePattern.test(serviceName)
      ? serviceKey(namespace, serviceName)
      : undefined;
  if (findings.hasErrors || service === undefined) {
    return { ...known, ...(service === undefined ? {} : { service }), findings: findings.list() };
  }
  const routes = buildRoutes(spec as RawSpec, namespace, findings);
  const policy = buildPolicy(spec as RawSpec);
  warnOfOutside(routes, policy?.within, findings);
  const rule: TrafficRule = {
    ref: { namespace, name, generation: generation ?? 1 },
    service,
    createdAtMs,
    routes,
    ...((spec as RawSpec).routes === undefined ? { policyOnly: true } : {}),
    ...(policy === undefined ? {} : { policy }),
    hash: contentHash([namespace, name, service, createdAtMs, routes, ...(policy === undefined ? [] : [policy])]),
    origin: raw.origin,
  };
  return { ...known, service, rule, findings: findings.list() };
}

const serviceNamePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
