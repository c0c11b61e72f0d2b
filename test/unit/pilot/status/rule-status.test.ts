import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { silentLogger } from '../../../../src/core/logger.ts';
import { defaultMeshSettings } from '../../../../src/model/mesh.ts';
import { Engine } from '../../../../src/pilot/engine.ts';
import { MemberRules, memberSourceName } from '../../../../src/pilot/members/member-rules.ts';
import { FleetProgress, parseProgress, progressText } from '../../../../src/pilot/status/fleet-progress.ts';
import { RuleStatus } from '../../../../src/pilot/status/rule-status.ts';
import { parseClusterPolicy } from '../../../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../../../src/rules/traffic-rule/rule-set.ts';
import { clusterPolicyText } from '../../../support/bad-cluster-policies.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { oneRoute, rawObject, rawRule } from '../../../support/rules.ts';

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

  it("of members' rules count the proxies of all replicas, each cluster's by itself", () => {
    const clock = new ManualClock();
    const logger = silentLogger;
    const members = new MemberRules({ logger, primary: new Map() });
    const { value } = parseClusterPolicy(
      rawObject(parse(clusterPolicyText('{clusters: [edge-*], grants: [{namespaces: ["*"], kinds: [TrafficRule]}]}'))),
      { defaultNamespace: '' },
    );
    members.setPolicies(value === undefined ? assert.fail() : [value]);
    const engine = new Engine({
      clock,
      logger,
      settings: defaultMeshSettings,
      debounce: { minWindowMs: 0, maxWindowMs: 0, costFactor: 0 },
      shards: () => [],
      rules: new Map(),
      memberRules: members.table,
      events: { batch() {}, progress() {} },
    });
    const here = new FleetProgress(logger, () => 0);
    const status = new RuleStatus({
      clock,
      rules: members,
      engine,
      clusters: () => new Set(),
      fleet: here,
      fleetKind: 'MemberRule',
    });
    status.listen(() => {});
    const said: string[] = [];
    here.share(
      (text) => said.push(text),
      () => {},
    );
    for (const edge of ['edge-1', 'edge-2'])
      members
        .source(memberSourceName(edge))
        .put(rawRule(oneRoute('backends: [{version: v1}]')), 'TrafficRule/shop/reviews');
    status.touch();
    clock.advance(5000);
    const own = parseProgress(said.at(-1) ?? '');
    assert.equal(own.forms.size, 2, 'the same rule of two clusters is two');
    const [first] = own.forms.keys();
    const text = progressText(3, [[first ?? '', { acknowledged: 2, total: 3, rejections: [] }]]).text;
    here.heard(new Map([['other', text]]));
    const totals = status
      .reports()
      .map(({ holder, programmed }) => [holder, programmed.acknowledged, programmed.total]);
    assert.deepEqual(
      totals.toSorted((a, b) => Number(b[2]) - Number(a[2])).map(([, ...counts]) => counts),
      [
        [2, 3],
        [0, 0],
      ],
    );
  });
});
