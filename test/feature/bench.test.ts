/** The bench's own load client against the pilot that it measures: what it counts and compares is right. Times are not judged. */

import assert from 'node:assert/strict';
import { measureChanges } from '../../bench/change.ts';
import { LoadRun } from '../../bench/load/load-run.ts';
import { usedServices } from '../../bench/load/shape.ts';

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

  for (const own of [false, true]) {
    it(`many clusters with ${own ? 'services of their own' : 'the same services'}: each cluster's proxies end in its own state`, async function () {
      this.timeout(60_000);
      const many = { clusters: 6, services: 4, endpoints: 2.5, own };
      const run = await LoadRun.start({ mesh: many, proxies: 8, transport: 'delta', clientProcesses: 2 });
      try {
        await run.connect();
        const first = await run.verify();
        // Each cluster has addresses of its own for the services.
        assert.equal(new Set(first.split('\n').map((line) => line.split(' ')[1])).size, 6);
        for (let change = 0; change < 6; change++) {
          const { latenciesMs } = await run.change('endpoint', own ? change * 4 : 0);
          assert.equal(latenciesMs.length, 8);
        }
        const second = await run.verify();
        const [before, after] = [first, second].map((state) => state.split('\n'));
        assert.ok(before?.every((line) => !after?.includes(line)));
        assert.equal((await run.totals()).clients.ended, 0);
      } finally {
        await run.stop();
      }
    });
  }

  it('one service with many endpoints is changed again and again, one endpoint at a time', async function () {
    this.timeout(60_000);
    const options = { mesh: { services: 1, endpoints: 300 }, proxies: 4, transport: 'delta' } as const;
    const figures = await measureChanges('endpoint', options, 3);
    // All endpoints each time, some fifty bytes or more of each.
    assert.ok((figures['to each proxy per change, kB'] ?? 0) > 15);
    assert.equal(figures['messages to each proxy per change, count'], 1);
  });

  it('a change that few proxies call for is counted at those alone', async function () {
    this.timeout(60_000);
    const rare = { services: 40, endpoints: 2, clusters: 2, own: true };
    const options = { mesh: rare, proxies: 3, transport: 'delta', shape: 'on-demand', uses: 2 } as const;
    const figures = await measureChanges('endpoint', options, 3);
    assert.ok((figures['p50, ms'] ?? 0) > 0);
    assert.ok((figures['to each proxy per change, kB'] ?? 0) > 0);
  });

  it('says what the pilot keeps, and that it keeps more of more', async function () {
    this.timeout(60_000);
    const held: number[] = [];
    for (const services of [0, 200]) {
      const run = await LoadRun.start({ mesh: { services, endpoints: 10 }, proxies: 1, transport: 'delta' });
      try {
        const { heldBytes, residentBytes } = await run.memory();
        assert.ok(residentBytes > heldBytes);
        held.push(heldBytes);
      } finally {
        await run.stop();
      }
    }
    const [empty = 0, full = 0] = held;
    // Two thousand endpoints, at least a hundred bytes each.
    assert.ok(full - empty > 200_000, `${full - empty}`);
  });

  it('virtual hosts one by one: a rule sends one of them, and all proxies end in the pilot’s state', async function () {
    this.timeout(60_000);
    const run = await LoadRun.start({ mesh, proxies, transport: 'delta', shape: 'vhds', rules: 1, clientProcesses: 2 });
    try {
      await run.connect();
      const first = await run.verify();
      assert.notEqual(first, states.get('delta'));
      const before = await run.totals();
      const { latenciesMs } = await run.change('rule', 0);
      assert.equal(latenciesMs.length, proxies);
      assert.notEqual(await run.verify(), first);
      const after = await run.totals();
      assert.equal(after.clients.messages - before.clients.messages, proxies);
      assert.ok(after.clients.bytes - before.clients.bytes < 4_000 * proxies);
    } finally {
      await run.stop();
    }
  });

  it('on demand: each proxy holds what its own services need, is told of their changes alone, and gets it back after a restart', async function () {
    this.timeout(60_000);
    const uses = 7;
    const users = (service: number): number =>
      Array.from({ length: proxies }, (_, index) => usedServices(index, mesh.services, uses)).filter((used) =>
        used.includes(service),
      ).length;
    const run = await LoadRun.start({
      mesh,
      proxies,
      transport: 'delta',
      shape: 'on-demand',
      uses,
      clientProcesses: 2,
    });
    try {
      await run.connect();
      const first = await run.verify();
      // Every proxy calls other services, and so holds another state.
      assert.equal(new Set(first.split('\n')).size, proxies);
      for (const kind of ['rule', 'endpoint'] as const)
        for (let service = 0; service < 10; service++) {
          const { latenciesMs } = await run.change(kind, service);
          assert.equal(latenciesMs.length, users(service));
        }
      // The service whose endpoint changes while the pilot is away is called by somebody.
      assert.ok(users(0) > 0);
      assert.notEqual(await run.verify(), first);
      await run.restart();
      const { clients } = await run.totals();
      await run.verify(Math.max(proxies, clients.ended));
    } finally {
      await run.stop();
    }
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
