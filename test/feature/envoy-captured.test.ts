/** Captured mode with a real Envoy and real iptables, in a network namespace of its own (captured-scene.ts); needs no root. */

import assert from 'node:assert/strict';
import { captures, runCaptured } from './scene-run.ts';

interface Said {
  readonly status: number;
  readonly text: string;
}

interface Observations {
  readonly seen: {
    readonly byName: Said;
    readonly byAddress: Said;
    readonly byIpv6: Said;
    readonly unknownHost: Said;
    readonly serverFirstOnHttpPort: string;
    readonly unknownTcp: string;
    readonly tcpByRule: string;
    readonly headlessByRule: string;
    readonly toTheSidecarItself: string;
    readonly inbound: Said;
    readonly inboundOtherPort: string;
    readonly newPort: Said;
    readonly newPortAgain: Said;
  };
  readonly closed: {
    readonly byName: Said;
    readonly unknownHost: Said;
    readonly unknownTcp: string;
    readonly tcpByRule: string;
  };
}

for (const routes of ['tables', 'vhds', 'on-demand'] as const)
  describe(`a captured workload, with its routes as ${routes}`, function () {
    this.timeout(90_000);
    let all: Observations;

    before(async function () {
      const observed = await runCaptured<Observations>(
        import.meta.resolve('./captured-scene.ts'),
        [routes],
        [captures.ipv4, captures.ipv6],
      );
      if (observed === undefined) return this.skip();
      all = observed;
    });

    it('reaches a service by name and by its addresses of both families, as the rule says', () => {
      const v2 = { status: 200, text: 'v2' };
      assert.deepEqual([all.seen.byName, all.seen.byAddress, all.seen.byIpv6], [v2, v2, v2]);
    });

    it('reaches a service on a port that came while it was at work, and that went and came again', () => {
      const v1 = { status: 200, text: 'v1' };
      assert.deepEqual([all.seen.newPort, all.seen.newPortAgain], [v1, v1]);
    });

    it('reaches a TCP service as the rule says, by its address and, headless, by any of its workloads’', () => {
      assert.equal(all.seen.tcpByRule, 'redis-v2');
      assert.equal(all.seen.headlessByRule, 'db-1');
    });

    it('reaches what the mesh does not know: by HTTP, by TCP, and where the server speaks first on an HTTP port', () => {
      assert.deepEqual(all.seen.unknownHost, { status: 200, text: 'outside' });
      assert.equal(all.seen.unknownTcp, 'outside-tcp');
      assert.equal(all.seen.serverFirstOnHttpPort, 'outside-raw');
    });

    it('does not, where only registered services may be reached; those still are', () => {
      assert.equal(all.closed.unknownHost.status, 502);
      assert.match(all.closed.unknownHost.text, /^fairway: no service has the host/);
      assert.equal(all.closed.unknownTcp, '');
      assert.deepEqual(all.closed.byName, { status: 200, text: 'v2' });
      assert.equal(all.closed.tcpByRule, 'redis-v2');
    });

    it('gets what peers send to its declared port and to any other', () => {
      assert.deepEqual(all.seen.inbound, { status: 200, text: 'application' });
      assert.equal(all.seen.inboundOtherPort, 'application-tcp');
    });

    it('makes no loop by connecting to the sidecar’s own port', () => {
      assert.equal(all.seen.toTheSidecarItself, '');
    });
  });
