/**
 * TLS that a proxy begins with a host outside, in Envoy's words. In: a port that says so, and its host. Out: fields of the Envoy cluster. What always
 * holds: the certificate is checked against authorities and a name; a proxy shows none of its own.
 */

import type { MeshSettings } from '../model/mesh.ts';
import type { AppProtocol, CatalogPort, TlsOrigination } from '../model/service.ts';
import { any, type Plain } from './proto/encode.ts';

/** Where Debian, Ubuntu, Alpine and Envoy's own images have it. */
const defaultSystemCaFile = '/etc/ssl/certs/ca-certificates.crt';

/** Nothing for ports on which proxies send what they get. `host`: the service's full name. */
export function originationFields(
  { originate, protocol }: CatalogPort,
  host: string,
  { systemCaFile = defaultSystemCaFile }: MeshSettings,
): Plain {
  if (originate === undefined) return {};
  const { sni, ca, minVersion } = originate;
  const asked = sni ?? (host.startsWith('*.') ? undefined : host);
  const names = originate.subjectAltNames.length > 0 ? originate.subjectAltNames : asked === undefined ? [] : [asked];
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: any('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
        ...(asked === undefined ? {} : { sni: asked }),
        common_tls_context: {
          // Envoy's own choice for those who connect ends at 1.2.
          tls_params: {
            tls_minimum_protocol_version: minVersion.replace('.', '_'),
            tls_maximum_protocol_version: 'TLSv1_3',
          },
          alpn_protocols: alpnOf(protocol),
          validation_context: {
            trusted_ca: ca.kind === 'system' ? { filename: systemCaFile } : { inline_string: ca.pem },
            match_typed_subject_alt_names: names.map((exact) => ({ san_type: 'DNS', matcher: { exact } })),
          },
        },
      }),
    },
  };
}

function alpnOf(protocol: AppProtocol): readonly string[] {
  if (protocol === 'http') return ['http/1.1'];
  return protocol === 'http2' || protocol === 'grpc' ? ['h2'] : [];
}

/** Of HTTP below a wildcard, where each request says which host it means; undefined elsewhere. */
export function namedByRequest({ originate }: CatalogPort, host: string): Plain | undefined {
  if (originate === undefined || originate.sni !== undefined || !host.startsWith('*.')) return undefined;
  const { subjectAltNames }: TlsOrigination = originate;
  return { auto_sni: true, ...(subjectAltNames.length === 0 ? { auto_san_validation: true } : {}) };
}
