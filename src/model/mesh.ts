/**
 * The mesh: catalog and rules compiled together, without a word of Envoy's; and what one group of proxies sees of it (a view).
 */

import type { RouteRetry, RuleBackend, RuleRef, RuleRoute } from './rule.ts';
import type { AppProtocol, CatalogService, ServiceKey } from './service.ts';
import type { LocalityPreference, Place, ServicePolicy } from './service-policy.ts';

/** `eager`: a proxy holds all that it may see. `on-demand`: what its requests asked for. */
export type ConfigMode = 'eager' | 'on-demand';

/** The standard's suffix of the names of exported services: `reviews.shop.svc.clusterset.local`. */
export const clustersetDomain = 'clusterset.local';

export interface MeshSettings {
  /** What a sidecar does with a host or address that no service has: pass it through, or refuse it. */
  readonly outbound: 'allow-any' | 'registered-only';
  /** The suffix of `reviews.shop.svc.<domain>`. */
  readonly clusterDomain: string;
  /** For routes that say nothing of retries. */
  readonly defaultRetry: RouteRetry;
  readonly connectTimeoutMs: number;
  readonly accessLog: boolean;
  /** Ports that declare no protocol are looked into: HTTP/1 and HTTP/2 are routed as such. Left out: they are TCP. */
  readonly detectProtocols?: boolean;
  /** The file of authorities that sidecars trust on their own machines, as TLS to hosts outside needs it. Left out: Debian's. */
  readonly systemCaFile?: string;
  /** The mark that every packet of a sidecar's own carries, where its iptables tell them by that. Left out: they do not. */
  readonly proxyMark?: number;
}

export const defaultMeshSettings: MeshSettings = {
  outbound: 'allow-any',
  clusterDomain: 'cluster.local',
  defaultRetry: {
    attempts: 2,
    on: ['cancelled', 'connect-failure', 'refused-stream', 'reset-before-request', 'unavailable'],
    statusCodes: [],
  },
  connectTimeoutMs: 5000,
  accessLog: true,
};

/** A service with the routes in force for it. */
export interface MeshService {
  readonly catalog: CatalogService;
  /** Never empty. Without a rule: one route that sends everything anywhere. With one: its routes, in order of precedence. */
  readonly routes: readonly RuleRoute[];
  /** The rule in force; undefined without one. */
  readonly rule?: RuleRef;
  /** Of the rule in force. */
  readonly policy?: ServicePolicy;
  /** Which endpoints come first, and which count at all; undefined: all alike. */
  readonly placement?: Placement;
  /** What it takes to know of a proxy to tell what it gets of this service; undefined: nothing but the mesh. */
  readonly asks?: Asks;
  /** The backends' distinct chains over all routes, and always `anywhere` alone; sorted by `chainName`. One Envoy cluster each per port. */
  readonly chains: readonly RuleBackend['chain'][];
  /** With a drain: where connections go that no route takes. Left out: anywhere. */
  readonly unrouted?: readonly RuleBackend[];
}

/** What the rule in force, or else Kubernetes' own fields, say of the places of a service's endpoints. */
export interface Placement {
  readonly preference?: LocalityPreference;
  readonly within?: Place;
  /** Only endpoints on the proxy's own node, where that is known. */
  readonly nodeLocal: boolean;
  /** Only endpoints of the proxy's own cluster. Left out: of any. */
  readonly clusterLocal?: true;
  /** Per cent; undefined: Envoy's default of 140. */
  readonly overprovisioningPercent?: number;
}

/** Which of a proxy's properties decide what it gets of a service. */
export interface Asks {
  /** The routes' sources, for all of their fields. */
  readonly sources: boolean;
  /** `selectorText` of the sources' labels: sorted, each once. */
  readonly selectors: readonly string[];
  readonly region: boolean;
  readonly zone: boolean;
  readonly node: boolean;
}

/** What a proxy answers, as far as any service asks: '' where none does, or where it is not known. */
export interface Answers {
  readonly region: string;
  readonly zone: string;
  readonly node: string;
  /** Those that its labels satisfy, sorted. */
  readonly selectors: readonly string[];
}

export const noAnswers: Answers = { region: '', zone: '', node: '', selectors: [] };

export interface Mesh {
  /** Counts up with every change; what a proxy has acknowledged is said in revisions. */
  readonly revision: number;
  readonly settings: MeshSettings;
  readonly services: ReadonlyMap<ServiceKey, MeshService>;
}

/** A port on which a sidecar takes requests for its workload. */
export interface InboundPort {
  /** The port that peers connect to (an endpoint's port). */
  readonly port: number;
  /** The workload's own port on its loopback; equal to `port` in captured mode. */
  readonly targetPort: number;
  readonly protocol: AppProtocol;
}

/**
 * Everything that decides which bytes a proxy gets, and nothing else: proxies with equal scopes share one view.
 * A generator takes the scope (or parts of it) and the mesh, never a proxy.
 */
export interface Scope {
  readonly cluster: string;
  readonly network: string;
  readonly namespace: string;
  /**
   * - `captured`: iptables sends outbound to 15001 (original destination), inbound to 15006.
   * - `explicit`: no privileges; the application names the sidecar as its HTTP proxy.
   * - `grpc`: no sidecar; the application's own gRPC library asks for the services that it calls, and holds nothing of others.
   */
  readonly mode: 'captured' | 'explicit' | 'grpc';
  /** `explicit`: where the outbound HTTP listener listens. Ignored in captured mode. */
  readonly outbound: { readonly address: string; readonly port: number };
  /** Where inbound listens in explicit mode; '0.0.0.0' by default. */
  readonly inboundAddress: string;
  /** Sorted by port. */
  readonly inbound: readonly InboundPort[];
  /**
   * - `tables`: whole route tables; any client.
   * - `vhds`: tables without hosts, and every host by itself, so that a change sends one host. Delta ADS only.
   * - `on-demand`: hosts, and what they lead to, when a request asks for them. Delta ADS only. What is not HTTP comes as always.
   */
  readonly routes: 'tables' | 'vhds' | 'on-demand';
  /** What services ask of a proxy besides all this; undefined: none asks, or there is nothing to say. */
  readonly answers?: Answers;
  /** What the proxy's namespace does with hosts that no service has, in the proxy's cluster; undefined: what the mesh does. */
  readonly egress?: MeshSettings['outbound'];
  /** Rules (`namespace/name@hash`) that proxies of this scope rejected: they see these rules' last good form instead. Sorted. */
  readonly rejected: readonly string[];
}
