/** The bench's workloads through a real Kubernetes API, on a small mesh. Times are not judged. */

import assert from 'node:assert/strict';
import { measureFromKube } from '../../bench/from-kube.ts';

describe('the bench through a Kubernetes API', function () {
  this.timeout(180_000);

  it('starts a pilot on a filled API, and every change of an EndpointSlice reaches every proxy', async () => {
    const samples: number[] = [];
    const notes: string[] = [];
    const figures = await measureFromKube({ services: 15, endpoints: 4 }, 6, {
      quick: true,
      latencies: (_, ms) => samples.push(...ms),
      note: (text) => notes.push(text),
    });
    // Five changes, each to every proxy.
    assert.equal(samples.length, 5 * 6);
    assert.ok(samples.every((ms) => ms > 0));
    assert.ok((figures['start to ready, ms'] ?? 0) > 0);
    assert.ok((figures['resident until then max, MB'] ?? 0) >= (figures['resident when ready, MB'] ?? 0));
    assert.match(notes.join('\n'), /the API was filled in/);
  });

  it('says aloud where there is no API to start, and gives no figure', async () => {
    const before = process.env['FAIRWAY_KUBE_BIN'];
    process.env['FAIRWAY_KUBE_BIN'] = '/nonexistent';
    const notes: string[] = [];
    try {
      const figures = await measureFromKube({ services: 1, endpoints: 1 }, 1, {
        quick: true,
        latencies() {},
        note: (text) => notes.push(text),
      });
      assert.deepEqual(figures, {});
      assert.match(notes.join('\n'), /SKIPPED: .*\/nonexistent/);
    } finally {
      if (before === undefined) delete process.env['FAIRWAY_KUBE_BIN'];
      else process.env['FAIRWAY_KUBE_BIN'] = before;
    }
  });
});
