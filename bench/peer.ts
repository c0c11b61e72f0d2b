/**
 * `--peer PATH`: workloads `storm`, `endpoint` and `rule` on Fairway and on another control plane, one after the other in one run: the same
 * machine, the same Kubernetes API with the same mesh in it, the same changes made through that API, the same load client.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../src/core/errors.ts';
import { type KubeApi, startKubeApi } from '../test/rig/kubernetes/api.ts';
import { countChanges } from './counted-changes.ts';
import { type Distribution, distribution, percentile } from './figures.ts';
import { sizes } from './load/sizes.ts';
import type { Transport } from './load/wire.ts';
import { type Contender, fairway, istio } from './peer-contender.ts';
import { changeEndpoint, changeRule, seedMesh } from './peer-mesh.ts';
import { PeerRun } from './peer-run.ts';
import type { Report, Result } from './workload.ts';

const abouts = {
  storm: 'all proxies connect at once, until each holds everything; from a real API',
  endpoint: 'one EndpointSlice is written, until every proxy has the new address; from the write to the API',
  rule: 'one traffic rule is written, until every proxy has it; from the write to the API',
} as const;

type Kind = keyof typeof abouts;

export const peerWorkloads = Object.keys(abouts) as readonly Kind[];

export interface PeerOptions {
  readonly quick: boolean;
  /** Default: as `quick` says. */
  readonly size?: ReturnType<typeof sizes>;
  /** Which of `peerWorkloads`; the storm comes in any case. */
  readonly kinds: readonly string[];
  readonly say: (line: string) => void;
}

/** What the contenders need of the machine between two changes to be quiet again. */
const betweenMs = 500;
const transports = ['delta', 'sotw'] as const;
const rules = 10;

/** The sections of a report, by name. */
export async function comparePeer(path: string, options: PeerOptions): Promise<Report['results']> {
  return compare([fairway(), istio(path)], options);
}

/** The same for any contenders; two with the same role would have the same columns. */
export async function compare(contenders: readonly Contender[], options: PeerOptions): Promise<Report['results']> {
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const notes = [
    ...contenders.map(({ about }) => about),
    'the Kubernetes API, its etcd and the load clients share the cores with whichever is measured',
  ];
  const began = performance.now();
  const comparison = new Comparison();
  const dir = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
  let api: KubeApi | undefined;
  try {
    api = await startKubeApi({ name: 'bench', dir, controllers: false });
    const { mesh } = options.size ?? sizes(options.quick);
    let nextN = await seedMesh(api, mesh, rules, 0);
    const number = (): number => nextN++;
    options.say(`${mesh.services} services × ${mesh.endpoints} endpoints are in a Kubernetes API`);
    for (const transport of transports)
      for (const contender of contenders) {
        options.say(`${contender.role}, ${transport} …`);
        await measure(contender, transport, { api, dir, number, comparison, ...options });
      }
  } finally {
    await api?.stop();
    await rm(dir, { recursive: true, force: true });
  }
  const tookSeconds = (performance.now() - began) / 1000;
  return comparison.results({ loadBefore, tookSeconds, notes });
}

interface Stage extends PeerOptions {
  readonly api: KubeApi;
  readonly dir: string;
  /** A fresh one for a change. */
  number(): number;
  readonly comparison: Comparison;
}

