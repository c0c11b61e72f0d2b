/**
 * The writing of imports, put beside the reading of members' rules: both follow the registered clusters, and one word says who leads. Where it is
 * not switched on there is nothing but the members.
 */

import type { Metrics } from '../../api/metrics.ts';
import type { Clock } from '../../core/clock.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { Engine } from '../engine.ts';
import type { Clustersets } from '../mcs/clustersets.ts';
import { McsWriters } from '../mcs/writers.ts';
import type { Members } from './members.ts';

export interface MembersWithImports {
  readonly members: Pick<Members, 'open' | 'leadBy' | 'findings' | 'status' | 'records'>;
  stop(): Promise<void>;
}

export interface ImportsInputs {
  readonly isOn: boolean;
  readonly members: Members;
  readonly inventory: Inventory;
  readonly engine: Pick<Engine, 'ready'>;
  readonly clustersets: Clustersets;
  readonly metrics: Pick<Metrics, 'importWritten'>;
  readonly clock: Clock;
}

export function withImports({
  isOn,
  members,
  inventory,
  engine,
  clustersets,
  metrics,
  clock,
}: ImportsInputs): MembersWithImports {
  const idFindings = (cluster: string) => clustersets.idFindings().filter(({ where }) => where.cluster === cluster);
  if (!isOn) return { members, stop: () => Promise.resolve() };
  const writers = new McsWriters({
    inventory,
    isReady: () => engine.ready,
    clustersets,
    clock,
    wrote: metrics.importWritten,
  });
  return {
    members: {
      status: members.status,
      records: members.records,
      open(cluster, link) {
        const closes = [members.open(cluster, link), writers.open(cluster, link)];
        return () => {
          for (const close of closes) close();
        };
      },
      leadBy(isLeader) {
        members.leadBy(isLeader);
        writers.leadBy(isLeader);
      },
      findings: (cluster) => [...members.findings(cluster), ...writers.findings(cluster), ...idFindings(cluster)],
    },
    stop: () => writers.stop(),
  };
}
