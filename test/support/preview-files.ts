/** Two clusters and rules as files, for `fairway translate` and `fairway diff`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trafficRule } from './manifests.ts';

export interface PreviewFiles {
  /** A folder of clusters: east (zone a: v1, v1, v2) and west (zone b: v2, v2, v3), with shop/reviews and shop/ratings. */
  readonly clusters: string;
  /** A folder with one rule: 90 % to v1, 10 % to v2. */
  readonly rules: string;
  /** The same rule: half to v1, half to v2 in west, or else to any v2. */
  readonly changed: string;
}

export const changedSpec = `
  service: reviews
  routes:
  - backends:
    - {version: v1, weight: 50}
    - {version: v2, cluster: west, weight: 50, fallback: [{version: v2}]}
`;

export function writePreviewFiles(folder: string): PreviewFiles {
  const clusters = join(folder, 'clusters');
  const rules = join(folder, 'rules');
  writeCluster(clusters, 'east', 'a', 1, ['v1', 'v1', 'v2']);
  writeCluster(clusters, 'west', 'b', 2, ['v2', 'v2', 'v3']);
  mkdirSync(rules, { recursive: true });
  const first = `
  service: reviews
  routes:
  - backends:
    - {version: v1, weight: 90}
    - {version: v2, weight: 10}
`;
  writeFileSync(join(rules, 'reviews.yaml'), trafficRule(first));
  const changed = join(folder, 'changed.yaml');
  writeFileSync(changed, trafficRule(changedSpec));
  return { clusters, rules, changed };
}

function writeCluster(folder: string, name: string, zone: string, net: number, versions: readonly string[]): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'cluster.yaml'), `name: ${name}\nregion: eu\nzone: ${zone}\n`);
  const pods = versions.map((version, index) => pod('reviews', version, index + 1, `10.${net}.1.${index + 1}`));
  const objects = [
    service('reviews', `10.${net}.0.1`),
    service('ratings', `10.${net}.0.2`),
    ...pods,
    pod('ratings', 'v1', 1, `10.${net}.2.1`),
  ];
  writeFileSync(join(folder, name, 'shop.yaml'), objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n'));
}

function service(name: string, clusterIP: string): object {
  const ports = [{ name: 'http', port: 80, targetPort: 9080 }];
  const spec = { clusterIP, clusterIPs: [clusterIP], selector: { app: name }, ports };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec };
}

function pod(app: string, version: string, index: number, podIP: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${app}-${version}-${index}`, namespace: 'shop', labels: { app, version } },
    spec: { containers: [{ name: 'app', ports: [{ containerPort: 9080 }] }] },
    status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: 'True' }] },
  };
}
