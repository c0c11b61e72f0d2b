/**
 * The kinds of objects that people apply: one row each. All that carries objects without knowing them (folders, Kubernetes, the memory of what
 * was there, the admin API, the command line, the CRDs) goes by this table; ARCHITECTURE.md says how a kind is added.
 */

import type { RawObject } from '../model/object.ts';
import { clusterPolicyKind } from './cluster-policy/kind.ts';
import { drainKind } from './drain/kind.ts';
import { readEnvelope, trafficRuleHead } from './envelope.ts';
import { externalServiceKind } from './external/kind.ts';
import type { ObjectKind, ParsedObject, ParseObjectOptions } from './kind-types.ts';
import { trafficRuleKind } from './rule-kind.ts';

export const kinds: readonly ObjectKind[] = [trafficRuleKind, externalServiceKind, clusterPolicyKind, drainKind];

/** By its `kind`, in this very spelling. */
export function kindNamed(name: unknown): ObjectKind | undefined {
  return kinds.find(({ kind }) => kind === name);
}

/** By any word that people use for it: `externalservice`, `externalservices`, `es`. Case does not matter. */
export function kindCalled(word: string): ObjectKind | undefined {
  const lower = word.toLowerCase();
  return kinds.find(
    ({ kind, plural, shortNames }) => kind.toLowerCase() === lower || plural === lower || shortNames.includes(lower),
  );
}

/** Kinds without a namespace: what names their objects alone. */
export function clusterScopedKinds(): ReadonlySet<string> {
  return new Set(kinds.filter(({ namespaced }) => !namespaced).map(({ kind }) => kind));
}

/** An object of any kind; one of a kind that is not in the table is told so. */
export function parseObject(raw: RawObject, options: ParseObjectOptions): ParsedObject {
  const name = (raw.object as { readonly kind?: unknown } | null | undefined)?.kind;
  const kind = kindNamed(name);
  if (kind !== undefined) return kind.parse(raw, options);
  const { findings, ...rest } = readEnvelope(raw, options.defaultNamespace, trafficRuleHead, kinds);
  return {
    namespace: rest.namespace,
    name: rest.name,
    createdAtMs: rest.createdAtMs,
    spec: undefined,
    findings: findings.list(),
  };
}
