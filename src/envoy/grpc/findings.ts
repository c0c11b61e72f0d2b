/**
 * What of the rules in force proxyless gRPC clients do not do: gRPC has no word for it, so whoever wrote it should know where it does not hold.
 *
 * In: a service that such clients ask for. Out: a finding that names each such thing with its routes, or none. docs/proxyless-grpc.md lists
 * them for people.
 */

import type { Finding } from '../../core/errors.ts';
import type { MeshService } from '../../model/mesh.ts';
import { type HeaderChange, type RuleRoute, ruleId } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ServicePolicy } from '../../model/service-policy.ts';
import { isHidden } from './match.ts';

type Test = (route: RuleRoute) => boolean;

/** By the field of the rule. */
const ofRoutes: readonly (readonly [string, Test])[] = [
  ['redirect', ({ redirect }) => redirect !== undefined],
  ['respond.body', ({ respond }) => respond !== undefined && respond.body !== ''],
  ['rewrite', ({ rewrite }) => rewrite !== undefined],
  ['mirrors', ({ mirrors }) => mirrors !== undefined && mirrors.length > 0],
  ['cors', ({ cors }) => cors !== undefined],
  ['rateLimit', ({ rateLimit }) => rateLimit !== undefined],
  ['requestHeaders', ({ requestHeaders, backends }) => hasChange([requestHeaders, ...backends.map(requestChange)])],
  ['responseHeaders', ({ responseHeaders, backends }) => hasChange([responseHeaders, ...backends.map(responseChange)])],
  ['timeouts.backendRequest', ({ backendRequestTimeoutMs }) => backendRequestTimeoutMs !== undefined],
  ['timeouts.idle', ({ idleTimeoutMs }) => idleTimeoutMs !== undefined],
  ['matches.queryParams', ({ matches }) => matches.some(({ queryParams }) => queryParams.length > 0)],
  [
    'matches.headers (authority or binary)',
    ({ matches }) => matches.some(({ headers }) => headers.some(({ name }) => isHidden(name))),
  ],
];

type Backend = RuleRoute['backends'][number];

function requestChange({ requestHeaders }: Backend): HeaderChange | undefined {
  return requestHeaders;
}

function responseChange({ responseHeaders }: Backend): HeaderChange | undefined {
  return responseHeaders;
}

function hasChange(changes: readonly (HeaderChange | undefined)[]): boolean {
  return changes.some(
    (change) => change !== undefined && change.set.length + change.add.length + change.remove.length > 0,
  );
}

function ofPolicy({ affinity, healthCheck, slowStartMs, connections }: ServicePolicy): string[] {
  const { maxRequests: _counts, ...others } = connections ?? {};
  return [
    ...(affinity?.kind === 'cookie' || affinity?.kind === 'query-param' ? ['affinity'] : []),
    ...(healthCheck === undefined ? [] : ['healthCheck']),
    ...(slowStartMs === undefined ? [] : ['loadBalancing.slowStart']),
    ...(Object.keys(others).length === 0 ? [] : ['connections (but maxRequests)']),
  ];
}

/** Routes named in a finding, per field. */
const namedMax = 3;

const known = new WeakMap<MeshService, string>();

/** '' where there is nothing to say. */
function undone(service: MeshService): string {
  let words = known.get(service);
  if (words === undefined) {
    const fields = ofRoutes.flatMap(([field, test]) => {
      const names = service.routes.filter(test).map(({ name }) => name);
      if (names.length === 0) return [];
      const more = names.length > namedMax ? ` and ${names.length - namedMax} more` : '';
      return [`${field} (${names.slice(0, namedMax).join(', ')}${more})`];
    });
    words = [...fields, ...(service.policy === undefined ? [] : ofPolicy(service.policy))].join(', ');
    known.set(service, words);
  }
  return words;
}

export function grpcFindings(services: Iterable<readonly [ServiceKey, MeshService]>, cluster: string): Finding[] {
  const findings: Finding[] = [];
  for (const [key, service] of [...services].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { rule, catalog } = service;
    const secured = catalog.ports.filter(({ originate }) => originate !== undefined).map(({ port }) => port);
    if (secured.length > 0) {
      findings.push({
        code: 'FW-ENVOY-007' as const,
        severity: 'warning' as const,
        message: `gRPC clients without a proxy ask for ${catalog.host ?? key} and begin no TLS: they find no endpoint at ${secured.join(', ')}`,
        where: { cluster, object: `ExternalService ${catalog.namespace}/${catalog.name}` },
        hint: 'see docs/proxyless-grpc.md; let the client speak TLS itself, or give it a sidecar',
      });
    }
    const words = rule === undefined ? '' : undone(service);
    if (rule === undefined || words === '') continue;
    findings.push({
      code: 'FW-ENVOY-007' as const,
      severity: 'warning' as const,
      message: `gRPC clients without a proxy ask for ${key} and do not do what the rule in force says of: ${words}`,
      where: { cluster, object: `TrafficRule ${ruleId(rule)}` },
      hint: 'see docs/proxyless-grpc.md for what such clients do; give a client a sidecar where it matters',
    });
  }
  return findings;
}
