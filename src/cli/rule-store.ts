/**
 * Where rules are written to and read from: the pilot's admin API or Kubernetes, behind one interface, so that apply, delete and get read the
 * same whichever it is.
 */

import type { RuleReport, WriteReport } from '../model/report.ts';
import type { ListFilter } from './admin-client.ts';
import {
  type AdminFlags,
  type KubernetesFlags,
  openAdminClient,
  refuseBothApis,
  usesKubernetes,
} from './api-options.ts';

/** An object that was read and checked, and may be sent. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ApplyOptions {
  readonly dryRun: boolean;
  /** Kubernetes: take over fields that somebody else manages. */
  readonly force: boolean;
}

export interface RuleStore {
  /** For people: `context kind-east`; '' where there is only one. */
  readonly label: string;
  /** All or none where the store can; results in the order of the manifests. */
  apply(manifests: readonly Manifest[], options: ApplyOptions): Promise<WriteReport>;
  delete(ref: ObjectRef, options: { readonly dryRun: boolean }): Promise<WriteReport>;
  rules(filter: ListFilter): Promise<readonly RuleReport[]>;
  /** Ends its connections, which would keep the process alive. */
  close(): void;
}

export async function openRuleStores(
  flags: AdminFlags & KubernetesFlags,
  env: NodeJS.ProcessEnv,
): Promise<readonly RuleStore[]> {
  refuseBothApis(flags);
  if (usesKubernetes(flags)) {
    const { openKubernetesStores } = await import('./kubernetes-store.ts');
    return openKubernetesStores(flags, env);
  }
  const client = openAdminClient(flags, env);
  return [
    {
      label: '',
      // JSON is YAML, and needs no care with quoting.
      apply: (manifests, { dryRun }) =>
        client.apply(manifests.map((item) => JSON.stringify(item)).join('\n---\n'), { dryRun }),
      delete: ({ namespace, name }, options) => client.deleteRule(namespace, name, options),
      rules: (filter) => client.list('rules', filter),
      close: () => {},
    },
  ];
}
