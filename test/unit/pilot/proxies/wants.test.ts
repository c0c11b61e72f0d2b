import assert from 'node:assert/strict';
import { WantsMemory } from '../../../../src/pilot/proxies/wants.ts';

describe('what on-demand proxies had asked for', () => {
  let nowMs = 0;
  const limits = { nodesMax: 2, namesMax: 2, keepMs: 1000 };
  const asked = (...names: string[]) => new Map([['clusters', names]]);

  it('is remembered by node, the last of it', () => {
    const memory = new WantsMemory(() => nowMs, limits);
    memory.remember('a', asked('x'));
    memory.remember('a', asked('y'));
    assert.deepEqual(memory.of('a', 'clusters'), ['y']);
    assert.deepEqual(memory.of('a', 'hosts'), []);
    assert.deepEqual(memory.of('b', 'clusters'), []);
    memory.remember('a', asked());
    assert.equal(memory.size, 0);
  });

  it('is bounded in nodes, names and time', () => {
    const memory = new WantsMemory(() => nowMs, limits);
    memory.remember('a', asked('x', 'y', 'z'));
    assert.equal(memory.size, 0);
    for (const node of ['a', 'b', 'c']) memory.remember(node, asked('x'));
    assert.deepEqual([memory.size, memory.of('a', 'clusters')], [2, []]);
    nowMs = 2000;
    assert.deepEqual(memory.of('c', 'clusters'), []);
    memory.remember('d', asked('x'));
    assert.equal(memory.size, 1);
  });
});
