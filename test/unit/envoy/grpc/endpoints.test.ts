/** Levels as a client sees them that uses one at a time. */

import assert from 'node:assert/strict';
import type { TargetGroup } from '../../../../src/envoy/assignment-bytes.ts';
import { sharedLevels } from '../../../../src/envoy/grpc/endpoints.ts';
import { endpoint } from '../../../support/fixtures.ts';

let addresses = 0;

/** `ready` and `lost` endpoints of one locality. */
function group(priority: number, zone: string, ready: number, lost = 0, weight?: number): TargetGroup {
  const targets = Array.from({ length: ready + lost }, (_, index) => ({
    endpoint: endpoint('east', `10.0.0.${++addresses}`, {
      ready: index < ready,
      locality: { region: 'eu', zone, subzone: '' },
    }),
    port: 80,
  }));
  return { targets, priority, ...(weight === undefined ? {} : { weight }) };
}

/** `0 a/ 2`: priority, zone/sub-zone, weight; endpoints in brackets where they are not as many. */
function shown(groups: readonly TargetGroup[], factor?: number): string[] {
  return sharedLevels(groups, factor).map(({ priority, targets, weight, locality }) => {
    const { zone = '', subzone = '' } = locality ?? targets[0]?.endpoint.locality ?? {};
    return `${priority} ${zone}/${subzone} ${weight} of ${targets.length}`;
  });
}

describe('levels for clients that use one at a time', () => {
  it('stay as they are while the first bears the load', () => {
    assert.deepEqual(shown([group(0, 'a', 2), group(0, 'b', 1), group(1, 'a', 3)]), [
      '0 a/ 2 of 2',
      '0 b/ 1 of 1',
      '1 a/level-1 3 of 3',
    ]);
    // 3 of 4 with a factor of 1.4 is more than all.
    assert.deepEqual(shown([group(0, 'a', 3, 1), group(1, 'b', 1)]), ['0 a/ 3 of 3', '1 b/level-1 1 of 1']);
  });

  it('are one, with Envoy’s shares, where the first has lost much', () => {
    // 2 of 4: 70 to 30.
    assert.deepEqual(shown([group(0, 'a', 2, 2), group(1, 'a', 1), group(2, 'a', 5)]), [
      '0 a/ 7000000 of 2',
      '0 a/level-1 3000000 of 1',
      '1 a/level-2 5 of 5',
    ]);
    assert.deepEqual(shown([group(0, 'a', 2, 2), group(1, 'a', 1)], 200), ['0 a/ 2 of 2', '1 a/level-1 1 of 1']);
  });

  it('divide a level’s share among its localities by their endpoints', () => {
    assert.deepEqual(shown([group(0, 'a', 1, 3), group(1, 'b', 3), group(1, 'c', 1)]), [
      '0 a/ 3500000 of 1',
      '0 b/level-1 4875000 of 3',
      '0 c/level-1 1625000 of 1',
    ]);
  });

  it('have no gap where a level has nothing that takes requests', () => {
    assert.deepEqual(shown([group(0, 'a', 0, 2), group(1, 'b', 1), group(2, 'c', 0, 1)]), ['0 b/level-1 1 of 1']);
    assert.deepEqual(shown([group(0, 'a', 0, 2)]), []);
  });

  it('have no locality in common, for gRPC for Java keeps only the last of a name', () => {
    const groups = sharedLevels([group(0, 'a', 1), group(1, 'a', 1), group(2, 'a', 1), group(2, 'b', 1)]);
    const names = groups.map(({ locality }) => `${locality?.region}/${locality?.zone}/${locality?.subzone}`);
    assert.equal(new Set(names).size, 4, names.join(' '));
  });

  it('keep weights that places were given, but for what a place has lost', () => {
    assert.deepEqual(shown([group(0, 'a', 2, 0, 70), group(0, 'b', 1, 3, 30)]), ['0 a/ 70 of 2', '0 b/ 11 of 1']);
  });
});
