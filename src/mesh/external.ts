/**
 * ExternalServices in the mesh: which are in force, and what each of their hosts is as a service.
 *
 * Who wins where two claim one host from a cluster in common: the older one, then the first by `namespace/name`, then by source. Whoever loses
 * one host loses all of them. A wildcard and a name below it do not meet: the name goes first. What is in force depends on the objects and the
 * services that there are, never on the order in which they came.
 */

import type { ExternalService } from '../model/external.ts';
import { clustersetDomain } from '../model/mesh.ts';
import { type CatalogService, type ServiceKey, serviceKey } from '../model/service.ts';

export interface ExternalClaim {
  /** Unique; the last tie-break. */
  readonly key: string;
  readonly external: ExternalService;
}

export type ExternalLoss =
  /** Another one of these has the host; `duplicate`: it is the same object from another source. */
  | { readonly kind: 'claimed' | 'duplicate'; readonly host: string; readonly by: ExternalService }
  /** The host is this service's name. */
  | { readonly kind: 'service'; readonly host: string; readonly service: ServiceKey };

/** Why claims are not in force, by key; those that are not in it are. Pure, and the order of `claims` does not matter. */
export function externalLosses(
  claims: Iterable<ExternalClaim>,
  hasService: (key: ServiceKey) => boolean,
  clusterDomain: string,
): ReadonlyMap<string, ExternalLoss> {
  const losses = new Map<string, ExternalLoss>();
  const byHost = new Map<string, ExternalService[]>();
  const objects = new Map<string, ExternalService>();
  for (const { key, external } of [...claims].sort(compareClaims)) {
    const id = `${external.ref.namespace}/${external.ref.name}`;
    const loss = duplicateOf(external, objects.get(id)) ?? lossOf(external, byHost, hasService, clusterDomain);
    if (!objects.has(id)) objects.set(id, external);
    if (loss !== undefined) {
      losses.set(key, loss);
      continue;
    }
    for (const host of external.hosts) {
      const holders = byHost.get(host);
      if (holders === undefined) byHost.set(host, [external]);
      else holders.push(external);
    }
  }
  return losses;
}

function duplicateOf(external: ExternalService, by: ExternalService | undefined): ExternalLoss | undefined {
  return by === undefined ? undefined : { kind: 'duplicate', host: external.hosts[0] ?? '', by };
}

function lossOf(
  external: ExternalService,
  byHost: ReadonlyMap<string, readonly ExternalService[]>,
  hasService: (key: ServiceKey) => boolean,
  clusterDomain: string,
): ExternalLoss | undefined {
  for (const host of external.hosts) {
    const service = serviceNamedBy(host, clusterDomain);
    if (service !== undefined && hasService(service)) return { kind: 'service', host, service };
    const by = byHost.get(host)?.find((holder) => meet(holder.clusters, external.clusters));
    if (by !== undefined) return { kind: 'claimed', host, by };
  }
  return undefined;
}

/** [] means all. */
function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || a.some((cluster) => b.includes(cluster));
}

function compareClaims(a: ExternalClaim, b: ExternalClaim): number {
  const [one, two] = [a.external, b.external];
  return (
    one.createdAtMs - two.createdAtMs ||
    compare(one.ref.namespace, two.ref.namespace) ||
    compare(one.ref.name, two.ref.name) ||
    compare(a.key, b.key)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The service that would be meant by this host in the mesh, or by hosts below it: `reviews.shop`, `reviews.shop.svc`,
 * `reviews.shop.svc.cluster.local` and `reviews.shop.svc.clusterset.local` are names of shop/reviews; `*.db.shop` would take those of the workloads of shop/db.
 */
export function serviceNamedBy(host: string, clusterDomain: string): ServiceKey | undefined {
  const bare = host.startsWith('*.') ? host.slice(2) : host;
  const domain = [`.svc.${clusterDomain}`, `.svc.${clustersetDomain}`].find((suffix) => bare.endsWith(suffix));
  const short =
    domain !== undefined ? bare.slice(0, -domain.length) : bare.endsWith('.svc') ? bare.slice(0, -'.svc'.length) : bare;
  // `pod-0.db.shop` is a workload of shop/db.
  const [name, namespace] = short.split('.').slice(-2);
  const labels = short.split('.').length;
  if (name === undefined || namespace === undefined || labels > 3) return undefined;
  return serviceKey(namespace, name);
}

/** `external:shop/pay/api.example.com`: no service's key, for no namespace holds a colon. */
export function externalKey({ ref }: ExternalService, host: string): ServiceKey {
  return `external:${ref.namespace}/${ref.name}/${host}`;
}

/** One service per host: each is looked up, counted and named in Envoy by itself. */
export function externalServices(external: ExternalService): readonly CatalogService[] {
  const { ref, createdAtMs, resolution, endpoints, clusters } = external;
  const ports = external.ports.map(({ number, protocol, tls, name, targetPort, originate }) => ({
    name,
    port: number,
    transport: 'TCP' as const,
    protocol,
    ...(tls ? { tls: true as const } : {}),
    ...(targetPort === undefined ? {} : { targetPort }),
    ...(originate === undefined ? {} : { originate }),
    clusters: [],
    otherNames: new Map(),
  }));
  // Plain TCP says nothing of the host that it means: such a port is known by the addresses.
  const byAddress = resolution === 'static' && external.ports.some(({ protocol, tls }) => protocol === 'tcp' && !tls);
  return external.hosts.map((host, index) => ({
    key: externalKey(external, host),
    namespace: ref.namespace,
    name: ref.name,
    host,
    ruledAs: serviceKey(ref.namespace, ref.name),
    createdAtMs,
    headless: false,
    upstream: resolution === 'dns' ? { kind: 'dns', name: host } : { kind: 'static', endpoints },
    // The hosts share their addresses: the first one has them.
    addresses: byAddress && index === 0 ? endpoints.map(({ address }) => address) : [],
    ...(clusters.length === 0 ? {} : { visibleIn: new Set(clusters) }),
    ports,
    shards: new Map(),
    conflicts: [],
  }));
}
