/**
 * All that a scope's sidecars get over xDS as one static bootstrap, so that `envoy --mode validate` judges it without a pilot: route tables
 * stand in their listeners, virtual hosts in their tables, endpoint assignments in their Envoy clusters.
 */

import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decodeResource } from '../../src/envoy/proto/decode.ts';
import type { Plain } from '../../src/envoy/proto/encode.ts';

export type ResourcesOf = (url: string) => ReadonlyMap<string, EncodedResource>;

export function decodeAll(resources: ResourcesOf, url: string): readonly Plain[] {
  return [...resources(url)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, resource]) => ({
      ...(resource.body.length === 0 ? { name } : decodeResource(resource)),
      ...(resource.aliases === undefined ? {} : { aliases: resource.aliases }),
    }));
}

export interface StaticBootstrap {
  readonly admin: Plain;
  readonly static_resources: { readonly listeners: readonly Plain[]; readonly clusters: readonly Plain[] };
  readonly layered_runtime: Plain;
}

export function staticBootstrap(resources: ResourcesOf, adminPort = 0): StaticBootstrap {
  return staticOf((url) => decodeAll(resources, url), adminPort);
}

/** The same of resources that are decoded already, as `decodeAll` and `fairway translate` give them. */
export function staticOf(resources: (url: string) => readonly Plain[], adminPort = 0): StaticBootstrap {
  const hosts = resources(typeUrl.virtualHost)
    .filter(({ domains }) => domains !== undefined)
    .map(({ aliases: _aliases, ...host }) => host);
  const routes = new Map(
    resources(typeUrl.route).map(({ vhds, ...table }) => {
      const isOfTable = ({ name }: Plain): boolean => String(name).startsWith(`${String(table['name'])}/`);
      return [table['name'], vhds === undefined ? table : { ...table, virtual_hosts: hosts.filter(isOfTable) }];
    }),
  );
  const assignments = new Map(
    resources(typeUrl.endpoint).map((assignment) => [assignment['cluster_name'], assignment]),
  );
  const clusters = resources(typeUrl.cluster).map((cluster) => {
    if (cluster['type'] !== 'EDS') return cluster;
    const { eds_cluster_config: _eds, ...rest } = cluster;
    const assignment = assignments.get(cluster['name']);
    if (assignment === undefined) throw new Error(`no endpoint assignment for ${String(cluster['name'])}`);
    return { ...rest, type: 'STATIC', load_assignment: assignment };
  });
  const listeners = resources(typeUrl.listener).map((listener) => inlineRoutes(listener, routes) as Plain);
  return {
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    static_resources: { listeners, clusters },
    layered_runtime: { layers: [{ name: 'test', static_layer: { 're2.max_program_size.error_level': 32_768 } }] },
  };
}

function inlineRoutes(value: unknown, routes: ReadonlyMap<unknown, Plain>): unknown {
  if (Array.isArray(value)) return value.map((item) => inlineRoutes(item, routes));
  if (typeof value !== 'object' || value === null) return value;
  const { rds, ...rest } = value as { readonly rds?: { readonly route_config_name: string } };
  const out = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, inlineRoutes(item, routes)]));
  if (rds === undefined) return out;
  const table = routes.get(rds.route_config_name);
  if (table === undefined) throw new Error(`no route table ${rds.route_config_name}`);
  return { ...out, route_config: { ...table, validate_clusters: true } };
}
