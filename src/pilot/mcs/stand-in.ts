/**
 * What an import holds, in the place of the exports of which nothing is known: a shard without endpoints that says what the import says, and is
 * older than all others, so that what others export now fits into it and takes nothing away from it.
 */

import { type ClustersetService, clustersetService } from '../../mcs/clusterset.ts';
import { heldCluster } from '../../mcs/imports.ts';
import { firstExportMs } from '../../mcs/order.ts';
import {
  type IpFamily,
  type ServiceKey,
  type ServicePort,
  splitServiceKey,
  type TransportProtocol,
} from '../../model/service.ts';
import type { HeldImport } from '../../registry/mcs-host.ts';
import { fields, list, text } from '../../registry/object-fields.ts';
import { appProtocolOf, portMarks } from '../../registry/protocol.ts';

/** `service`: what is known of the exports; undefined: there are none among them. */
export function withHeld(
  key: ServiceKey,
  service: ClustersetService | undefined,
  held: HeldImport,
): ClustersetService | undefined {
  const { namespace, name } = splitServiceKey(key);
  const { labels, annotations, spec } = held;
  const { timeoutSeconds } = fields(fields(spec['sessionAffinityConfig'])['clientIP']);
  const { internalTrafficPolicy, trafficDistribution } = spec;
  const ports = list(spec['ports']).map(fields);
  return clustersetService([
    ...(service?.exports.values() ?? []),
    {
      cluster: heldCluster,
      namespace,
      name,
      createdAtMs: 0,
      headless: spec['type'] === 'Headless',
      vips: [],
      ports: ports.map(portOf),
      endpoints: [],
      export: {
        createdAtMs: firstExportMs,
        labels,
        annotations,
        sessionAffinity: spec['sessionAffinity'] === 'ClientIP' ? 'ClientIP' : 'None',
        ...(typeof timeoutSeconds === 'number' ? { affinitySeconds: timeoutSeconds } : {}),
        ...(internalTrafficPolicy === 'Local' || internalTrafficPolicy === 'Cluster' ? { internalTrafficPolicy } : {}),
        ...(typeof trafficDistribution === 'string' ? { trafficDistribution } : {}),
        ipFamilies: list(spec['ipFamilies']).filter((each): each is IpFamily => each === 'IPv4' || each === 'IPv6'),
        appProtocols: ports.map((port) => text(port['appProtocol'])),
        otherFamily: [],
      },
    },
  ]);
}

function portOf(port: Readonly<Record<string, unknown>>): ServicePort {
  const [name, transport] = [text(port['name']), (text(port['protocol']) || 'TCP') as TransportProtocol];
  const number = typeof port['port'] === 'number' ? port['port'] : 0;
  const hints = { name, transport, appProtocol: text(port['appProtocol']) };
  return { name, port: number, transport, protocol: appProtocolOf(hints), ...portMarks(hints) };
}
