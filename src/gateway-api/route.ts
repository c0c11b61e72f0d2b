/**
 * Routes and grants of the Gateway API after parsing and defaulting: one shape for HTTPRoute, GRPCRoute, TLSRoute and TCPRoute, in the words of the
 * model where it has them. What the objects refer to is not looked up yet. https://gateway-api.sigs.k8s.io/reference/spec/
 */

import type { HeaderChange, RouteMatch, RuleRoute } from '../model/rule.ts';

/** Of the kinds that route the same port the first counts alone (GEP-1294, "Route types"). */
export const routeKinds = ['GRPCRoute', 'HTTPRoute', 'TLSRoute', 'TCPRoute'] as const;
export type RouteKind = (typeof routeKinds)[number];

export const gatewayGroup = 'gateway.networking.k8s.io';
export const importGroup = 'multicluster.x-k8s.io';

type Path = readonly (string | number)[];

export interface ParentRef {
  /** As it was written: what the status repeats. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly port?: number;
  /** Of a Service: the name of a port. */
  readonly sectionName?: string;
}

export interface BackendRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly port?: number;
  readonly path: Path;
}

export interface RouteBackend extends BackendRef {
  readonly weight: number;
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
}

export interface RouteMirror extends BackendRef {
  /** 0 to 100. */
  readonly percent: number;
}

/** What a rule asks for that is not done here: none of its requests is let through without it. */
export interface Unsupported {
  readonly path: Path;
  /** `filter ExternalAuth is not supported`. */
  readonly message: string;
}

/** Of gRPC: by these, and not by its path, a match is more or less specific. */
export interface MethodLengths {
  readonly service: number;
  readonly method: number;
}

export interface WeighedMatch {
  readonly match: RouteMatch;
  readonly method?: MethodLengths;
  /** It holds what no proxy could look for; its rule says so, and no request is tried on it. */
  readonly isVoid?: true;
}

/** What a rule does besides choosing backends. */
export type RuleActions = Pick<
  RuleRoute,
  | 'redirect'
  | 'rewrite'
  | 'cors'
  | 'requestTimeoutMs'
  | 'backendRequestTimeoutMs'
  | 'retry'
  | 'requestHeaders'
  | 'responseHeaders'
>;

export interface RouteRule {
  /** As given, or its index. */
  readonly name: string;
  /** Never empty for requests; [] for connections. */
  readonly matches: readonly WeighedMatch[];
  readonly backends: readonly RouteBackend[];
  readonly mirrors: readonly RouteMirror[];
  readonly actions: RuleActions;
  readonly unsupported: readonly Unsupported[];
}

export interface GatewayRoute {
  readonly kind: RouteKind;
  readonly namespace: string;
  readonly name: string;
  /** 0 where it is not known. */
  readonly createdAtMs: number;
  readonly parents: readonly ParentRef[];
  /** Of TLSRoutes: the server names that connections ask for. Those of the others mean nothing in the mesh. */
  readonly hostnames: readonly string[];
  readonly rules: readonly RouteRule[];
  /** Of the spec: equal specs, equal hashes. */
  readonly hash: string;
  /** For people: `rules/reviews.yaml`, `cluster primary`. */
  readonly origin: string;
}

export interface Grant {
  readonly namespace: string;
  readonly name: string;
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  /** `name` left out: all of that kind. */
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  readonly hash: string;
  readonly origin: string;
}

/** One object, whichever sources have it: `HTTPRoute shop/reviews`. */
export type RouteId = `${RouteKind} ${string}/${string}`;

export function routeId({ kind, namespace, name }: Pick<GatewayRoute, 'kind' | 'namespace' | 'name'>): RouteId {
  return `${kind} ${namespace}/${name}`;
}
