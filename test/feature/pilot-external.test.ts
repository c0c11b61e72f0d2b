/**
 * ExternalServices at a pilot: rules for them, and proxies that refuse what one makes of their configuration, which is set aside for them alone, as a
 * rule is.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decode, type EnvoyLike, type Judge, nodeId, outbound, PilotRig } from '../support/pilot.ts';

const at = (address: string, hosts = 'api.example.com'): string =>
  `{hosts: [${hosts}], ports: [{number: 80, protocol: http}], resolution: static, endpoints: [{address: ${address}}]}`;
const cluster = (host = 'api.example.com'): string => `outbound|80||${host}`;

/** Refuses Envoy clusters in which this text stands. */
const refuse =
  (text: string, words = 'no such thing'): Judge =>
  ({ typeUrl: given, resources }) => {
    if (given !== typeUrl.cluster) return undefined;
    const held = resources.filter(({ body }) => body !== undefined).map((one) => JSON.stringify(decode(given, one)));
    return held.some((word) => word.includes(text)) ? words : undefined;
  };

const holds = (envoy: EnvoyLike, text: string, host?: string) => (): boolean =>
  JSON.stringify(envoy.get(typeUrl.cluster, cluster(host)) ?? '').includes(text);

for (const transport of ['delta', 'sotw'] as const) {
  describe(`pilot: hosts outside (${transport})`, () => {
    let rig: PilotRig;

    beforeEach(async () => {
      rig = await PilotRig.start();
      rig.service('east', 'reviews', ['10.0.0.1@v1', '10.0.0.2@v2']);
    });

    afterEach(() => rig.stop());

    const timeouts = (envoy: EnvoyLike, text: string) => (): boolean =>
      holds(envoy, text)() && holds(envoy, text, '*.cdn.example.com')();

    it('follow the rule of their object, as it comes, changes, goes, and gives way to a service', async () => {
      const envoy = rig.openEnvoy({ transport });
      rig.rule('{service: pay, connections: {connectTimeout: 1234ms}}', 'pay');
      await rig.until(() => rig.condition('ResolvedRefs', 'pay').reason === 'ServiceNotFound');
      rig.external(at('192.0.2.1', 'api.example.com, "*.cdn.example.com"'));
      await rig.until(timeouts(envoy, '1.234s'));
      await rig.until(() => rig.condition('Programmed', 'pay').status === 'True');
      assert.equal(rig.condition('ResolvedRefs', 'pay').status, 'True');
      rig.rule('{service: pay, connections: {connectTimeout: 2345ms}}', 'pay');
      await rig.until(timeouts(envoy, '2.345s'));
      rig.service('east', 'pay', ['10.0.1.1']);
      await rig.until(timeouts(envoy, '"5s"'));
      await rig.until(() => JSON.stringify(envoy.get(typeUrl.cluster, outbound('pay')) ?? '').includes('2.345s'));
      rig.cluster('east').removeService('shop', 'pay');
      await rig.until(timeouts(envoy, '2.345s'));
      rig.deleteRule('pay');
      await rig.until(timeouts(envoy, '"5s"'));
    });

    it('stay in their former form where a proxy refuses the present one, while all else goes on', async () => {
      rig.external(at('192.0.2.1'));
      const picky = rig.openEnvoy({ transport, name: 'picky', address: '10.9.0.2', judge: refuse('192.0.2.66') });
      const other = rig.openEnvoy({ transport, name: 'other', address: '10.9.0.3' });
      await rig.until(() => holds(picky, '192.0.2.1')() && holds(other, '192.0.2.1')());
      await rig.until(() => rig.externalCondition('Programmed').status === 'True');

      rig.external(at('192.0.2.66', 'api.example.com, new.example.com'));
      await rig.until(holds(other, '192.0.2.66', 'new.example.com'));
      const refusal = (): string => rig.externalCondition('Programmed').message;
      await rig.until(() => /rejected it.*1 of 2 proxies/.test(refusal()), 'the rejection');
      assert.equal(rig.externalCondition('Programmed').reason, 'Rejected');
      const { message } = rig.externalCondition('Programmed');
      assert.ok(message.includes(nodeId({ name: 'picky', address: '10.9.0.2' })), message);
      assert.ok(!message.includes(nodeId({ name: 'other', address: '10.9.0.3' })), message);
      assert.ok(message.includes('no such thing'), message);

      rig.rule('{service: reviews, connections: {connectTimeout: 1234ms}}');
      await rig.until(() => JSON.stringify(picky.get(typeUrl.cluster, outbound('reviews')) ?? '').includes('1.234s'));
      assert.ok(holds(picky, '192.0.2.1')());
      assert.equal(picky.get(typeUrl.cluster, cluster('new.example.com')), undefined);
      await rig.until(() => rig.condition('Programmed').status === 'True');

      rig.external(at('192.0.2.7', 'api.example.com, new.example.com'));
      await rig.until(holds(picky, '192.0.2.7', 'new.example.com'));
      await rig.until(() => rig.externalCondition('Programmed').status === 'True', 'all to take the new form');
    });

    it('are not there where a proxy refuses the only form, and are told from a rule that came with it', async () => {
      const picky = rig.openEnvoy({ transport, name: 'picky', address: '10.9.0.2', judge: refuse('192.0.2.66') });
      await rig.until(() => picky.get(typeUrl.cluster, outbound('reviews')) !== undefined);
      rig.external(at('192.0.2.66'));
      rig.rule('{service: reviews, connections: {connectTimeout: 1234ms}}');
      await rig.until(() => rig.externalCondition('Programmed').reason === 'Rejected', 'the rejection');
      await rig.until(() => rig.condition('Programmed').status === 'True', 'the rule to be found innocent');
      assert.ok(JSON.stringify(picky.get(typeUrl.cluster, outbound('reviews'))).includes('1.234s'));
      assert.equal(picky.get(typeUrl.cluster, cluster()), undefined);
      assert.equal(picky.client.held(typeUrl.cluster).has(cluster()), false);
    });
  });
}
