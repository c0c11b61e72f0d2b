/**
 * What a rule's status says while targets and proxies come and go, and which of several rules for a service is in force.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Condition } from '../../src/model/rule.ts';
import { endpointOf, outbound, PilotRig } from '../support/pilot.ts';

const to = (backend: string, service = 'reviews'): string =>
  `{service: ${service}, routes: [{backends: [${backend}]}]}`;

describe('pilot: the status of a rule', () => {
  let rig: PilotRig;

  beforeEach(async () => {
    rig = await PilotRig.start();
  });

  afterEach(() => rig.stop());

  const said = (name = 'reviews'): string =>
    rig
      .report(name)
      .conditions.map(({ type, status, reason }) => `${type}=${status}(${reason})`)
      .join(' ');
  const condition = (type: Condition['type'], name?: string): Condition => rig.condition(type, name);

  it('follows the proxies that acknowledge it', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    rig.rule(to('{version: v1}'));
    assert.equal(condition('Programmed').reason, 'NoProxies');
    const slow = rig.open({ autoAck: false, name: 'slow', address: '10.9.0.1' });
    slow.subscribe(typeUrl.cluster);
    const fast = rig.open({ name: 'fast', address: '10.9.0.2' });
    fast.subscribe(typeUrl.cluster);
    const push = await slow.next();
    await rig.until(() => condition('Programmed').message === '1 of 2 proxies acknowledged');
    assert.equal(condition('Programmed').reason, 'Pending');
    slow.ack(push);
    await rig.until(() => condition('Programmed').status === 'True');
    assert.equal(said(), 'Accepted=True(Accepted) ResolvedRefs=True(ResolvedRefs) Programmed=True(Programmed)');

    // From the moment that the next form is there, nobody holds it until it says so.
    rig.rule(to('{version: v1, fallback: [{}]}'));
    assert.equal(condition('Programmed').message, '0 of 2 proxies acknowledged');
    assert.equal(condition('Programmed').observedGeneration, 2);
    // What the new form needs comes first, what the old one needed goes after, and counts for nothing.
    await rig.until(() => condition('Programmed').message === '1 of 2 proxies acknowledged');
    slow.ack(await slow.next());
    const removal = await slow.next();
    await rig.until(() => condition('Programmed').message === '2 of 2 proxies acknowledged');
    slow.ack(removal);
    slow.close();
    await rig.until(() => condition('Programmed').message === '1 of 1 proxies acknowledged');
    fast.close();
    await rig.until(() => condition('Programmed').status === 'Unknown');
  });

  it('counts a rule that changes nothing for the proxies as held', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews').length > 0);
    rig.rule(to('{version: v1}', 'nowhere'), 'nowhere');
    await rig.until(() => condition('Programmed', 'nowhere').status === 'True');
    assert.equal(condition('ResolvedRefs', 'nowhere').reason, 'ServiceNotFound');
  });

  it('says what is missing, and takes it in when it comes', async () => {
    const envoy = rig.openEnvoy();
    rig.rule(to('{version: v2, cluster: west}'));
    assert.deepEqual(
      [condition('ResolvedRefs').status, condition('ResolvedRefs').reason],
      ['False', 'ServiceNotFound'],
    );
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    await rig.until(() => condition('ResolvedRefs').reason === 'ClusterNotFound');
    const chosen = outbound('reviews', 'v2.west');
    await rig.until(
      () => envoy.routes('reviews')[0] === chosen,
      'the rule to be in force, though its target is not there',
    );
    assert.deepEqual(envoy.levels(chosen), []);
    rig.cluster('west');
    await rig.until(() => condition('ResolvedRefs').reason === 'BackendNotFound');
    rig.service('west', 'reviews', ['10.1.0.1@v1']);
    await rig.until(() => condition('ResolvedRefs').reason === 'VersionNotFound');
    rig
      .cluster('west')
      .putEndpoints('shop', 'reviews', [endpointOf('west', '10.1.0.1@v1'), endpointOf('west', '10.1.0.2@v2')]);
    await rig.until(() => condition('ResolvedRefs').status === 'True');
    await rig.until(() => envoy.levels(chosen)[0]?.join() === '10.1.0.2');
    assert.equal(condition('Accepted').status, 'True');
    rig.unregister('west');
    await rig.until(() => condition('ResolvedRefs').reason === 'ClusterNotFound');
    await rig.until(() => envoy.levels(chosen).length === 0);
  });

  it('of two rules for a service, says which is in force and why; the loser takes over when the winner goes', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v2']);
    const envoy = rig.openEnvoy();
    rig.rule(to('{version: v2}'), 'younger', { creationTimestamp: '2026-01-02T00:00:00Z' });
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v2'));
    rig.rule(to('{version: v1}'), 'older', { creationTimestamp: '2026-01-01T00:00:00Z' });
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v1'));
    assert.equal(
      said('younger'),
      'Accepted=False(Conflicted) ResolvedRefs=True(ResolvedRefs) Programmed=False(NotAccepted)',
    );
    await rig.until(() => condition('Programmed', 'older').status === 'True');

    rig.deleteRule('older');
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v2'));
    await rig.until(() => condition('Programmed', 'younger').status === 'True');
    assert.equal(condition('Accepted', 'younger').status, 'True');
    rig.deleteRule('younger');
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews'));
  });

  it('of the same object from two sources, one is in force, and the other takes over', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v2']);
    const envoy = rig.openEnvoy();
    rig.rule(to('{version: v1}'), 'reviews', {}, 'a');
    rig.rule(to('{version: v2}'), 'reviews', {}, 'b');
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v1'));
    rig.deleteRule('reviews', 'a');
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v2'));
  });

  it('of a form that is not valid, says why, and the last good one stays in force', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    rig.rule(to('{version: v1}'));
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v1'));
    rig.rule('{service: reviews, routes: [{backends: [{version: v1, weight: -1}]}]}');
    assert.equal(condition('Accepted').reason, 'Invalid');
    assert.match(
      condition('Accepted').message,
      /^FW-RULE-\d+ .*weight.*the last good form \(generation 1\) stays in force$/,
    );
    assert.equal(condition('Programmed').reason, 'Invalid');
    rig.service('east', 'ratings', ['10.0.1.1@v1']);
    await rig.until(() => envoy.routes('ratings').length > 0);
    assert.deepEqual(envoy.routes('reviews'), [outbound('reviews', 'v1')]);
    rig.rule(to('{version: v1}'));
    await rig.until(() => condition('Programmed').status === 'True');
    rig.deleteRule();
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews'));
  });

  it('a rule that moves to another service leaves the first', async () => {
    rig.service('east', 'reviews', ['10.0.0.1@v1']);
    rig.service('east', 'ratings', ['10.0.1.1@v1']);
    rig.rule(to('{version: v1}'));
    const envoy = rig.openEnvoy();
    await rig.until(() => envoy.routes('reviews')[0] === outbound('reviews', 'v1'));
    rig.rule(to('{version: v1}', 'ratings'));
    await rig.until(
      () =>
        envoy.routes('ratings')[0] === outbound('ratings', 'v1') && envoy.routes('reviews')[0] === outbound('reviews'),
    );
  });
});
