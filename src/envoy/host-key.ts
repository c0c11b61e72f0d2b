/**
 * What one group of proxies sees of a service: nothing, or the variant of its pieces that their scope leads to. In: the service, the scope, and
 * the addresses that are the service's there. Out: the keys by which the service's pieces are asked for.
 */

import { isDeepStrictEqual } from 'node:util';
import type { EncodedResource } from '../core/resource.ts';
import type { MeshService, MeshSettings, Scope } from '../model/mesh.ts';
import { assignmentKey } from './locality-levels.ts';
import type { HostPieces, ServicePieces } from './service-pieces.ts';
import { fittingSources } from './sources.ts';
import type { HostKey } from './virtual-hosts.ts';

/** What a scope has of one service. */
export interface Held {
  readonly pieces: ServicePieces;
  readonly hosts: HostPieces;
  readonly assignments: readonly EncodedResource[];
}

/** The service, if proxies of this scope see it. */
export function seenBy(scope: Scope, service: MeshService | undefined): MeshService | undefined {
  return service?.catalog.visibleIn?.has(scope.cluster) === false ? undefined : service;
}

/** The addresses that a service that is seen claims in the scope's cluster. */
export function claimedAddresses(scope: Scope, service: MeshService | undefined): readonly string[] {
  const catalog = service?.catalog;
  return catalog?.addresses ?? catalog?.shards.get(scope.cluster)?.vips ?? [];
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
  return { pieces, hosts, assignments: pieces.assignments(assignmentKey(service, scope)) };
}

function hostKey(scope: Scope, service: MeshService, settings: MeshSettings, addresses: readonly string[]): HostKey {
  const { catalog } = service;
  const { mode, cluster, namespace, routes } = scope;
  const isHeadless = catalog.shards.get(cluster)?.headless ?? catalog.headless;
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
  return a.cluster !== b.cluster && (catalog.shards.has(a.cluster) || catalog.shards.has(b.cluster));
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
