/**
 * What is spoken on a service port: from the port's `appProtocol` and name to the four protocols that Fairway tells apart.
 * A set `appProtocol` decides alone; else the name's part before the first `-` does; whatever is unknown is carried as TCP.
 * https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol
 */

import type { AppProtocol, TransportProtocol } from '../model/service.ts';

/** Lower case. `https`, `tls` and `wss` are opaque to a proxy that holds no key; gRPC-Web is HTTP as far as routing goes. */
const protocols: ReadonlyMap<string, AppProtocol> = new Map([
  ['http', 'http'],
  ['http1', 'http'],
  ['http2', 'http2'],
  ['h2c', 'http2'],
  ['grpc', 'grpc'],
  ['grpc-web', 'http'],
  ['ws', 'http'],
  ['tcp', 'tcp'],
  ['tls', 'tcp'],
  ['https', 'tcp'],
  ['mongo', 'tcp'],
  ['redis', 'tcp'],
  ['mysql', 'tcp'],
  ['kubernetes.io/h2c', 'http2'],
  ['kubernetes.io/ws', 'http'],
  ['kubernetes.io/wss', 'tcp'],
]);

/** What is TLS inside: opaque, but for the name of the server that it is for. */
const tlsProtocols: ReadonlySet<string> = new Set(['https', 'tls', 'wss', 'kubernetes.io/wss']);

export interface ProtocolHints {
  /** '' or absent: not set. */
  readonly appProtocol?: string | undefined;
  /** The port's name, '' for an unnamed port. */
  readonly name: string;
  readonly transport: TransportProtocol;
}

/** What a port says besides its protocol: that it is TLS, or nothing at all. */
export function portMarks(hints: ProtocolHints): { readonly tls?: true; readonly undeclared?: true } {
  const word = wordOf(hints);
  if (hints.transport !== 'TCP') return {};
  if (tlsProtocols.has(word)) return { tls: true };
  const isDeclared = (hints.appProtocol ?? '') !== '' || protocols.has(word);
  return isDeclared ? {} : { undeclared: true };
}

/** The word that decides. */
function wordOf({ appProtocol = '', name }: ProtocolHints): string {
  if (appProtocol !== '') return appProtocol.toLowerCase();
  const lower = name.toLowerCase();
  const dash = lower.indexOf('-');
  return dash < 0 ? lower : lower.slice(0, dash);
}

/** Never throws; case does not matter. UDP and SCTP ports are `tcp`, that is: opaque; their `transport` tells them apart. */
export function appProtocolOf(hints: ProtocolHints): AppProtocol {
  if (hints.transport !== 'TCP') return 'tcp';
  if (hints.appProtocol !== undefined && hints.appProtocol !== '') {
    return protocols.get(hints.appProtocol.toLowerCase()) ?? 'tcp';
  }
  const name = hints.name.toLowerCase();
  if (name === 'grpc-web' || name.startsWith('grpc-web-')) return 'http';
  const dash = name.indexOf('-');
  return protocols.get(dash < 0 ? name : name.slice(0, dash)) ?? 'tcp';
}
