/** Captured mode and what is outside, with a real Envoy and real iptables in a network namespace of its own (captured-external-scene.ts). */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Said } from './captured-network.ts';

interface Seen {
  readonly exact: string;
  readonly wildcard: string;
  readonly elsewhere: string;
  readonly alias: string;
  readonly unknown: string;
  readonly fromWestOnly: string;
  readonly httpBesideTls: Said;
  readonly httpByHost: Said;
  readonly tcpByAddress: string;
  readonly detectedHttp: Said;
  readonly detectedOther: string;
}

interface Observations {
  readonly envoy?: 'absent';
  readonly open: Seen;
  readonly closed: Seen;
}

const probe = 'ip link set lo up && iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 1';

for (const routes of ['tables', 'on-demand'] as const)
  describe(`a captured workload and hosts outside, with its routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const possible = spawnSync('unshare', ['-Urn', 'sh', '-c', probe], { encoding: 'utf8' });
      if (possible.status !== 0) {
        const why = possible.stderr || String(possible.error);
        process.stderr.write(`SKIPPED: no network namespace with iptables here: ${why}\n`);
        return this.skip();
      }
      const scene = fileURLToPath(import.meta.resolve('./captured-external-scene.ts'));
      const { stdout } = await promisify(execFile)('unshare', ['-Urn', process.execPath, scene, routes], {
        timeout: 80_000,
      });
      all = JSON.parse(stdout) as Observations;
      if (all.envoy === 'absent') {
        process.stderr.write('SKIPPED: no Envoy to test with; set ENVOY_BIN, or run `fairway envoy` once\n');
        this.skip();
      }
    });

    it('reaches TLS by the server name that it asks for: exact, by wildcard, in another cluster, by an alias', () => {
      for (const seen of [all.open, all.closed]) {
        assert.deepEqual([seen.exact, seen.wildcard, seen.elsewhere, seen.alias], ['api', 'wild', 'vault', 'alias']);
      }
    });

    it('reaches HTTP by its host, and plain TCP by its address', () => {
      for (const seen of [all.open, all.closed]) {
        assert.deepEqual(seen.httpByHost, { status: 200, text: 'http' });
        assert.equal(seen.tcpByAddress, 'postgres');
      }
    });

    it('keeps HTTP in the open apart from TLS on one port', () => {
      assert.deepEqual(all.open.httpBesideTls, { status: 200, text: 'http' });
    });

    it('sends what nobody has on to where it was going, or nowhere where only registered hosts may be reached', () => {
      assert.deepEqual([all.open.unknown, all.closed.unknown], ['outside', '']);
    });

    it('does not know what is for another cluster', () => {
      assert.deepEqual([all.open.fromWestOnly, all.closed.fromWestOnly], ['outside', '']);
    });

    it('sees what is spoken on a port that declares nothing', () => {
      assert.deepEqual(all.open.detectedHttp, { status: 200, text: 'http' });
      assert.equal(all.open.detectedOther, 'raw');
    });
  });
