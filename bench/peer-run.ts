/**
 * The proxies of the load client on one running control plane of whichever make: connected, given changes through the Kubernetes API, measured.
 * A run is void when the proxies do not all end in one and the same state, or when one of them lost its stream; where losing streams is part of
 * what is compared, they are counted instead: their proxies connect again, as Envoys do.
 */

import { readProcess } from './figures.ts';
import { Child } from './load/child.ts';
import { connectAll } from './load/connect-all.ts';
import { pause } from './load/load-run.ts';
import { machineMs } from './load/marks.ts';
import type { ClientCommand, ClientReply, ClientReport, ClientSettings, MeshSize } from './load/messages.ts';
import type { Shape } from './load/shape.ts';
import type { Transport } from './load/wire.ts';

type Client = Child<ClientCommand, ClientReply>;

export interface PeerRunOptions {
  /** `host:port` of xDS without TLS. */
  readonly address: string;
  /** Of the control plane. */
  readonly pid: number;
  readonly mesh: MeshSize;
  readonly proxies: number;
  readonly transport: Transport;
  readonly shape: Shape;
  readonly clientProcesses: number;
  /** Default: none. */
  readonly mayLoseStreams?: boolean;
}

export interface PeerTotals {
  readonly residentBytes: number;
  readonly cpuMs: number;
  readonly clientsCpuMs: number;
  readonly lostStreams: number;
  /** To all proxies, as messages without frames. */
  readonly bytes: number;
  readonly messages: number;
}

const script = new URL(`./load-client.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const quietMs = 500;
const settledMaxMs = 60_000;

export class PeerRun {
  readonly #options: PeerRunOptions;
  readonly #clients: readonly Client[];

  private constructor(options: PeerRunOptions) {
    this.#options = options;
    const { clientProcesses, proxies, address, transport, shape, mesh } = options;
    const size = Math.ceil(proxies / clientProcesses);
    this.#clients = Array.from({ length: clientProcesses }, (_, at): Client => {
      const first = at * size;
      const settings: ClientSettings = {
        ...{ address, transport, shape, uses: 0, services: mesh.services, clusters: 1 },
        ...{ first, count: Math.min(size, proxies - first), stuck: 0 },
      };
      return new Child('load client', script, settings);
    });
  }

  /** The proxies do not connect yet. */
  static async start(options: PeerRunOptions): Promise<PeerRun> {
    const run = new PeerRun(options);
    try {
      await Promise.all(run.#clients.map((client) => client.next('started')));
      return run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /** All at once; returns, for each, how long it took until it held everything, ms. */
  async connect(): Promise<readonly number[]> {
    return await connectAll(this.#clients);
  }

  /** Makes change `n` and waits until every proxy has it. Returns how long after `make` was called, for each, ms. */
  async change(n: number, make: () => Promise<void>): Promise<readonly number[]> {
    const beganMs = machineMs();
    const [, ...seen] = await Promise.all([
      make(),
      ...this.#clients.map((client) => client.next('seen', (reply) => reply.n === n)),
    ]);
    return seen.flatMap(({ atMs }) => [...atMs]).map((atMs) => atMs - beganMs);
  }

  async totals(): Promise<PeerTotals> {
    const { residentBytes, cpuMs } = readProcess(this.#options.pid);
    const reports = await this.#reports();
    const sum = (of: (report: ClientReport) => number): number => reports.reduce((all, one) => all + of(one), 0);
    return {
      residentBytes,
      cpuMs,
      clientsCpuMs: sum((report) => report.cpuMs),
      lostStreams: sum(({ ended }) => ended),
      bytes: sum(({ bytes }) => bytes),
      messages: sum(({ messages }) => messages),
    };
  }

  /** Waits until nothing comes any more and all proxies hold the same, and returns that state. Throws if the run is void. */
  async verify(): Promise<string> {
    const deadline = performance.now() + settledMaxMs;
    let before = -1;
    for (;;) {
      const reports = await this.#reports();
      const messages = reports.reduce((sum, report) => sum + report.messages, 0);
      const isQuiet = messages === before;
      before = messages;
      const { state, problem } = judge(reports, this.#options);
      if (isQuiet && problem === '') return state;
      if (performance.now() > deadline) throw new Error(`the run is void: ${problem || 'messages still come'}`);
      await pause(quietMs);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }

  #reports(): Promise<readonly ClientReport[]> {
    for (const client of this.#clients) client.send({ kind: 'report' });
    return Promise.all(this.#clients.map((client) => client.next('report')));
  }
}

/** `problem` is '' for reports of proxies that all hold one state, and lost no stream that they may not lose. */
export function judge(
  reports: readonly Pick<ClientReport, 'states' | 'ended' | 'lastEnd'>[],
  { proxies, mayLoseStreams = false }: Pick<PeerRunOptions, 'proxies' | 'mayLoseStreams'>,
): { readonly state: string; readonly problem: string } {
  const states = new Map<string, number>();
  for (const [state, count] of reports.flatMap((report) => [...report.states]))
    states.set(state, (states.get(state) ?? 0) + count);
  const counted = [...states.values()].reduce((sum, count) => sum + count, 0);
  const ended = mayLoseStreams ? 0 : reports.reduce((sum, report) => sum + report.ended, 0);
  const lastEnd = reports.find((report) => report.lastEnd !== '')?.lastEnd;
  const problems = [
    ...(states.size === 1 ? [] : [`proxies hold ${states.size} different states`]),
    ...(counted === proxies ? [] : [`${counted} proxies told their state, not ${proxies}`]),
    ...(ended === 0 ? [] : [`${ended} streams ended; the last: ${lastEnd}`]),
  ];
  return { state: [...states.keys()].join('\n'), problem: problems.join('; ') };
}
