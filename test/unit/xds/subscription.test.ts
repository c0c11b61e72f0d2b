import assert from 'node:assert/strict';
import { Subscription } from '../../../src/xds/subscription.ts';
import { testResource } from '../../support/xds-views.ts';

describe('subscriptions', () => {
  it('SotW: an empty list means all until the first name was given', () => {
    const subscription = new Subscription(true);
    assert.equal(subscription.replace([]).wildcard, 'gained');
    assert.deepEqual(subscription.replace(['*', 'a']), { added: ['a'], dropped: [], wildcard: 'same' });
    assert.deepEqual(subscription.replace(['a']), { added: [], dropped: [], wildcard: 'lost' });
    assert.deepEqual(subscription.replace([]), { added: [], dropped: ['a'], wildcard: 'same' });
    assert.equal(subscription.wildcard, false);
  });

  it('types that are asked for by name know no implied wildcard, but an explicit one', () => {
    const sotw = new Subscription(false);
    assert.equal(sotw.replace([]).wildcard, 'same');
    assert.equal(sotw.replace(['*']).wildcard, 'gained');
    const delta = new Subscription(false);
    assert.equal(delta.edit([], [], true).wildcard, 'same');
  });

  it('delta: the first request means all if it names nothing; a later empty one means nothing', () => {
    const all = new Subscription(true);
    assert.equal(all.edit([], [], true).wildcard, 'gained');
    assert.deepEqual(all.edit(['a'], [], false), { added: ['a'], dropped: [], wildcard: 'same' });
    assert.equal(all.edit([], ['*'], false).wildcard, 'lost');
    const named = new Subscription(true);
    assert.equal(named.edit(['a'], [], true).wildcard, 'same');
    assert.equal(named.edit([], [], false).wildcard, 'same');
  });

  it('a phantom unsubscribe drops nothing; subscribe and unsubscribe in one request leave it out', () => {
    const subscription = new Subscription(true);
    assert.deepEqual(subscription.edit(['a'], ['ghost'], true).dropped, []);
    assert.deepEqual(subscription.edit(['b'], ['b'], false), { added: [], dropped: ['b'], wildcard: 'same' });
  });

  it('an alias that was asked for finds its resource', () => {
    const subscription = new Subscription(false);
    subscription.edit(['t/x'], [], true);
    assert(subscription.has('t/y', testResource('any', 't/y', '1', { aliases: ['t/x'] })));
    assert(!subscription.has('t/y', testResource('any', 't/y', '1', { aliases: ['t/z'] })));
  });
});

describe('names that subscriptions share', () => {
  const list = ['a', 'b', 'c'];
  const set: ReadonlySet<string> = new Set(list);

  it('are never written to, whatever a subscription goes on to ask for', () => {
    for (const change of [
      (one: Subscription) => one.edit(['d'], [], false),
      (one: Subscription) => one.edit([], ['a'], false),
      (one: Subscription) => one.edit(list, ['a'], false, set),
      (one: Subscription) => one.replace(['a', 'd']),
      (one: Subscription) => one.assume(['d']),
      (one: Subscription) => {
        one.doubt(['a']);
        return one.settleDoubts();
      },
    ]) {
      const subscription = new Subscription(false, (name) => name !== 'd');
      subscription.edit(list, [], true, set);
      assert.equal(subscription.sharedNames, set);
      change(subscription);
      assert.deepEqual([...set], list);
      assert.equal(subscription.sharedNames, undefined);
    }
  });

  it('are taken for no change where they are what is asked for', () => {
    const subscription = new Subscription(false);
    assert.deepEqual(subscription.replace(list, set), { added: list, dropped: [], wildcard: 'same' });
    assert.deepEqual(subscription.unknown(list, set), []);
    assert.deepEqual(subscription.replace(list, set), { added: [], dropped: [], wildcard: 'same' });
  });

  it('with a wildcard among them are read one by one', () => {
    const all = ['*', 'a'];
    for (const ask of [
      (one: Subscription) => one.edit(all, [], true, new Set(all)),
      (one: Subscription) => one.replace(all, new Set(all)),
    ]) {
      const subscription = new Subscription(false);
      assert.equal(ask(subscription).wildcard, 'gained');
      assert.deepEqual([...subscription.names], ['a']);
    }
  });
});
