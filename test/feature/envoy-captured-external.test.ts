/** Captured mode and what is outside, with a real Envoy and real iptables in a network namespace of its own (captured-external-scene.ts). */

import assert from 'node:assert/strict';
import type { Said } from './captured-network.ts';
import { runCaptured } from './scene-run.ts';

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
  readonly open: Seen;
  readonly closed: Seen;
}

for (const routes of ['tables', 'on-demand'] as const)
  describe(`a captured workload and hosts outside, with its routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const observed = await runCaptured<Observations>(import.meta.resolve('./captured-external-scene.ts'), [routes]);
      if (observed === undefined) return this.skip();
      all = observed;
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
