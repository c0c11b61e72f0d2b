/** What a rule's policy does to plain connections, with a real Envoy and iptables in a network namespace of its own (policy-tcp-scene.ts). */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TcpObservations } from './policy-tcp-scene.ts';

const probe = 'ip link set lo up && iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 1';

describe("a plain connection under a rule's policy", function () {
  this.timeout(90_000);
  let seen: TcpObservations;

  before(async function () {
    const possible = spawnSync('unshare', ['-Urn', 'sh', '-c', probe], { encoding: 'utf8' });
    if (possible.status !== 0) {
      const why = possible.stderr || String(possible.error);
      process.stderr.write(`SKIPPED: no network namespace with iptables here: ${why}\n`);
      return this.skip();
    }
    const scene = fileURLToPath(import.meta.resolve('./policy-tcp-scene.ts'));
    const { stdout } = await promisify(execFile)('unshare', ['-Urn', process.execPath, scene], { timeout: 80_000 });
    seen = JSON.parse(stdout) as TcpObservations;
    if (seen.envoy !== 'present') {
      process.stderr.write('SKIPPED: no Envoy to test with; set ENVOY_BIN, or run `fairway envoy` once\n');
      this.skip();
    }
  });

  it('goes where others from its address go', () => {
    for (const [one, two] of seen.bySource) {
      assert.match(one, /^w[0-3]$/);
      assert.equal(two, one);
    }
    assert.ok(new Set(seen.bySource.map(([one]) => one)).size > 1);
  });

  it('is closed where there are as many as the rule allows', () => assert.equal(seen.answeredOfThree, 2));

  it('is closed when nothing moves on it for too long, and when it is too old', () =>
    assert.deepEqual([seen.idle, seen.old], ['closed', 'closed']));

  it('goes to another endpoint when one takes none', () => {
    assert.ok(
      seen.pastTheDead.every((name) => name === 'w0' || name === 'w2'),
      `${seen.pastTheDead}`,
    );
  });
});
