/**
 * The demo's scene: two clusters as folders, three versions of one service, and the rules that are applied in turn with what each must do.
 */

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One workload of the demo; its endpoint is its sidecar's inbound listener. */
export interface Workload {
  readonly name: string;
  readonly cluster: 'east' | 'west';
  readonly version: string;
}

export const workloads: readonly Workload[] = [
  { name: 'reviews-v1', cluster: 'east', version: 'v1' },
  { name: 'reviews-v2', cluster: 'west', version: 'v2' },
  { name: 'reviews-v3', cluster: 'west', version: 'v3' },
];

/** Where requests went, as `version cluster`: the key of every share. */
export function place({ version, cluster }: Pick<Workload, 'version' | 'cluster'>): string {
  return `${version} ${cluster}`;
}

export interface Step {
  readonly title: string;
  /** What was done, for the person who watches. */
  readonly action: string;
  /** The TrafficRule that is in force from here on; null deletes it, undefined leaves what is. */
  readonly rule?: string | null;
  /** The clusters whose workloads are up. */
  readonly up: readonly Workload['cluster'][];
  /** Shares by place, for plain requests and for those of the beta group. */
  readonly expected: Readonly<Record<string, number>>;
  readonly expectedBeta: Readonly<Record<string, number>>;
  /**
   * How far a share may be off beside chance. Where no rule divides the load, Envoy gives less to endpoints that are slower just now (least
   * request), and on a busy machine that is no small part.
   */
  readonly slack: number;
}

const all = { 'v1 east': 1 / 3, 'v2 west': 1 / 3, 'v3 west': 1 / 3 };

export const steps: readonly Step[] = [
  {
    title: 'no rule',
    action: 'Nothing is applied: every ready endpoint in every cluster takes its part.',
    up: ['east', 'west'],
    expected: all,
    expectedBeta: all,
    slack: 0.2,
  },
  {
    title: '90/10',
    action: 'One rule: 90 % to v1, 10 % to v2 in west.',
    rule: trafficRule(`
  - backends:
    - {version: v1, weight: 90}
    - {version: v2, cluster: west, weight: 10}`),
    up: ['east', 'west'],
    expected: { 'v1 east': 0.9, 'v2 west': 0.1 },
    expectedBeta: { 'v1 east': 0.9, 'v2 west': 0.1 },
    slack: 0,
  },
  {
    title: 'all to v2 in west',
    action: 'The rule changes: all traffic, from everywhere, to one version in one cluster.',
    rule: trafficRule(`
  - backends:
    - {version: v2, cluster: west, fallback: [{}]}`),
    up: ['east', 'west'],
    expected: { 'v2 west': 1 },
    expectedBeta: { 'v2 west': 1 },
    slack: 0,
  },
  {
    title: 'beta header',
    action:
      'Requests with "x-group: beta" go to v3 in west, and fall back to v2, then to anything; the rest goes to v2.',
    rule: trafficRule(`
  - name: beta
    matches: [{headers: [{name: x-group, value: beta}]}]
    backends: [{version: v3, cluster: west, fallback: [{version: v2}, {}]}]
  - backends:
    - {version: v2, cluster: west, fallback: [{}]}`),
    up: ['east', 'west'],
    expected: { 'v2 west': 1 },
    expectedBeta: { 'v3 west': 1 },
    slack: 0,
  },
  {
    title: 'west lost',
    action: 'The workloads in west are gone, and west says so: the fallbacks of the same rule take over.',
    up: ['east'],
    expected: { 'v1 east': 1 },
    expectedBeta: { 'v1 east': 1 },
    slack: 0,
  },
  {
    title: 'west back',
    action: 'West is back: requests go where the rule wants them.',
    up: ['east', 'west'],
    expected: { 'v2 west': 1 },
    expectedBeta: { 'v3 west': 1 },
    slack: 0,
  },
  {
    title: 'rule deleted',
    action: 'The rule is deleted: back to where it began.',
    rule: null,
    up: ['east', 'west'],
    expected: all,
    expectedBeta: all,
    slack: 0.2,
  },
];

function trafficRule(routes: string): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews, namespace: shop}
spec:
  service: reviews
  routes:${routes}
`;
}

/** Writes `dir/east` and `dir/west`: a cluster.yaml, and the service with its endpoints. `inbound` gives each workload's inbound port. */
export async function writeClusters(
  dir: string,
  inbound: ReadonlyMap<string, number>,
  up: readonly Workload['cluster'][],
): Promise<void> {
  for (const cluster of ['east', 'west'] as const) {
    const there = workloads.filter((workload) => workload.cluster === cluster);
    const documents = [
      'apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}\n' +
        'spec:\n  ports: [{name: http, port: 9080, appProtocol: http}]\n',
      ...there.flatMap((workload) => [
        pod(workload),
        slice(workload, inbound.get(workload.name) ?? 0, up.includes(cluster)),
      ]),
    ];
    await write(
      join(dir, cluster, 'cluster.yaml'),
      `name: ${cluster}\nregion: ${cluster === 'east' ? 'eu-east' : 'eu-west'}\n`,
    );
    await write(join(dir, cluster, 'reviews.yaml'), documents.join('---\n'));
  }
}

function pod({ name, version }: Workload): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: reviews, version: ${version}}}
spec: {serviceAccountName: reviews}
status: {phase: Running, podIP: 127.0.0.1}
`;
}

/** The pods share one address here, so each has a slice of its own with its own port. */
function slice({ name }: Workload, port: number, ready: boolean): string {
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints:
- {addresses: [127.0.0.1], conditions: {ready: ${ready}}, targetRef: {kind: Pod, name: ${name}, namespace: shop}}
`;
}

/** Whole or not at all: the pilot watches the folder. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${Date.now()}.tmp`);
  await writeFile(temporary, text);
  await rename(temporary, path);
}
