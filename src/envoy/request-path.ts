/**
 * What a sidecar would use for a request to a host: listener, route table, virtual host, routes, Envoy clusters and endpoints, read back from
 * the very resources that its view holds.
 *
 * In: the view's resources, and a host and port with the addresses that the host has for the sidecar. Out: plain values for people. What always
 * holds: only what lies on the way is decoded; how hosts and addresses are matched is how Envoy does it
 * (https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-virtualhost).
 */

import { typeUrl } from '../core/type-urls.ts';
import type { PathRoute, RequestPath, RequestWay } from '../model/inspection.ts';
import type { Scope } from '../model/mesh.ts';
import { askedWays } from './grpc/path.ts';
import { hostOfAddress, httpProxy, listenerName, virtualOutbound } from './names.ts';
import { pathClusters } from './path-clusters.ts';
import type { HeldResources, PathQuestion } from './path-question.ts';
import { clusterTargets, pathRoutes } from './path-routes.ts';
import { decodeMessage, decodeResource } from './proto/decode.ts';
import type { Plain } from './proto/encode.ts';
import { routeTaken } from './request-match.ts';
import { domainsOf } from './virtual-host-bytes.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

export function requestPath(held: HeldResources, question: PathQuestion): RequestPath {
  const { host, port } = question;
  const found = waysFor(held.scope.mode)(held, question);
  const names = new Set(found.ways.flatMap(({ routes }) => routes.flatMap(({ clusters }) => clusters)).map(nameOf));
  const clusters = pathClusters(names, (url, name) => held.resources(url).get(name), question.endpointAt);
  return { host, port, ...found, clusters };
}

function waysFor(mode: Scope['mode']): (held: HeldResources, question: PathQuestion) => Found {
  if (mode === 'grpc') return askedWays;
  return mode === 'explicit' ? proxiedWays : capturedWays;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

type Found = Pick<RequestPath, 'listener' | 'ways'>;

/** The application names its sidecar as its HTTP proxy: one listener, one table. */
function proxiedWays(held: HeldResources, question: PathQuestion): Found {
  return { listener: httpProxy, ways: [httpWay(held, httpProxy, question)] };
}

/** The connection's address chooses the listener, and what is spoken on it the filter chain. */
function capturedWays(held: HeldResources, question: PathQuestion): Found {
  const listeners = held.resources(typeUrl.listener);
  const { port, addresses } = question;
  const names = [...addresses.map((address) => listenerName(address, port)), listenerName('0.0.0.0', port)];
  const listener = names.find((name) => listeners.has(name)) ?? virtualOutbound;
  const resource = listeners.get(listener);
  if (resource === undefined) return { listener, ways: [] };
  const { filter_chains, default_filter_chain } = decodeResource(resource) as ListenerMessage;
  const chains = filter_chains ?? [];
  const toAddress = chains.find(({ filter_chain_match }) => holdsAddress(filter_chain_match, addresses));
  if (toAddress !== undefined) return { listener, ways: connectionWays(held, toAddress, 'TCP', question) };
  const named = bestNamed(chains, question.host);
  const rest = chains.filter(({ filter_chain_match: match }) =>
    [match?.prefix_ranges, match?.server_names, match?.destination_port].every((each) => each === undefined),
  );
  const ways = [
    ...(named === undefined ? [] : connectionWays(held, named, `TLS for ${question.host}`, question)),
    ...rest.flatMap((chain) => connectionWays(held, chain, 'TCP', question)),
  ];
  const last = default_filter_chain === undefined ? [] : connectionWays(held, default_filter_chain, 'TCP', question);
  return {
    listener,
    ways: [...ways, ...last.map((way) => (ways.length === 0 ? way : { ...way, traffic: anythingElse }))],
  };
}

/** What the filter chains before it do not take: on an HTTP port, connections on which no HTTP is spoken. */
const anythingElse = 'Anything else';

interface ListenerMessage {
  readonly filter_chains?: readonly FilterChain[];
  readonly default_filter_chain?: FilterChain;
}

interface FilterChain {
  readonly name?: string;
  readonly filter_chain_match?: ChainMatch;
  readonly filters?: readonly { readonly name: string; readonly typed_config?: Plain }[];
}

interface ChainMatch {
  readonly prefix_ranges?: readonly { readonly address_prefix: string }[];
  readonly server_names?: readonly string[];
  readonly destination_port?: number;
}

/** Listeners hold single addresses, no networks. */
function holdsAddress(match: ChainMatch | undefined, addresses: readonly string[]): boolean {
  return match?.prefix_ranges?.some(({ address_prefix }) => addresses.includes(address_prefix)) === true;
}

/** As for virtual hosts: an exact server name goes before wildcards, and the longest of these before the others. */
function bestNamed(chains: readonly FilterChain[], host: string): FilterChain | undefined {
  const wanted = namesOf([host]);
  let best: { readonly chain: FilterChain; readonly rank: number } | undefined;
  for (const chain of chains) {
    const rank = bestRank(chain.filter_chain_match?.server_names ?? [], wanted);
    if (rank > (best?.rank ?? 0)) best = { chain, rank };
  }
  return best?.chain;
}

/** All names that mean one of these hosts, with how exactly they do. */
function namesOf(hosts: readonly string[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const host of hosts) {
    names.set(host, Number.POSITIVE_INFINITY);
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const suffix = `*${host.slice(dot)}`;
      names.set(suffix, suffix.length);
    }
  }
  return names;
}

