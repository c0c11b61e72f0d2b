/**
 * CRDs with the names, versions and list types of those that a standard installs, and with no other rules for what the objects hold: for tests of
 * how CRDs come and go, and of how statuses are written.
 */

interface CrdOptions {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** Served; the first is stored. */
  readonly versions: readonly [string, ...string[]];
}

export function standardCrd({ group, kind, plural, versions }: CrdOptions): string {
  const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const parents = { type: 'array', maxItems: 32, 'x-kubernetes-list-type': 'atomic', items: any };
  const status = { type: 'object', properties: { parents }, 'x-kubernetes-preserve-unknown-fields': true };
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests alone' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: any, status } } },
      })),
    },
  });
}

export const gatewayGroup = 'gateway.networking.k8s.io';

export function httpRouteCrd(...versions: readonly [string, ...string[]]): string {
  return standardCrd({ group: gatewayGroup, kind: 'HTTPRoute', plural: 'httproutes', versions });
}
