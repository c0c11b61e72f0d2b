/**
 * Proxyless gRPC beside a pilot that is a process of its own: while it is away calls go on, when it is back changes reach the clients, and a
 * drained cluster is left; all without a failed call.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { Backend, type ClientProgram, type Load, ProxylessClient, programs } from './proxyless-rig.ts';

const target = 'xds:///reviews.shop:9080';

for (const { name, find } of programs)
  describe(`proxyless clients and their pilot: ${name}`, function () {
    this.timeout(240_000);
    let program: ClientProgram;
    let folder: string;
    let ports: readonly number[];
    let pilot: Pilot;
    let client: ProxylessClient;
    const backends: Backend[] = [];

    before(async function () {
      this.timeout(600_000);
      const found = await find();
      if (found === undefined) return this.skip();
      program = found;
    });

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'fairway-proxyless-pilot-'));
      ports = [await freePort(), await freePort()];
      backends.push(
        await Backend.start('east', 'v1', '127.0.5.1'),
        await Backend.start('east', 'v2', '127.0.5.2'),
        await Backend.start('west', 'v1', '127.0.5.3'),
      );
      for (const cluster of ['east', 'west']) {
        mkdirSync(join(folder, 'clusters', cluster), { recursive: true });
        writeFileSync(join(folder, 'clusters', cluster, 'cluster.yaml'), `name: ${cluster}\n`);
        writeFileSync(
          join(folder, 'clusters', cluster, 'reviews.yaml'),
          manifests(backends.filter((backend) => backend.cluster === cluster)),
        );
      }
      mkdirSync(join(folder, 'rules'));
      pilot = await start();
      client = await ProxylessClient.start(program, `127.0.0.1:${ports[0]}`);
    });

    afterEach(async () => {
      await client.stop();
      await pilot.kill();
      for (const backend of backends.splice(0)) backend.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    function start(): Promise<Pilot> {
      return startPilot({
        xds: `127.0.0.1:${ports[0]}`,
        admin: `127.0.0.1:${ports[1]}`,
        args: [
          '--clusters',
          join(folder, 'clusters'),
          '--rules',
          join(folder, 'rules'),
          '--state',
          join(folder, 'state'),
        ],
        logFile: join(folder, 'pilot.log'),
      });
    }

    function write(kind: string, name: string, spec: string): void {
      const meta = kind === 'Drain' ? `{name: ${name}}` : `{name: ${name}, namespace: shop}`;
      const text = `apiVersion: fairway.dev/v1alpha1\nkind: ${kind}\nmetadata: ${meta}\nspec: ${spec}\n`;
      writeFileSync(join(folder, 'rules', `${name}.yaml`), text);
    }

    /** So many more calls are answered by `who` alone. */
    async function untilOnly(load: Load, who: readonly string[], count = 50): Promise<void> {
      let before = (await load.peek()).by;
      await waitFor(
        `${count} calls answered by ${who.join()} alone`,
        async () => {
          const { by } = await load.peek();
          const since = Object.entries(by).filter(([name, number]) => number > (before[name] ?? 0));
          if (since.some(([name]) => !who.includes(name))) {
            before = by;
            return false;
          }
          return since.reduce((sum, [name, number]) => sum + number - (before[name] ?? 0), 0) >= count;
        },
        { timeoutMs: 60_000 },
      );
    }

    it('calls go on while it is away, and a change reaches them when it is back', async () => {
      write('TrafficRule', 'reviews', '{service: reviews, routes: [{backends: [{version: v1}]}]}');
      const load = await client.load(target);
      await untilOnly(load, ['east-v1', 'west-v1']);
      await pilot.kill();
      await untilOnly(load, ['east-v1', 'west-v1'], 500);
      pilot = await start();
      await waitFor('the client to be back', async () => (await pilot.proxies()).length === 1);
      await untilOnly(load, ['east-v1', 'west-v1'], 200);
      write('TrafficRule', 'reviews', '{service: reviews, routes: [{backends: [{version: v2}]}]}');
      await untilOnly(load, ['east-v2']);
      await waitFor('the rule to be acknowledged', async () =>
        (await pilot.rules()).some(({ conditions }) =>
          conditions.some(({ type, status }) => type === 'Programmed' && status === 'True'),
        ),
      );
      const [proxy] = await pilot.proxies();
      assert.deepEqual([proxy?.identity.kind, proxy?.identity.namespace], ['grpc', 'shop']);
      assert.deepEqual((await load.stop()).failed, {});
    });

    it('a rule that was changed while it was away holds when it is back', async () => {
      write('TrafficRule', 'reviews', '{service: reviews, routes: [{backends: [{version: v1}]}]}');
      const load = await client.load(target);
      await untilOnly(load, ['east-v1', 'west-v1']);
      await pilot.kill();
      write('TrafficRule', 'reviews', '{service: reviews, routes: [{backends: [{version: v2}]}]}');
      pilot = await start();
      await untilOnly(load, ['east-v2']);
      assert.deepEqual((await load.stop()).failed, {});
    });

    it('a drained cluster is left, and taken again', async () => {
      const load = await client.load(target);
      await waitFor('calls', async () => Object.keys((await load.peek()).by).length === 3);
      write('Drain', 'east', '{cluster: east, startAt: "2020-01-01T00:00:00Z"}');
      await untilOnly(load, ['west-v1']);
      rmSync(join(folder, 'rules/east.yaml'));
      const before = (await load.peek()).by['east-v1'] ?? 0;
      await waitFor('calls in east', async () => ((await load.peek()).by['east-v1'] ?? 0) > before);
      assert.deepEqual((await load.stop()).failed, {});
    });
  });

function manifests(backends: readonly Backend[]): string {
  const service = `apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {clusterIP: 10.96.0.9, ports: [{name: grpc, port: 9080}]}
`;
  const slices = backends.map(
    ({ name, version, address, port }) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {version: ${version}}}
status: {podIP: ${address}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: grpc, port: ${port}, protocol: TCP}]
endpoints: [{addresses: [${address}], conditions: {ready: true}, targetRef: {kind: Pod, name: ${name}, namespace: shop}}]
`,
  );
  return [service, ...slices].join('---\n');
}
