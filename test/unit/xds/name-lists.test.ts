import assert from 'node:assert/strict';
import { defaultXdsLimits } from '../../../src/xds/limits.ts';
import { discoveryProtos } from '../../../src/xds/protos.ts';
import { RequestDecoder } from '../../../src/xds/request.ts';

const names = Array.from({ length: 100 }, (_, i) => `outbound|80||service-${i}.shop.svc.cluster.local`);

function encoded(transport: 'sotw' | 'delta', list: readonly string[], more: object = {}): Buffer {
  const { sotwRequest, deltaRequest } = discoveryProtos();
  const type = transport === 'sotw' ? sotwRequest : deltaRequest;
  const field = transport === 'sotw' ? 'resource_names' : 'resource_names_subscribe';
  const fields = { node: { id: 'a' }, type_url: 't', [field]: list, response_nonce: 'n', ...more };
  return Buffer.from(type.encode(type.fromObject(fields)).finish());
}

for (const transport of ['sotw', 'delta'] as const) {
  describe(`names in ${transport} requests`, () => {
    const decoder = (limits = {}) => new RequestDecoder(transport, { ...defaultXdsLimits, ...limits });

    it('are the very same list and set in every request that names the same', () => {
      const one = decoder();
      const first = one.decode(encoded(transport, names));
      const second = one.decode(encoded(transport, names, { node: { id: 'another' }, response_nonce: 'later' }));
      assert.deepEqual(first.subscribe, names);
      assert.deepEqual([...(first.subscribeSet ?? [])], names);
      assert.equal(second.subscribe, first.subscribe);
      assert.equal(second.subscribeSet, first.subscribeSet);
      assert.equal(second.nonce, 'later');
      assert.equal(second.node?.id, 'another');
      assert.equal(second.typeUrl, 't');
    });

    it('are told apart where one list begins or ends like another', () => {
      const one = decoder();
      for (const list of [names, names.slice(0, -1), names.slice(1), [...names, 'one more'], names.toReversed()]) {
        for (let round = 0; round < 2; round++) assert.deepEqual(one.decode(encoded(transport, list)).subscribe, list);
      }
    });

    it('are shared without limit of time, but not of memory', () => {
      const one = decoder({ nameListBytes: 6_000 });
      const first = one.decode(encoded(transport, names)).subscribeSet;
      assert.equal(one.decode(encoded(transport, names)).subscribeSet, first);
      one.decode(encoded(transport, names.toReversed()));
      assert.notEqual(one.decode(encoded(transport, names)).subscribeSet, first);
    });

    it('may come in two places of one request', () => {
      const halves = [encoded(transport, names.slice(0, 50)), encoded(transport, names.slice(50))];
      assert.deepEqual(decoder().decode(Buffer.concat(halves)).subscribe, names);
    });

    it('are bounded like any others', () => {
      assert.throws(() => decoder({ maxNamesPerType: 99 }).decode(encoded(transport, names)), { code: 'FW-XDS-005' });
      const long = [...names, 'x'.repeat(defaultXdsLimits.maxNameLength + 1)];
      assert.throws(() => decoder().decode(encoded(transport, long)), { code: 'FW-XDS-005' });
    });

    it('cut off anywhere are no request', () => {
      const one = decoder();
      const whole = encoded(transport, names);
      const start = whole.indexOf(Buffer.from(names[0] ?? '')) - 2;
      one.decode(whole);
      for (const at of [start + 1, start + 20, whole.length - 1]) {
        assert.throws(() => one.decode(whole.subarray(0, at)), { code: 'FW-XDS-004' });
      }
    });
  });
}
