/** The bench's comparison of control planes on a real Kubernetes API, with Fairway in both roles. Times are not judged. */

import assert from 'node:assert/strict';
import { compare } from '../../bench/peer.ts';
import { type Contender, fairway, istio } from '../../bench/peer-contender.ts';
import { splitFigureName } from '../../bench/table.ts';

const size = { mesh: { services: 30, endpoints: 4 }, proxies: 8, clientProcesses: 2 };
const options = { quick: true, size, kinds: ['endpoint', 'rule'], say: () => {} };

describe('the bench beside a peer', function () {
  this.timeout(300_000);

  it('runs the same storm and changes on both, over both transports', async () => {
    const peer: Contender = { ...fairway(), role: 'peer', about: 'another' };
    const results = await compare([fairway(), peer], options);
    assert.deepEqual(Object.keys(results), ['peer-storm', 'peer-endpoint', 'peer-rule']);
    for (const [name, { problem, figures = {}, latencies = {} }] of Object.entries(results)) {
      assert.equal(problem, undefined, name);
      const series = ['delta, fairway', 'delta, peer', 'sotw, fairway', 'sotw, peer'];
      assert.deepEqual([...new Set(Object.keys(figures).map((figure) => splitFigureName(figure).series))], series);
      assert.deepEqual(Object.keys(latencies), series);
      for (const [figure, value] of Object.entries(figures)) assert.ok(value >= 0, `${name}, ${figure}: ${value}`);
    }
    // Four changes, each to every proxy.
    assert.equal(results['peer-endpoint']?.latencies?.['sotw, peer']?.count, 4 * size.proxies);
    assert.equal(results['peer-rule']?.figures?.['sotw, fairway: messages to each proxy per change, count'], 1);
    assert.ok(results['peer-storm']?.notes?.includes('another'));
  });

  it('a control plane that does not start makes its own run fail, and says so', async () => {
    const broken: Contender = { ...fairway(), role: 'peer', start: () => Promise.reject(new Error('it ended')) };
    const results = await compare([broken, fairway()], { ...options, kinds: [] });
    assert.deepEqual(Object.keys(results), ['peer-storm']);
    assert.equal(results['peer-storm']?.problem, 'delta, peer: it ended; sotw, peer: it ended');
    assert.ok((results['peer-storm']?.figures?.['sotw, fairway: last proxy, ms'] ?? 0) > 0);
  });

  it('a peer that is none is refused before anything is started', () => {
    assert.throws(
      () => istio('/nonexistent/pilot-discovery'),
      /--peer \/nonexistent\/pilot-discovery: .*give a pilot-discovery/,
    );
  });
});
