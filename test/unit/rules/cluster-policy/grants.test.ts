import assert from 'node:assert/strict';
import type { ClusterPolicy, Precedence } from '../../../../src/model/cluster-policy.ts';
import { Grants, matchesPattern } from '../../../../src/rules/cluster-policy/grants.ts';

function policy(
  name: string,
  clusters: readonly string[],
  namespaces: readonly string[],
  precedence: Precedence = 'member',
): ClusterPolicy {
  const grants = [{ namespaces, kinds: ['TrafficRule'] }];
  return {
    ref: { name, generation: 1 },
    createdAtMs: 0,
    clusters,
    grants,
    precedence,
    writeStatus: false,
    hash: name,
    origin: '',
  };
}

describe('Grants', () => {
  it('are by names and by beginnings', () => {
    for (const [pattern, name, matches] of [
      ['edge-1', 'edge-1', true],
      ['edge-1', 'edge-10', false],
      ['edge-*', 'edge-10', true],
      ['edge-*', 'edge', false],
      ['*', '', true],
    ] as const)
      assert.equal(matchesPattern(pattern, name), matches, `${pattern} ${name}`);
  });

  it('are the sum of what policies grant', () => {
    const grants = new Grants([policy('a', ['edge-*'], ['shop']), policy('b', ['edge-1'], ['team-*'])]);
    assert.deepEqual(grants.of('edge-1', 'shop', 'TrafficRule'), {
      precedence: 'member',
      policies: ['a'],
      isDisputed: false,
      writesStatus: false,
    });
    assert.deepEqual(grants.of('edge-1', 'team-x', 'TrafficRule')?.policies, ['b']);
    assert.equal(grants.of('edge-2', 'team-x', 'TrafficRule'), undefined);
    assert.equal(grants.of('west', 'shop', 'TrafficRule'), undefined);
    assert.equal(grants.of('edge-1', 'shop', 'ExternalService'), undefined);
  });

  it('let the primary go first where policies differ, in whatever order they come', () => {
    const [a, b] = [policy('a', ['*'], ['shop']), policy('b', ['west'], ['*'], 'primary')];
    for (const policies of [
      [a, b],
      [b, a],
    ]) {
      const grants = new Grants(policies);
      assert.deepEqual(grants.of('west', 'shop', 'TrafficRule'), {
        precedence: 'primary',
        policies: ['a', 'b'],
        isDisputed: true,
        writesStatus: false,
      });
      assert.equal(grants.of('east', 'shop', 'TrafficRule')?.precedence, 'member');
    }
  });

  it('have a signature per cluster, which another policy’s change leaves alone', () => {
    const before = new Grants([policy('a', ['east'], ['shop'])]);
    const after = new Grants([policy('a', ['east'], ['shop']), policy('b', ['west'], ['shop'])]);
    assert.equal(before.signature('east'), after.signature('east'));
    assert.notEqual(before.signature('west'), after.signature('west'));
  });
});
