/**
 * Small parts that several resources share: addresses, config sources, metadata, log of both kinds of connection.
 */

import type { MeshSettings } from '../model/mesh.ts';
import { whoField, whoFilter } from './endpoint-identity.ts';
import { constantAny, type Plain } from './proto/encode.ts';

export const httpProtocolOptionsKey = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function socketAddress(address: string, port: number): Plain {
  return { socket_address: { address, port_value: port } };
}

/** Everything comes over the one aggregated stream. Envoy waits 15 s for a first answer (its default), then goes on without. */
export const overAds: Plain = { ads: {}, resource_api_version: 'V3' };

/** What Fairway knows of a route: its rule, and its name there. What it knows of an endpoint stands in endpoint-identity.ts. */
export function fairwayMetadata(values: Plain): Plain {
  return { filter_metadata: { fairway: values } };
}

/** One line of JSON per request or connection on stdout; [] when the mesh's settings switch it off. */
export function accessLog(
  settings: MeshSettings,
  direction: 'inbound' | 'outbound',
  kind: 'http' | 'tcp',
): readonly Plain[] {
  return settings.accessLog ? accessLogs[direction][kind] : [];
}

/** Envoy sorts the fields by name. */
function stdoutLog(fields: Plain): readonly Plain[] {
  const log_format = { json_format: fields };
  return [
    {
      name: 'envoy.access_loggers.stdout',
      typed_config: constantAny('envoy.extensions.access_loggers.stream.v3.StdoutAccessLog', { log_format }),
    },
  ];
}

function connectionFields(direction: string): Plain {
  return {
    bytes_in: '%BYTES_RECEIVED%',
    bytes_out: '%BYTES_SENT%',
    direction,
    duration_ms: '%DURATION%',
    flags: '%RESPONSE_FLAGS%',
    from: '%DOWNSTREAM_REMOTE_ADDRESS%',
    time: '%START_TIME%',
    to: '%DOWNSTREAM_LOCAL_ADDRESS%',
    upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
    upstream_host: '%UPSTREAM_HOST%',
    ...(direction === 'outbound' ? { destination: `%UPSTREAM_METADATA(${whoFilter}:${whoField})%` } : {}),
    upstream_failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  };
}

const requestFields: Plain = {
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  authority: '%REQ(:AUTHORITY)%',
  details: '%RESPONSE_CODE_DETAILS%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  request_id: '%REQ(X-REQUEST-ID)%',
  route: '%ROUTE_NAME%',
  status: '%RESPONSE_CODE%',
  user_agent: '%REQ(USER-AGENT)%',
};

const accessLogs = {
  inbound: {
    http: stdoutLog({ ...connectionFields('inbound'), ...requestFields }),
    tcp: stdoutLog(connectionFields('inbound')),
  },
  outbound: {
    http: stdoutLog({ ...connectionFields('outbound'), ...requestFields }),
    tcp: stdoutLog(connectionFields('outbound')),
  },
} as const;
