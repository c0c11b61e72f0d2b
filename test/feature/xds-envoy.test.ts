/**
 * The protocol with a real Envoy: a listener, a route table and EDS clusters over ADS, SotW and delta. Traffic is moved to a cluster that
 * Envoy has never heard of, and the old one is removed, again and again under load; no request may fail. Skipped, and said so, where no Envoy
 * is given by ENVOY_BIN.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import type { EncodedResource } from '../../src/core/resource.ts';
import { typeUrl } from '../../src/core/type-urls.ts';
import { any, encodeResource } from '../../src/envoy/proto/encode.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { type TestView, together } from '../support/xds-views.ts';

const envoyBinary = (await lookForEnvoy({ env: process.env, log: () => {} }))?.path;
const httpManager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const router = 'envoy.extensions.filters.http.router.v3.Router';
const ads = { ads: {}, resource_api_version: 'V3' };

function clusterOf(name: string): EncodedResource {
  const value = { name, type: 'EDS', eds_cluster_config: { eds_config: ads }, connect_timeout: '1s' };
  return encodeResource(typeUrl.cluster, name, value);
}

function endpointsOf(name: string, port: number): EncodedResource {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const value = { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  return encodeResource(typeUrl.endpoint, name, value);
}

function routeTo(cluster: string): EncodedResource {
  const routes = [{ match: { prefix: '/' }, route: { cluster } }];
  const value = { name: 'table', virtual_hosts: [{ name: 'all', domains: ['*'], routes }], validate_clusters: false };
  return encodeResource(typeUrl.route, 'table', value);
}

function listenerOn(port: number): EncodedResource {
  const manager = any(httpManager, {
    stat_prefix: 'in',
    rds: { route_config_name: 'table', config_source: ads },
    http_filters: [{ name: 'router', typed_config: any(router) }],
  });
  const value = {
    name: 'listener',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
  return encodeResource(typeUrl.listener, 'listener', value);
}

function bootstrap(xdsPort: number, adminPort: number, transport: 'sotw' | 'delta'): object {
  const address = { socket_address: { address: '127.0.0.1', port_value: xdsPort } };
  const api_type = transport === 'sotw' ? 'GRPC' : 'DELTA_GRPC';
  const config = { api_type, transport_api_version: 'V3', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] };
  return {
    node: { id: `envoy-${transport}`, cluster: 'test', metadata: { CLUSTER_ID: 'east', PORTS: [1, 2] } },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    dynamic_resources: {
      ads_config: config,
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
          name: 'xds',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: { cluster_name: 'xds', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
        },
      ],
    },
  };
}

/** A server that answers with its own name. */
async function upstream(name: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function fetchText(
  port: number,
  path: string,
  agent?: Agent,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, ...(agent === undefined ? {} : { agent }) }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Requests one after the other on a few connections until stopped. */
class Load {
  readonly seen = new Map<string, number>();
  readonly failures: string[] = [];
  last = '';
  #running = true;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #loops: Promise<void>[];

  constructor(port: number, connections: number) {
    this.#loops = Array.from({ length: connections }, () => this.#loop(port));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #loop(port: number): Promise<void> {
    while (this.#running) {
      try {
        const { status, text } = await fetchText(port, '/', this.#agent);
        if (status === 200) {
          this.last = text;
          this.seen.set(text, (this.seen.get(text) ?? 0) + 1);
        } else this.failures.push(`${status} ${text}`);
      } catch (error) {
        this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

interface EnvoyRun {
  readonly process: ChildProcess;
  readonly admin: number;
  log(): string;
  stop(): Promise<void>;
}

async function startEnvoy(xdsPort: number, transport: 'sotw' | 'delta'): Promise<EnvoyRun> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-xds-envoy-'));
  const admin = await freePort();
  const configFile = join(folder, 'envoy.json');
  const logFile = join(folder, 'envoy.log');
  writeFileSync(configFile, JSON.stringify(bootstrap(xdsPort, admin, transport)));
  const log = openSync(logFile, 'a');
  const args = ['-c', configFile, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning'];
  const child = spawn(envoyBinary ?? '', args, { stdio: ['ignore', log, log] });
  return {
    process: child,
    admin,
    log: () => readFileSync(logFile, 'utf8').slice(-4000),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All that Envoy's config dump says of its dynamic parts: what is active, and what waits or was refused. */
async function dump(
  admin: number,
): Promise<{ readonly active: string; readonly waiting: string[]; readonly errors: string[] }> {
  const { text } = await fetchText(admin, '/config_dump?include_eds');
  const waiting =
    text.includes('dynamic_warming_clusters') || text.includes('warming_state') ? ['something warms'] : [];
  const errors = text.includes('error_state') ? ['something was refused'] : [];
  return { active: text, waiting, errors };
}

describe('a real Envoy over ADS', () => {
  if (envoyBinary === undefined) {
    it('needs an Envoy', function () {
      skip(this, noEnvoy);
    });
    return;
  }
  for (const transport of ['sotw', 'delta'] as const) {
    describe(transport, () => {
      let rig: XdsRig;
      let envoy: EnvoyRun;
      let one: Server;
      let two: Server;
      let port: number;

      const show = (cluster: string, backend: Server): ReturnType<TestView['put']> =>
        together(
          rig.view.put(typeUrl.cluster, new Map([[cluster, clusterOf(cluster)]])),
          rig.view.put(typeUrl.endpoint, new Map([[cluster, endpointsOf(cluster, portOf(backend))]])),
          rig.view.put(typeUrl.route, new Map([['table', routeTo(cluster)]])),
        );
      const hide = (cluster: string): ReturnType<TestView['put']> =>
        together(
          rig.view.put(typeUrl.cluster, new Map([[cluster, undefined]])),
          rig.view.put(typeUrl.endpoint, new Map([[cluster, undefined]])),
        );

      beforeEach(async () => {
        [one, two] = await Promise.all([upstream('one'), upstream('two')]);
        rig = await XdsRig.start();
        port = await freePort();
        rig.view.put(typeUrl.listener, new Map([['listener', listenerOn(port)]]));
        show('cluster-0', one);
        envoy = await startEnvoy(rig.port, transport);
      });

      afterEach(async () => {
        await envoy.stop();
        await rig.stop();
        one.close();
        two.close();
      });

      const ready = (): Promise<unknown> =>
        waitFor(
          'an answer through Envoy',
          async () => (await fetchText(port, '/')).status === 200,
          {},
          () => envoy.log(),
        );

      it('gets everything active, and the server knows it', async () => {
        await ready();
        const { active, waiting, errors } = await dump(envoy.admin);
        assert.deepEqual([waiting, errors], [[], []]);
        for (const part of [
          'dynamic_active_clusters',
          'active_state',
          'dynamic_route_configs',
          'dynamic_endpoint_configs',
        ])
          assert(active.includes(part), part);
        const [hello] = rig.hellos;
        assert(hello !== undefined);
        assert.equal(hello.node.id, `envoy-${transport}`);
        assert.deepEqual({ ...hello.node.metadata }, { CLUSTER_ID: 'east', PORTS: [1, 2] });
        assert.equal(hello.node.userAgentName, 'envoy');
        await waitFor('all types in step', () => {
          const status = rig.server.status(hello.streamId);
          return status?.size === 4 && [...status.values()].every(({ state }) => state === 'synced');
        });
        for (const { ackedRevision } of rig.server.status(hello.streamId)?.values() ?? [])
          assert.equal(ackedRevision, rig.view.revision);
      });

      it('moves to clusters it has never heard of, and loses the old ones, without a failed request', async () => {
        await ready();
        const load = new Load(port, 8);
        try {
          for (let turn = 1; turn <= 6; turn++) {
            const backend = turn % 2 === 1 ? two : one;
            const answer = turn % 2 === 1 ? 'two' : 'one';
            rig.server.changed(rig.view, together(show(`cluster-${turn}`, backend), hide(`cluster-${turn - 1}`)));
            await waitFor(`answers by ${answer}`, () => load.last === answer);
            await waitFor('the old cluster gone', async () => {
              const { active } = await dump(envoy.admin);
              return !active.includes(`"cluster-${turn - 1}"`);
            });
          }
        } finally {
          await load.stop();
        }
        assert.deepEqual(load.failures, []);
        assert((load.seen.get('one') ?? 0) > 0 && (load.seen.get('two') ?? 0) > 0);
      });

      it('keeps its routes while the server is away, and follows what changed meanwhile', async () => {
        await ready();
        const load = new Load(port, 4);
        try {
          const lost = rig.hellos[0]?.streamId ?? 0;
          await rig.server.drain(500);
          assert(rig.gone.includes(lost));
          const again = new XdsRig({}, rig.view);
          const first = rig;
          rig = again;
          show('cluster-9', two);
          hide('cluster-0');
          await again.listenOn(first.port);
          await waitFor('answers by two', () => load.last === 'two');
          await waitFor('the old cluster gone', async () => !(await dump(envoy.admin)).active.includes('"cluster-0"'));
        } finally {
          await load.stop();
        }
        // Over SotW nobody can tell a new server what the client still holds: a set without the old cluster deletes it at once.
        if (transport === 'delta') assert.deepEqual(load.failures, []);
      });

      it('a refused route leaves traffic where it was; the server has its words, and the old cluster stays', async () => {
        await ready();
        const bad = encodeResource(typeUrl.route, 'table', {
          name: 'table',
          virtual_hosts: [
            { name: 'a', domains: ['*'], routes: [] },
            { name: 'b', domains: ['*'], routes: [] },
          ],
        });
        rig.server.changed(
          rig.view,
          together(hide('cluster-0'), rig.view.put(typeUrl.route, new Map([['table', bad]]))),
        );
        const event = await waitFor('a NACK', () => rig.events.find(({ kind }) => kind === 'nacked'));
        assert.equal(event.typeUrl, typeUrl.route);
        assert.deepEqual(event.names, ['table']);
        assert.match(event.error ?? '', /domain/i);
        assert.equal((await fetchText(port, '/')).text, 'one');
        rig.server.changed(rig.view, show('cluster-1', two));
        await waitFor('answers by two', async () => (await fetchText(port, '/')).text === 'two');
        await waitFor('the old cluster gone', async () => !(await dump(envoy.admin)).active.includes('"cluster-0"'));
      });
    });
  }
});
