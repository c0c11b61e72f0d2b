/**
 * Envoy's protos by reflection: the types that Fairway writes, and what those refer to, parsed once from the .proto files that
 * `@grpc/grpc-js-xds` ships. Field names stay as Envoy's documentation writes them (snake_case).
 *
 * Files that hold annotations only (validation rules, versioning notes) are left out: they change no byte, and Envoy checks the rules itself.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

const rootFiles = [
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/access_loggers/filters/cel/v3/cel.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto',
  'envoy/extensions/filters/http/cors/v3/cors.proto',
  'envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto',
  'envoy/extensions/filters/http/fault/v3/fault.proto',
  'envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto',
  'envoy/extensions/filters/http/on_demand/v3/on_demand.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/load_balancing_policies/least_request/v3/least_request.proto',
  'envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.proto',
  'envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.proto',
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto',
  'envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
] as const;

/** What Envoy has since it was newer than these files: since 1.36. */
const newerFields = [
  {
    message: 'envoy.config.route.v3.WeightedCluster',
    oneof: 'random_value_specifier',
    name: 'use_hash_policy',
    number: 5,
    type: 'google.protobuf.BoolValue',
  },
] as const;

const annotationFile = /^(validate|(udpa|xds|envoy)\/annotations)\/|^google\/protobuf\/descriptor\.proto$/;

let loaded: protobuf.Root | undefined;

function load(): protobuf.Root {
  const deps = join(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  const folders = ['envoy-api', 'xds', 'googleapis'].map((folder) => join(deps, folder));
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (annotationFile.test(target)) return null;
    // protobufjs has its own google.protobuf.{Any,Duration,Struct,…}; they need no file.
    if (protobuf.common.get(target) !== null) return target;
    return folders.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? null;
  };
  root.loadSync([...rootFiles], { keepCase: true });
  for (const { message, oneof, name, number, type } of newerFields) {
    const member = new protobuf.Field(name, number, type);
    root.lookupType(message).oneofs[oneof]?.add(member);
  }
  root.resolveAll();
  return root;
}

const byName = new Map<string, protobuf.Type>();

/** `envoy.config.cluster.v3.Cluster`. Throws a plain Error for a name that is no message: that is a mistake in this program. */
export function messageType(name: string): protobuf.Type {
  let type = byName.get(name);
  if (type === undefined) {
    loaded ??= load();
    type = loaded.lookupType(name);
    byName.set(name, type);
  }
  return type;
}

const typeUrlPrefix = 'type.googleapis.com/';

export function typeNameOf(url: string): string {
  if (!url.startsWith(typeUrlPrefix)) throw new Error(`"${url}" is not a type URL`);
  return url.slice(typeUrlPrefix.length);
}

export function typeUrlOf(name: string): string {
  return typeUrlPrefix + name;
}
