/**
 * Do a rule's targets exist? In: a valid rule, the catalog's services and the registered clusters' names. Out: what is missing, if anything.
 *
 * A missing target does not make a rule invalid: it may come, and then the rule takes effect. A version or cluster exists for the rule when the
 * service has endpoints of it, ready or not.
 */

import type { Finding, Where } from '../../core/errors.ts';
import { type Destination, destinationName, type OtherService, type TrafficRule } from '../../model/rule.ts';
import { type CatalogService, type ServiceKey, serviceKey } from '../../model/service.ts';
import type { RuleCode } from '../codes/rule-codes.ts';
import { formatPath, trimWords } from '../objects/findings.ts';
import { nearest } from '../objects/suggest.ts';
import { isElsewhere, notPermitted, type Permits } from './cross-namespace.ts';
import type { Missing, ResolutionReason } from './missing.ts';
import { missingPlaceOf, missingPlaces } from './resolve-places.ts';

export type Resolution =
  | { readonly resolved: true }
  | {
      readonly resolved: false;
      /** The gravest, in the order of `ResolutionReason`. */
      readonly reason: ResolutionReason;
      /** Lists all that is missing. */
      readonly message: string;
      /** Warnings, one for each missing target. */
      readonly findings: readonly Finding[];
    };

export interface Targets {
  service(key: ServiceKey): CatalogService | undefined;
  /** The registered clusters, those that are out of reach among them. */
  readonly clusters: ReadonlySet<string>;
  /** Default: everything may be referred to. */
  readonly permits?: Permits;
}

const reasons: readonly { readonly reason: ResolutionReason; readonly code: RuleCode }[] = [
  { reason: 'ServiceNotFound', code: 'FW-RULE-050' },
  { reason: 'ClusterNotFound', code: 'FW-RULE-051' },
  { reason: 'WithinNotFound', code: 'FW-RULE-132' },
  { reason: 'RefNotPermitted', code: 'FW-RULE-054' },
  { reason: 'BackendNotFound', code: 'FW-RULE-052' },
  { reason: 'PlaceNotFound', code: 'FW-RULE-131' },
  { reason: 'VersionNotFound', code: 'FW-RULE-053' },
];

const maxMessageLength = 4096;

/** `where` finds a path of the object that the rule was made from. */
export function resolveRule(
  rule: TrafficRule,
  targets: Targets,
  where: (path: readonly (string | number)[]) => Where,
): Resolution {
  const missing = new Map<string, Missing>();
  const service = targets.service(rule.service);
  if (service === undefined) {
    const message = `no cluster has the service ${rule.service}`;
    missing.set(message, {
      reason: 'ServiceNotFound',
      message,
      hint: 'Create the service (or an ExternalService of that name), or correct the name',
      path: ['spec', 'service'],
    });
  }
  for (const [i, route] of rule.routes.entries()) {
    const mirrored = (route.mirrors ?? []).map((mirror) => ({ ...mirror, chain: [mirror.destination] }));
    for (const { chain, service: other } of [...route.backends, ...mirrored]) {
      const refused = other && refusedService(rule, other, targets.permits);
      if (refused !== undefined) {
        // Of what it may not refer to it is not told whether it is there.
        missing.set(refused.message, { ...refused, path: ['spec', 'routes', i] });
        continue;
      }
      const key = other === undefined ? rule.service : serviceKey(other.namespace, other.name);
      const target = targets.service(key);
      const versions = target === undefined ? undefined : versionsByCluster(target);
      const absent =
        other === undefined || other.host !== undefined ? undefined : missingService(key, other.port, target);
      const all = [
        absent,
        ...chain.map((destination) =>
          missingTarget(destination, { ...rule, service: key }, target, versions, targets.clusters),
        ),
      ];
      for (const found of all) {
        if (found === undefined || missing.has(found.message)) continue;
        missing.set(found.message, { ...found, path: ['spec', 'routes', i] });
      }
    }
  }
  for (const found of service === undefined ? [] : missingPlaces(rule, service, targets.clusters)) {
    if (!missing.has(found.message)) missing.set(found.message, found);
  }
  if (missing.size === 0) return { resolved: true };

  const all = [...missing.values()];
  const gravest = reasons.find(({ reason }) => all.some((item) => item.reason === reason)) ?? {
    reason: 'VersionNotFound' as const,
  };
  const object = `TrafficRule ${rule.ref.namespace}/${rule.ref.name}`;
  return {
    resolved: false,
    reason: gravest.reason,
    message: trimWords(all.map(({ message }) => message).join('; '), maxMessageLength),
    findings: all.map(({ reason, message, hint, path }) => ({
      code: reasons.find((entry) => entry.reason === reason)?.code ?? 'FW-RULE-053',
      severity: 'warning',
      message,
      where: { ...where(path), object, field: formatPath(path) },
      hint,
    })),
  };
}

