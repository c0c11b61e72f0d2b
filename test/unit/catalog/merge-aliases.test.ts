import assert from 'node:assert/strict';
import { mergeAgain, mergeService } from '../../../src/catalog/merge.ts';
import { endpoint, port, shard } from '../../support/fixtures.ts';

const alias = (cluster: string, externalName: string, createdAtMs = 0) =>
  shard(cluster, 'pay', { externalName, createdAtMs, ports: [port(80)] });
const real = (cluster: string, createdAtMs = 0) =>
  shard(cluster, 'pay', { createdAtMs, ports: [port(8080)], endpoints: [endpoint(cluster, '10.0.0.1')] });

describe('aliases in the merge', () => {
  it('stand for their name where all clusters have one; the oldest counts, whatever the order', () => {
    const shards = [alias('west', 'old.example.com', 1), alias('east', 'new.example.com', 2)];
    for (const order of [shards, shards.toReversed()]) {
      const merged = mergeService(order);
      assert.deepEqual(merged.upstream, { kind: 'dns', name: 'old.example.com' });
      assert.deepEqual(
        merged.conflicts.map(({ reason, winner, losers }) => [reason, winner, losers]),
        [['TypeConflict', 'west', ['east']]],
      );
      assert.deepEqual([...merged.shards.keys()], ['east', 'west']);
    }
  });

  it('give way to the service itself, however young, with their ports', () => {
    const merged = mergeService([alias('east', 'pay.example.com', 1), real('west', 2)]);
    assert.equal(merged.upstream, undefined);
    assert.deepEqual(
      merged.ports.map(({ port: number, clusters }) => [number, clusters]),
      [[8080, ['west']]],
    );
    assert.match(
      merged.conflicts[0]?.message ?? '',
      /its name is an alias \(ExternalName\) in east, where it counts for nothing/,
    );
  });

  it('are noticed when they change', () => {
    const before = mergeService([alias('east', 'a.example.com')]);
    const after = mergeAgain(before, [alias('east', 'b.example.com')]);
    assert.deepEqual(after.upstream, { kind: 'dns', name: 'b.example.com' });
  });
});
