import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { RawObject } from '../../../../src/model/object.ts';
import { defaultRuleSetLimits, RuleSet, type RuleSetChange } from '../../../../src/rules/traffic-rule/rule-set.ts';
import { oneRoute, rawObject, rawRule } from '../../../support/rules.ts';

const v1 = oneRoute('backends: [{version: v1}]');
const v2 = oneRoute('backends: [{version: v2}]');
const bad = oneRoute('backends: [{version: v1, weight: -1}]');

function named(name: string, spec: string, metadata: object = {}, origin?: string): RawObject {
  return rawRule(spec, { name, ...metadata }, origin);
}

function setUp(limits = defaultRuleSetLimits) {
  const set = new RuleSet(silentLogger, limits);
  const changes: RuleSetChange[] = [];
  set.onChange((change) => changes.push(change));
  const versionInForce = (): string | undefined =>
    set.winners.get('shop/reviews')?.routes[0]?.backends[0]?.chain[0]?.version;
  return { set, changes, folder: set.source('folder'), cluster: set.source('primary'), versionInForce };
}

describe('RuleSet', () => {
  it('puts a rule in force, changes it and takes it out again, and says so', () => {
    const { set, changes, folder, versionInForce } = setUp();
    folder.put(named('a', v1), 'a');
    assert.equal(versionInForce(), 'v1');
    folder.put(named('a', v2), 'a');
    assert.equal(versionInForce(), 'v2');
    assert.equal(set.winners.get('shop/reviews')?.ref.generation, 2);
    folder.remove('a');
    assert.equal(set.winners.size, 0);
    folder.remove('a');
    assert.deepEqual(
      changes.map(({ services, records }) => [[...services], [...records]]),
      Array.from({ length: 3 }, () => [['shop/reviews'], ['folder#a']]),
    );
  });

  it('keeps the last good form in force while the latest is invalid', () => {
    const { set, changes, folder, versionInForce } = setUp();
    folder.put(named('a', v1), 'a');
    const before = set.winners.get('shop/reviews');
    for (const broken of [named('a', bad), rawObject('nonsense'), rawObject({ kind: 'TrafficRule' })]) {
      folder.put(broken, 'a');
      assert.equal(set.winners.get('shop/reviews'), before);
      const record = set.record('folder#a');
      assert.equal(record?.latest, undefined);
      assert.equal(record?.lastGood, before);
      assert.deepEqual([record?.namespace, record?.name], ['shop', 'a']);
    }
    assert.deepEqual(
      changes.slice(1).map(({ services }) => services.size),
      [0, 0, 0],
    );
    assert.equal(set.record('folder#a')?.generation, 4);
    folder.put(named('a', v2), 'a');
    assert.equal(versionInForce(), 'v2');
  });

  it('has nothing in force for an object that was never valid', () => {
    const { set, folder } = setUp();
    folder.put(named('a', bad), 'a');
    assert.equal(set.winners.size, 0);
    assert.deepEqual(
      set.records().map(({ service, findings }) => [service, findings.map(({ code }) => code)]),
      [['shop/reviews', ['FW-RULE-024']]],
    );
  });

  it('lets a new object of the same id inherit nothing', () => {
    const { set, cluster } = setUp();
    cluster.put(named('a', v1, { uid: '1', generation: 7 }), 'a');
    cluster.put(named('a', bad, { uid: '2', generation: 1 }), 'a');
    assert.equal(set.winners.size, 0);
    assert.equal(set.record('primary#a')?.generation, 1);
    cluster.put(named('b', v1), 'x');
    cluster.put(named('c', bad), 'x');
    assert.equal(set.winners.size, 0);
  });

  it("takes Kubernetes' generation, and counts where there is none", () => {
    const { set, folder } = setUp();
    const generation = () => set.record('folder#a')?.generation;
    folder.put(named('a', v1), 'a');
    folder.put(named('a', v1, { labels: { x: 'y' } }), 'a');
    assert.equal(generation(), 1);
    folder.put(named('a', v2), 'a');
    assert.equal(generation(), 2);
    folder.put(named('a', v2, { generation: 9 }), 'a');
    assert.equal(generation(), 9);
    // A dumped object in a file: nobody counts its generation up.
    folder.put(named('a', v1, { generation: 9 }), 'a');
    assert.equal(generation(), 10);
  });

  it('lets the oldest rule of a service win, then the first by name, and tells the loser', () => {
    const { set, changes, folder, versionInForce } = setUp();
    folder.put(named('b', v1, { creationTimestamp: '2026-01-02T00:00:00Z' }), '2');
    folder.put(named('c', v2, { creationTimestamp: '2026-01-01T00:00:00Z' }), '1');
    assert.equal(versionInForce(), 'v2');
    assert.deepEqual([...(changes[1]?.records ?? [])].sort(), ['folder#1', 'folder#2']);
    const loser = set.record('folder#2');
    assert.deepEqual(loser?.loss, { kind: 'overruled', by: { key: 'folder#1', id: 'shop/c', origin: 'rules/a.yaml' } });
    assert.deepEqual(
      loser?.findings.map(({ code, message }) => [code, message.includes('shop/c')]),
      [['FW-RULE-040', true]],
    );

    folder.put(named('a', v1, { creationTimestamp: '2026-01-01T00:00:00Z' }), '3');
    assert.equal(versionInForce(), 'v1');
    assert.equal(set.record('folder#2')?.loss?.by.id, 'shop/a');
    folder.remove('3');
    folder.remove('1');
    assert.equal(set.winners.get('shop/reviews')?.ref.name, 'b');
    assert.equal(set.record('folder#2')?.loss, undefined);
    assert.deepEqual(set.record('folder#2')?.findings, []);
  });

  it('takes one of two copies of an object from two sources, and tells the other', () => {
    const { set, folder, cluster, versionInForce } = setUp();
    cluster.put(named('a', v2, {}, 'cluster primary'), 'a');
    folder.put(named('a', v1, {}, 'rules/a.yaml'), 'a');
    assert.equal(versionInForce(), 'v1');
    assert.equal(set.record('primary#a')?.loss?.kind, 'duplicate');
    assert.deepEqual(
      set.record('primary#a')?.findings.map(({ code }) => code),
      ['FW-RULE-041'],
    );
    folder.remove('a');
    assert.equal(versionInForce(), 'v2');
    assert.equal(set.record('primary#a')?.loss, undefined);
  });

  it('lets a copy for another service come into force when the first goes', () => {
    const { set, changes, folder, cluster } = setUp();
    folder.put(named('a', v1), 'a');
    cluster.put(named('a', '{service: ratings, routes: [{backends: [{}]}]}'), 'a');
    assert.deepEqual([...set.winners.keys()], ['shop/reviews']);
    folder.remove('a');
    assert.deepEqual([...set.winners.keys()], ['shop/ratings']);
    assert.deepEqual([...(changes.at(-1)?.services ?? [])].sort(), ['shop/ratings', 'shop/reviews']);
  });

  it('moves a rule from one service to another', () => {
    const { set, folder, changes } = setUp();
    folder.put(named('a', v1), 'a');
    folder.put(named('a', '{service: ratings, routes: [{backends: [{}]}]}'), 'a');
    assert.deepEqual([...set.winners.keys()], ['shop/ratings']);
    assert.deepEqual([...(changes.at(-1)?.services ?? [])].sort(), ['shop/ratings', 'shop/reviews']);
    assert.deepEqual(set.recordsOf('shop/reviews'), []);
  });

  it('calls no service dirty when nothing that counts changed', () => {
    const { set, changes, folder } = setUp();
    folder.put(named('a', v1), 'a');
    const before = set.winners.get('shop/reviews');
    folder.put(named('a', v1, { labels: { a: 'b' } }), 'a');
    assert.equal(set.winners.get('shop/reviews'), before);
    assert.deepEqual(
      changes.map(({ services }) => services.size),
      [1, 0],
    );
  });

  it('takes no more objects than its limit, and counts those it refuses', () => {
    const { set, folder } = setUp({ maxObjects: 1, defaultNamespace: 'default' });
    folder.put(named('a', v1), 'a');
    folder.put(named('b', v1), 'b');
    folder.put(named('a', v2), 'a');
    assert.equal(set.records().length, 1);
    assert.equal(set.refused, 1);
  });
});
