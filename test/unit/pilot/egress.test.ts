import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/core/logger.ts';
import { egressOf } from '../../../src/pilot/egress.ts';

describe('egressOf', () => {
  const namespaces = (label: string | undefined) => {
    const labels: Record<string, string> = label === undefined ? {} : { 'fairway.dev/outbound': label };
    return new Map([['shop', { cluster: 'east', name: 'shop', labels }]]);
  };
  const say = (label: string | undefined, cluster = 'east', namespace = 'shop'): string | undefined =>
    egressOf(() => new Map([['east', { namespaces: namespaces(label) }]]), silentLogger)(cluster, namespace);

  it('takes the two words, from the namespace in the proxy’s own cluster', () => {
    assert.equal(say('registered-only'), 'registered-only');
    assert.equal(say('allow-any'), 'allow-any');
    assert.equal(say('registered-only', 'west'), undefined);
    assert.equal(say('registered-only', 'east', 'other'), undefined);
  });

  it('says nothing where nothing is said, or another word, or a name that every object has', () => {
    assert.equal(say(undefined), undefined);
    assert.equal(say(''), undefined);
    assert.equal(say('none'), undefined);
  });

  it('tells of a bad word once', () => {
    const told: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void told.push(message) };
    const egress = egressOf(() => new Map([['east', { namespaces: namespaces('none') }]]), logger);
    for (let i = 0; i < 3; i++) egress('east', 'shop');
    assert.equal(told.length, 1);
  });
});
