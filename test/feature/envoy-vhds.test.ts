/**
 * Routes over VHDS with a real Envoy and a whole pilot: what a rule's change sends, that no request is lost by it, and that hosts come and go.
 * Skipped, and said so, where there is no Envoy.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { type FaultProxy, startFaultProxy } from '../rig/fault-proxy.ts';
import { waitFor } from '../rig/wait.ts';
import { outbound, PilotRig } from '../support/pilot.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';
import { putService, type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

const hostName = (service: string): string => `http_proxy/${service}.shop.svc.cluster.local:80`;
const toVersion = (version: string): string => `{service: reviews, routes: [{backends: [{version: ${version}}]}]}`;

describe('routes over VHDS, with a real Envoy', function () {
  this.timeout(60_000);
  let rig: PilotRig;
  let sidecar: Sidecar;
  /** Between the sidecar and its pilot; the target may become another. */
  let line: FaultProxy;
  const target = { targetPort: 0 };
  const workloads: Workload[] = [];

  before(async function () {
    rig = await PilotRig.start();
    for (const name of ['v1', 'v2']) workloads.push(await startHttpWorkload(name));
    putService(rig, 'reviews', workloads);
    target.targetPort = rig.port;
    line = await startFaultProxy(target);
    const started = await startSidecar(line.port);
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

  const reached = async (version: string): Promise<void> => {
    await waitFor(
      `requests to reach ${version}`,
      async () => (await sidecar.ask('reviews.shop')).said.name === version,
    );
  };

  it('gives the table without hosts, and the hosts by themselves', async () => {
    assert.deepEqual((await sidecar.held()).hosts, ['http_proxy/allow_any', hostName('reviews')]);
    assert.equal((await sidecar.ask('reviews.shop:80')).status, 200);
  });

  it('loses no request while a rule moves all of them, again and again, to an Envoy cluster that the sidecar did not have', async () => {
    rig.rule(toVersion('v1'));
    await reached('v1');
    const failures: string[] = [];
    let asked = 0;
    let moving = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (moving) {
          const { status, body } = await sidecar.ask('reviews.shop');
          asked += 1;
          if (status !== 200) failures.push(`${status} ${body}`);
        }
      }),
    );
    for (const version of ['v2', 'v1', 'v2', 'v1']) {
      rig.rule(toVersion(version));
      await reached(version);
    }
    moving = false;
    await load;
    assert.deepEqual(failures, []);
    assert.ok(asked > 20, `only ${asked} requests were made`);
  });

  it('takes a host away with its service, and brings it back', async () => {
    putService(rig, 'ratings', workloads.slice(0, 1));
    await waitFor('the new service', async () => (await sidecar.ask('ratings.shop')).status === 200);
    rig.cluster('east').removeService('shop', 'ratings');
    await waitFor('the host to go', async () => !(await sidecar.held()).hosts.includes(hostName('ratings')));
    await waitFor(
      'the Envoy cluster to go',
      async () => !(await sidecar.held()).clusters.includes(outbound('ratings')),
    );
    putService(rig, 'ratings', workloads.slice(0, 1));
    await waitFor('the service again', async () => (await sidecar.ask('ratings.shop')).status === 200);
  });

  it('sends one virtual host and at most 4 kB for a rule’s change, however many services there are', async () => {
    for (let i = 0; i < 1000; i++) putService(rig, `service-${i}`, workloads.slice(0, 1));
    await waitFor('all services', async () => (await sidecar.held()).hosts.includes(hostName('service-999')));
    await rig.quiet();
    const pushes = (): number => rig.xds.counters.pushesByType.get(typeUrl.virtualHost) ?? 0;
    const before = {
      bytes: rig.xds.counters.bytesTotal,
      pushes: pushes(),
      tables: rig.xds.counters.pushesByType.get(typeUrl.route),
    };
    rig.rule('{service: service-7, routes: [{backends: [{version: v1, weight: 9}, {weight: 1}]}]}', 'service-7');
    await waitFor('the change', async () =>
      (await sidecar.admin('/config_dump')).includes('outbound|80|v1|service-7.'),
    );
    await rig.quiet();
    const bytes = rig.xds.counters.bytesTotal - before.bytes;
    assert.equal(pushes() - before.pushes, 1);
    assert.equal(rig.xds.counters.pushesByType.get(typeUrl.route), before.tables);
    assert.ok(bytes <= 4096, `${bytes} bytes were sent`);
  });

  it('goes on while the pilot is away, and is sent no host by a new pilot that has the same', async () => {
    const other = await PilotRig.start();
    try {
      for (const name of ['reviews', 'ratings'])
        putService(other, name, name === 'reviews' ? workloads : workloads.slice(0, 1));
      for (let i = 0; i < 1000; i++) putService(other, `service-${i}`, workloads.slice(0, 1));
      other.rule(toVersion('v1'));
      other.rule('{service: service-7, routes: [{backends: [{version: v1, weight: 9}, {weight: 1}]}]}', 'service-7');
      await other.until(() => other.engine.mesh.services.size === 1002, 'the other pilot to know all');
      line.set('refuse');
      await rig.until(() => rig.xds.counters.connected === 0, 'the sidecar to be alone');
      assert.equal((await sidecar.ask('reviews.shop')).status, 200);
      target.targetPort = other.port;
      line.set('carry');
      await waitFor('the sidecar to connect', () => other.xds.counters.connected === 1);
      await other.quiet();
      assert.equal(other.xds.counters.pushesByType.get(typeUrl.virtualHost), undefined);
      other.rule(toVersion('v2'));
      await reached('v2');
    } finally {
      await other.stop();
    }
  });
});
