import assert from 'node:assert/strict';
import { defaultXdsLimits } from '../../../src/xds/limits.ts';
import { discoveryProtos } from '../../../src/xds/protos.ts';
import { RequestDecoder } from '../../../src/xds/request.ts';
import { VersionLists } from '../../../src/xds/version-lists.ts';

const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const versions = (count: number, from = 0): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`outbound|80||svc-${from + at}.shop`, `v${at}`]));
const encode = (fields: object): Buffer => {
  const { deltaRequest } = discoveryProtos();
  return Buffer.from(deltaRequest.encode(deltaRequest.fromObject(fields)).finish());
};
const request = (held: Record<string, string>, more: object = {}): Buffer =>
  encode({ type_url: typeUrl, response_nonce: '7', initial_resource_versions: held, ...more });
const lists = (maxBytes = 1 << 20): VersionLists => new VersionLists(maxBytes, 1000, 4096);

describe('what clients hold, in requests', () => {
  it('is read as protobufjs reads it, and the rest as without it', () => {
    const decoder = new RequestDecoder('delta', defaultXdsLimits);
    for (let round = 0; round < 2; round++) {
      const held = versions(200);
      const decoded = decoder.decode(request(held, { resource_names_subscribe: ['a', 'b'] }));
      assert.deepEqual([...decoded.initialVersions], Object.entries(held));
      assert.deepEqual([decoded.typeUrl, decoded.nonce, decoded.resumes], [typeUrl, '7', true]);
      assert.deepEqual(decoded.subscribe, ['a', 'b']);
    }
  });

  it('is read in any order, from memory that may be written to afterwards', () => {
    const all = lists();
    const forwards = request(versions(50));
    const first = all.take(forwards)?.versions;
    forwards.fill(0);
    const backwards = Object.fromEntries(Object.entries(versions(50)).reverse());
    assert.deepEqual(all.take(request(backwards))?.versions, first);
    assert.deepEqual(first, new Map(Object.entries(versions(50))));
  });

  it('stays right when more texts come than are remembered', () => {
    const small = lists(300);
    for (const from of [0, 100, 0, 100])
      assert.deepEqual(small.take(request(versions(40, from)))?.versions, new Map(Object.entries(versions(40, from))));
  });

  it('tells texts with equal hashes apart', () => {
    // Pairs with the same FNV-1a hash.
    const alike = { costarring: '1', liquid: '2', declinate: '3', macallums: '4', altarage: '5', zinke: '6' };
    const held = { ...alike, ...versions(40) };
    assert.deepEqual(lists().take(request(held))?.versions, new Map(Object.entries(held)));
  });

  it('leaves to protobufjs what is short, not ASCII, cut off, too much, or written in two places', () => {
    const all = lists();
    assert.equal(all.take(request(versions(3))), undefined);
    assert.equal(all.take(request({ ...versions(100), hôte: 'v' })), undefined);
    assert.equal(all.take(request(versions(100)).subarray(0, 1500)), undefined);
    assert.equal(all.take(request(versions(1001))), undefined);
    assert.equal(
      all.take(encode({ type_url: typeUrl, resource_names_subscribe: Object.keys(versions(100)) })),
      undefined,
    );
    const decoder = new RequestDecoder('delta', { ...defaultXdsLimits, maxNamesPerType: 120 });
    const [one, other] = [request(versions(60)), request(versions(60, 60))];
    assert.equal(decoder.decode(Buffer.concat([one, other])).initialVersions.size, 120);
    assert.equal(decoder.decode(request({ ...versions(100), hôte: 'v' })).initialVersions.get('hôte'), 'v');
    assert.throws(() => decoder.decode(request(versions(121))), /FW-XDS-005|at most 120/);
    assert.throws(() => decoder.decode(request(versions(100)).subarray(0, 1500)), /not a DeltaDiscoveryRequest/);
  });
});
