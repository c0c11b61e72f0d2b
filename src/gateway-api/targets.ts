/**
 * What routes refer to, as far as it matters here: which services there are, and what their ports speak. Handed in; a change of endpoints does
 * not show.
 */

import { importedServiceKey, type Merging } from '../model/clusterset.ts';
import { clustersetDomain } from '../model/mesh.ts';
import type { OtherService } from '../model/rule.ts';
import { type CatalogService, type ServiceKey, serviceKey, splitServiceKey } from '../model/service.ts';
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
  /** Which services are one over all clusters. */
  readonly merging: Merging;
}

/** Equal where nothing that routes depend on is another. */
export function targetOf(
  { ports, upstream, host, shards }: CatalogService,
  { detectProtocols, merging }: TargetSettings,
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
    isImported: merging === 'all' || shards.values().some((shard) => shard.export !== undefined),
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

/**
 * The service of the mesh that a reference means. Where only exported services merge, a Service is that of the client's own cluster, and a
 * ServiceImport is the exported part, a service of its own.
 */
export function serviceOf(
  ref: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly port?: number;
  },
  merging: Merging,
): OtherService {
  const { namespace, name, port } = ref;
  const ported = port === undefined ? {} : { port };
  const key = serviceKey(namespace, name);
  const meant = serviceKind(ref) === 'ServiceImport' ? importedServiceKey(key, merging) : key;
  if (meant === key) return { namespace, name, ...ported };
  return { ...splitServiceKey(meant), host: `${name}.${namespace}.svc.${clustersetDomain}`, ...ported };
}
