/** What is said of a proxy that has several streams. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../../../src/core/type-urls.ts';
import { proxyTypes } from '../../../../src/pilot/proxies/proxy-types.ts';

type Stood = Parameters<typeof proxyTypes>[0] extends Iterable<ReadonlyMap<string, infer S>> ? S : never;

function stream(state: Stood['state'], second: number, resources: number, error = ''): ReadonlyMap<string, Stood> {
  return new Map([[typeUrl.cluster, { state, sinceMs: second * 1000, resources, error }]]);
}

function shown(...streams: ReadonlyMap<string, Stood>[]): string {
  const { state, since, resources, error } = proxyTypes(streams)['CDS'] ?? assert.fail('no CDS');
  return `${state} ${Date.parse(since) / 1000} ${resources} ${error}`.trim();
}

describe('the types of a proxy with several streams', () => {
  it('show the worst, whichever stream it is on', () => {
    const streams = [
      stream('synced', 1, 2),
      stream('rejected', 2, 3, 'no'),
      stream('pending', 3, 4),
      stream('synced', 5, 1),
    ];
    assert.equal(shown(...streams), 'rejected 2 10 no');
    assert.equal(shown(...streams.toReversed()), 'rejected 2 10 no');
    assert.equal(shown(stream('pending', 4, 1), stream('synced', 9, 1)), 'pending 4 2');
  });

  it('are in trouble since the first, and well since the last', () => {
    assert.equal(shown(stream('pending', 4, 1), stream('pending', 3, 1)), 'pending 3 2');
    assert.equal(shown(stream('synced', 4, 1), stream('synced', 3, 0)), 'synced 4 1');
  });

  it('are those of each stream where they differ', () => {
    const listeners = new Map([[typeUrl.listener, { state: 'synced', sinceMs: 0, resources: 1, error: '' } as const]]);
    assert.deepEqual(Object.keys(proxyTypes([stream('synced', 1, 1), listeners])), ['CDS', 'LDS']);
    assert.deepEqual(proxyTypes([]), {});
  });
});
