import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ServiceKey } from '../../../src/model/service.ts';
import { Users } from '../../../src/registry/users.ts';

const services: readonly ServiceKey[] = ['shop/a', 'shop/b', 'shop/c'];

describe('registry: who uses an object', () => {
  it('counts as a map of counts would', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...services), fc.constantFrom(1, -1, 2, -2)), { maxLength: 20 });
    fc.assert(
      fc.property(steps, (list) => {
        const users = new Users();
        const counts = new Map<ServiceKey, number>();
        for (const [service, by] of list) {
          // Nobody takes away what was not added.
          if ((counts.get(service) ?? 0) + by < 0) continue;
          users.count('pod', service, by);
          counts.set(service, (counts.get(service) ?? 0) + by);
          const expected = [...counts].filter(([, uses]) => uses > 0).sort();
          assert.deepEqual([...users.uses('pod')].map(([key, uses]) => [key, uses]).sort(), expected);
          assert.deepEqual([...users.of('pod')].sort(), expected.map(([key]) => key).sort());
        }
        assert.deepEqual([...users.of('another')], []);
      }),
    );
  });
});
