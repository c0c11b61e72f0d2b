import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { FileClusters } from '../../src/registry/file/file-clusters.ts';
import type { StartSource } from '../../src/registry/source.ts';
import { waitFor } from '../rig/wait.ts';
import { registryConformance } from './registry-conformance.ts';

registryConformance(
  'file',
  async (name) => {
    const root = await mkdtemp(join(tmpdir(), 'fairway-file-'));
    const here = join(root, 'clusters');
    const away = join(root, 'away');
    let at = here;
    await mkdir(join(at, name), { recursive: true });
    await writeFile(join(at, name, 'cluster.yaml'), 'network: net-1\nregion: eu\n');
    let start: StartSource | undefined;
    const clusters = new FileClusters({
      folder: here,
      clock: systemClock,
      logger: silentLogger,
      folderLimits: { pollMs: 50, confirmMs: 30 },
      inventory: {
        add(added, _, source) {
          if (added === name) start = source;
        },
        remove: () => undefined,
        refuse: () => undefined,
        restore: () => [],
        beginDiscovery: () => () => undefined,
      },
    });
    clusters.start();
    await waitFor('the cluster', () => start !== undefined, { intervalMs: 5 });
    return {
      start: (sink) => (start as StartSource)(sink),
      async putService(service, addresses) {
        await writeFile(join(at, name, `${service}.yaml`), manifests(service, addresses));
        await clusters.rescan();
      },
      async removeService(service) {
        await rm(join(at, name, `${service}.yaml`));
        await clusters.rescan();
      },
      async putNamespace(namespace, labels) {
        const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
        await writeFile(join(at, name, `ns-${namespace}.json`), JSON.stringify(object));
        await clusters.rescan();
      },
      async lose() {
        await rename(here, away);
        at = away;
        await clusters.rescan();
      },
      async regain() {
        await rename(away, here);
        at = here;
      },
      async dispose() {
        await clusters.stop();
        await rm(root, { recursive: true, force: true });
      },
    };
  },
  { uids: false },
);

function manifests(service: string, addresses: readonly string[]): string {
  const pods = addresses.map(
    (address, index) => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${service}-${index}, namespace: shop, labels: {app: ${service}, version: v1}}
spec: {containers: [{name: app, ports: [{name: web, containerPort: 8080}]}]}
status: {podIP: ${address}}`,
  );
  return `
apiVersion: v1
kind: Service
metadata: {name: ${service}, namespace: shop}
spec:
  selector: {app: ${service}}
  ports: [{name: http, port: 80, targetPort: web}]${pods.join('')}
`;
}
