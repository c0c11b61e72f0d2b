/** Policies as they come into force: with the reading that they are part of, before anybody learns that it is over. */

import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { systemClock } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { chainName } from '../../../../src/model/rule.ts';
import { type Assembly, assemble } from '../../../../src/pilot/assembly.ts';
import { MemoryCluster } from '../../../../src/registry/memory/memory-cluster.ts';
import type { RuleSink } from '../../../../src/registry/rule-sink.ts';
import { exampleClusterPolicy } from '../../../support/bad-cluster-policies.ts';
import { endpoint, shard } from '../../../support/fixtures.ts';
import { bareConfig } from '../../../support/pilot-config.ts';
import { rawObject, rawRule } from '../../../support/rules.ts';

const source = { stop: () => Promise.resolve() };
const leading = rawRule('{service: reviews, routes: [{backends: [{service: ratings, port: 80, version: v1}]}]}');

describe('the members’ side of a pilot', () => {
  let assembly: Assembly;

  beforeEach(() => {
    assembly = assemble(bareConfig, silentLogger, 'test');
    assembly.idleMemory.stop();
    for (const name of ['edge-1', 'hub']) {
      const cluster = new MemoryCluster({ clock: systemClock, info: { name } });
      for (const [index, service] of ['reviews', 'ratings'].entries())
        cluster.putService(
          shard(name, service, { endpoints: [endpoint(name, `10.0.0.${index + 1}`, { version: 'v1' })] }),
        );
      assembly.inventory.add(name, cluster.info.origin, cluster.start);
    }
  });

  afterEach(async () => {
    const { engine, members, ruleStatus, stages, inputs, inventory } = assembly;
    engine.stop();
    members.stop();
    ruleStatus.stop();
    for (const stage of stages) stage.stop();
    await inputs.stop();
    await inventory.close();
  });

  const readPolicies = (): void => {
    assembly.inputs.attach('primary', (sink) => {
      sink.put(rawObject(parse(exampleClusterPolicy)), 'ClusterPolicy//edges');
      sink.synced();
      return source;
    });
  };

  it('has a member’s rule in force, and what it needs elsewhere, as soon as the policies have been read', () => {
    const { members, engine } = assembly;
    members.open('edge-1', {
      isFree: true,
      start: (sink) => {
        sink.put(leading, 'TrafficRule/shop/reviews');
        sink.synced();
        return source;
      },
    });
    readPolicies();
    // All within one turn, as the offline commands and a quick start have it.
    engine.open();
    const chains = (cluster: string): readonly string[] | undefined =>
      engine.meshOf(cluster).services.get('shop/ratings')?.chains.map(chainName);
    assert.deepEqual([chains('edge-1'), chains('hub')], [['', 'v1'], ['']]);
  });

  it('waits for a member that the policies name, as soon as they have been read', () => {
    const { members, inputs } = assembly;
    let sink: RuleSink | undefined;
    members.open('edge-1', {
      isFree: false,
      start: (given) => {
        sink = given;
        return source;
      },
    });
    assert.equal(inputs.synced, true);
    readPolicies();
    assert.equal(inputs.synced, false);
    sink?.synced();
    assert.equal(inputs.synced, true);
  });
});
