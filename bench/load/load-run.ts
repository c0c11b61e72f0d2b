/**
 * One pilot under test and its proxies, each in processes of their own: started, changed, measured, and judged. A run in which proxies hold
 * different states, hold another state than the pilot, or lost a stream, is void: `verify` throws.
 */

import { type ProcessFigures, readProcess } from '../figures.ts';
import { Child } from './child.ts';
import { connectAll } from './connect-all.ts';
import { machineMs } from './marks.ts';
import type {
  ClientCommand,
  ClientReply,
  ClientReport,
  ClientSettings,
  MeshSize,
  NumberedChange,
  ServerCommand,
  ServerMemory,
  ServerReply,
  ServerReport,
  ServerSettings,
} from './messages.ts';
import type { Shape } from './shape.ts';
import { clusterOfProxy, serviceCount } from './synthetic-mesh.ts';
import type { Transport } from './wire.ts';

type Server = Child<ServerCommand, ServerReply>;
type Client = Child<ClientCommand, ClientReply>;

export interface LoadOptions {
  readonly mesh: MeshSize;
  readonly proxies: number;
  readonly transport: Transport;
  /** Default: whole route tables. */
  readonly shape?: Shape;
  /** On demand: how many services each proxy calls. Default 20. */
  readonly uses?: number;
  /** Sidecars write an access log, as is the default. */
  readonly accessLog?: boolean;
  /** Streams that read nothing, beside the proxies. */
  readonly stuck?: number;
  /** Rules that are there from the start: for the services 0, 1, … */
  readonly rules?: number;
  /** Processes that the proxies are spread over. */
  readonly clientProcesses?: number;
}

export interface Totals extends ProcessFigures {
  readonly clients: Omit<ClientReport, 'states' | 'lastEnd'>;
}

interface States {
  /** All of them, as one text. */
  readonly state: string;
  readonly differences: readonly string[];
}

export interface Arrival {
  readonly n: number;
  /** From when the change was made (or due), one for each proxy. */
  readonly latenciesMs: readonly number[];
}

