import assert from 'node:assert/strict';
import { anywhere, chainName, destinationName, parseDestinationName, toDestination } from '../../src/model/rule.ts';

describe('destination names', () => {
  it('tell version and cluster apart, dots or not', () => {
    assert.equal(destinationName(toDestination({ version: 'v2', cluster: 'west' })), 'v2.west');
    assert.equal(destinationName(toDestination({ version: 'v2' })), 'v2');
    assert.equal(destinationName(toDestination({ cluster: 'west' })), '.west');
    assert.equal(destinationName(toDestination({ version: '1.2' })), '1.2.');
    assert.equal(destinationName(toDestination({ version: '1', cluster: '2' })), '1.2');
    assert.equal(destinationName(anywhere), '');
  });

  it('say the region and the zone behind an @, and are read back', () => {
    assert.equal(
      destinationName(toDestination({ version: 'v2', cluster: 'west', region: 'eu', zone: 'eu-1a' })),
      'v2.west@eu/eu-1a',
    );
    assert.equal(destinationName(toDestination({ version: 'v2', region: 'eu' })), 'v2@eu');
    assert.equal(destinationName(toDestination({ zone: 'eu-1a' })), '@/eu-1a');
    const names = new Set<string>();
    for (const version of ['', 'v2', '1.2', 'west']) {
      for (const cluster of ['', 'west', '2']) {
        for (const region of ['', 'eu', 'eu.1']) {
          for (const zone of ['', 'a', 'eu']) {
            const given = { version, cluster, region, zone };
            const name = destinationName(given);
            assert.deepEqual(parseDestinationName(name), given);
            names.add(name);
          }
        }
      }
    }
    assert.equal(names.size, 4 * 3 * 3 * 3);
  });

  it('join into a chain, with * for anywhere', () => {
    assert.equal(
      chainName([toDestination({ version: 'v3', cluster: 'west' }), toDestination({ version: 'v2' }), anywhere]),
      'v3.west>v2>*',
    );
    assert.equal(chainName([anywhere]), '');
  });
});
