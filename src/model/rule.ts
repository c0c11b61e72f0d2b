/**
 * TrafficRule (fairway.dev/v1alpha1) after parsing and defaulting: plain values with their units in the names.
 * The API's own shape, with its schema and CEL rules, lives in src/rules/; this is what the mesh compiles.
 */

import { type DrainedPlace, drainedPlaceName, isDrained } from './drain.ts';
import type { Cors, DirectResponse, Fault, LocalRateLimit, Mirror, Redirect, Rewrite } from './route-filters.ts';
import type { Endpoint, ServiceKey } from './service.ts';
import type { Place, ServicePolicy } from './service-policy.ts';

export type StringMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  /** RE2 syntax, matches the whole value. */
  | { readonly kind: 'regex'; readonly value: string };

export interface NamedMatch {
  readonly name: string;
  readonly match: StringMatch | PresenceMatch;
  /** Headers alone: a value for which `match` does not hold, or no such header. */
  readonly not?: true;
}

/**
 * A `prefix` follows Gateway API: whole path elements, `/api` matches `/api/x` and not `/apix`. A `start` is what the path begins with, character
 * by character.
 */
export type PathMatch = (StringMatch | { readonly kind: 'start'; readonly value: string }) & {
  /** Of all but `regex`. */
  readonly ignoreCase?: true;
};

/** Headers alone: whether the request has it, whatever its value. */
export interface PresenceMatch {
  readonly kind: 'present';
  readonly present: boolean;
}

/** Who asks: all that is not '' (and all labels) must be the proxy's. */
export interface SourceMatch {
  readonly cluster: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Nor is it in one of these. */
  readonly notNamespaces?: readonly string[];
}

/** Labels as one text, equal for equal labels: `app=web,tier=front`. Keys and values of labels hold neither `=` nor `,`. */
export function selectorText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join();
}

/** All that is given must hold; several matches of one route are alternatives. */
export interface RouteMatch {
  readonly source?: SourceMatch;
  readonly path?: PathMatch;
  readonly method?: string;
  readonly headers: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
}

/** Where requests may go: endpoints of a version, in a place, both, or (all '') anywhere. */
export interface Destination extends Place {
  readonly version: string;
  /** Endpoints in these places are left out, in this order, as long as others are ready (`placesInForce`); the same throughout a chain. */
  readonly except?: readonly Exception[];
}

export type Exception = DrainedPlace & { readonly force: boolean };

/** What is left out is not asked for. */
export function toDestination({
  version = '',
  cluster = '',
  region = '',
  zone = '',
}: Partial<Destination>): Destination {
  return { version, cluster, region, zone };
}

/** The endpoint is one of those where requests may go. */
export function namesEndpoint({ version, cluster, region, zone, except }: Destination, endpoint: Endpoint): boolean {
  return (
    (version === '' || version === endpoint.version) &&
    (cluster === '' || cluster === endpoint.cluster) &&
    (region === '' || region === endpoint.locality.region) &&
    (zone === '' || zone === endpoint.locality.zone) &&
    (except === undefined || !except.some((place) => isDrained(place, endpoint)))
  );
}

export const anywhere: Destination = toDestination({});

/**
 * A destination as it stands in Envoy cluster names and logs: `v2.west`, `v2`, `.west`, '' for anywhere; with `@region/zone` behind it where it
 * names them: `v2@eu`, `v2.west@eu/eu-1a`, `@/eu-1a`. Before the `@` the last dot separates, so a lone version that holds a dot ends in one
 * (`1.2.`); cluster names hold none, and no part holds `@`, `/`, `|`, `>` or `*`.
 */
export function destinationName({ version, cluster, region, zone }: Destination): string {
  const at = zone === '' ? (region === '' ? '' : `@${region}`) : `@${region}/${zone}`;
  if (cluster !== '') return `${version}.${cluster}${at}`;
  return `${version.includes('.') ? `${version}.` : version}${at}`;
}

/** The destination that a name stands for: what `destinationName` is given. */
export function parseDestinationName(name: string): Destination {
  const at = name.indexOf('@');
  const [workload, place] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
  const [region = '', zone = ''] = place.split('/');
  const dot = workload.lastIndexOf('.');
  if (dot < 0) return toDestination({ version: workload, region, zone });
  return toDestination({ version: workload.slice(0, dot), cluster: workload.slice(dot + 1), region, zone });
}

/**
 * A chain's name: its destinations joined by `>`, with `*` for anywhere, as in `v3.west>v2>*`; a lone anywhere is ''. Then the places that are
 * left out, each behind a `!`, which no part of a name holds: `v2!west`, `v3.west>*!west@/eu-1a`, `!west`.
 */
