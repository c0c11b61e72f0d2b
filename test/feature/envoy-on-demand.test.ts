/**
 * On-demand mode with a real Envoy and a whole pilot: a sidecar holds what its requests asked for, and nothing else. Skipped, and said so, where
 * there is no Envoy.
 */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { typeUrl } from '../../src/core/type-urls.ts';
import { type FaultProxy, startFaultProxy } from '../rig/fault-proxy.ts';
import { waitFor } from '../rig/wait.ts';
import { endpoint, port } from '../support/fixtures.ts';
import { outbound, PilotRig } from '../support/pilot.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, startTcpWorkload, type Workload } from './envoy-rig.ts';
import { startRecordingWorkload } from './recording-workload.ts';
import { putService, type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

const hostName = (service: string): string => `http_proxy/${service}.shop.svc.cluster.local:80`;
const base = ['BlackHoleCluster', 'PassthroughCluster'];
const services = 1000;

function fill(rig: PilotRig, workloads: readonly Workload[]): void {
  putService(rig, 'reviews', workloads);
  for (let i = 0; i < services; i++) putService(rig, `service-${i}`, workloads.slice(0, 1));
}

describe('on-demand mode, with a real Envoy', function () {
  this.timeout(60_000);
  let rig: PilotRig;
  let sidecar: Sidecar;
  /** Between the sidecar and its pilot; the target may become another. */
  let line: FaultProxy;
  const target = { targetPort: 0 };
  const workloads: Workload[] = [];

  before(async function () {
    rig = await PilotRig.start({ settings: { outbound: 'registered-only' } });
    for (const name of ['v1', 'v2']) workloads.push(await startHttpWorkload(name));
    fill(rig, workloads);
    target.targetPort = rig.port;
    line = await startFaultProxy(target);
    const started = await startSidecar(line.port, { config: 'on-demand' });
    if (started === undefined) return skip(this, noEnvoy);
    sidecar = started;
    await whenReady(sidecar);
  });

  after(async () => {
    await sidecar?.stop();
    await line?.stop();
    await rig?.stop();
    for (const workload of workloads) await workload.stop();
  });

  it('holds nothing of the services before a request asks', async () => {
    const { clusters, hosts } = await sidecar.held();
    assert.deepEqual(clusters.sort(), base.slice(0, 1));
    assert.deepEqual(hosts, []);
  });

  it('takes the first request to a service that the sidecar never heard of, with a body too', async () => {
    const first = await sidecar.ask('reviews.shop');
    assert.deepEqual([first.status, ['v1', 'v2'].includes(first.said.name)], [200, true]);
    const posted = await sidecar.ask('service-1.shop', { method: 'POST', content: 'x'.repeat(100_000) });
    assert.deepEqual([posted.status, posted.said.name], [200, 'v1']);
    const { clusters, hosts } = await sidecar.held();
    assert.deepEqual(hosts.sort(), [hostName('reviews'), hostName('service-1')]);
    assert.deepEqual(clusters.sort(), [...base.slice(0, 1), outbound('reviews'), outbound('service-1')].sort());
  });

  it('takes many first requests at a time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => sidecar.ask(`service-${10 + (i % 20)}.shop.svc.cluster.local`)),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });

  it('loses no request while a rule moves them, by weights, to Envoy clusters that the sidecar did not have', async () => {
    const failures: string[] = [];
    let moving = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (moving) {
          const { status, body } = await sidecar.ask('reviews.shop');
          if (status !== 200) failures.push(`${status} ${body}`);
        }
      }),
    );
    // Without a rule a version answers too: what tells is that the sidecar has the Envoy cluster.
    const reached = async (version: string): Promise<void> => {
      await waitFor(version, async () => (await sidecar.ask('reviews.shop')).said.name === version);
      await waitFor(`the Envoy cluster of ${version}`, async () =>
        (await sidecar.held()).clusters.includes(outbound('reviews', version)),
      );
    };
    for (const [one, other] of [
      ['v1', 'v2'],
      ['v2', 'v1'],
      ['v1', 'v2'],
    ] as const) {
      rig.rule(`{service: reviews, routes: [{backends: [{version: ${one}, weight: 1}]}]}`);
      await reached(one);
      rig.rule(
        `{service: reviews, routes: [{backends: [{version: ${one}, weight: 1}, {version: ${other}, weight: 1}]}]}`,
      );
      await reached(other);
      rig.deleteRule();
      await rig.quiet();
    }
    moving = false;
    await load;
    assert.deepEqual(failures, []);
  });

  it('refuses a host that is none, and takes it once it is one; and refuses it again when it has gone', async () => {
    assert.equal((await sidecar.ask('late.shop')).status, 502);
    putService(rig, 'late', workloads.slice(0, 1));
    await waitFor('the new service', async () => (await sidecar.ask('late.shop')).status === 200);
    assert.ok(!(await sidecar.held()).hosts.includes('http_proxy/late.shop'));
    rig.cluster('east').removeService('shop', 'late');
    await waitFor('the service to be gone', async () => (await sidecar.ask('late.shop')).status === 502);
    await waitFor('its Envoy cluster to go', async () => !(await sidecar.held()).clusters.includes(outbound('late')));
  });

  it('makes a tunnel to a TCP service that the sidecar never heard of', async () => {
    const redis = await startTcpWorkload('redis');
    const at = endpoint('east', '127.0.0.1', { ports: new Map([['tcp', redis.port]]) });
    rig.service('east', 'redis', [], { ports: [port(6379, 'tcp')], endpoints: [at] });
    await rig.until(() => rig.engine.mesh.services.has('shop/redis'));
    assert.match(await tunnel(sidecar.proxyPort, 'redis.shop:6379'), /^HTTP\/1.1 200[^]*redis\n/);
    await redis.stop();
  });

  it('is given the Envoy cluster that a rule copies requests to, though it was there before and nobody asked for it', async () => {
    const audit = await startRecordingWorkload('audit');
    const put = (): void => putService(rig, 'audit', [audit]);
    put();
    await rig.until(() => rig.engine.mesh.services.has('shop/audit'));
    await rig.quiet();
    assert.ok(!(await sidecar.held()).clusters.includes(outbound('audit')));
    const copied = async (path: string): Promise<void> => {
      await waitFor(`a copy of ${path}`, async () => {
        assert.equal((await sidecar.ask('service-2.shop', { path })).status, 200);
        return audit.seen.some(({ url }) => url === path);
      });
    };
    rig.rule('{service: service-2, routes: [{backends: [{}], mirrors: [{service: audit}]}]}', 'service-2');
    await copied('/first');
    rig.cluster('east').removeService('shop', 'audit');
    await waitFor('it to go', async () => !(await sidecar.held()).clusters.includes(outbound('audit')));
    put();
    await copied('/again');
    // It stays while it is there, for what the sidecar has it does not ask for; and ends with the service.
    rig.deleteRule('service-2');
    await rig.quiet();
    assert.ok((await sidecar.held()).clusters.includes(outbound('audit')));
    assert.equal((await sidecar.ask('audit.shop')).status, 200);
    rig.cluster('east').removeService('shop', 'audit');
    await waitFor('it to go for good', async () => !(await sidecar.held()).clusters.includes(outbound('audit')));
    await rig.quiet();
    await audit.stop();
  });

  it('is given again what it had asked for, when it comes back with nothing in hand', async () => {
    await rig.quiet();
    const before = await sidecar.held();
    await sidecar.stop();
    await rig.until(() => rig.xds.counters.connected === 0, 'the sidecar to be gone');
    sidecar = (await startSidecar(line.port, { config: 'on-demand' })) as Sidecar;
    await whenReady(sidecar);
    await rig.quiet();
    const after = await sidecar.held();
    // Not the hosts that are none: those it may ask for again.
    assert.deepEqual(
      after.hosts.sort(),
      before.hosts.filter((name) => name.endsWith('.svc.cluster.local:80') || name.includes('redis')).sort(),
    );
    assert.deepEqual(after.clusters.sort(), before.clusters.sort());
    rig.rule('{service: service-1, routes: [{backends: [{version: v1}]}]}', 'service-1');
    await waitFor('a rule for what it was given', async () =>
      (await sidecar.admin('/config_dump')).includes('outbound|80|v1|service-1.'),
    );
    assert.equal((await sidecar.ask('service-1.shop')).said.name, 'v1');
    rig.deleteRule('service-1');
    await rig.quiet();
  });

  it('keeps what it has while the pilot is away; a new pilot is asked for that at once, and sends nothing that it holds', async () => {
    await rig.quiet();
    const other = await PilotRig.start({ settings: { outbound: 'registered-only' } });
    try {
      fill(other, workloads);
      await other.until(() => other.engine.mesh.services.size === services + 1, 'the other pilot to know all');
      const before = await sidecar.held();
      line.set('refuse');
      await rig.until(() => rig.xds.counters.connected === 0, 'the sidecar to be alone');
      assert.equal((await sidecar.ask('reviews.shop')).status, 200);
      target.targetPort = other.port;
      line.set('carry');
      await waitFor('the sidecar to connect', () => other.xds.counters.connected === 1);
      await other.quiet();
      const now = await sidecar.held();
      assert.deepEqual(
        now.clusters.filter((name) => !name.includes('redis')).sort(),
        before.clusters.filter((name) => !name.includes('redis')).sort(),
      );
      // What it is sent: that the services of the test before are gone.
      assert.ok((other.xds.counters.pushesByType.get(typeUrl.virtualHost) ?? 0) <= 1);
      other.rule('{service: reviews, routes: [{backends: [{version: v2}]}]}');
      await waitFor('a rule of the new pilot', async () => {
        const names = await Promise.all(
          Array.from({ length: 5 }, async () => (await sidecar.ask('reviews.shop')).said.name),
        );
        return names.every((name) => name === 'v2');
      });
      assert.equal((await sidecar.ask('service-500.shop')).status, 200);
    } finally {
      await other.stop();
    }
  });
});

