/**
 * One table of ClusterPolicies that are wrong, and what is said of each: by Fairway's own check, and by an API server that has the CRD. Both are
 * held to it, so that neither can take what the other refuses without a word here.
 */

export interface BadClusterPolicy {
  readonly name: string;
  /** YAML flow style. */
  readonly spec: string;
  readonly codes: readonly string[];
  readonly field: string;
  /** In the message or the hint. */
  readonly says: string;
  /** In the API server's message. */
  readonly api: string;
}

const grants = 'grants: [{namespaces: [shop], kinds: [TrafficRule]}]';

export const badClusterPolicies: readonly BadClusterPolicy[] = [
  {
    name: 'no clusters',
    spec: `{${grants}}`,
    codes: ['FW-RULE-008'],
    field: 'spec.clusters',
    says: 'lacks clusters',
    api: 'spec.clusters',
  },
  {
    name: 'an empty list of clusters',
    spec: `{clusters: [], ${grants}}`,
    codes: ['FW-RULE-009'],
    field: 'spec.clusters',
    says: 'at least 1 item',
    api: 'should have at least 1 items',
  },
  ...['-edge', 'edge-', 'ed*ge', '*-edge', 'edge.1', '**'].map((cluster) => ({
    name: `the cluster ${cluster}`,
    spec: `{clusters: ["${cluster}"], ${grants}}`,
    codes: ['FW-RULE-190'],
    field: 'spec.clusters[0]',
    says: 'must be the name of a cluster',
    api: 'spec.clusters[0]',
  })),
  {
    name: 'a cluster that stands there twice',
    spec: `{clusters: [edge-1, edge-1], ${grants}}`,
    codes: ['FW-RULE-011'],
    field: 'spec.clusters[1]',
    says: 'twice',
    api: 'Duplicate value',
  },
  {
    name: 'clusters beside all',
    spec: `{clusters: ["*", edge-1], ${grants}}`,
    codes: ['FW-RULE-194'],
    field: 'spec.clusters',
    says: '* stands for all',
    api: '* stands for all',
  },
  {
    name: 'no grants',
    spec: '{clusters: [edge-1]}',
    codes: ['FW-RULE-008'],
    field: 'spec.grants',
    says: 'lacks grants',
    api: 'spec.grants',
  },
  ...['Shop', 'shop-', 'sh*op', '*shop', 'a.b'].map((namespace) => ({
    name: `the namespace ${namespace}`,
    spec: `{clusters: [edge-1], grants: [{namespaces: ["${namespace}"], kinds: [TrafficRule]}]}`,
    codes: ['FW-RULE-191'],
    field: 'spec.grants[0].namespaces[0]',
    says: 'must be the name of a namespace',
    api: 'spec.grants[0].namespaces[0]',
  })),
  {
    name: 'namespaces beside all',
    spec: '{clusters: [edge-1], grants: [{namespaces: [shop, "*"], kinds: [TrafficRule]}]}',
    codes: ['FW-RULE-194'],
    field: 'spec.grants[0].namespaces',
    says: '* stands for all',
    api: '* stands for all',
  },
  {
    name: 'a grant without kinds',
    spec: '{clusters: [edge-1], grants: [{namespaces: [shop]}]}',
    codes: ['FW-RULE-008'],
    field: 'spec.grants[0].kinds',
    says: 'lacks kinds',
    api: 'spec.grants[0].kinds',
  },
  {
    name: 'a grant of the right to grant',
    spec: '{clusters: [edge-1], grants: [{namespaces: [shop], kinds: [ClusterPolicy]}]}',
    codes: ['FW-RULE-192'],
    field: 'spec.grants[0].kinds[0]',
    says: 'must be TrafficRule',
    api: 'spec.grants[0].kinds[0]',
  },
  {
    name: 'an unknown precedence',
    spec: `{clusters: [edge-1], ${grants}, precedence: both}`,
    codes: ['FW-RULE-193'],
    field: 'spec.precedence',
    says: 'must be primary or member',
    api: 'spec.precedence',
  },
  {
    name: 'a status that is half wanted',
    spec: `{clusters: [edge-1], ${grants}, writeStatus: "yes"}`,
    codes: ['FW-RULE-007'],
    field: 'spec.writeStatus',
    says: 'must be true or false',
    api: 'spec.writeStatus',
  },
  {
    name: 'an unknown field',
    spec: `{clusters: [edge-1], ${grants}, namespaces: [shop]}`,
    codes: ['FW-RULE-006'],
    field: 'spec.namespaces',
    says: 'Use one of clusters',
    api: 'unknown field "spec.namespaces"',
  },
];

export function clusterPolicyText(spec: string, name = 'edges'): string {
  return `apiVersion: fairway.dev/v1alpha1\nkind: ClusterPolicy\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

/** The one that the documentation shows, word for word. */
export const exampleClusterPolicy = `
apiVersion: fairway.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: edges}
spec:
  clusters: [edge-*, lab]
  grants:
  - {namespaces: [shop, team-*], kinds: [TrafficRule]}
  precedence: member
`;
