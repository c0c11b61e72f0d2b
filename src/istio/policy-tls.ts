/**
 * A DestinationRule's settings of TLS to a host outside. In: parts of its policy. Out: TLS as an ExternalService says it; what of it has no equal is
 * noted. What always holds: where a check of the certificate cannot be said as it is written, a stricter one is made.
 */

import type { RawExternalSpec } from '../rules/external/schema.ts';
import type { Notes } from './notes.ts';
import { child, itemsOf, numberOf, type Part, textOf, textsOf } from './parts.ts';

export type RawTls = NonNullable<RawExternalSpec['ports'][number]['tls']>;

/** What is said for one port alone; nothing of what is said for all counts there. */
export function portPolicies(
  policy: Part | undefined,
  notes: Notes,
): readonly { readonly port: number; readonly tls: Part | undefined }[] {
  return itemsOf(child(policy, 'portLevelSettings')).flatMap((item) => {
    const port = numberOf(child(child(item, 'port'), 'number'), notes);
    return port === undefined ? [] : [{ port, tls: child(item, 'tls') }];
  });
}

const dnsName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** undefined: there is none, or none that can be said. */
export function simpleTls(tls: Part | undefined, notes: Notes): RawTls | undefined {
  const mode = child(tls, 'mode');
  const word = textOf(mode, notes) ?? 'DISABLE';
  if (tls === undefined || word === 'DISABLE') return undefined;
  if (word !== 'SIMPLE') {
    const message = `tls ${word} has no equal here: proxies have no certificates of their own to show, and send what they get as it is`;
    notes.warn('FW-ISTIO-002', mode ?? tls, message, 'Let the workloads speak TLS themselves, or use SIMPLE');
    return undefined;
  }
  const authorities = child(tls, 'caCertificates');
  const file = textOf(authorities, notes);
  if (authorities !== undefined && file !== undefined && file !== 'system') {
    const message = `${file} is left out, and what the sidecar’s machine trusts is taken: a file of the sidecar’s has no equal here`;
    notes.warn('FW-ISTIO-004', authorities, message, 'Write an ExternalService with the certificates in it');
  }
  const names = child(tls, 'subjectAltNames');
  const all = textsOf(names, notes);
  const known = all.filter((name) => dnsName.test(name));
  if (names !== undefined && known.length < all.length) {
    const left = all.filter((name) => !known.includes(name)).join(', ');
    notes.warn('FW-ISTIO-004', names, `${left} is left out: names in certificates are DNS names here`, 'Remove it');
  }
  const sni = textOf(child(tls, 'sni'), notes);
  return {
    ...(sni === undefined ? {} : { sni }),
    ...(known.length === 0 ? {} : { subjectAltNames: [...new Set(known)] }),
  };
}