describe('a mesh that goes over from one mode to the other, with a real Envoy', function () {
  this.timeout(60_000);

  it('loses no request, and both modes reach what they should', async function () {
    const workload = await startHttpWorkload('v1');
    const pilots: PilotRig[] = [];
    for (const mode of ['eager', 'on-demand', 'eager'] as const) {
      const rig = await PilotRig.start({ settings: { outbound: 'registered-only' }, configMode: () => mode });
      for (const name of ['one', 'two', 'three']) putService(rig, name, [workload]);
      await rig.until(() => rig.engine.mesh.services.size === 3);
      pilots.push(rig);
    }
    const target = { targetPort: pilots[0]?.port ?? 0 };
    const line = await startFaultProxy(target);
    const sidecar = await startSidecar(line.port);
    const failures: string[] = [];
    try {
      if (sidecar === undefined) return skip(this, noEnvoy);
      await whenReady(sidecar);
      let moving = true;
      const load = (async () => {
        while (moving) {
          const { status, body } = await sidecar.ask('one.shop');
          if (status !== 200) failures.push(`${status} ${body}`);
        }
      })();
      assert.equal((await sidecar.ask('nobody.shop')).status, 502);
      for (const [index, filter] of [true, false].entries()) {
        target.targetPort = pilots[index + 1]?.port ?? 0;
        line.cut();
        const isThere = async (): Promise<boolean> =>
          (await sidecar.admin('/config_dump?resource=dynamic_listeners')).includes('filters.http.on_demand');
        await waitFor('the other mode', async () => (await isThere()) === filter);
        await pilots[index + 1]?.quiet();
        await waitFor(
          'hosts that are none to be refused',
          async () => (await sidecar.ask('nobody.shop')).status === 502,
        );
        assert.equal((await sidecar.ask('two.shop')).status, 200);
        assert.equal((await sidecar.ask('three.shop.svc')).status, 200);
      }
      moving = false;
      await load;
      assert.deepEqual(failures, []);
      assert.deepEqual(
        (await sidecar.held()).hosts.sort(),
        ['block_all', 'one', 'three', 'two'].map((name) =>
          name === 'block_all' ? 'http_proxy/block_all' : hostName(name),
        ),
      );
    } finally {
      await sidecar?.stop();
      await line.stop();
      for (const rig of pilots) await rig.stop();
      await workload.stop();
    }
  });
});

/** What comes back on a connection that asks for a tunnel, up to the workload's first line. */
function tunnel(proxyPort: number, authority: string): Promise<string> {
  return new Promise((resolve) => {
    let seen = '';
    const socket = connect(proxyPort, '127.0.0.1', () =>
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`),
    );
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.endsWith('redis\n')) socket.destroy();
    });
    socket.setTimeout(8000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(seen));
  });
}
