/**
 * What the tests of proxyless clients share: gRPC servers on loopback addresses, and clients as processes that know nothing of Fairway but what
 * their bootstrap says.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { renderGrpcBootstrap } from '../../src/envoy/grpc/bootstrap.ts';
import type { Endpoint } from '../../src/model/service.ts';
import { findGo, goPrograms } from '../rig/go-programs.ts';
import { type RigProcess, startProcess } from '../rig/process.ts';
import { waitFor } from '../rig/wait.ts';
import { endpoint } from '../support/fixtures.ts';
import { noGo, saySkipped } from '../support/skips.ts';

const same = (bytes: Buffer): Buffer => bytes;

function unary(path: string): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** A gRPC server that answers each call with its name. */
export class Backend {
  readonly name: string;
  readonly cluster: string;
  readonly version: string;
  readonly address: string;
  readonly port: number;
  /** Calls that came, by path. */
  readonly calls = new Map<string, number>();
  /** Answers with this gRPC status instead; 0: with its name. */
  failsWith = 0;
  /** Answers so much later. */
  delayMs = 0;
  /** Answers once that is over. */
  until: Promise<void> = Promise.resolve();
  readonly #server: Server;

  private constructor(cluster: string, version: string, address: string, server: Server, port: number) {
    this.name = `${cluster}-${version}`;
    this.cluster = cluster;
    this.version = version;
    this.address = address;
    this.port = port;
    this.#server = server;
  }

  /** `address`: one of 127.0.0.0/8, of its own. */
  static async start(cluster: string, version: string, address: string, port = 0): Promise<Backend> {
    const server = new Server();
    const box: { backend?: Backend } = {};
    const methods = ['/shop.Reviews/Get', '/shop.Reviews/List', '/shop.Ratings/Get'];
    for (const path of methods) {
      server.addService(
        { call: unary(path) },
        {
          call: (_call: object, callback: (error: object | null, answer?: Buffer) => void) => {
            const { backend } = box;
            if (backend === undefined) return;
            const { name, calls, failsWith, delayMs, until } = backend;
            calls.set(path, (calls.get(path) ?? 0) + 1);
            const answer = (): void => {
              if (failsWith === 0) callback(null, Buffer.from(name));
              else callback({ code: failsWith, details: `told to fail by ${name}` });
            };
            void until.then(() => (delayMs === 0 ? answer() : setTimeout(answer, delayMs)));
          },
        },
      );
    }
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${address}:${port}`, ServerCredentials.createInsecure(), (error, number) => {
        if (error === null) resolve(number);
        else reject(error);
      });
    });
    box.backend = new Backend(cluster, version, address, server, bound);
    return box.backend;
  }

  /** As its cluster reports it. */
  endpoint(fields: Partial<Endpoint> = {}): Endpoint {
    const { cluster, version, address, port } = this;
    return endpoint(cluster, address, { version, ports: new Map([['grpc', port]]), workload: this.name, ...fields });
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

/** What calls came to. */
export interface Answers {
  /** Calls answered, by who answered. */
  readonly by: Readonly<Record<string, number>>;
  /** Calls that failed, by code and words. */
  readonly failed: Readonly<Record<string, number>>;
}

export interface CallOptions {
  readonly count?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface ClientProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const nodeClient: ClientProgram = {
  name: 'gRPC for Node',
  command: process.execPath,
  args: [join(import.meta.dirname, 'proxyless-client.ts')],
};

/** undefined, and said loudly, where there is no Go. */
async function goClient(): Promise<ClientProgram | undefined> {
  if (findGo() === undefined) return saySkipped(`gRPC for Go: ${noGo}`);
  const module = join(import.meta.dirname, '../proxyless-go');
  const folder = await goPrograms({ name: 'proxyless', module, programs: { client: '.' } });
  return { name: 'gRPC for Go', command: join(folder, 'client'), args: [] };
}

export const programs: readonly { readonly name: string; readonly find: () => Promise<ClientProgram | undefined> }[] = [
  { name: 'gRPC for Node', find: () => Promise.resolve(nodeClient) },
  { name: 'gRPC for Go', find: goClient },
];

export interface ClientFields {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly workload?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
}

/** A client process. */
export class ProxylessClient {
  readonly #child: RigProcess;
  readonly #folder: string;
  readonly #answers: Map<number, object>;
  readonly #commands: string;
  #ids = 0;

  private constructor(child: RigProcess, folder: string, answers: Map<number, object>) {
    this.#child = child;
    this.#folder = folder;
    this.#answers = answers;
    this.#commands = join(folder, 'commands');
  }

  /** `xds`: `host:port` of the pilot. */
  static async start(program: ClientProgram, xds: string, fields: ClientFields = {}): Promise<ProxylessClient> {
    const { cluster = 'east', namespace = 'shop', workload = 'client', ...rest } = fields;
    const folder = mkdtempSync(join(tmpdir(), 'fairway-proxyless-'));
    const bootstrap = renderGrpcBootstrap({
      xds: [xds],
      cluster,
      namespace,
      workload,
      serviceAccount: 'default',
      addresses: ['127.9.0.1'],
      ...rest,
    });
    writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(bootstrap));
    writeFileSync(join(folder, 'commands'), '');
    const answers = new Map<number, object>();
    const child = await startProcess({
      name: program.name,
      command: 'sh',
      // The rig gives its processes no stdin: commands come through a file that grows.
      args: ['-c', 'tail -n +1 -f "$0" | exec "$@"', join(folder, 'commands'), program.command, ...program.args],
      env: { GRPC_XDS_BOOTSTRAP: join(folder, 'bootstrap.json') },
      logFile: join(folder, 'log'),
      onLine(line) {
        const { id, ...answer } = JSON.parse(line) as { id: number };
        answers.set(id, answer);
      },
    });
    return new ProxylessClient(child, folder, answers);
  }

  async #ask(command: object, limitMs = 60_000): Promise<Answers> {
    const id = ++this.#ids;
    writeFileSync(this.#commands, `${JSON.stringify({ id, ...command })}\n`, { flag: 'a' });
    const answer = await waitFor(
      `an answer to ${JSON.stringify(command)}`,
      () => {
        if (!this.#child.running()) throw new Error('the client has ended');
        return this.#answers.get(id);
      },
      { timeoutMs: limitMs, intervalMs: 5 },
      () => this.#child.logTail(),
    );
    this.#answers.delete(id);
    return answer as Answers;
  }

  call(target: string, options: CallOptions = {}): Promise<Answers> {
    return this.#ask({ do: 'call', target, ...options });
  }

  /** Calls one after the other in a few lanes, until it is stopped. */
  async load(target: string, options: CallOptions = {}): Promise<Load> {
    await this.#ask({ do: 'load', target, ...options });
    const load = this.#ids;
    return {
      peek: () => this.#ask({ do: 'peek', load }),
      stop: () => this.#ask({ do: 'stop', load }),
    };
  }

  log(): string {
    return this.#child.logTail(100);
  }

  async stop(): Promise<void> {
    await this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface Load {
  peek(): Promise<Answers>;
  stop(): Promise<Answers>;
}
