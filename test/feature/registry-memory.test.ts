import { systemClock } from '../../src/core/clock.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import type { StartSource } from '../../src/registry/source.ts';
import { testShard } from '../support/shards.ts';
import { registryConformance } from './registry-conformance.ts';

registryConformance(
  'memory',
  (name) => {
    const clusters = [new MemoryCluster({ clock: systemClock, info: { name, uid: 'uid-1' } })];
    const each = (work: (cluster: MemoryCluster) => void): Promise<void> => {
      clusters.forEach(work);
      return Promise.resolve();
    };
    const services = new Map<string, readonly string[]>();
    return Promise.resolve({
      start: clusters[0]?.start as StartSource,
      putService(service, addresses) {
        services.set(service, addresses);
        return each((cluster) => cluster.putService(testShard(cluster.info.name, service, addresses)));
      },
      removeService(service) {
        services.delete(service);
        return each((cluster) => cluster.removeService('shop', service));
      },
      putNamespace: (namespace, labels) =>
        each((cluster) => cluster.putNamespace({ cluster: cluster.info.name, name: namespace, labels })),
      lose: () => each((cluster) => cluster.lose()),
      regain: () => each((cluster) => cluster.regain()),
      dispose: () => Promise.resolve(),
      alias(other) {
        const cluster = new MemoryCluster({ clock: systemClock, info: { name: other, uid: 'uid-1' } });
        for (const [service, addresses] of services) cluster.putService(testShard(other, service, addresses));
        clusters.push(cluster);
        return cluster.start;
      },
    });
  },
  { uids: true },
);
