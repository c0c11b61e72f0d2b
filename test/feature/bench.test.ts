/** The bench's own load client against the pilot that it measures: what it counts and compares is right. Times are not judged. */

import assert from 'node:assert/strict';
import { LoadRun } from '../../bench/load/load-run.ts';

const mesh = { services: 50, endpoints: 4 };
const proxies = 20;

describe('the bench', () => {
  const states = new Map<string, string>();

  for (const transport of ['delta', 'sotw'] as const) {
    it(`storm and changes over ${transport}: all proxies end in the pilot's state, and every change reaches each`, async function () {
      this.timeout(60_000);
      const run = await LoadRun.start({ mesh, proxies, transport, rules: 1, clientProcesses: 2 });
      try {
        const synced = await run.connect();
        assert.equal(synced.length, proxies);
        const first = await run.verify();
        const before = await run.totals();
        assert.ok(before.clients.bytes > proxies * mesh.services * mesh.endpoints * 10);
        // CDS, EDS, LDS and RDS, each at least once.
        assert.ok(before.clients.messages >= proxies * 4);
        for (const kind of ['endpoint', 'rule'] as const) {
          const { latenciesMs } = await run.change(kind, 0);
          assert.equal(latenciesMs.length, proxies);
          assert.ok(latenciesMs.every((ms) => ms > 0));
        }
        const churned = await run.churn(100, 10);
        assert.deepEqual(
          churned.map(({ latenciesMs }) => latenciesMs.length),
          Array.from({ length: 10 }, () => proxies),
        );
        const last = await run.verify();
        assert.notEqual(last, first);
        states.set(transport, last);
        const after = await run.totals();
        assert.ok(after.clients.messages >= before.clients.messages + proxies * 2);
        assert.equal(after.clients.ended, 0);
      } finally {
        await run.stop();
      }
    });
  }

  it('sees the same state over both transports', () => {
    assert.equal(states.get('delta'), states.get('sotw'));
  });

  it('a restarted pilot gets all proxies back, with what changed meanwhile', async function () {
    this.timeout(60_000);
    const run = await LoadRun.start({ mesh, proxies, transport: 'delta' });
    try {
      await run.connect();
      await run.change('endpoint', 7);
      const before = await run.verify();
      const back = await run.restart();
      assert.equal(back.length, proxies);
      const { clients } = await run.totals();
      assert.ok(clients.ended >= proxies);
      assert.notEqual(await run.verify(clients.ended), before);
    } finally {
      await run.stop();
    }
  });
});
