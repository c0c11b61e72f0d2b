/**
 * What routes refer to, as far as it matters here: which services there are, and what their ports speak. Handed in; a change of endpoints does
 * not show.
 */

import type { Destination } from '../model/rule.ts';
import { anywhere } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import { importGroup } from './route.ts';

export interface TargetPort {
  readonly port: number;
  readonly name: string;
  readonly transport: 'TCP' | 'UDP' | 'SCTP';
  /** `requests`: HTTP of some version is spoken; `connections`: nobody looks into them. */
  readonly carries: 'requests' | 'connections';
  /** What is carried is TLS. */
  readonly tls: boolean;
}

export interface TargetService {
  readonly ports: readonly TargetPort[];
  /** It is but another name of a host (Kubernetes' `ExternalName`). */
  readonly isAlias: boolean;
  /** What the clusterset has under its name. */
  readonly isImported: boolean;
}

export type FindTarget = (key: ServiceKey) => TargetService | undefined;

export interface TargetSettings {
  /** Ports that declare no protocol are looked into. */
  readonly detectProtocols: boolean;
  /** Only services that a cluster exports are the clusterset's; otherwise all are. */
  readonly exportedOnly: boolean;
}

/** Equal where nothing that routes depend on is another. */
export function targetOf(
  { ports, upstream, host, shards }: CatalogService,
  { detectProtocols, exportedOnly }: TargetSettings,
): TargetService {
  return {
    ports: ports.map(({ port, name, transport, protocol, tls, undeclared }) => ({
      port,
      name,
      transport,
      carries: protocol !== 'tcp' || (undeclared === true && detectProtocols) ? 'requests' : 'connections',
      tls: tls === true,
    })),
    isAlias: upstream !== undefined || host !== undefined,
    isImported: !exportedOnly || shards.values().some((shard) => shard.export !== undefined),
  };
}

/** The kinds of objects that stand for a service; undefined: another. */
export function serviceKind({
  group,
  kind,
}: {
  readonly group: string;
  readonly kind: string;
}): 'Service' | 'ServiceImport' | undefined {
  if (group === '' && kind === 'Service') return 'Service';
  return group === importGroup && kind === 'ServiceImport' ? 'ServiceImport' : undefined;
}

/** Whose endpoints a reference means: those of all clusters that the mesh merges. */
export function chainOf(_kind: 'Service' | 'ServiceImport'): readonly Destination[] {
  return [anywhere];
}
