/**
 * Client Status Discovery (envoy.service.status.v3): what each client holds, from what the server knows. In: a ClientStatusRequest, and clients. Out:
 * of each client a ClientStatusResponse with one GenericXdsConfig per resource, in bytes; put one behind the other they are one response. Node matchers: exact, prefix, suffix and contains on the node id;
 * a matcher of another kind is refused, since ignoring it would show more than was asked for.
 */

import type { Clock } from '../core/clock.ts';
import { errorMessage, FairwayError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import { statusProtos } from './protos.ts';
import type { ClientHello } from './view.ts';

export interface StatusMatcher {
  node_id?: RawStringMatcher | null;
  node_metadatas?: unknown[];
}

interface RawStringMatcher {
  exact?: string;
  prefix?: string;
  suffix?: string;
  contains?: string;
  ignore_case?: boolean;
}

/** envoy.service.status.v3.ConfigStatus and envoy.admin.v3.ClientResourceStatus. */
const configStatus = { synced: 1, stale: 3, error: 4 } as const;
const resourceStatus = { requested: 1, acked: 3, nacked: 4 } as const;

/** Throws FW-XDS-015 on a request that it cannot read. */
export function statusMatchers(request: Buffer): readonly StatusMatcher[] {
  try {
    return (
      (statusProtos().request.decode(request) as unknown as { node_matchers?: StatusMatcher[] }).node_matchers ?? []
    );
  } catch (error) {
    throw unreadable(`the request is not a ClientStatusRequest: ${errorMessage(error)}`);
  }
}

/** What the client of `connection` holds; nothing if no matcher means it, or if it is not known yet. Throws FW-XDS-015 on a matcher of another kind. */
export function clientStatus(connection: Connection, matchers: readonly StatusMatcher[], clock: Clock): Uint8Array {
  const { hello } = connection;
  if (hello === undefined || !matchesAny(hello, matchers)) return Buffer.alloc(0);
  const { response } = statusProtos();
  const config = [{ node: nodeOf(hello), generic_xds_configs: resourcesOf(connection, clock) }];
  return response.encode(response.fromObject({ config })).finish();
}

function resourcesOf(connection: Connection, clock: Clock): object[] {
  const { machine } = connection;
  const configs: object[] = [];
  if (machine === undefined) return configs;
  const states = machine.status(clock.now());
  const outOfStep = machine.outOfStep();
  for (const [typeUrl, held] of machine.held()) {
    const state = states.get(typeUrl);
    const sentAtMs = connection.sentAtMs.get(typeUrl) ?? clock.now();
    const names = new Set([...held.keys(), ...(outOfStep.get(typeUrl) ?? [])]);
    for (const name of names) {
      const lagging = outOfStep.get(typeUrl)?.has(name) === true;
      const rejected = lagging && state?.state === 'rejected';
      configs.push({
        type_url: typeUrl,
        name,
        version_info: held.get(name)?.version ?? '',
        last_updated: { seconds: Math.floor(sentAtMs / 1000), nanos: (sentAtMs % 1000) * 1e6 },
        config_status: rejected ? configStatus.error : lagging ? configStatus.stale : configStatus.synced,
        client_status: rejected ? resourceStatus.nacked : lagging ? resourceStatus.requested : resourceStatus.acked,
        ...(rejected ? { error_state: { details: state.error } } : {}),
      });
    }
  }
  return configs;
}

function nodeOf(hello: ClientHello): object {
  const { id, cluster, locality, userAgentName, userAgentVersion } = hello.node;
  return {
    id,
    cluster,
    locality: { region: locality.region, zone: locality.zone, sub_zone: locality.subZone },
    user_agent_name: userAgentName,
    user_agent_version: userAgentVersion,
  };
}

function matchesAny(hello: ClientHello, matchers: readonly StatusMatcher[]): boolean {
  if (matchers.length === 0) return true;
  return matchers.some((matcher) => {
    if ((matcher.node_metadatas?.length ?? 0) > 0) throw unreadable('matching by node metadata is not offered');
    return matcher.node_id === undefined || matcher.node_id === null || matchesText(hello.node.id, matcher.node_id);
  });
}

function matchesText(text: string, matcher: RawStringMatcher): boolean {
  const fold = (value: string): string => (matcher.ignore_case === true ? value.toLowerCase() : value);
  const subject = fold(text);
  // protobufjs gives fields that are not set their default by the prototype.
  const has = (field: string): boolean => Object.hasOwn(matcher, field);
  if (has('exact')) return subject === fold(matcher.exact ?? '');
  if (has('prefix')) return subject.startsWith(fold(matcher.prefix ?? ''));
  if (has('suffix')) return subject.endsWith(fold(matcher.suffix ?? ''));
  if (has('contains')) return subject.includes(fold(matcher.contains ?? ''));
  throw unreadable('the node id is matched by something other than exact, prefix, suffix or contains');
}

function unreadable(message: string): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-015',
    message,
    where: {},
    hint: 'send a ClientStatusRequest of envoy.service.status.v3 whose matchers are on the node id',
  });
}
