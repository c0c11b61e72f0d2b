import assert from 'node:assert/strict';
import { ExternalContests } from '../../../src/mesh/external-contests.ts';
import type { ExternalService } from '../../../src/model/external.ts';

function external(name: string, ...hosts: string[]): ExternalService {
  return {
    ref: { namespace: 'shop', name, generation: 1 },
    createdAtMs: 0,
    hosts,
    ports: [],
    resolution: 'dns',
    endpoints: [],
    clusters: [],
    hash: name,
    origin: 'test',
  };
}

describe('which hosts outside have to do with one another', () => {
  it('are those with a host in common, over any number of others, and copies of one object', () => {
    const contests = new ExternalContests('cluster.local');
    contests.set('a', external('a', 'x.example.com'));
    contests.set('b', external('b', 'x.example.com', 'y.example.com'));
    contests.set('c', external('c', 'y.example.com'));
    contests.set('d', external('d', 'z.example.com'));
    contests.set('copy of d', external('d', 'q.example.com'));
    assert.deepEqual([...contests.around(['a'])].sort(), ['a', 'b', 'c']);
    assert.deepEqual([...contests.around(['d'])].sort(), ['copy of d', 'd']);
    contests.set('b', undefined);
    assert.deepEqual([...contests.around(['a'])], ['a']);
  });

  it('knows who has the name of a service', () => {
    const contests = new ExternalContests('cluster.local');
    contests.set('a', external('a', 'reviews.shop', 'x.example.com'));
    assert.deepEqual([...contests.named('shop/reviews')], ['a']);
    contests.set('a', external('a', 'x.example.com'));
    assert.deepEqual([...contests.named('shop/reviews')], []);
  });
});
