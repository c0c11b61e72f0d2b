/**
 * A cluster is lost without a word, with a fallback in place (failover-scene.ts). Killed, its hosts refuse connections; stopped, they take them
 * and never answer; cut off, packets to them vanish.
 */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Losses } from './failover-scene.ts';

const chain = [{ cluster: 'east', fallback: [{ cluster: 'west' }] }];

/** What docs/traffic-rules.md tells to write. */
const againstSilence = {
  routes: [
    {
      backends: chain,
      timeouts: { request: '3s', backendRequest: '500ms' },
      retry: { attempts: 3, on: ['connect-failure', 'reset', 'reset-before-request'] },
    },
  ],
  outlierDetection: { consecutiveErrors: 0, consecutiveGatewayErrors: 3 },
};

describe('a cluster that is lost without a word', function () {
  this.timeout(90_000);

  /** undefined where there is no Envoy. */
  async function observe(
    how: 'kill' | 'stop' | 'drop',
    spec: object,
    ...load: readonly string[]
  ): Promise<Losses | undefined> {
    const scene = [
      process.execPath,
      fileURLToPath(import.meta.resolve('./failover-scene.ts')),
      how,
      JSON.stringify(spec),
      ...load,
    ];
    const [command = '', ...args] = how === 'drop' ? ['unshare', '-Urn', ...scene] : scene;
    const { stdout } = await promisify(execFile)(command, args, { timeout: 80_000 });
    const losses = JSON.parse(stdout) as Losses;
    if (losses.envoy === 'present') return losses;
    process.stderr.write('SKIPPED: no Envoy to test with; set ENVOY_BIN, or run `fairway envoy` once\n');
    return undefined;
  }

  function assertTakenOver({ failed, asked, last }: Losses): void {
    assert.deepEqual([failed.before, failed.later], [0, 0]);
    assert.ok(asked.before > 100 && asked.later > 500, JSON.stringify(asked));
    assert.deepEqual(last, ['west-1', 'west-2']);
  }

  it('by refusing connections: no request fails after the first second, by the defaults', async function () {
    const losses = await observe('kill', { routes: [{ backends: chain }] });
    if (losses === undefined) return this.skip();
    assertTakenOver(losses);
  });

  it('by silence: none does where the rule limits a try and leaves out what is slow', async function () {
    const losses = await observe('stop', againstSilence);
    if (losses === undefined) return this.skip();
    assertTakenOver(losses);
  });

  describe('by vanishing packets', () => {
    before(function () {
      const probe = 'ip link set lo up && iptables -A INPUT -p tcp --dport 1 -j DROP';
      const possible = spawnSync('unshare', ['-Urn', 'sh', '-c', probe], { encoding: 'utf8' });
      if (possible.status === 0) return;
      process.stderr.write(
        `SKIPPED: no network namespace with iptables here: ${possible.stderr || String(possible.error)}\n`,
      );
      this.skip();
    });

    it('no safe request fails, by the defaults', async function () {
      const losses = await observe('drop', { routes: [{ backends: chain }] }, 'GET');
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
      assert.equal(losses.failed.firstSecond, 0);
    });

    it('no other fails after the first second, by the defaults', async function () {
      const losses = await observe('drop', { routes: [{ backends: chain }] }, 'POST');
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
    });

    it('no call fails after the first second over shared connections, by the defaults', async function () {
      const losses = await observe('drop', { routes: [{ backends: chain }] }, 'POST', '500', 'h2c');
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
    });

    it('none fails where the rule limits a try and leaves out what is slow', async function () {
      const losses = await observe('drop', againstSilence);
      if (losses === undefined) return this.skip();
      assertTakenOver(losses);
    });
  });
});
