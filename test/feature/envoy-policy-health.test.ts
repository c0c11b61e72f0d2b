/** Which endpoints a real Envoy leaves out under a rule: by their answers, by health checks, and when all the same. */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { type PolicyEndpoint, startPolicyEndpoint } from './policy-rig.ts';
import { policyScene, shareOf } from './policy-scene.ts';

describe('a real Envoy under a rule leaves out', function () {
  this.timeout(90_000);
  const scene = policyScene();
  let [a, b, c]: readonly PolicyEndpoint[] = [];

  beforeEach(() => {
    [a, b, c] = scene.all;
  });

  const noRetry = [{ backends: [{}], retry: { attempts: 0 } }];

  it('an endpoint that answers with errors, for a while', async () => {
    const outlierDetection = { consecutiveErrors: 3, interval: '100ms', baseEjection: '4s' };
    await scene.rig.apply({ routes: noRetry, outlierDetection }, scene.first(3));
    if (b !== undefined) b.status = 500;
    await waitFor('it to be left out', async () => {
      await scene.rig.count(5);
      return (await scene.rig.unhealthy()).length === 1;
    });
    assert.deepEqual(await scene.whoAnswersBut([b as PolicyEndpoint]), ['a', 'c']);
    if (b !== undefined) b.status = 200;
    await waitFor('it to return', async () => shareOf(await scene.rig.count(10), 'b') > 0);
  });

  it('an endpoint that answers 502, 503 or 504, where only these count', async () => {
    const outlierDetection = {
      consecutiveErrors: 0,
      consecutiveGatewayErrors: 3,
      baseEjection: '1h',
      maxEjection: '1h',
    };
    await scene.rig.apply({ routes: noRetry, outlierDetection }, scene.first(3));
    if (b !== undefined) b.status = 500;
    await scene.rig.count(60);
    assert.deepEqual(await scene.rig.unhealthy(), []);
    if (b !== undefined) b.status = 502;
    await waitFor('it to be left out', async () => {
      await scene.rig.count(5);
      return (await scene.rig.unhealthy()).length === 1;
    });
    assert.deepEqual(await scene.whoAnswersBut([b as PolicyEndpoint]), ['a', 'c']);
  });

  it('by itself an endpoint that takes no connections, and none for what it answers', async () => {
    if (c !== undefined) c.status = 503;
    await b?.close();
    await scene.rig.apply({ routes: noRetry, loadBalancing: { policy: 'roundRobin' } }, scene.first(3));
    const before = await scene.rig.stat('ejections_enforced_consecutive_local_origin_failure');
    await waitFor('it to be left out', async () => {
      await scene.rig.count(3);
      return (await scene.rig.unhealthy()).includes(b?.port ?? 0);
    });
    assert.ok((await scene.rig.stat('ejections_enforced_consecutive_local_origin_failure')) > before);
    const taken = c?.requests ?? 0;
    await scene.rig.count(9);
    assert.ok((c?.requests ?? 0) > taken, 'what answers 503 is asked on');
    await b?.open();
    await waitFor('it to return', async () => shareOf(await scene.rig.count(6), 'b') > 0, { timeoutMs: 40_000 });
  });

  it('not all: where every endpoint is bad all are tried, unless the rule says never', async () => {
    const outlierDetection = { consecutiveErrors: 2, baseEjection: '1h', maxEjection: '1h' };
    for (const [panicThreshold, status] of [
      [undefined, 200],
      [0, 503],
    ] as const) {
      const loadBalancing = panicThreshold === undefined ? {} : { panicThreshold };
      await scene.rig.apply({ routes: noRetry, outlierDetection, loadBalancing }, scene.first(2));
      await waitFor('all to be healthy', async () => (await scene.rig.unhealthy()).length === 0);
      for (const endpoint of scene.first(2)) endpoint.status = 500;
      await waitFor('both to be left out', async () => {
        await scene.rig.count(4);
        return (await scene.rig.unhealthy()).length === 2;
      });
      for (const endpoint of scene.first(2)) endpoint.status = 200;
      await waitFor(`every answer to be ${status}`, async () => {
        const panics = await scene.rig.stat('lb_healthy_panic');
        const counts = await scene.rig.count(5);
        if (status === 503) return counts.get('503') === 5;
        return !counts.has('503') && (await scene.rig.stat('lb_healthy_panic')) > panics;
      });
    }
  });

  it('no more than the rule allows', async () => {
    const outlierDetection = { consecutiveErrors: 1, baseEjection: '1h', maxEjection: '1h', maxEjectedPercent: 50 };
    await scene.rig.apply({ routes: noRetry, outlierDetection }, scene.all);
    for (const endpoint of scene.all) endpoint.status = 500;
    await waitFor('some to be left out', async () => {
      await scene.rig.count(10);
      return (await scene.rig.unhealthy()).length > 0;
    });
    await scene.rig.count(60);
    assert.equal((await scene.rig.unhealthy()).length, 2);
  });

  for (const [kind, check] of [
    ['http', { http: { path: '/healthz' } }],
    ['grpc', { grpc: {} }],
  ] as const) {
    it(`what a health check over ${kind} finds bad, and takes it back`, async () => {
      const asked =
        kind === 'http'
          ? scene.first(3)
          : await Promise.all(['a', 'b', 'c'].map((name) => startPolicyEndpoint(name, 'h2c')));
      const bad = asked[1] as PolicyEndpoint;
      try {
        const healthCheck = { ...check, interval: '100ms', timeout: '10s', unhealthyThreshold: 2 };
        await scene.rig.apply({ healthCheck }, asked, kind === 'http' ? 'http' : 'grpc');
        await waitFor('all to be healthy', async () => (await scene.rig.unhealthy()).length === 0);
        await waitFor('all to be asked', async () => (await scene.rig.count(6)).size === 3);
        bad.health = 503;
        assert.deepEqual(await scene.whoAnswersBut([bad]), ['a', 'c']);
        bad.health = 200;
        await waitFor('it to return', async () => shareOf(await scene.rig.count(6), 'b') > 0);
      } finally {
        if (kind === 'grpc') await Promise.all(asked.map((endpoint) => endpoint.close()));
      }
    });
  }

  it('what a health check at another port finds bad, and one that asks for a connection alone', async () => {
    const other = await startPolicyEndpoint('health');
    try {
      const often = { interval: '100ms', timeout: '10s', unhealthyThreshold: 1 };
      await scene.rig.apply(
        { healthCheck: { http: { path: '/healthz' }, port: other.port, ...often } },
        scene.first(2),
      );
      assert.equal((await scene.rig.count(10)).size, 2);
      other.health = 500;
      await waitFor('all to be unhealthy', async () => (await scene.rig.unhealthy()).length === 2);
    } finally {
      await other.close();
    }
    await scene.rig.apply(
      { healthCheck: { tcp: {}, interval: '100ms', timeout: '10s', unhealthyThreshold: 1 } },
      scene.first(2),
    );
    await waitFor('all to be healthy', async () => (await scene.rig.unhealthy()).length === 0);
    assert.equal((await scene.rig.ask()).status, 200);
    await a?.close();
    assert.deepEqual(await scene.whoAnswersBut([a as PolicyEndpoint]), ['b']);
  });

  it('nothing, while too few are healthy by the threshold of the rule', async () => {
    const healthCheck = { http: { path: '/healthz' }, interval: '100ms', timeout: '10s', unhealthyThreshold: 1 };
    for (const endpoint of scene.first(2)) endpoint.health = 503;
    await scene.rig.apply({ healthCheck }, scene.all);
    assert.deepEqual(await scene.whoAnswersBut(scene.first(2)), ['c', 'd']);
    await scene.rig.apply({ healthCheck, loadBalancing: { panicThreshold: 60 } }, scene.all);
    await waitFor('all to be asked', async () => (await scene.rig.count(40)).size === 4);
    assert.equal((await scene.rig.unhealthy()).length, 2);
  });
});
