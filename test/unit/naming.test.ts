import assert from 'node:assert/strict';
import { chainName, destinationName } from '../../src/model/rule.ts';

describe('destination names', () => {
  it('tell version and cluster apart, dots or not', () => {
    assert.equal(destinationName({ version: 'v2', cluster: 'west' }), 'v2.west');
    assert.equal(destinationName({ version: 'v2', cluster: '' }), 'v2');
    assert.equal(destinationName({ version: '', cluster: 'west' }), '.west');
    assert.equal(destinationName({ version: '1.2', cluster: '' }), '1.2.');
    assert.equal(destinationName({ version: '1', cluster: '2' }), '1.2');
    assert.equal(destinationName({ version: '', cluster: '' }), '');
  });

  it('join into a chain, with * for anywhere', () => {
    assert.equal(
      chainName([
        { version: 'v3', cluster: 'west' },
        { version: 'v2', cluster: '' },
        { version: '', cluster: '' },
      ]),
      'v3.west>v2>*',
    );
    assert.equal(chainName([{ version: '', cluster: '' }]), '');
  });
});
