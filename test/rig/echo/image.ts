/**
 * What the image `gateway-api/echo-advanced` holds, for pods that are no containers: Istio's echo server and client, and the certificate that the
 * image has for the server's TLS ports. Built or found once; needs Go where nothing is cached.
 */

import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { goModuleFolder, goPrograms } from '../go-programs.ts';

export interface EchoImage {
  /** Without its tag. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  /** Files of this machine, by their paths in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/** Beside this file, also when this was compiled into dist/. */
function moduleFolder(): string {
  const source = join(import.meta.dirname, '../../../../test/rig/echo');
  return existsSync(join(import.meta.dirname, 'go.mod')) ? import.meta.dirname : source;
}

export async function echoImage(say?: (message: string) => void): Promise<EchoImage> {
  const module = moduleFolder();
  const folder = 'istio.io/istio/pkg/test/echo/cmd';
  const cached = await goPrograms(
    { name: 'echo', module, programs: { server: `${folder}/server`, client: `${folder}/client` } },
    say,
  );
  const certificate = join(cached, 'cert.crt');
  const key = join(cached, 'cert.key');
  if (!existsSync(certificate) || !existsSync(key)) {
    const certificates = join(goModuleFolder(module, 'istio.io/istio'), 'tests/testdata/certs/dns');
    copyWhole(join(certificates, 'cert-chain.pem'), certificate);
    copyWhole(join(certificates, 'key.pem'), key);
  }
  return {
    name: 'registry.k8s.io/gateway-api/echo-advanced',
    entrypoint: ['/usr/local/bin/server'],
    files: {
      '/usr/local/bin/server': join(cached, 'server'),
      '/usr/local/bin/client': join(cached, 'client'),
      '/cert.crt': certificate,
      '/cert.key': key,
    },
  };
}

function copyWhole(from: string, to: string): void {
  const beside = mkdtempSync(`${to}-`);
  copyFileSync(from, join(beside, 'copy'));
  renameSync(join(beside, 'copy'), to);
  rmSync(beside, { recursive: true });
}
