/** kubectl as people use it, and the kubeconfig files that it and a pilot read. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const kubectlLimitMs = 60_000;

export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Kubectl = (args: readonly string[], input?: string) => Promise<KubectlResult>;

export interface KubeconfigUser {
  readonly context: string;
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
}

/** Runs kubectl with one kubeconfig; discovery is cached in `cacheDir`, never in the home folder. */
export function kubectlRunner(kubectl: string, kubeconfig: string, cacheDir: string): Kubectl {
  return (args, input) => {
    return new Promise((resolve, reject) => {
      const child = spawn(kubectl, ['--kubeconfig', kubeconfig, '--cache-dir', cacheDir, ...args], {
        timeout: kubectlLimitMs,
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        stdout += chunk;
      });
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        stderr += chunk;
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
    });
  };
}

/** One kubeconfig with a context per user; the first is current. JSON is YAML, so kubectl and every client read it. */
export function kubeconfigText(...users: readonly KubeconfigUser[]): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': users[0]?.context ?? '',
      clusters: users.map((user) => ({
        name: user.context,
        cluster: {
          server: user.url,
          'certificate-authority-data': Buffer.from(user.certificateAuthority).toString('base64'),
        },
      })),
      users: users.map((user) => ({ name: user.context, user: { token: user.token } })),
      contexts: users.map((user) => ({ name: user.context, context: { cluster: user.context, user: user.context } })),
    },
    null,
    2,
  );
}

export function writeKubeconfig(file: string, ...users: readonly KubeconfigUser[]): void {
  writeFileSync(file, kubeconfigText(...users), { mode: 0o600 });
}
