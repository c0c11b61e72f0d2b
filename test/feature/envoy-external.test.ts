/** Hosts outside the mesh, aliases and single workloads in explicit mode, with a real Envoy: who answers, and who is not reached. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Scope } from '../../src/model/mesh.ts';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type EnvoyRig, startEnvoyRig, startHttpWorkload, startTcpWorkload, type Workload } from './envoy-rig.ts';

for (const routes of ['tables', 'vhds', 'on-demand'] as const satisfies readonly Scope['routes'][])
  describe(`hosts outside in explicit mode, with routes as ${routes}`, function () {
    this.timeout(60_000);
    let rig: EnvoyRig;
    const workloads = new Map<string, Workload>();
    const portOf = (name: string): number => workloads.get(name)?.port ?? 0;

    before(async function () {
      for (const name of ['a', 'b', 'east-0', 'west-0', 'west-1']) workloads.set(name, await startHttpWorkload(name));
      workloads.set('tls', await startTcpWorkload('tls'));
      const started = await startEnvoyRig({ mode: 'explicit', inboundTarget: portOf('a'), routes });
      if (started === undefined) return skip(this, noEnvoy);
      rig = started;
    });

    after(async () => {
      await rig?.stop();
      for (const workload of workloads.values()) await workload.stop();
    });

    const external = (name: string, spec: object): object => ({
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'ExternalService',
      metadata: { name, namespace: 'shop' },
      spec,
    });
    const at = (name: string, port: number): object => ({
      address: '127.0.0.1',
      ports: [{ number: port, targetPort: portOf(name) }],
    });
    const web = (spec: object): object => ({
      ports: [{ number: 80, protocol: 'http' }],
      resolution: 'static',
      ...spec,
    });
    const mesh = (
      externals: readonly object[],
      services: readonly object[] = [],
      outbound = 'registered-only',
    ): string => JSON.stringify({ settings: { outbound }, services, externals });

    it('reaches a static host at its endpoints, in their shares', async () => {
      const far = await startHttpWorkload('b2', 'http', { address: '127.0.0.2', port: 0 });
      const there = { address: '127.0.0.2', ports: [{ number: 80, targetPort: far.port }], weight: 1 };
      const endpoints = [{ ...at('a', 80), weight: 3 }, there];
      try {
        await rig.apply(mesh([external('api', web({ hosts: ['api.example.com'], endpoints }))]));
        const answers = await Promise.all(
          Array.from({ length: 40 }, async () => {
            const names: string[] = [];
            for (let i = 0; i < 25; i++) names.push((await rig.ask('api.example.com')).said.name);
            return names;
          }),
        );
        const seen = Map.groupBy(answers.flat(), (name) => name);
        assert.deepEqual([...seen.keys()].sort(), ['a', 'b2']);
        // Least request looks at the load too: the weights say who gets more, by far.
        assert.ok((seen.get('a')?.length ?? 0) > 600, `a took ${seen.get('a')?.length} of 1000`);
      } finally {
        await far.stop();
      }
    });

    it('reaches a host by DNS, and an alias by its own name', async () => {
      const [a, b] = [portOf('a'), portOf('b')];
      const services = [{ name: 'pay', clusters: { east: { externalName: 'pay.localhost', ports: [`${b}:http`] } } }];
      const spec = { hosts: ['api.localhost'], ports: [{ number: a, protocol: 'http' }], resolution: 'dns' };
      await rig.apply(mesh([external('api', spec)], services));
      await waitFor('the name to be looked up', async () => (await rig.ask(`api.localhost:${a}`)).status === 200);
      assert.equal((await rig.ask(`api.localhost:${a}`)).said.name, 'a');
      await waitFor('the alias to be looked up', async () => (await rig.ask(`pay.shop:${b}`)).status === 200);
      const { said } = await rig.ask(`pay.shop:${b}`);
      assert.equal(said.name, 'b');
      assert.equal(said.headers.host, `pay.shop:${b}`);
    });

    it('knows a host by its wildcard, and goes to the exact one first', async () => {
      await rig.apply(
        mesh([
          external('all', web({ hosts: ['*.example.com'], endpoints: [at('a', 80)] })),
          external('one', web({ hosts: ['one.example.com'], endpoints: [at('b', 80)] })),
        ]),
      );
      assert.equal((await rig.ask('two.example.com')).said.name, 'a');
      assert.equal((await rig.ask('deep.down.example.com')).said.name, 'a');
      assert.equal((await rig.ask('one.example.com')).said.name, 'b');
    });

    it('does not reach what is for another cluster, nor what nobody has', async () => {
      const spec = (clusters: readonly string[]): object =>
        web({ hosts: ['api.example.com'], endpoints: [at('a', 80)], from: { clusters } });
      await rig.apply(mesh([external('api', spec(['west']))]));
      const refused = await rig.ask('api.example.com');
      assert.equal(refused.status, 502);
      assert.match(refused.body, /^fairway: no service has the host/);
      await rig.apply(mesh([external('api', spec(['east', 'west']))]));
      assert.equal((await rig.ask('api.example.com')).said.name, 'a');
      assert.equal((await rig.ask('other.example.com')).status, 502);
    });

    it('tunnels to a TLS port', async () => {
      const spec = {
        hosts: ['secure.example.com'],
        ports: [{ number: 443, protocol: 'tls' }],
        resolution: 'static',
        endpoints: [at('tls', 443)],
      };
      await rig.apply(mesh([external('secure', spec)]));
      assert.match(await tunnel(rig.proxyPort, 'secure.example.com:443'), /^HTTP\/1.1 200 .*\r\n\r\ntls\n$/s);
      assert.match((await rig.ask('secure.example.com:443')).body, /is a TCP port: reach it with CONNECT/);
    });

    it('reaches the very workload that a name names, in whichever cluster it runs', async () => {
      const pod = (name: string, hostname: string): object => ({
        address: '127.0.0.1',
        hostname,
        ports: { http: portOf(name) },
      });
      const db = {
        name: 'db',
        clusters: {
          east: { headless: true, ports: ['80:http'], endpoints: [pod('east-0', 'db-0')] },
          west: { headless: true, ports: ['80:http'], endpoints: [pod('west-0', 'db-0'), pod('west-1', 'db-1')] },
        },
      };
      await rig.apply(mesh([], [db]));
      const names: readonly (readonly [string, string])[] = [
        ['db-0.db.shop', 'east-0'],
        ['db-0.db.shop:80', 'east-0'],
        ['db-1.db.shop:80', 'west-1'],
        ['db-1.db.shop.svc.cluster.local', 'west-1'],
        ['db-0.west.db.shop.svc', 'west-0'],
        ['db-0.west.db.shop.svc.cluster.local:80', 'west-0'],
      ];
      for (const [host, name] of names) assert.equal((await rig.ask(host)).said.name, name, host);
      assert.equal((await rig.ask('db-2.db.shop')).status, 502);
    });
  });

/** What comes back of a CONNECT, up to the first line of what is behind it. */
function tunnel(proxyPort: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const socket = connect(proxyPort, '127.0.0.1', () => {
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (/\r\n\r\n.*\n/s.test(seen)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(seen));
  });
}