function bestRank(names: readonly string[], wanted: ReadonlyMap<string, number>): number {
  return Math.max(0, ...names.map((name) => wanted.get(name) ?? 0));
}

function connectionWays(
  held: HeldResources,
  { name = '', filters = [] }: FilterChain,
  traffic: string,
  question: PathQuestion,
): RequestWay[] {
  return filters.flatMap(({ typed_config: config = {} }): RequestWay[] => {
    const rds = config['rds'] as { readonly route_config_name?: string } | undefined;
    if (rds?.route_config_name !== undefined) return [httpWay(held, rds.route_config_name, question)];
    const clusters = clusterTargets(config);
    if (clusters.length === 0) return [];
    const route: PathRoute = { name, rule: '', match: '', action: 'forward', clusters };
    return [{ traffic, routes: [route] }];
  });
}

function httpWay(held: HeldResources, table: string, question: PathQuestion): RequestWay {
  const parts = [...(held.hostsOfTable(table) ?? [])];
  const last = parts.at(-1);
  const part = bestHost(parts.slice(0, -1), authorities(table, question)) ?? last;
  if (part === undefined) return { traffic: 'HTTP', table, routes: [] };
  const {
    name = part.name,
    domains,
    routes,
  } = decodeMessage('envoy.config.route.v3.VirtualHost', part.body) as Partial<HostMessage>;
  const virtualHost = { name, domains: domains ?? [], isCatchAll: part === last };
  const { request } = question;
  const all = routes ?? [];
  if (request === undefined) return { traffic: 'HTTP', table, virtualHost, routes: pathRoutes(all) };
  const [authority = ''] = authorities(table, question).slice(-1);
  const index = routeTaken(all, request, authority);
  const taken = { position: index + 1, of: all.length };
  return { traffic: 'HTTP', table, virtualHost, routes: pathRoutes(index < 0 ? [] : [all[index] ?? {}]), taken };
}

interface HostMessage {
  readonly name: string;
  readonly domains?: readonly string[];
  readonly routes?: readonly Plain[];
}

/** What a client writes into Host; a port's own table looks at it without a port, the one table of explicit mode knows it so on port 80. */
function authorities(table: string, { host, port }: PathQuestion): string[] {
  const name = hostOfAddress(host);
  if (table !== httpProxy) return [name];
  return port === 80 ? [`${name}:${port}`, name] : [`${name}:${port}`];
}

/** An exact domain goes before wildcards, and the longest of these before the others. */
function bestHost(parts: readonly VirtualHostPart[], hosts: readonly string[]): VirtualHostPart | undefined {
  const wanted = namesOf(hosts);
  const texts = [...wanted.keys()].map((text) => Buffer.from(text));
  let best: { readonly part: VirtualHostPart; readonly rank: number } | undefined;
  for (const part of parts) {
    // A table may hold ten thousand hosts: only those that hold the text at all are read.
    if (!texts.some((text) => part.body.includes(text))) continue;
    const rank = bestRank(domainsOf(part.body), wanted);
    if (rank > (best?.rank ?? 0)) best = { part, rank };
  }
  return best?.part;
}