async function measure(contender: Contender, transport: Transport, stage: Stage): Promise<void> {
  const { comparison, api, quick, kinds, size = sizes(quick) } = stage;
  const series = `${transport}, ${contender.role}`;
  const { mesh, proxies, clientProcesses = 1 } = size;
  let kind: Kind = 'storm';
  let stop = async (): Promise<unknown> => undefined;
  try {
    const running = await contender.start(api, stage.dir);
    stop = () => running.process.stop();
    const { pid } = running.process;
    const run = await PeerRun.start({
      ...{ address: running.address, pid, mesh, proxies, transport, clientProcesses },
      shape: contender.shape[transport],
      mayLoseStreams: true,
    });
    stop = async () => {
      await run.stop();
      await running.process.stop();
    };
    const before = await run.totals();
    const syncedMs = await run.connect();
    const after = await run.totals();
    await run.verify();
    comparison.latencies('storm', series, syncedMs);
    comparison.figures('storm', series, {
      'start to ready, ms': running.startedMs,
      'first proxy, ms': Math.min(...syncedMs),
      'p50, ms': percentile(syncedMs, 50),
      'last proxy, ms': Math.max(...syncedMs),
      'control plane, CPU-s': (after.cpuMs - before.cpuMs) / 1000,
      'clients, CPU-s': (after.clientsCpuMs - before.clientsCpuMs) / 1000,
      'resident before, MB': before.residentBytes / 1e6,
      'resident after, MB': after.residentBytes / 1e6,
      'to each proxy, kB': after.bytes / proxies / 1000,
      'streams lost, count': after.lostStreams,
    });
    for (kind of peerWorkloads) {
      if (kind === 'storm' || !kinds.includes(kind)) continue;
      const { samples, figures } = await measureChanges(run, contender, kind, stage);
      comparison.latencies(kind, series, samples);
      comparison.figures(kind, series, figures);
    }
  } catch (error) {
    comparison.failed(kind, `${series}: ${errorMessage(error)}`);
  } finally {
    await stop();
  }
}

async function measureChanges(run: PeerRun, contender: Contender, kind: 'endpoint' | 'rule', stage: Stage) {
  const { mesh, proxies } = stage.size ?? sizes(stage.quick);
  const count = stage.quick ? 4 : kind === 'rule' ? 10 : 20;
  const change = (at: number): Promise<readonly number[]> => {
    const n = stage.number();
    const service = at % rules;
    const { client } = stage.api;
    return run.change(n, () =>
      kind === 'endpoint'
        ? changeEndpoint(client, service, mesh.endpoints, n)
        : changeRule(client, contender.rules, service, n),
    );
  };
  const { each, last, before, after } = await countChanges({ run, count, betweenMs, change });
  const deliveries = count * proxies;
  return {
    samples: each,
    figures: {
      'p50, ms': percentile(each, 50),
      'p99, ms': percentile(each, 99),
      'last proxy p50, ms': percentile(last, 50),
      'last proxy max, ms': Math.max(...last),
      'control plane per change, CPU-ms': (after.cpuMs - before.cpuMs) / count,
      'to each proxy per change, kB': (after.bytes - before.bytes) / deliveries / 1000,
      'messages to each proxy per change, count': (after.messages - before.messages) / deliveries,
      'resident, MB': after.residentBytes / 1e6,
      'streams lost, count': after.lostStreams - before.lostStreams,
    },
  };
}

/** Collects what several runs say about each workload. */
class Comparison {
  readonly #kinds = new Map<
    Kind,
    { figures: Record<string, number>; latencies: Record<string, Distribution>; problems: string[] }
  >();

  figures(kind: Kind, series: string, figures: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(figures)) this.#kind(kind).figures[`${series}: ${name}`] = value;
  }

  latencies(kind: Kind, series: string, samplesMs: readonly number[]): void {
    this.#kind(kind).latencies[series] = distribution(samplesMs);
  }

  failed(kind: Kind, problem: string): void {
    this.#kind(kind).problems.push(problem);
  }

  /** The notes are about all of them, and stand with the first. */
  results(common: Required<Pick<Result, 'loadBefore' | 'tookSeconds' | 'notes'>>): Report['results'] {
    return Object.fromEntries(
      [...this.#kinds].map(([kind, { figures, latencies, problems }], at): [string, Result] => {
        const problem = problems.length === 0 ? {} : { problem: problems.join('; ') };
        const notes = at === 0 ? common.notes : [];
        return [`peer-${kind}`, { about: abouts[kind], ...common, notes, figures, latencies, ...problem }];
      }),
    );
  }

  #kind(kind: Kind) {
    const known = this.#kinds.get(kind) ?? { figures: {}, latencies: {}, problems: [] };
    this.#kinds.set(kind, known);
    return known;
  }
}