/** Compiled where this file is compiled, else as sources. */
const script = (name: string): URL =>
  new URL(`../${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const settleMs = 300;
const settledMaxMs = 30_000;

export class LoadRun {
  readonly #options: LoadOptions;
  readonly #made: NumberedChange[] = [];
  #server: Server | undefined;
  #clients: readonly Client[] = [];
  #port = 0;
  #numbers = 0;
  /** From its start until it was ready. */
  startedMs = 0;

  private constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Starts the pilot, and the proxies' processes, which do not connect yet. */
  static async start(options: LoadOptions): Promise<LoadRun> {
    const run = new LoadRun(options);
    for (let service = 0; service < (options.rules ?? 0); service++)
      run.#made.push({ kind: 'rule', n: run.#nextNumber(), service });
    try {
      await run.#startServer();
      const processes = options.clientProcesses ?? 1;
      const size = Math.ceil(options.proxies / processes);
      run.#clients = Array.from({ length: processes }, (_, at): Client => {
        const first = at * size;
        const count = Math.min(size, options.proxies - first);
        const stuck = at === 0 ? (options.stuck ?? 0) : 0;
        const { transport, mesh, shape = 'tables', uses = 20 } = options;
        const settings: ClientSettings = {
          address: `127.0.0.1:${run.#port}`,
          transport,
          shape,
          uses,
          services: serviceCount(mesh),
          clusters: mesh.clusters ?? 1,
          first,
          count,
          stuck,
        };
        return new Child('load client', script('load-client'), settings);
      });
      await Promise.all(run.#clients.map((client) => client.next('started')));
      return run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /** All proxies connect at once; returns, for each, how long it took until it held everything, ms. */
  async connect(): Promise<readonly number[]> {
    return await connectAll(this.#clients);
  }

  /** One change; resolves when every proxy has it (on demand: that calls the service). */
  async change(kind: NumberedChange['kind'], service: number): Promise<Arrival> {
    const change = { kind, n: this.#nextNumber(), service };
    this.#make(change);
    const server = this.#runningServer();
    server.send({ kind: 'change', change });
    const { changes } = await server.next('changed');
    return this.#arrival(change.n, changes[0]?.atMs ?? Number.NaN);
  }

  /** Endpoint changes at an even rate; resolves when every proxy has them all. */
  async churn(perSecond: number, count: number): Promise<readonly Arrival[]> {
    const firstN = this.#numbers;
    this.#numbers += count;
    const services = serviceCount(this.#options.mesh);
    for (let n = firstN; n < firstN + count; n++) this.#make({ kind: 'endpoint', n, service: n % services });
    const server = this.#runningServer();
    server.send({ kind: 'churn', perSecond, count, firstN });
    const { changes } = await server.next('changed');
    return Promise.all(changes.map(({ n, atMs }) => this.#arrival(n, atMs)));
  }

  /**
   * Kills the pilot and starts it again on the same port, with one endpoint changed meanwhile. Returns how long after it was ready each proxy
   * had connected again and got that change, ms.
   */
  async restart(): Promise<readonly number[]> {
    await this.#runningServer().stop();
    const change: NumberedChange = { kind: 'endpoint', n: this.#nextNumber(), service: 0 };
    this.#make(change);
    await this.#startServer();
    const readyMs = machineMs();
    return (await this.#arrival(change.n, readyMs)).latenciesMs;
  }

  /** Opens the streams that read nothing again, or lets go of them. */
  stick(whether: 'stick' | 'unstick'): void {
    for (const client of this.#clients) client.send({ kind: whether });
  }

  async serverReport(): Promise<ServerReport> {
    const server = this.#runningServer();
    server.send({ kind: 'report' });
    return server.next('report');
  }

  /** What the pilot keeps. */
  async memory(): Promise<ServerMemory> {
    const server = this.#runningServer();
    server.send({ kind: 'memory' });
    return server.next('memory');
  }

  /** What the pilot and the clients have cost so far. */
  async totals(): Promise<Totals> {
    const figures = readProcess(this.#runningServer().pid);
    const reports = await this.#clientReports();
    const sum = (of: (report: ClientReport) => number): number => reports.reduce((all, one) => all + of(one), 0);
    return {
      ...figures,
      clients: {
        bytes: sum(({ bytes }) => bytes),
        messages: sum(({ messages }) => messages),
        ended: sum(({ ended }) => ended),
        cpuMs: sum(({ cpuMs }) => cpuMs),
      },
    };
  }

  /**
   * Waits until nothing more is sent, then throws if the run is void. `lostStreams`: how many streams the run itself has ended. Returns the
   * state that all proxies of each cluster hold, as one text.
   */
  async verify(lostStreams = 0): Promise<string> {
    const deadline = performance.now() + settledMaxMs;
    for (;;) {
      const problem = await this.#problem(lostStreams);
      if (problem.message === '') return problem.state;
      if (performance.now() > deadline) throw new Error(`the run is void: ${problem.message}`);
      await pause(settleMs);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#clients, ...(this.#server === undefined ? [] : [this.#server])].map((one) => one.stop()),
    );
  }

  /** Notes a change that is about to be made. */
  #make(change: NumberedChange): void {
    this.#made.push(change);
    if (this.#options.shape !== 'on-demand') return;
    for (const client of this.#clients) client.send({ kind: 'await', n: change.n, service: change.service });
  }

  async #problem(lostStreams: number): Promise<{ readonly state: string; readonly message: string }> {
    const { states: truth, nacks } = await this.serverReport();
    const reports = await this.#clientReports();
    const ended = reports.reduce((all, report) => all + report.ended, 0);
    const lastEnd = reports.find((report) => report.lastEnd !== '')?.lastEnd;
    const { state, differences } =
      this.#options.shape === 'on-demand' ? await this.#onDemandStates() : this.#eagerStates(truth, reports);
    const problems = [
      ...differences,
      ...(ended === lostStreams ? [] : [`${ended} streams ended, expected ${lostStreams}; the last: ${lastEnd}`]),
      ...(nacks === 0 ? [] : [`${nacks} messages were refused`]),
    ];
    return { state, message: problems.join('; ') };
  }

  #eagerStates(truth: ServerReport['states'], reports: readonly ClientReport[]): States {
    const states = new Map<string, number>();
    for (const [hash, count] of reports.flatMap((report) => [...report.states]))
      states.set(hash, (states.get(hash) ?? 0) + count);
    const expected = new Map<string, number>();
    for (let proxy = 0; proxy < this.#options.proxies; proxy++) {
      const cluster = clusterOfProxy(proxy, this.#options.mesh.clusters ?? 1);
      const state = `${cluster} ${truth.get(cluster) ?? 'nothing'}`;
      expected.set(state, (expected.get(state) ?? 0) + 1);
    }
    const others = [...states].filter(([state, count]) => expected.get(state) !== count);
    const differences = [
      ...(states.size === expected.size ? [] : [`proxies hold ${states.size} different states, not ${expected.size}`]),
      ...(others.length === 0 ? [] : [`${others.length} of them are not what the pilot has, or not held by all`]),
    ];
    return { state: [...expected.keys()].sort().join('\n'), differences };
  }

  /** Every proxy asked for other things, and is compared with what the pilot has of those. */
  async #onDemandStates(): Promise<States> {
    for (const client of this.#clients) client.send({ kind: 'holdings' });
    const held = await Promise.all(this.#clients.map((client) => client.next('holdings')));
    const proxies = held.flatMap((one) => one.proxies);
    const server = this.#runningServer();
    server.send({
      kind: 'expect',
      proxies: proxies.map(({ cluster, calls, clusters }) => ({ cluster, calls, clusters })),
    });
    const { states } = await server.next('expected');
    const others = proxies.filter(({ state }, at) => state !== states[at]);
    const differences = others.length === 0 ? [] : [`${others.length} proxies do not hold what the pilot has for them`];
    return { state: states.join('\n'), differences };
  }

  async #arrival(n: number, madeMs: number): Promise<Arrival> {
    const seen = await Promise.all(this.#clients.map((client) => client.next('seen', (reply) => reply.n === n)));
    return { n, latenciesMs: seen.flatMap(({ atMs }) => [...atMs]).map((atMs) => atMs - madeMs) };
  }

  async #startServer(): Promise<void> {
    const beganMs = performance.now();
    const { mesh, accessLog = true } = this.#options;
    const settings: ServerSettings = { mesh, port: this.#port, changes: this.#made, accessLog };
    const server: Server = new Child('pilot', script('serve-memory'), settings);
    this.#server = server;
    this.#port = (await server.next('ready')).port;
    this.startedMs = performance.now() - beganMs;
  }

  async #clientReports(): Promise<readonly ClientReport[]> {
    for (const client of this.#clients) client.send({ kind: 'report' });
    return Promise.all(this.#clients.map((client) => client.next('report')));
  }

  #runningServer(): Server {
    if (this.#server === undefined) throw new Error('the pilot is not running');
    return this.#server;
  }

  #nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers - 1;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
