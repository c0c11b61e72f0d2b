/** Certificates for tests, made by openssl: an authority of one's own, and what it signs. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KeyAndCertificate {
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

export interface Authority {
  /** PEM. */
  readonly cert: string;
  /** For these DNS names. */
  sign(...names: readonly string[]): KeyAndCertificate;
}

const keyKind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function makeAuthority(name: string): Authority {
  const inFolder = <T>(use: (folder: string) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-certificates-'));
    try {
      return use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const openssl = (folder: string, args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const own = inFolder((folder): KeyAndCertificate => {
    const request = ['req', '-x509', ...keyKind, '-subj', `/CN=${name}`, '-days', '2'];
    openssl(folder, [...request, '-keyout', 'key.pem', '-out', 'cert.pem']);
    return read(folder);
  });
  return {
    cert: own.cert,
    sign: (...names) =>
      inFolder((folder) => {
        writeFileSync(join(folder, 'ca.pem'), own.cert);
        writeFileSync(join(folder, 'ca-key.pem'), own.key);
        const alternatives = `subjectAltName=${names.map((one) => `DNS:${one}`).join()}`;
        const request = ['req', '-x509', ...keyKind, '-subj', `/CN=${names[0]}`, '-days', '2', '-addext', alternatives];
        const signed = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-addext', 'basicConstraints=critical,CA:FALSE'];
        openssl(folder, [...request, ...signed, '-keyout', 'key.pem', '-out', 'cert.pem']);
        return read(folder);
      }),
  };
}

function read(folder: string): KeyAndCertificate {
  return { key: readFileSync(join(folder, 'key.pem'), 'utf8'), cert: readFileSync(join(folder, 'cert.pem'), 'utf8') };
}
