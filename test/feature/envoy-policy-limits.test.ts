/** How a real Envoy holds a service's connections, requests and retries within the limits of a rule. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { waitFor } from '../rig/wait.ts';
import type { PolicyEndpoint } from './policy-rig.ts';
import { policyScene } from './policy-scene.ts';

describe("a real Envoy under a rule's limits", function () {
  this.timeout(90_000);
  const scene = policyScene();
  let [a, b]: readonly PolicyEndpoint[] = [];

  beforeEach(() => {
    [a, b] = scene.all;
  });

  it('requests in flight: 503 above that, counted', async () => {
    await scene.rig.apply({ connections: { maxRequests: 2 } }, scene.first(1));
    const before = await scene.rig.stat('upstream_rq_active_overflow');
    const release = scene.rig.hold(2);
    await waitFor('requests in flight', () => a?.requests === 2);
    const { status, headers } = await scene.rig.ask();
    release();
    assert.equal(status, 503);
    assert.equal(headers['x-envoy-overloaded'], 'true');
    assert.ok((await scene.rig.stat('upstream_rq_active_overflow')) > before);
    await waitFor('room again', async () => (await scene.rig.ask()).status === 200);
  });

  it('connections, and the requests that wait for one', async () => {
    await scene.rig.apply({ connections: { max: 1, maxPending: 1 } }, scene.first(1));
    const before = await scene.rig.stat('upstream_rq_pending_overflow');
    // Until there is a connection, the first one waits too.
    const releaseFirst = scene.rig.hold(1);
    await waitFor('one to be sent', () => a?.requests === 1);
    const releaseSecond = scene.rig.hold(1);
    await waitFor('one to wait', async () => (await scene.rig.stat('upstream_rq_pending_active')) === 1);
    assert.equal((await scene.rig.ask()).status, 503);
    assert.equal(a?.openConnections, 1);
    assert.ok((await scene.rig.stat('upstream_rq_pending_overflow')) > before);
    releaseFirst();
    releaseSecond();
    await waitFor('room again', async () => (await scene.rig.ask()).status === 200);
  });

  it('requests per connection', async () => {
    await scene.rig.apply({ connections: { maxRequestsPerConnection: 3 } }, scene.first(1));
    await scene.rig.count(9);
    assert.deepEqual(a?.perConnection, [3, 3, 3]);
  });

  it('how long a connection may be idle', async () => {
    await scene.rig.apply({ connections: { idleTimeout: '100ms' } }, scene.first(1));
    assert.equal((await scene.rig.ask()).status, 200);
    await waitFor('the connection to be closed', () => a?.openConnections === 0);
  });

  it('how old a connection may be', async () => {
    await scene.rig.apply({ connections: { maxAge: '200ms' } }, scene.first(1));
    await waitFor('another connection', async () => {
      assert.equal((await scene.rig.ask()).status, 200);
      return (a?.perConnection.length ?? 0) >= 3;
    });
  });

  it('retries, by number and by budget', async () => {
    const routes = [{ backends: [{}], retry: { attempts: 3, on: ['503'] } }];
    for (const [connections, tries] of [
      [{}, 4],
      [{ maxRetries: 0 }, 1],
      [{ retryBudget: { percent: 0, minConcurrency: 0 } }, 1],
      [{ retryBudget: { percent: 0, minConcurrency: 1 } }, 4],
    ] as const) {
      await scene.rig.apply({ routes, connections, outlierDetection: { consecutiveErrors: 0 } }, scene.first(1));
      if (a !== undefined) a.status = 503;
      const before = { taken: a?.requests ?? 0, overflow: await scene.rig.stat('upstream_rq_retry_overflow') };
      assert.equal((await scene.rig.ask()).status, 503);
      assert.equal((a?.requests ?? 0) - before.taken, tries, JSON.stringify(connections));
      assert.equal((await scene.rig.stat('upstream_rq_retry_overflow')) - before.overflow, tries === 1 ? 1 : 0);
    }
  });

  it('silence on a connection, with probes', async () => {
    await scene.rig.apply(undefined, scene.first(1));
    assert.equal((await scene.rig.ask()).status, 200);
    assert.deepEqual(timersTo(a?.port ?? 0), [noTimer]);
    await scene.rig.apply({ connections: { keepalive: { idle: '30s' } } }, scene.first(2));
    await waitFor('both to be asked', async () => (await scene.rig.count(4)).size === 2);
    assert.deepEqual(timersTo(b?.port ?? 0), [keepaliveTimer]);
  });
});

const noTimer = '00';
const keepaliveTimer = '02';

/** The kernel's timers on connections to this port of loopback: https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
function timersTo(port: number): readonly string[] {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to === remote && state === established)
    .map((fields) => fields[5]?.split(':')[0] ?? '');
}