function refusedService(
  { ref: { namespace } }: TrafficRule,
  other: OtherService,
  permits: Permits | undefined,
): Omit<Missing, 'path'> | undefined {
  if (permits === undefined || !isElsewhere(namespace, other) || permits(namespace, other)) return undefined;
  const hint = `Apply a ReferenceGrant in ${other.namespace} with from: [{group: fairway.dev, kind: TrafficRule, namespace: ${namespace}}] and to: [{group: '', kind: Service, name: ${other.name}}]; until then its share is answered with 500 (gRPC: UNKNOWN), and nothing is copied to it`;
  return { reason: 'RefNotPermitted', message: notPermitted(namespace, other), hint };
}

function missingService(
  key: ServiceKey,
  port: number | undefined,
  service: CatalogService | undefined,
): Omit<Missing, 'path'> | undefined {
  if (service === undefined) {
    const hint =
      'Create the service, or correct the name; until then requests that it would take are answered with 500 (gRPC: UNKNOWN)';
    return { reason: 'BackendNotFound', message: `no cluster has the service ${key}`, hint };
  }
  if (port === undefined || service.ports.some((each) => each.port === port)) return undefined;
  const hint = `Name one of ${service.ports.map((each) => each.port).join(', ')}`;
  return { reason: 'BackendNotFound', message: `the service ${key} has no port ${port}`, hint };
}

function missingTarget(
  destination: Destination,
  rule: TrafficRule,
  service: CatalogService | undefined,
  versions: ReadonlyMap<string, ReadonlySet<string>> | undefined,
  clusters: ReadonlySet<string>,
): Omit<Missing, 'path'> | undefined {
  const { version, cluster } = destination;
  if (cluster !== '' && !clusters.has(cluster)) {
    const meant = nearest(cluster, [...clusters]);
    const hint =
      meant === undefined
        ? 'Register the cluster, or correct the name'
        : `Did you mean \`${meant}\`? Else register the cluster`;
    return { reason: 'ClusterNotFound', message: `no cluster named ${cluster} is registered`, hint };
  }
  // That the service itself is missing has been said.
  if (service === undefined || versions === undefined) return undefined;
  if (service.upstream !== undefined && destinationName(destination) !== '') {
    const message = `${rule.service} is outside of the mesh, where nothing has a version, a cluster or a place`;
    return { reason: 'BackendNotFound', message, hint: 'Leave version, cluster, region and zone out' };
  }
  if (cluster !== '' && !service.shards.has(cluster)) {
    const hint = `Create the service in ${cluster}, or name one of ${[...service.shards.keys()].join(', ')}`;
    return { reason: 'BackendNotFound', message: `cluster ${cluster} does not have the service ${rule.service}`, hint };
  }
  if (version === '') return missingPlaceOf(destination, rule, service);
  const having = [...versions].filter(([, held]) => held.has(version)).map(([name]) => name);
  if (cluster === '' ? having.length > 0 : having.includes(cluster)) {
    return missingPlaceOf(destination, rule, service);
  }
  const message = `no endpoint of ${rule.service}${cluster === '' ? '' : ` in cluster ${cluster}`} has version ${version}`;
  const known = [...new Set([...versions.values()].flatMap((held) => [...held]))].sort().slice(0, 10);
  const elsewhere =
    having.length > 0 ? `; ${having.join(', ')} has it` : known.length > 0 ? `; there are ${known.join(', ')}` : '';
  return { reason: 'VersionNotFound', message, hint: `Deploy the version, or correct it${elsewhere}` };
}

function versionsByCluster(service: CatalogService): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    [...service.shards].map(([cluster, shard]) => [
      cluster,
      new Set(shard.endpoints.map(({ version }) => version).filter((version) => version !== '')),
    ]),
  );
}
