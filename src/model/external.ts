/**
 * A host outside the mesh, as its ExternalService says: defaults applied, units in the names. What becomes of it is for src/mesh/external.ts.
 */

import type { RuleRef } from './rule.ts';
import type { AppProtocol, ExternalEndpoint, TlsOrigination } from './service.ts';

export interface ExternalPort {
  readonly number: number;
  readonly protocol: AppProtocol;
  /** What is spoken is TLS (`protocol` is `tcp` then): sidecars tell hosts apart by SNI. */
  readonly tls: boolean;
  /** Given or `<protocol>-<number>`. */
  readonly name: string;
  /** Where the host listens; left out: at `number`. */
  readonly targetPort?: number;
  /** Proxies begin TLS with the host, and what is spoken on the port is spoken inside. Left out: they send what they get. */
  readonly originate?: TlsOrigination;
}

export interface ExternalService {
  readonly ref: RuleRef;
  readonly createdAtMs: number;
  /** Sorted; exact (`api.example.com`) or with a wildcard for the labels before a domain (`*.example.com`). Never empty. */
  readonly hosts: readonly string[];
  /** Sorted by number. Never empty. */
  readonly ports: readonly ExternalPort[];
  /** `static`: its endpoints; `dns`: what a name server says of each host, asked by the proxies. */
  readonly resolution: 'static' | 'dns';
  /** Sorted by address; [] exactly for `dns`. */
  readonly endpoints: readonly ExternalEndpoint[];
  /** The clusters whose proxies reach it, sorted; []: all. */
  readonly clusters: readonly string[];
  /** A hash of everything above but `ref.generation`. */
  readonly hash: string;
  /** For people: `rules/pay.yaml`, `cluster primary`. */
  readonly origin: string;
}
