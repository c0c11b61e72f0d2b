/** Where only exported services merge: what a member's own rule does under the service's name in `clusterset.local`. */

import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/logger.ts';
import { clustersetKey } from '../../../../src/model/clusterset.ts';
import { serviceKey } from '../../../../src/model/service.ts';
import { MemberRules, memberSourceName } from '../../../../src/pilot/members/member-rules.ts';
import { Inventory } from '../../../../src/registry/inventory.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import { parseClusterPolicy } from '../../../../src/rules/cluster-policy/parse.ts';
import { RuleSet } from '../../../../src/rules/traffic-rule/rule-set.ts';
import { testExport } from '../../../support/exports.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { PilotSim } from '../../../support/pilot-sim.ts';
import { rawObject } from '../../../support/rules.ts';
import { testShard } from '../../../support/shards.ts';

const key = serviceKey('shop', 'a');
const apiVersion = 'fairway.dev/v1alpha1';

describe('pilot: rules of members, and exported services', () => {
  const clock = new ManualClock();
  const inventory = new Inventory({ clock, logger: silentLogger });
  const rules = new RuleSet(silentLogger);
  const members = new MemberRules({ logger: silentLogger, primary: rules.winners });
  const sim = new PilotSim(clock, inventory, rules, false, members, 'exported');
  const clusters = ['east', 'west'].map((name) => new MemoryCluster({ clock, info: { name, network: 'flat' } }));
  const [east, west] = clusters as [MemoryCluster, MemoryCluster];
  for (const cluster of clusters) inventory.add(cluster.info.name, 'memory', cluster.start);
  after(() => sim.stop());

  const ruleSeen = (cluster: string, of = clustersetKey(key)): string | undefined => {
    sim.engine.flush();
    return sim.engine.meshOf(cluster).services.get(of)?.rule?.name;
  };
  const grant = (to: readonly string[]): void => {
    const spec = { clusters: to, grants: [{ namespaces: ['shop'], kinds: ['TrafficRule'] }] };
    const object = { apiVersion, kind: 'ClusterPolicy', metadata: { name: 'edges' }, spec };
    const { value } = parseClusterPolicy(rawObject(object), { defaultNamespace: 'default' });
    members.setPolicies(value === undefined ? [] : [value]);
  };
  const put = (source: ReturnType<MemberRules['source']>, name: string): void =>
    source.put(
      rawObject({
        apiVersion,
        kind: 'TrafficRule',
        metadata: { namespace: 'shop', name },
        spec: { service: 'a', routes: [{ backends: [{ cluster: 'west' }] }] },
      }),
      `TrafficRule/shop/${name}`,
    );

  it('counts there too, as soon as it is exported and granted, for the proxies of its cluster alone', () => {
    for (const cluster of clusters) cluster.putService(testShard(cluster.info.name, 'a', ['10.1.0.1']));
    put(members.source(memberSourceName('east')), 'own');
    grant(['east']);
    assert.equal(ruleSeen('east', key), 'own');
    west.putService(testShard('west', 'a', ['10.2.0.1'], { export: testExport(1) }));
    assert.equal(ruleSeen('east'), 'own');
    assert.equal(ruleSeen('west'), undefined);
    grant([]);
    assert.equal(ruleSeen('east'), undefined);
    grant(['east']);
    assert.equal(ruleSeen('east'), 'own');
  });

  it('gives way to the primary’s rule under both names, and goes with the export', () => {
    put(rules.source('folder'), 'all');
    assert.deepEqual([ruleSeen('east'), ruleSeen('west'), ruleSeen('west', key)], ['own', 'all', 'all']);
    members.source(memberSourceName('east')).remove('TrafficRule/shop/own');
    assert.deepEqual([ruleSeen('east'), ruleSeen('east', key)], ['all', 'all']);
    west.putService(testShard('west', 'a', ['10.2.0.1']));
    assert.equal(ruleSeen('east'), undefined);
    assert.equal(sim.engine.meshOf('east').services.has(clustersetKey(key)), false);
    east.putService(testShard('east', 'a', ['10.1.0.1'], { export: testExport(2) }));
    assert.equal(ruleSeen('west'), 'all');
  });
});
