/** Priority loads, worked out by hand from Envoy's documentation. */

import assert from 'node:assert/strict';
import { priorityLoads } from '../../../src/envoy/priority-loads.ts';

const loads = (levels: readonly (readonly [healthy: number, endpoints: number])[], factor = 140, panic = 1): number[] =>
  priorityLoads(
    levels.map(([healthy, endpoints]) => ({ healthy, endpoints })),
    factor,
    panic,
  ).map(({ percent }) => percent);

describe('loads of priority levels', () => {
  it('are those of the tables in Envoy’s documentation', () => {
    // https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
    const second = [100, 100] as const;
    assert.deepEqual(loads([second, second]), [100, 0]);
    assert.deepEqual(loads([[72, 100], second]), [100, 0]);
    assert.deepEqual(loads([[71, 100], second]), [99, 1]);
    assert.deepEqual(loads([[50, 100], second]), [70, 30]);
    assert.deepEqual(loads([[25, 100], second]), [35, 65]);
    assert.deepEqual(loads([[0, 100], second]), [0, 100]);
    assert.deepEqual(
      loads([
        [25, 100],
        [25, 100],
      ]),
      [50, 50],
    );
    assert.deepEqual(
      loads([
        [5, 100],
        [0, 100],
        [5, 100],
      ]),
      [50, 0, 50],
    );
  });

  it('cut off what is no whole per cent, and give the rest to the first level that takes any', () => {
    // 140 × 1/3 = 46.7, cut off at 46 each: of 138 that is more than enough.
    assert.deepEqual(
      loads([
        [1, 3],
        [1, 3],
        [1, 3],
      ]),
      [46, 46, 8],
    );
    // 20 each of 60: 33 each, and 1 left over.
    assert.deepEqual(
      loads([
        [1, 7],
        [1, 7],
        [1, 7],
      ]),
      [34, 33, 33],
    );
  });

  it('follow the overprovisioning that the service has', () => {
    assert.deepEqual(
      loads(
        [
          [9, 10],
          [1, 1],
        ],
        100,
      ),
      [90, 10],
    );
    assert.deepEqual(
      loads(
        [
          [1, 2],
          [1, 1],
        ],
        200,
      ),
      [100, 0],
    );
  });

  it('use a level whole below the panic threshold, if all levels together have too little', () => {
    const levels = [
      { healthy: 1, endpoints: 10 },
      { healthy: 2, endpoints: 10 },
    ];
    assert.deepEqual(priorityLoads(levels, 140, 15), [
      { percent: 34, panic: true },
      { percent: 66, panic: false },
    ]);
    // All of them are in panic: by their size.
    assert.deepEqual(priorityLoads([levels[0] ?? levels[1], { healthy: 1, endpoints: 30 }] as typeof levels, 140, 50), [
      { percent: 25, panic: true },
      { percent: 75, panic: true },
    ]);
    assert.deepEqual(
      priorityLoads(
        [
          { healthy: 1, endpoints: 10 },
          { healthy: 10, endpoints: 10 },
        ],
        140,
        50,
      ),
      [
        { percent: 14, panic: false },
        { percent: 86, panic: false },
      ],
    );
  });

  it('are none where there is no endpoint', () => {
    assert.deepEqual(loads([]), []);
    assert.deepEqual(loads([[0, 0]]), [0]);
    assert.deepEqual(
      loads(
        [
          [0, 4],
          [0, 4],
        ],
        140,
        0,
      ),
      [0, 0],
    );
  });
});
