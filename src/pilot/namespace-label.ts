/**
 * A label by which a namespace says something of its proxies, in the proxies' own cluster. In: the label and the values that it may have; out: the value,
 * undefined where there is none or it is no such value. The latter is said once per value and namespace.
 */

import type { NamespaceShard } from '../model/service.ts';

/** By name, live. */
export type Namespaces = () => ReadonlyMap<string, { readonly namespaces: ReadonlyMap<string, NamespaceShard> }>;

export interface MistakenLabel {
  readonly cluster: string;
  readonly namespace: string;
  /** Its value. */
  readonly label: string;
}

/** Namespaces and values of which it was said; further ones are not. */
const toldMax = 10_000;

export function namespaceLabel<Value extends string>(
  name: string,
  values: readonly Value[],
  clusters: Namespaces,
  complain: (mistaken: MistakenLabel) => void,
): (cluster: string, namespace: string) => Value | undefined {
  const told = new Set<string>();
  return (cluster, namespace) => {
    const labels = clusters().get(cluster)?.namespaces.get(namespace)?.labels ?? {};
    const label = Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (label === undefined || label === '') return undefined;
    const value = values.find((known) => known === label);
    if (value !== undefined) return value;
    const id = JSON.stringify([cluster, namespace, label]);
    if (told.has(id) || told.size >= toldMax) return undefined;
    told.add(id);
    complain({ cluster, namespace, label });
    return undefined;
  };
}
