/**
 * Where rules are written to and read from: the pilot's admin API or Kubernetes, behind one interface, so that apply, delete and get read the
 * same whichever it is.
 */

import { allKinds } from '../kinds/all-kinds.ts';
import type { HistoryEntry, ObjectHistory } from '../model/history.ts';
import type { ObjectReport, RuleReport, WriteReport } from '../model/report.ts';
import type { KindHead } from '../rules/objects/kind-types.ts';
import { ruleApiVersion, ruleKind } from '../rules/traffic-rule/head.ts';
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
  /** `namespace`: left out for kinds without one. */
  readonly metadata: { readonly namespace?: string; readonly name: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface ObjectRef {
  readonly kind: string;
  /** '' for kinds without one. */
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
  /** Of a kind besides TrafficRule. */
  objects(kind: KindHead, filter: ListFilter): Promise<readonly ObjectReport[]>;
  /** The forms that an object had, the present one last; undefined: there is no such object. */
  history(ref: ObjectRef): Promise<ObjectHistory | undefined>;
  /** Gives the object an earlier form; one result. */
  restore(ref: ObjectRef, form: HistoryEntry, options: ApplyOptions): Promise<WriteReport>;
  /** Ends its connections, which would keep the process alive. */
  close(): void;
}

/** As the admin API's paths name it. */
function pluralOf(kind: string): string {
  return kind === ruleKind ? 'rules' : (allKinds.named(kind)?.plural ?? 'rules');
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
      delete: ({ kind, namespace, name }, options) => client.delete(pluralOf(kind), namespace, name, options),
      rules: (filter) => client.list('rules', filter),
      objects: ({ plural }, filter) => client.objects(plural, filter),
      history: ({ kind, namespace, name }) => client.history(kind, namespace, name),
      restore: ({ kind, namespace, name }, { spec, metadata = {} }, { dryRun }) => {
        const place = namespace === '' ? { name } : { namespace, name };
        const apiVersion = allKinds.named(kind)?.apiVersion ?? ruleApiVersion;
        return client.apply(JSON.stringify({ apiVersion, kind, metadata: { ...metadata, ...place }, spec }), {
          dryRun,
        });
      },
      close: () => {},
    },
  ];
}