export function chainName(chain: readonly Destination[]): string {
  const wanted =
    chain.length === 1
      ? destinationName(chain[0] ?? anywhere)
      : chain.map((destination) => destinationName(destination) || '*').join('>');
  const except = chain[0]?.except;
  if (except === undefined) return wanted;
  return `${wanted}${except
    .map((place) => `!${drainedPlaceName(place)}`)
    .sort()
    .join('')}`;
}

/** A service, or a port, other than the rule's own and the one that was asked for. */
export interface OtherService {
  readonly namespace: string;
  readonly name: string;
  /** Its one name, where it is not one of the mesh: `api.example.com`. */
  readonly host?: string;
  /** Left out: the port that was asked for. */
  readonly port?: number;
}

export interface RuleBackend {
  /** A share of the sum over the route's backends; 0 takes no requests. */
  readonly weight: number;
  /** Never empty. The first is wanted; each later one takes over what those before it cannot. */
  readonly chain: readonly Destination[];
  /** Whose endpoints the chain names. Left out: the rule's own service, at the port that was asked for. One that is not there: 500. */
  readonly service?: OtherService;
  /** Why nothing may take its share, which is answered 500. Whoever says so has told people. */
  readonly refused?: string;
  /** For its share alone, besides what the route changes. */
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
}

export interface HeaderChange {
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly add: readonly { readonly name: string; readonly value: string }[];
  readonly remove: readonly string[];
}

export interface RouteRetry {
  /** Retries after the first try; 0 switches retries off. */
  readonly attempts: number;
  /** Envoy's retry_on conditions, sorted. */
  readonly on: readonly string[];
  /** HTTP status codes that are retried, sorted. */
  readonly statusCodes: readonly number[];
  /** Pauses between tries grow from `baseMs` to `maxMs`, with jitter; undefined: Envoy's 25 ms to 250 ms. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** A retry goes to an endpoint that was not tried yet, while there is one. Default true. */
  readonly otherHostFirst?: boolean;
}

export interface RuleRoute {
  /** Unique in the rule; given or `route-<index>`. */
  readonly name: string;
  /** [] matches everything. */
  readonly matches: readonly RouteMatch[];
  /** The service's ports that it is for; left out: all. A port that no route is for goes on as without a rule. */
  readonly ports?: readonly number[];
  /** Left out: requests, and where a port's protocol has none, connections if it matches everything. */
  readonly takes?: 'requests' | 'connections';
  /** Of connections, those of TLS that ask for one of these names: `db.example.com`, `*.example.com`. Left out: all. */
  readonly sni?: readonly string[];
  /** Empty where the proxy answers by itself (`redirect`, `respond`); nothing takes its requests otherwise. */
  readonly backends: readonly RuleBackend[];
  /** What is answered in place of a backend that is refused or not there. Left out: 500. Of gRPC 503, which calls see as UNAVAILABLE. */
  readonly unusableStatus?: 503;
  readonly redirect?: Redirect;
  readonly respond?: DirectResponse;
  readonly rewrite?: Rewrite;
  readonly mirrors?: readonly Mirror[];
  readonly fault?: Fault;
  readonly cors?: Cors;
  readonly rateLimit?: LocalRateLimit;
  /** A stream on which nothing moves is reset after this; undefined: never. */
  readonly idleTimeoutMs?: number;
  /** The longest that a stream may live; undefined: no limit. */
  readonly maxStreamMs?: number;
  /** The whole request with its retries; undefined: no limit. */
  readonly requestTimeoutMs?: number;
  /** One try; undefined: no limit. */
  readonly backendRequestTimeoutMs?: number;
  /** undefined: the mesh's default retries. */
  readonly retry?: RouteRetry;
  readonly requestHeaders: HeaderChange;
  readonly responseHeaders: HeaderChange;
}

/** Names one state of one rule object. */
export interface RuleRef {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
}

export interface TrafficRule {
  readonly ref: RuleRef;
  /** The service it is for, in the rule's own namespace. */
  readonly service: ServiceKey;
  readonly createdAtMs: number;
  /** Never empty: a rule without routes has one that sends everything anywhere. */
  readonly routes: readonly RuleRoute[];
  /** It was written without routes: other kinds of objects may give the service some. */
  readonly policyOnly?: true;
  /** How endpoints are treated, whatever the route. */
  readonly policy?: ServicePolicy;
  /** A hash of everything above but `ref.generation`: equal content, equal hash. */
  readonly hash: string;
  /** For people: `rules/reviews.yaml`, `cluster primary`. */
  readonly origin: string;
}

export function ruleId(ref: Pick<RuleRef, 'namespace' | 'name'>): string {
  return `${ref.namespace}/${ref.name}`;
}

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */
export interface Condition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Drained' | 'Programmed';
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, stable. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** RFC 3339; moves only when `status` does. */
  readonly lastTransitionTime: string;
}
