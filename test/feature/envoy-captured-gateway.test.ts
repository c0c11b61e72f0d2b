/** Captured mode and routes of the Gateway API, with a real Envoy and real iptables in a network namespace of its own (captured-gateway-scene.ts). */

import assert from 'node:assert/strict';
import { runCaptured } from './scene-run.ts';

interface Observations {
  readonly before: object;
  readonly after: object;
  readonly refused: string;
}

for (const routes of ['tables', 'on-demand'] as const)
  describe(`a captured workload and routes of the Gateway API, with its routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const observed = await runCaptured<Observations>(import.meta.resolve('./captured-gateway-scene.ts'), [routes]);
      if (observed === undefined) return this.skip();
      all = observed;
    });

    it('reaches services as they are without routes', () => {
      assert.deepEqual(all.before, {
        http: { status: 200, text: 'v1' },
        tcp: 'redis',
        consumer: 'redis',
        tlsByName: 'db',
        tlsByWildcard: 'db',
        tlsOther: 'db',
      });
    });

    it('reaches them as the routes say: requests, connections, and TLS by its name', () => {
      assert.deepEqual(all.after, {
        http: { status: 200, text: 'v2' },
        tcp: 'redis-v2',
        consumer: 'redis-v2',
        tlsByName: 'db-v2',
        tlsByWildcard: 'db-v2',
        tlsOther: 'db',
      });
    });

    it('is hung up on where a route leads to nothing', () => {
      assert.equal(all.refused, '');
    });
  });
