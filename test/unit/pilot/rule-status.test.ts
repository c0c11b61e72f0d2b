import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/core/logger.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { Engine } from '../../../src/pilot/engine.ts';
import { RuleStatus } from '../../../src/pilot/rule-status.ts';
import { RuleSet } from '../../../src/rules/rule-set.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { oneRoute, rawRule } from '../../support/rules.ts';

function setUp() {
  const clock = new ManualClock();
  const rules = new RuleSet(silentLogger);
  const engine = new Engine({
    clock,
    logger: silentLogger,
    settings: defaultMeshSettings,
    debounce: { minWindowMs: 0, maxWindowMs: 0, costFactor: 0 },
    shards: () => [],
    rules: rules.winners,
    events: { batch() {}, progress() {} },
  });
  const status = new RuleStatus({ clock, rules, engine, clusters: () => new Set() });
  const told: string[] = [];
  status.listen((record, { conditions }) =>
    told.push(`${record.name} ${conditions.map(({ reason }) => reason).join(' ')}`),
  );
  rules.onChange(() => status.touch());
  return { clock, rules, status, told, source: rules.source('test') };
}

describe('statuses of rules', () => {
  it('are told once each', () => {
    const { clock, source, status, told } = setUp();
    source.put(rawRule(oneRoute('backends: [{version: v1}]')), 'reviews');
    clock.advance(5000);
    assert.deepEqual(told, ['reviews Accepted ServiceNotFound NoProxies']);
    status.touch();
    clock.advance(5000);
    assert.equal(told.length, 1);
  });

  it('are told to the listener though somebody has looked before', () => {
    const { clock, source, status, told } = setUp();
    source.put(rawRule(oneRoute('backends: [{version: v1}]')), 'reviews');
    assert.equal(status.reports()[0]?.conditions[0]?.status, 'True');
    clock.advance(5000);
    assert.equal(told.length, 1);
    source.put(rawRule('{service: reviews}'), 'reviews');
    status.reports();
    clock.advance(5000);
    assert.deepEqual(told.slice(1), ['reviews Invalid Invalid Invalid']);
  });

  it('are not told any more after the stop: a pilot that ends says nothing of proxies that leave it', () => {
    const { clock, source, status, told } = setUp();
    source.put(rawRule(oneRoute('backends: [{version: v1}]')), 'reviews');
    status.stop();
    status.touch();
    clock.advance(5000);
    assert.deepEqual(told, []);
  });

  it('keep nothing of objects that are gone: one that comes back begins anew', () => {
    const { clock, source, status } = setUp();
    source.put(rawRule(oneRoute('backends: [{version: v1}]')), 'reviews');
    const first = status.reports()[0]?.conditions[0]?.lastTransitionTime;
    source.remove('reviews');
    status.reports();
    clock.advance(5000);
    source.put(rawRule(oneRoute('backends: [{version: v1}]')), 'reviews');
    assert.notEqual(status.reports()[0]?.conditions[0]?.lastTransitionTime, first);
  });
});
