/** Captured mode and routes of the Gateway API, with a real Envoy and real iptables in a network namespace of its own (captured-gateway-scene.ts). */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

interface Observations {
  readonly envoy?: 'absent';
  readonly before: object;
  readonly after: object;
  readonly refused: string;
}

const probe = 'ip link set lo up && iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 1';

for (const routes of ['tables', 'on-demand'] as const)
  describe(`a captured workload and routes of the Gateway API, with its routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const possible = spawnSync('unshare', ['-Urn', 'sh', '-c', probe], { encoding: 'utf8' });
      if (possible.status !== 0) {
        const why = possible.stderr || String(possible.error);
        process.stderr.write(`SKIPPED: no network namespace with iptables here: ${why}\n`);
        return this.skip();
      }
      const scene = fileURLToPath(import.meta.resolve('./captured-gateway-scene.ts'));
      const { stdout } = await promisify(execFile)('unshare', ['-Urn', process.execPath, scene, routes], {
        timeout: 80_000,
      });
      all = JSON.parse(stdout) as Observations;
      if (all.envoy === 'absent') {
        process.stderr.write('SKIPPED: no Envoy to test with; set ENVOY_BIN, or run `fairway envoy` once\n');
        this.skip();
      }
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
