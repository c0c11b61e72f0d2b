/**
 * The flags that say which API a command talks to: the pilot's admin API, or, once a kubeconfig or a context is named, Kubernetes.
 */

import type { Command } from 'commander';
import { type AdminClient, createAdminClient, defaultAdminUrl, readAdminToken } from './admin-client.ts';
import { parseDuration } from './duration.ts';
import { usageError } from './failure.ts';

export interface AdminFlags {
  readonly admin?: string;
  readonly adminTokenFile?: string;
  readonly requestTimeout: string;
}

export interface KubernetesFlags {
  readonly kubeconfig?: string;
  readonly context?: readonly string[];
}

export function addAdminFlags(command: Command): Command {
  return command
    .option('--admin <url>', `the pilot's admin API (default: $FAIRWAY_ADMIN, else ${defaultAdminUrl})`)
    .option('--admin-token-file <file>', 'holds its bearer token (default: $FAIRWAY_ADMIN_TOKEN)')
    .option('--request-timeout <duration>', 'give up on an answer after this long; 0: never', '10s');
}

export function addKubernetesFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'talk to Kubernetes instead of the admin API, by this kubeconfig')
    .option('--context <name>', 'talk to Kubernetes, to this context; may be repeated', collect);
}

/** Commander's collector for flags that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

export function usesKubernetes(flags: KubernetesFlags): boolean {
  return flags.kubeconfig !== undefined || (flags.context?.length ?? 0) > 0;
}

/** @throws CommandFailure FW-CLI-007 when both APIs are named: which one is meant is not ours to guess. */
export function refuseBothApis(flags: AdminFlags & KubernetesFlags): void {
  if (flags.admin === undefined || !usesKubernetes(flags)) return;
  throw usageError({
    code: 'FW-CLI-007',
    message: '--admin and --kubeconfig or --context name two different APIs',
    hint: 'Give --admin for the pilot, or --kubeconfig and --context for Kubernetes',
  });
}

export function openAdminClient(flags: AdminFlags, env: NodeJS.ProcessEnv): AdminClient {
  const fromEnv = env.FAIRWAY_ADMIN === '' ? undefined : env.FAIRWAY_ADMIN;
  const token = readAdminToken(flags.adminTokenFile, env);
  return createAdminClient({
    url: flags.admin ?? fromEnv ?? defaultAdminUrl,
    timeoutMs: parseDuration(flags.requestTimeout, '--request-timeout'),
    ...(token === undefined || token === '' ? {} : { token }),
  });
}
