/**
 * What resources lead a sidecar to ask for next, read out of encoded resources without decoding them: an Envoy cluster leads to its endpoints,
 * a listener to route tables, a route table to virtual hosts, a virtual host to Envoy clusters. `any`: an encoded google.protobuf.Any.
 */

import { typeUrl } from '../../src/core/type-urls.ts';
import { anyValue, walk } from './wire.ts';

/** Names; of a route table its own, if its virtual hosts are to be asked for. */
export function referencesOf(url: string, any: Buffer): readonly string[] {
  switch (url) {
    case typeUrl.cluster:
      return endpointsOf(any);
    case typeUrl.listener:
      return tablesOf(any);
    case typeUrl.route:
      return openTableOf(any);
    case typeUrl.virtualHost:
      return clustersOf(any);
    default:
      return [];
  }
}

/** The assignment that a Cluster of type EDS asks for: Cluster.type (2) = 3, its name in eds_cluster_config (3).service_name (2), else name. */
function endpointsOf(any: Buffer): readonly string[] {
  let name = '';
  let serviceName = '';
  let isEds = false;
  walk(
    anyValue(any),
    (field, value) => {
      if (field === 1) name = value.toString();
      if (field === 3)
        walk(value, (inner, text) => {
          if (inner === 2) serviceName = text.toString();
        });
    },
    (field, value) => {
      if (field === 2) isEds = value === 3;
    },
  );
  return isEds ? [serviceName || name] : [];
}

/** The route tables that a Listener asks for: filter_chains (3) and default_filter_chain (25), in their HTTP connection managers' rds (3). */
function tablesOf(any: Buffer): readonly string[] {
  const names: string[] = [];
  const manager = (bytes: Buffer): void =>
    walk(bytes, (field, rds) => {
      if (field !== 3) return;
      walk(rds, (inner, name) => {
        if (inner === 2) names.push(name.toString());
      });
    });
  const filter = (bytes: Buffer): void =>
    walk(bytes, (field, config) => {
      if (field === 4 && config.includes('http_connection_manager.v3.HttpConnectionManager')) manager(anyValue(config));
    });
  walk(anyValue(any), (field, chain) => {
    if (field !== 3 && field !== 25) return;
    walk(chain, (inner, bytes) => {
      if (inner === 3) filter(bytes);
    });
  });
  return names;
}

/** The name (1) of a RouteConfiguration with vhds (9). */
function openTableOf(any: Buffer): readonly string[] {
  let name = '';
  let isOpen = false;
  walk(anyValue(any), (field, value) => {
    if (field === 1) name = value.toString();
    if (field === 9) isOpen = true;
  });
  return isOpen ? [name] : [];
}

/** Where the routes (3) of a VirtualHost lead: their action (2) has a cluster (1), or weighted_clusters (3), clusters (1), each with a name (1). */
function clustersOf(any: Buffer): readonly string[] {
  const names = new Set<string>();
  const weighted = (bytes: Buffer): void =>
    walk(bytes, (field, one) => {
      if (field !== 1) return;
      walk(one, (inner, name) => {
        if (inner === 1) names.add(name.toString());
      });
    });
  walk(anyValue(any), (field, route) => {
    if (field !== 3) return;
    walk(route, (inner, action) => {
      if (inner !== 2) return;
      walk(action, (part, value) => {
        if (part === 1) names.add(value.toString());
        if (part === 3) weighted(value);
      });
    });
  });
  return [...names];
}
