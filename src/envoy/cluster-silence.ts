/**
 * How a proxy finds out that nobody answers its packets any more, in Envoy's words: by the kernels' own answers alone, which no application can
 * be slow to give. See docs/decisions/010-an-endpoint-that-takes-no-connections-is-left.md.
 *
 * In: the limits that a rule sets, what is spoken, and whether another place stands in. Out: fields of an Envoy cluster. What always holds: what
 * a rule says goes before these defaults, and where nothing stands in there are none.
 */

import type { MeshSettings } from '../model/mesh.ts';
import type { AppProtocol } from '../model/service.ts';
import type { ConnectionLimits } from '../model/service-policy.ts';
import { durationMs, type Plain } from './proto/encode.ts';

/**
 * Longer than a way around the world and back. Where another endpoint can be asked, there is no sense in waiting for the second packet, which
 * comes after 1 s.
 */
const connectTimeoutMs = 500;

interface Silence {
  readonly keepalive?: NonNullable<ConnectionLimits['keepalive']>;
  readonly unacknowledgedMs?: number;
  readonly idleTimeoutMs?: number;
}

/**
 * All requests share a connection, so it must be left soon. Servers keep reading, for there are windows of HTTP/2's own. No probes: a single one
 * that is lost would be the end of calls that wait. So a connection without calls is given up: however late the next call comes, it is not
 * what finds it dead.
 */
const shared: Silence = { unacknowledgedMs: 500, idleTimeoutMs: 3000 };

/**
 * Where another place stands in. The kernel (Linux) counts `unacknowledged` from the first packet that it repeats, some 200 ms later. It also
 * ends a connection whose other side is there and takes no byte for so long; and one that waits for an answer after so long without an answer
 * to a probe, however many probes there should be.
 */
const standIn: Readonly<Record<AppProtocol, Silence>> = {
  // An application that reads an upload slowly is given time. Two probes in a row must be lost.
  http: { keepalive: { idleMs: 1000, intervalMs: 1000, probes: 3 }, unacknowledgedMs: 3000 },
  http2: shared,
  grpc: shared,
  // How long the other side may read nothing is for what is spoken to say.
  tcp: { keepalive: { idleMs: 2000, intervalMs: 1000, probes: 3 } },
};

const envoysConnectTimeoutMs = 5000;

/** An Envoy cluster's `connect_timeout`; undefined where that is what Envoy takes for granted. */
export function connectTimeout(ms: number): string | undefined {
  return ms === envoysConnectTimeoutMs ? undefined : durationMs(ms);
}

export function silenceFields(
  limits: ConnectionLimits | undefined,
  protocol: AppProtocol,
  hasStandIn: boolean,
  settings: MeshSettings,
): Plain {
  const usual = hasStandIn ? Math.min(settings.connectTimeoutMs, connectTimeoutMs) : settings.connectTimeoutMs;
  const defaults: Silence = hasStandIn ? standIn[protocol] : {};
  const { keepalive = defaults.keepalive, unacknowledgedMs = defaults.unacknowledgedMs ?? 0 } = limits ?? {};
  return {
    connect_timeout: connectTimeout(limits?.connectTimeoutMs ?? usual),
    upstream_connection_options: keepalive === undefined ? undefined : tcpKeepalive(keepalive),
    upstream_bind_config:
      unacknowledgedMs === 0 ? undefined : { socket_options: socketOptions(unacknowledgedMs, settings) },
  };
}

/** The limits, with the time after which a connection without requests is closed where another place stands in. */
export function withIdleTimeout(
  limits: ConnectionLimits | undefined,
  protocol: AppProtocol,
  hasStandIn: boolean,
): ConnectionLimits | undefined {
  const { idleTimeoutMs } = hasStandIn ? standIn[protocol] : {};
  return idleTimeoutMs === undefined ? limits : { idleTimeoutMs, ...limits };
}

/** Linux counts in whole seconds. */
function tcpKeepalive({ idleMs, intervalMs, probes }: NonNullable<ConnectionLimits['keepalive']>): Plain {
  const seconds = (ms: number): number => Math.ceil(ms / 1000);
  return {
    tcp_keepalive: {
      keepalive_probes: probes,
      keepalive_time: seconds(idleMs),
      keepalive_interval: seconds(intervalMs),
    },
  };
}

/**
 * https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT: level IPPROTO_TCP, option 18, in ms. Envoy runs on Linux. What stands here
 * takes the place of all socket options of the bootstrap; so the mark of a sidecar's packets must stand here too.
 */
function socketOptions(unacknowledgedMs: number, { proxyMark }: MeshSettings): Plain[] {
  const int_value = Math.min(unacknowledgedMs, 0x7fff_ffff);
  const timeout: Plain = { description: 'TCP_USER_TIMEOUT', level: 6, name: 18, int_value };
  if (proxyMark === undefined) return [timeout];
  return [{ description: 'SO_MARK', level: 1, name: 36, int_value: proxyMark }, timeout];
}
