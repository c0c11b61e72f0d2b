/** TLS that proxies begin with a host outside: what a schema cannot say of it, and its value with defaults applied. */

import { X509Certificate } from 'node:crypto';
import { errorMessage } from '../../core/errors.ts';
import type { TlsOrigination } from '../../model/service.ts';
import type { Findings } from '../objects/findings.ts';
import type { Sound } from '../objects/structure.ts';
import type { RawExternalSpec } from './schema.ts';
import type { RawTls } from './schema-tls.ts';

export function checkTls({ hosts = [], ports = [] }: Sound<RawExternalSpec>, findings: Findings): void {
  const wildcard = hosts.find((host) => host?.startsWith('*'));
  for (const [i, port] of ports.entries()) {
    const { tls, protocol } = port ?? {};
    if (tls === undefined) continue;
    const path = ['spec', 'ports', i, 'tls'] as const;
    if (protocol === 'tls') {
      const message = 'tls must not be given on a port of protocol tls, on which clients speak TLS themselves';
      findings.error('FW-RULE-175', path, message, 'Write what is spoken inside as the protocol, or remove tls');
    }
    if (protocol === 'tcp' && wildcard !== undefined && tls.sni === undefined) {
      const message = `sni must be given with tls on a port of protocol tcp: which host below ${wildcard} is meant, a connection does not say`;
      findings.error('FW-RULE-176', [...path, 'sni'], message, 'Name it, or name the hosts one by one', path);
    }
    const { caCertificates } = tls;
    const trouble = caCertificates === undefined ? undefined : pemTrouble(caCertificates);
    if (trouble !== undefined) {
      const hint = 'Give the certificates of authorities in PEM, one after another, and no keys';
      findings.error('FW-RULE-173', [...path, 'caCertificates'], `caCertificates cannot be used: ${trouble}`, hint);
    }
  }
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** undefined: it can be used, or its pattern tells what is wrong. */
function pemTrouble(text: string): string | undefined {
  if (!/^\s*-----BEGIN CERTIFICATE-----/.test(text)) return undefined;
  const blocks = [...text.matchAll(block)];
  if (text.replaceAll(block, '').trim() !== '') return 'there is something else than whole certificates in it';
  for (const [i, [pem, what]] of blocks.entries()) {
    if (what !== 'CERTIFICATE') return `block ${i + 1} is a ${what}`;
    try {
      new X509Certificate(pem);
    } catch (error) {
      return `certificate ${i + 1} cannot be read (${errorMessage(error)})`;
    }
  }
  return undefined;
}

export function buildTls({ sni, subjectAltNames = [], caCertificates = 'system', minVersion }: RawTls): TlsOrigination {
  return {
    ...(sni === undefined ? {} : { sni }),
    subjectAltNames: subjectAltNames.toSorted(),
    ca: caCertificates === 'system' ? { kind: 'system' } : { kind: 'pem', pem: `${caCertificates.trim()}\n` },
    minVersion: minVersion ?? 'TLSv1.2',
  };
}
