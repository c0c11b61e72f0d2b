/**
 * Does a TrafficRule's spec have the shape that its schema says? In: the untrusted spec. Out: findings, with the hints that only its own
 * fields need, and a copy in which whatever has the wrong type is left out.
 */

import type { ValidateFunction } from 'ajv';
import type { ErrorCode } from '../../../core/errors.ts';
import type { Findings } from '../../objects/findings.ts';
import { checkShape, type Sound, schemaCheck } from '../../objects/structure.ts';
import { nearest } from '../../objects/suggest.ts';
import { holdsUnwritable, percentEncoded } from '../request-path.ts';
import { loadBalancingPolicies } from '../schema/policy.ts';
import { type RawSpec, specSchema } from '../schema/spec.ts';

const ruleCheck = schemaCheck(specSchema);

/** Compiles the schema, once. It takes up to 100 ms, which whoever waits for a rule should not: so it can be done beforehand. */
export function prepareStructureCheck(): ValidateFunction {
  return ruleCheck();
}

export function checkStructure(spec: unknown, findings: Findings): Sound<RawSpec> {
  return checkShape<RawSpec>(spec, findings, prepareStructureCheck(), hintFor);
}

function hintFor(value: string, code: ErrorCode): string | undefined {
  if (code === 'FW-RULE-012' && value.includes('.')) {
    const [name = '', namespace = ''] = value.split('.');
    return `Write service: ${name}, and put the rule in the namespace of the service (${namespace})`;
  }
  if (value === '' && (code === 'FW-RULE-026' || code === 'FW-RULE-027')) return 'Leave the field out';
  if (code === 'FW-RULE-019' && /^[a-z]+$/i.test(value)) return `Write ${value.toUpperCase()}`;
  if (code === 'FW-RULE-020' && value === ':path') return 'Use the field path';
  if (code === 'FW-RULE-020' && value === ':method') return 'Use the field method';
  if (code === 'FW-RULE-016' && !value.startsWith('/')) return 'Begin the path with "/"';
  if (code === 'FW-RULE-016' && /[?#]/.test(value)) return 'Match the query with queryParams';
  if ((code === 'FW-RULE-016' || code === 'FW-RULE-181') && holdsUnwritable(value))
    return `Write it as requests do: ${percentEncoded(value)}`;
  if (code === 'FW-RULE-033') return nearestCondition(value);
  if (code === 'FW-RULE-090') return nearestPolicy(value);
  return undefined;
}

function nearestCondition(value: string): string {
  if (value === 'retriable-status-codes') return 'List the status codes themselves, for instance "503"';
  const items = specSchema.properties.routes.items.properties.retry.properties.on.items;
  const known = items.pattern.slice(2, -2).split('|').slice(0, -1);
  const meant = nearest(value, known);
  return meant === undefined ? 'See docs/traffic-rules.md for what each condition means' : `Did you mean \`${meant}\`?`;
}

/** Envoy and Istio write LEAST_REQUEST, Linkerd least-request. */
function nearestPolicy(value: string): string {
  const meant = nearest(value.replaceAll(/[^A-Za-z]/g, ''), loadBalancingPolicies);
  return meant === undefined ? 'See docs/traffic-rules.md for what each policy does' : `Did you mean \`${meant}\`?`;
}
