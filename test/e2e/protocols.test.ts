/** What the sidecars carry, captured by iptables and as an explicit proxy: HTTP/1, HTTP/2, gRPC and TCP; and hosts that nobody knows. */

import assert from 'node:assert/strict';
import { type CallOptions, callFrom, workloadAnswer } from '../rig/hosts/call-client.ts';
import { podPorts } from '../rig/hosts/cluster.ts';
import { waitFor } from '../rig/wait.ts';
import { guardEachTest, namespace, type Scene, theScene, untilPhase } from './scene.ts';

const explicitProxy = '127.0.0.1:15001';

describe('what sidecars carry', () => {
  let scene: Scene;

  before(async function () {
    this.timeout(180_000);
    scene = await theScene();
    await scene.applyRule([{ backends: [{ version: 'v2', cluster: 'west' }] }]);
    await waitFor('the rule to be programmed', async () => {
      const [rule] = await scene.pilot.rules();
      return rule?.conditions.find(({ type }) => type === 'Programmed')?.status === 'True';
    });
  });
  after(() => scene.deleteRule());
  guardEachTest();

  describe('captured', () => {
    const call = (options: CallOptions) => callFrom(scene.clients.east.host, options);

    for (const authority of [
      'reviews',
      'reviews.shop',
      'reviews.shop.svc',
      'reviews.shop.svc.cluster.local',
      'reviews.shop:80',
    ]) {
      it(`HTTP/1 to ${authority}`, async () => {
        const answer = workloadAnswer(
          await call({ protocol: 'http1', target: `${scene.vip.east}:80`, authority, path: '/a?b=c' }),
        );
        assert.deepEqual(
          [answer.version, answer.cluster, answer.protocol, answer.path],
          ['v2', 'west', 'http/1.1', '/a?b=c'],
        );
      });
    }

    it('HTTP/2 without TLS', async () => {
      const answer = workloadAnswer(
        await call({ protocol: 'h2c', target: `${scene.vip.east}:81`, authority: 'reviews.shop:81' }),
      );
      assert.deepEqual([answer.version, answer.cluster, answer.protocol], ['v2', 'west', 'h2']);
    });

    it('gRPC, with its trailers', async () => {
      const received = await call({
        protocol: 'grpc',
        target: `${scene.vip.east}:81`,
        authority: 'reviews.shop:81',
        path: '/shop.Reviews/Get',
      });
      assert.equal(received.trailers?.['grpc-status'], '0', JSON.stringify(received));
      const answer = workloadAnswer(received);
      assert.deepEqual([answer.version, answer.cluster, answer.path], ['v2', 'west', '/shop.Reviews/Get']);
    });

    it('TCP', async () => {
      const answer = await call({ protocol: 'tcp', target: `${scene.vip.east}:9000` });
      assert.equal(answer.greeting?.version, 'v2', JSON.stringify(answer));
      assert.equal(answer.greeting?.cluster, 'west');
      assert.equal(answer.echo, 'ping');
    });

    it('passes through the sidecars of both sides', async () => {
      const server = scene.west.pods.get('reviews-v2')?.sidecar;
      assert.ok(server !== undefined);
      const count = (): Promise<number> => server.stat('listener_manager.total_listeners_active');
      assert.ok((await count()) >= 2);
      const line = await waitFor('the access log of the server’s side', async () => {
        await call({
          protocol: 'http1',
          target: `${scene.vip.east}:80`,
          authority: 'reviews.shop',
          path: '/logged-here',
        });
        return server.process.logTail(200).includes('/logged-here');
      });
      assert.ok(line);
    });
  });

  describe('explicit', () => {
    const call = (options: CallOptions) => callFrom(scene.clients.explicit.host, options);

    for (const authority of ['reviews', 'reviews.shop', 'reviews.shop.svc.cluster.local:80']) {
      it(`HTTP/1 to ${authority}`, async () => {
        const answer = workloadAnswer(await call({ protocol: 'http1', target: explicitProxy, authority }));
        assert.deepEqual([answer.version, answer.cluster], ['v2', 'west']);
      });
    }

    it('HTTP/1 by an absolute URL, as clients ask a proxy', async () => {
      const answer = workloadAnswer(
        await call({
          protocol: 'http1',
          target: explicitProxy,
          authority: 'reviews.shop',
          path: 'http://reviews.shop/x',
        }),
      );
      assert.deepEqual([answer.version, answer.cluster, answer.path], ['v2', 'west', '/x']);
    });

    it('HTTP/2 and gRPC by the port in the host', async () => {
      const h2 = workloadAnswer(await call({ protocol: 'h2c', target: explicitProxy, authority: 'reviews.shop:81' }));
      assert.deepEqual([h2.version, h2.cluster, h2.protocol], ['v2', 'west', 'h2']);
      const grpc = await call({ protocol: 'grpc', target: explicitProxy, authority: 'reviews.shop:81' });
      assert.equal(grpc.trailers?.['grpc-status'], '0', JSON.stringify(grpc));
    });
  });

  describe('a host that no service has', () => {
    before(async () => {
      const labels = { app: 'outsider', version: 'none' };
      await scene.east.runPod({ namespace, name: 'outsider', labels, node: 'east-1', sidecar: 'none' });
    });
    after(async () => {
      await scene.east.pods.get('outsider')?.delete();
    });
    const outsider = (): string => `${scene.east.pods.get('outsider')?.host.address}`;

    it('passes through by default: HTTP by host and by address, and TCP', async () => {
      const { east } = scene.clients;
      for (const authority of ['unknown.example', outsider()]) {
        const answer = await callFrom(east.host, {
          protocol: 'http1',
          target: `${outsider()}:${podPorts.http}`,
          authority,
        });
        assert.equal(workloadAnswer(answer).pod, 'outsider');
      }
      const tcp = await callFrom(east.host, { protocol: 'tcp', target: `${outsider()}:${podPorts.tcp}` });
      assert.equal(tcp.greeting?.pod, 'outsider', JSON.stringify(tcp));
      const explicit = await callFrom(scene.clients.explicit.host, {
        protocol: 'http1',
        target: explicitProxy,
        authority: `${outsider()}:${podPorts.http}`,
      });
      assert.equal(workloadAnswer(explicit).pod, 'outsider');
    });

    it('is refused when the mesh says registered-only', async () => {
      await scene.pilot.stop();
      await scene.startPilot(['--outbound', 'registered-only']);
      try {
        const unknown = {
          protocol: 'http1',
          target: explicitProxy,
          authority: `${outsider()}:${podPorts.http}`,
        } as const;
        await waitFor('502 for an unknown host, explicit', async () => {
          return (await callFrom(scene.clients.explicit.host, unknown)).status === 502;
        });
        const target = `${outsider()}:${podPorts.tcp}`;
        await waitFor('an end for an unknown address, captured', async () => {
          return (await callFrom(scene.clients.east.host, { protocol: 'tcp', target })).error !== undefined;
        });
        const known = await callFrom(scene.clients.east.host, {
          protocol: 'http1',
          target: `${scene.vip.east}:80`,
          authority: 'reviews.shop',
        });
        assert.equal(workloadAnswer(known).cluster, 'west');
      } finally {
        await scene.pilot.stop();
        await scene.startPilot();
        await untilPhase(scene, 'west', 'fresh');
      }
    });
  });

  // Last, for it changes the rule.
  describe('into a workload whose sidecar is explicit', () => {
    it('HTTP/1, gRPC and TCP', async () => {
      await scene.applyRule([{ backends: [{ version: 'v1', cluster: 'west' }] }]);
      const { host } = scene.clients.east;
      await waitFor('the rule', async () => {
        const answer = await callFrom(host, {
          protocol: 'http1',
          target: `${scene.vip.east}:80`,
          authority: 'reviews.shop',
        });
        return workloadAnswer(answer).version === 'v1';
      });
      const grpc = await callFrom(host, {
        protocol: 'grpc',
        target: `${scene.vip.east}:81`,
        authority: 'reviews.shop:81',
      });
      assert.equal(workloadAnswer(grpc).cluster, 'west');
      const tcp = await callFrom(host, { protocol: 'tcp', target: `${scene.vip.east}:9000` });
      assert.deepEqual([tcp.greeting?.version, tcp.greeting?.cluster, tcp.echo], ['v1', 'west', 'ping']);
    });
  });
});
