/**
 * What one group of proxies sees of a service: nothing, or the variant of its pieces that their scope leads to. In: the service, the scope, and
 * the addresses that are the service's there. Out: the keys by which the service's pieces are asked for.
 */

import { isDeepStrictEqual } from 'node:util';
import type { EncodedResource } from '../core/resource.ts';
import type { MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';
import { assignmentKey } from './locality-levels.ts';
import type { HostPieces, ServicePieces } from './service-pieces.ts';
import { fittingSources } from './sources.ts';
import type { HostKey } from './virtual-hosts.ts';

/** What a scope has of one service. */
export interface Held {
  readonly pieces: ServicePieces;
  readonly clusters: readonly EncodedResource[];
  readonly hosts: HostPieces;
  readonly assignments: readonly EncodedResource[];
}

/** The services that are made for somebody; undefined: all. */
export type Wanted = ReadonlySet<ServiceKey> | undefined;

/** The service, if proxies of this scope see it. */
export function seenBy(scope: Scope, service: MeshService | undefined, wanted: Wanted): MeshService | undefined {
  if (service === undefined || wanted?.has(service.catalog.key) === false) return undefined;
  return service.catalog.visibleIn?.has(scope.cluster) === false ? undefined : service;
}

/** The addresses that a service that is seen claims in the scope's cluster. */
export function claimedAddresses(scope: Scope, service: MeshService | undefined): readonly string[] {
  const catalog = service?.catalog;
  if (catalog === undefined) return [];
  const { addresses, clusterset, shards } = catalog;
  const own = addresses ?? (clusterset?.names === 'only' ? [] : (shards.get(scope.cluster)?.vips ?? []));
  const imported = clusterset?.vips.get(scope.cluster);
  return imported === undefined ? own : [...own, ...imported];
}

/** `addresses`: those that the service has of what it claims. */
export function heldBy(
  scope: Scope,
  pieces: ServicePieces,
  settings: MeshSettings,
  addresses: readonly string[],
): Held {
  const { service } = pieces;
  const hosts = pieces.hosts(hostKey(scope, service, settings, addresses));
  const clusters = scope.mode === 'grpc' ? pieces.grpcClusters() : pieces.clusters;
  return { pieces, clusters, hosts, assignments: pieces.assignments(assignmentKey(service, scope)) };
}

function hostKey(scope: Scope, service: MeshService, settings: MeshSettings, addresses: readonly string[]): HostKey {
  const { catalog } = service;
  const { mode, cluster, namespace, routes } = scope;
  const isClusterset = catalog.clusterset?.names === 'only';
  const isHeadless = (isClusterset ? undefined : catalog.shards.get(cluster)?.headless) ?? catalog.headless;
  return {
    mode,
    sameNamespace: catalog.namespace === namespace,
    addresses,
    headless: mode === 'captured' && isHeadless,
    sources: fittingSources(service, scope),
    ...(mode === 'explicit' && isHeadless ? { pods: cluster } : {}),
    ...(settings.detectProtocols === true ? { onDemand: routes === 'on-demand' } : {}),
  };
}

/** Whether proxies of these two scopes may see the service differently, where the scopes differ in no more than who and where the proxies are. */
export function maySeeOtherwise({ catalog, placement, asks }: MeshService, a: Scope, b: Scope): boolean {
  if (placement !== undefined || asks !== undefined) return true;
  if (catalog.visibleIn !== undefined || catalog.addresses !== undefined) return true;
  if (a.namespace !== b.namespace && (catalog.namespace === a.namespace || catalog.namespace === b.namespace))
    return true;
  if (a.cluster === b.cluster) return false;
  const { shards, clusterset } = catalog;
  if (clusterset?.vips.has(a.cluster) === true || clusterset?.vips.has(b.cluster) === true) return true;
  return shards.has(a.cluster) || shards.has(b.cluster);
}

/** Whether proxies of these two scopes see every service of a mesh alike, where the scopes differ in no more than who and where the proxies are. */
export function seeAlike(a: Scope, b: Scope): boolean {
  return (
    a.cluster === b.cluster &&
    a.network === b.network &&
    a.namespace === b.namespace &&
    isDeepStrictEqual(a.answers, b.answers)
  );
}
