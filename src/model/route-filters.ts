/**
 * What a route does with a request besides choosing backends: plain values, defaults applied, units in the names.
 * The API's own shape lives in src/rules/; what each means to people is said in docs/traffic-rules.md.
 */

import type { Destination, OtherService, StringMatch } from './rule.ts';

/** A new path: all of it, the part that the route's prefix (or start) matched, or what a regular expression finds in it (`\1`: its first group). */
export type PathChange =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly regex: string; readonly value: string };

/** The proxy answers with a Location; what is undefined stays as the request has it. */
export interface Redirect {
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly path?: PathChange;
  readonly port?: number;
  readonly statusCode: 301 | 302 | 303 | 307 | 308;
}

export interface Rewrite {
  /** The Host (authority) that the backend sees. */
  readonly hostname?: string;
  readonly path?: PathChange;
}

/** A copy of a share of the requests; its answer is thrown away. */
export interface Mirror {
  readonly destination: Destination;
  /** Left out: the rule's own service, at the port that was asked for. */
  readonly service?: OtherService;
  /** 0 to 100, in steps of 0.0001. */
  readonly percent: number;
}

export interface Fault {
  readonly delay?: { readonly percent: number; readonly durationMs: number };
  /** `grpcStatus` for gRPC ports, `status` for all others. */
  readonly abort?:
    | { readonly percent: number; readonly status: number }
    | { readonly percent: number; readonly grpcStatus: number };
}

export interface Cors {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeMs?: number;
  readonly allowCredentials: boolean;
}

/** The proxy answers by itself. */
export interface DirectResponse {
  readonly status: number;
  readonly body: string;
}

/** A token bucket in each proxy: `requests` per `intervalMs`, at most `burst` at once; beyond, 429. */
export interface LocalRateLimit {
  readonly requests: number;
  readonly intervalMs: number;
  readonly burst: number;
}
