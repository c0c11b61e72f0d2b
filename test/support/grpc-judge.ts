/**
 * What gRPC for Node's own xDS client says of a resource, before it uses it: the words of its refusal, or undefined where it takes it. In: a
 * resource as the pilot sends it. This is the client's own code, reached beside its public interface, for it has no other way to be asked.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';

interface ResourceType {
  decode(
    context: { readonly server: object; readonly bootstrap: { readonly certificateProviders: object } },
    resource: { readonly type_url: string; readonly value: Uint8Array },
  ): { readonly name: string; readonly error?: string };
}

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'build/src');

// Filters and balancers make themselves known to the client when it is set up.
(require('@grpc/grpc-js-xds') as { register(): void }).register();

function typeOf(file: string, name: string): ResourceType {
  const module = require(join(folder, 'xds-resource-type', file)) as Record<string, { get(): ResourceType }>;
  const type = module[name];
  if (type === undefined) throw new Error(`gRPC for Node has no ${name} any more`);
  return type.get();
}

const types: ReadonlyMap<string, ResourceType> = new Map([
  [typeUrl.listener, typeOf('listener-resource-type.js', 'ListenerResourceType')],
  [typeUrl.route, typeOf('route-config-resource-type.js', 'RouteConfigurationResourceType')],
  [typeUrl.cluster, typeOf('cluster-resource-type.js', 'ClusterResourceType')],
  [typeUrl.endpoint, typeOf('endpoint-resource-type.js', 'EndpointResourceType')],
]);

export function grpcRefuses({ name, body }: EncodedResource): string | undefined {
  const reader = protobuf.Reader.create(body);
  let url = '';
  let value: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) url = reader.string();
    else value = reader.bytes();
  }
  const type = types.get(url);
  if (type === undefined) return `gRPC asks for nothing of type ${url}`;
  const decoded = type.decode({ server: {}, bootstrap: { certificateProviders: {} } }, { type_url: url, value });
  if (decoded.error !== undefined) return decoded.error;
  return decoded.name === name ? undefined : `it is named ${decoded.name}`;
}
