/** Who a sidecar of the load client says it is: an encoded envoy.config.core.v3.Node. */

import protobuf from 'protobufjs';
import { type Shape, shapeMetadata } from './shape.ts';
import { lengthDelimited } from './wire.ts';

/** A Node as Istio's agents send it: id `sidecar~IP~pod.namespace~namespace.svc.cluster.local`, with their metadata, and what the shape declares. */
export function sidecarNode(index: number, cluster: string, namespace: string, shape: Shape): Buffer {
  const ip = `10.${200 + Math.floor(index / 62_500)}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`;
  const metadata = {
    CLUSTER_ID: cluster,
    NAMESPACE: namespace,
    ISTIO_VERSION: '1.29.0',
    SERVICE_ACCOUNT: 'default',
    INSTANCE_IPS: ip,
    NETWORK: '',
    LABELS: { app: 'load' },
    ...shapeMetadata[shape],
  };
  const writer = protobuf.Writer.create();
  writer.uint32(lengthDelimited(1)).string(`sidecar~${ip}~pod-${index}.${namespace}~${namespace}.svc.cluster.local`);
  writer.uint32(lengthDelimited(2)).string(`load.${namespace}`);
  writer.uint32(lengthDelimited(3)).fork();
  writeStruct(writer, metadata);
  return Buffer.from(writer.ldelim().finish());
}

interface Fields {
  readonly [key: string]: string | Fields;
}

/** google.protobuf.Struct: fields (1) → Value with string_value (3) or struct_value (5). */
function writeStruct(writer: protobuf.Writer, fields: Fields): void {
  for (const [key, value] of Object.entries(fields)) {
    writer.uint32(lengthDelimited(1)).fork();
    writer.uint32(lengthDelimited(1)).string(key);
    writer.uint32(lengthDelimited(2)).fork();
    if (typeof value === 'string') writer.uint32(lengthDelimited(3)).string(value);
    else {
      writer.uint32(lengthDelimited(5)).fork();
      writeStruct(writer, value);
      writer.ldelim();
    }
    writer.ldelim().ldelim();
  }
}
