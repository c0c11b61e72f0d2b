/**
 * The least that a pilot needs, as manifests: in every cluster reading, with no secrets, no wildcards and no writes; in its primary
 * cluster also its own API's objects and their status, and in its own namespace the clusters' Secrets, its Lease and its Events.
 */

export interface PilotUsers {
  /** Who reads any cluster. */
  readonly reader: string;
  /** Who is the pilot in its primary cluster. */
  readonly pilot: string;
  /** The pilot's own. */
  readonly namespace: string;
}

const read = ['get', 'list', 'watch'];
const group = 'rbac.authorization.k8s.io';

/** A JSON list that `kubectl apply -f -` takes, the namespace included. */
export function pilotRoles({ reader, pilot, namespace }: PilotUsers): string {
  const clusterRules = [
    { apiGroups: [''], resources: ['services', 'namespaces', 'pods', 'nodes'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  ];
  const ruleRules = [
    { apiGroups: ['fairway.dev'], resources: ['trafficrules'], verbs: read },
    { apiGroups: ['fairway.dev'], resources: ['trafficrules/status'], verbs: ['get', 'update', 'patch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ];
  const ownRules = [
    { apiGroups: [''], resources: ['secrets'], verbs: read },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    },
  ];
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...grant('ClusterRole', reader, clusterRules),
    ...grant('ClusterRole', pilot, [...clusterRules, ...ruleRules]),
    ...grant('Role', pilot, ownRules, namespace),
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

function grant(kind: 'ClusterRole' | 'Role', user: string, rules: unknown, namespace?: string): readonly unknown[] {
  const metadata = { name: user, ...(namespace === undefined ? {} : { namespace }) };
  const subjects = [{ apiGroup: group, kind: 'User', name: user }];
  return [
    { apiVersion: `${group}/v1`, kind, metadata, rules },
    {
      apiVersion: `${group}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: group, kind, name: user },
      subjects,
    },
  ];
}
