/** Who an endpoint is: one text, and back. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readWho, whoText } from '../../../src/envoy/endpoint-identity.ts';

describe('who an endpoint is', () => {
  it('is its cluster, workload and version, and empty where they are not known', () => {
    assert.equal(whoText({ cluster: 'west', workload: 'reviews-6c9f', version: 'v2' }), 'west/reviews-6c9f/v2');
    assert.equal(whoText({ cluster: 'west', workload: '', version: '' }), 'west//');
  });

  it('can be read back, whatever the version is', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9._-]*$/);
    fc.assert(
      fc.property(name, name, fc.string(), (cluster, workload, version) => {
        const who = { cluster, workload, version };
        assert.deepEqual(readWho(whoText(who)), who);
      }),
    );
  });

  it('is nobody in a text of another make', () => {
    assert.deepEqual(readWho(''), { cluster: '', workload: '', version: '' });
  });
});
