/**
 * The resources that come from a scope and the settings alone, whatever services there are: where its sidecars listen, and the clusters that
 * every sidecar has. Written into the scope's maps, in place of those that were written before.
 */

import { typeUrl } from '../core/type-urls.ts';
import type { MeshSettings, Scope } from '../model/mesh.ts';
import { scopeClusters } from './clusters.ts';
import { inboundListeners, virtualInboundListener } from './inbound-listeners.ts';
import { httpProxyListener, virtualOutboundListener } from './outbound-listeners.ts';
import { encodeResource, type NamedPlain } from './proto/encode.ts';
import type { ResourceMaps } from './resource-maps.ts';

export class OwnResources {
  /** By type. */
  readonly #names = new Map<string, ReadonlySet<string>>();

  /** `always`: names that sidecars get unasked; these are among them. */
  write(
    url: typeof typeUrl.cluster | typeof typeUrl.listener,
    scope: Scope,
    settings: MeshSettings,
    hasIpv6: boolean,
    maps: Pick<ResourceMaps, 'set' | 'remove'>,
    always: Set<string> | undefined,
  ): void {
    // What has no sidecar listens nowhere, and has what it asks for.
    if (scope.mode === 'grpc') return;
    const values =
      url === typeUrl.cluster ? scopeClusters(scope, settings, hasIpv6) : listeners(scope, settings, hasIpv6);
    const names = new Set(values.map(({ name }) => name));
    for (const name of this.#names.get(url) ?? []) {
      if (names.has(name)) continue;
      maps.remove(url, name);
      always?.delete(name);
    }
    for (const value of values) {
      maps.set(url, encodeResource(url, value.name, value));
      always?.add(value.name);
    }
    this.#names.set(url, names);
  }
}

function listeners(scope: Scope, settings: MeshSettings, hasIpv6: boolean): readonly NamedPlain[] {
  return scope.mode === 'captured'
    ? [virtualOutboundListener(settings, hasIpv6), virtualInboundListener(scope, settings, hasIpv6)]
    : [httpProxyListener(scope, settings), ...inboundListeners(scope, settings)];
}
