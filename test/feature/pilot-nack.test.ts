/**
 * A proxy that refuses what a rule makes of its configuration: that rule is set aside, for that proxy alone, in the newest form that the
 * proxy does not refuse; everything else goes on, and the rule's status says who refused it, with which words.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decode, type Judge, nodeId, outbound, PilotRig } from '../support/pilot.ts';

const to = (service: string, version: string): string =>
  `{service: ${service}, routes: [{backends: [{version: ${version}}]}]}`;

/** Refuses routes and clusters in which one of these texts stands. */
function refuseWhatHolds(url: string, ...texts: string[]): Judge {
  return ({ typeUrl: given, resources }) => {
    if (given !== url) return undefined;
    const words = resources.filter(({ body }) => body !== undefined).map((one) => JSON.stringify(decode(url, one)));
    const text = texts.find((each) => words.some((word) => word.includes(each)));
    return text === undefined ? undefined : 'Proto constraint validation failed (no such thing)';
  };
}

describe('pilot: a proxy refuses a rule', () => {
  let rig: PilotRig;
  const services = ['reviews', 'ratings', 'details', 'cart'];

  beforeEach(async () => {
    rig = await PilotRig.start();
    for (const [i, name] of services.entries()) {
      rig.service('east', name, [
        `10.0.${i}.1@v1`,
        `10.0.${i}.2@v2`,
        `10.0.${i}.3@v3`,
        `10.0.${i}.4@bad`,
        `10.0.${i}.5@worse`,
      ]);
    }
  });

  afterEach(() => rig.stop());

  const holds = (envoy: ReturnType<PilotRig['openEnvoy']>, service: string, version: string) => (): boolean =>
    envoy.routes(service)[0] === outbound(service, version);

  /** Waits until ten exchanges with the server have brought nothing more; gives the number of responses. */
  async function untilSilent({ responses }: ReturnType<PilotRig['openEnvoy']>): Promise<number> {
    for (let silent = 0, before = 0; silent < 10; ) {
      await rig.roundTrip();
      silent = responses.length === before ? silent + 1 : 0;
      before = responses.length;
      assert.ok(before < 500, 'it is asked over and over');
    }
    return responses.length;
  }

  for (const transport of ['delta', 'sotw'] as const) {
    it(`and keeps its former form, while all else goes on (${transport})`, async () => {
      rig.rule(to('reviews', 'v1'));
      const picky = rig.openEnvoy({
        transport,
        name: 'picky',
        address: '10.9.0.2',
        judge: refuseWhatHolds(typeUrl.route, 'bad'),
      });
      const other = rig.openEnvoy({ transport, name: 'other', address: '10.9.0.3' });
      await rig.until(() => holds(picky, 'reviews', 'v1')() && holds(other, 'reviews', 'v1')());
      await rig.until(() => rig.condition('Programmed').status === 'True');

      rig.rule(to('reviews', 'bad'));
      await rig.until(holds(other, 'reviews', 'bad'));
      await rig.until(
        () => rig.condition('Programmed').reason === 'Rejected' && rig.report().programmed.acknowledged === 1,
        'the rejection',
      );
      const { status, message } = rig.condition('Programmed');
      assert.equal(status, 'False');
      assert.ok(message.includes('Proto constraint validation failed (no such thing)'), message);
      assert.ok(message.includes(nodeId({ name: 'picky', address: '10.9.0.2' })), message);
      assert.ok(!message.includes(nodeId({ name: 'other', address: '10.9.0.3' })), message);
      assert.ok(message.includes('1 of 2 proxies acknowledged'), message);

      rig.rule(to('ratings', 'v2'), 'ratings');
      await rig.until(holds(picky, 'ratings', 'v2'), 'another rule, at the proxy that refused one');
      assert.deepEqual(picky.routes('reviews'), [outbound('reviews', 'v1')]);
      assert.deepEqual(other.routes('reviews'), [outbound('reviews', 'bad')]);
      await rig.until(
        () => rig.condition('Programmed', 'ratings').status === 'True',
        'the other rule to be programmed',
      );

      rig.rule(to('reviews', 'v3'));
      await rig.until(
        () => holds(picky, 'reviews', 'v3')() && holds(other, 'reviews', 'v3')(),
        'the next form, everywhere',
      );
      await rig.until(() => rig.condition('Programmed').status === 'True');
    });
  }

  it('and the next form too: it keeps the last that it took', async () => {
    rig.rule(to('reviews', 'v1'));
    const picky = rig.openEnvoy({ judge: refuseWhatHolds(typeUrl.route, 'bad', 'worse') });
    await rig.until(holds(picky, 'reviews', 'v1'));
    rig.rule(to('reviews', 'bad'));
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
    rig.rule(to('reviews', 'worse'));
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected' && rig.report().generation === 3);
    rig.rule(to('ratings', 'v2'), 'ratings');
    await rig.until(holds(picky, 'ratings', 'v2'), 'another rule');
    assert.deepEqual(picky.routes('reviews'), [outbound('reviews', 'v1')]);
    await rig.quiet();
    assert.equal(picky.refused.length, 2);
  });

  it('and a form that was replaced before it was sent is not what it falls back to, if that is refused too', async () => {
    rig.rule(to('reviews', 'v1'));
    const picky = rig.openEnvoy({ judge: refuseWhatHolds(typeUrl.route, 'bad', 'worse') });
    await rig.until(holds(picky, 'reviews', 'v1'));
    await rig.quiet();
    // Nothing is sent in between: both changes are worked off before the stream has its turn.
    rig.rule(to('reviews', 'bad'));
    rig.engine.flush();
    rig.rule(to('reviews', 'worse'));
    rig.engine.flush();
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
    rig.rule(to('ratings', 'v2'), 'ratings');
    await rig.until(holds(picky, 'ratings', 'v2'), 'another rule');
    assert.deepEqual(picky.routes('reviews'), [outbound('reviews', 'v1')]);
  });

  it('and is not sent it again when it reconnects', async () => {
    rig.rule(to('reviews', 'v1'));
    rig.rule(to('ratings', 'v1'), 'ratings');
    const picky = rig.openEnvoy({ judge: refuseWhatHolds(typeUrl.route, 'bad') });
    await rig.until(holds(picky, 'reviews', 'v1'));
    rig.rule(to('reviews', 'bad'));
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
    picky.client.close();
    await rig.until(() => rig.engine.proxies.size === 0);

    const again = rig.openEnvoy({ judge: refuseWhatHolds(typeUrl.route, 'bad') });
    await rig.until(holds(again, 'reviews', 'v1'));
    assert.deepEqual(again.routes('ratings'), [outbound('ratings', 'v1')]);
    assert.equal(rig.condition('Programmed').reason, 'Rejected');
    await rig.quiet();
    assert.equal(again.refused.length, 0);
    rig.rule(to('reviews', 'v3'));
    await rig.until(() => rig.condition('Programmed').status === 'True');
    assert.deepEqual(again.routes('reviews'), [outbound('reviews', 'v3')]);
  });

  for (const transport of ['delta', 'sotw'] as const) {
    it(`in its very first push: the culprit is found, the other rules are in force (${transport})`, async () => {
      rig.rule(to('reviews', 'v1'));
      rig.rule(to('ratings', 'v2'), 'ratings');
      rig.rule(to('details', 'bad'), 'details');
      rig.rule(to('cart', 'v3'), 'cart');
      const picky = rig.openEnvoy({ transport, judge: refuseWhatHolds(typeUrl.route, 'bad') });
      await rig.until(() => rig.condition('Programmed', 'details').reason === 'Rejected');
      await rig.until(
        () => ['reviews', 'ratings', 'cart'].every((name) => rig.condition('Programmed', name).status === 'True'),
        'the good rules',
      );
      assert.deepEqual(
        services.map((name) => picky.routes(name)[0]),
        [outbound('reviews', 'v1'), outbound('ratings', 'v2'), outbound('details'), outbound('cart', 'v3')],
      );
    });
  }

  it('that came in one batch with good ones', async () => {
    const picky = rig.openEnvoy({ judge: refuseWhatHolds(typeUrl.route, 'bad') });
    await rig.until(() => picky.routes('reviews').length > 0);
    for (const [name, version] of [
      ['reviews', 'v1'],
      ['ratings', 'bad'],
      ['details', 'v2'],
      ['cart', 'v3'],
    ] as const)
      rig.rule(to(name, version), name);
    rig.engine.flush();
    await rig.until(() => rig.condition('Programmed', 'ratings').reason === 'Rejected');
    await rig.until(
      () => ['reviews', 'details', 'cart'].every((name) => rig.condition('Programmed', name).status === 'True'),
      'the good rules',
    );
    assert.deepEqual(
      services.map((name) => picky.routes(name)[0]),
      [outbound('reviews', 'v1'), outbound('ratings'), outbound('details', 'v2'), outbound('cart', 'v3')],
    );
  });

  for (const transport of ['delta', 'sotw'] as const) {
    it(`for the clusters that it needs (${transport})`, async () => {
      rig.rule(to('reviews', 'v1'));
      const picky = rig.openEnvoy({ transport, judge: refuseWhatHolds(typeUrl.cluster, '|bad|') });
      await rig.until(holds(picky, 'reviews', 'v1'));
      rig.rule(to('reviews', 'bad'));
      await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
      rig.rule(to('ratings', 'v2'), 'ratings');
      await rig.until(holds(picky, 'ratings', 'v2'), 'another rule');
      await rig.until(() => rig.condition('Programmed', 'ratings').status === 'True');
      await rig.quiet();
      assert.deepEqual(picky.routes('reviews'), [outbound('reviews', 'v1')]);
      assert.ok(picky.names(typeUrl.cluster).includes(outbound('reviews', 'v1')));
      rig.rule(to('reviews', 'v3'));
      await rig.until(holds(picky, 'reviews', 'v3'));
    });
  }

  it('while a rule for plain connections, which it took before, stays what it is', async () => {
    const tcp = {
      ports: [{ name: 'tcp', port: 6379, transport: 'TCP', protocol: 'tcp' }],
      vips: ['10.96.0.7'],
    } as const;
    rig.service('east', 'redis', ['10.0.9.1@v1'], tcp);
    const picky = rig.openEnvoy({
      metadata: { FAIRWAY_MODE: 'captured' },
      judge: refuseWhatHolds(typeUrl.route, 'bad'),
    });
    await rig.until(() => picky.names(typeUrl.route).length > 0);
    rig.rule(to('redis', 'v1'), 'redis');
    await rig.until(() => picky.names(typeUrl.cluster).includes(outbound('redis', 'v1', 6379)));
    await rig.quiet();
    rig.rule(to('reviews', 'bad'));
    await rig.until(() => rig.condition('Programmed').reason === 'Rejected');
    await rig.quiet();
    assert.equal(rig.condition('Programmed', 'redis').status, 'True');
    assert.ok(picky.names(typeUrl.cluster).includes(outbound('redis', 'v1', 6379)));
  });

  for (const transport of ['delta', 'sotw'] as const) {
    it(`and everything else as well: it is not asked over and over (${transport})`, async () => {
      for (const name of services) rig.rule(to(name, 'v1'), name);
      const stubborn = rig.openEnvoy({ transport, name: 'stubborn', judge: () => 'no' });
      const other = rig.openEnvoy({ transport, name: 'other', address: '10.9.0.3' });
      await rig.until(() => stubborn.refused.length > 0);
      await rig.until(holds(other, 'reviews', 'v1'));
      const before = await untilSilent(stubborn);
      assert.ok(before < 100, `${before} messages`);
      rig.rule(to('reviews', 'v2'));
      await rig.until(holds(other, 'reviews', 'v2'));
      const more = (await untilSilent(stubborn)) - before;
      assert.ok(more < 20, `${more} messages for one change`);
    });
  }
});
