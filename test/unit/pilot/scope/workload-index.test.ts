/** From addresses to services: any sequence of updates ends as if begun anew, and whatever could matter to a proxy is named. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeService } from '../../../../src/catalog/merge.ts';
import type { ServiceKey, ServiceShard } from '../../../../src/model/service.ts';
import { serviceKey } from '../../../../src/model/service.ts';
import { addressKey, inboundPorts, WorkloadIndex } from '../../../../src/pilot/scope/workload-index.ts';
import { endpoint, port, shard } from '../../../support/fixtures.ts';

const clusters = ['east', 'west'];
const names = ['a', 'b'];
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const portLists = [[port(80)], [port(80), port(81, 'grpc')]];
const targets = new Map([
  ['http', 8080],
  ['grpc', 9090],
]);
const pool = clusters.map((cluster) => addresses.map((address) => endpoint(cluster, address, { ports: targets })));

const step = fc.record({
  cluster: fc.nat(1),
  name: fc.constantFrom(...names),
  endpoints: fc.option(fc.array(fc.nat(2), { maxLength: 4 }), { nil: undefined }),
  ports: fc.constantFrom(...portLists),
  /** Equal endpoints, but other objects. */
  anew: fc.boolean(),
});

describe('the workload index', () => {
  it('knows after any updates what it would know anew, and names every address at which something is different', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const shards = new Map<string, Map<string, ServiceShard>>(names.map((name) => [name, new Map()]));
        const index = new WorkloadIndex();
        for (const { cluster, name, endpoints, ports, anew } of steps) {
          const before = view(shards);
          const ofName = shards.get(name) as Map<string, ServiceShard>;
          const inCluster = clusters[cluster] as string;
          if (endpoints === undefined) ofName.delete(inCluster);
          else {
            const chosen = endpoints.map((at) => pool[cluster]?.[at] as (typeof pool)[0][0]);
            ofName.set(
              inCluster,
              shard(inCluster, name, { ports, endpoints: anew ? chosen.map((one) => ({ ...one })) : chosen }),
            );
          }
          const touched = index.update(serviceKey('shop', name), catalogOf(shards, name));
          const after = view(shards);
          for (const [key, said] of after) {
            const [of = '', address = ''] = key.split('|');
            assert.deepEqual([...index.services(of, [address])].sort(), said.services);
            if (JSON.stringify(before.get(key)) !== JSON.stringify(said)) assert.ok(touched.has(key), key);
          }
        }
      }),
    );
  });

  it('does not name the endpoints that stayed', () => {
    const [first, second] = pool[0] as [(typeof pool)[0][0], (typeof pool)[0][0]];
    const index = new WorkloadIndex();
    index.update(serviceKey('shop', 'a'), mergeService([shard('east', 'a', { endpoints: [first, second] })]));
    const moved = endpoint('east', '10.0.0.9');
    const after = mergeService([shard('east', 'a', { endpoints: [first, moved] })]);
    assert.deepEqual(
      [...index.update(serviceKey('shop', 'a'), after)].sort(),
      [addressKey('east', second.address), addressKey('east', moved.address)].sort(),
    );
  });
});

function catalogOf(shards: ReadonlyMap<string, ReadonlyMap<string, ServiceShard>>, name: string) {
  const list = [...(shards.get(name)?.values() ?? [])];
  return list.length === 0 ? undefined : mergeService(list);
}

/** By address: the services behind it, and the ports on which peers connect. */
function view(shards: ReadonlyMap<string, ReadonlyMap<string, ServiceShard>>) {
  const said = new Map<string, { services: ServiceKey[]; inbound: unknown }>();
  for (const cluster of clusters)
    for (const address of addresses) {
      const behind = names.filter((name) =>
        shards
          .get(name)
          ?.get(cluster)
          ?.endpoints.some((one) => one.address === address),
      );
      said.set(addressKey(cluster, address), {
        services: behind.map((name) => serviceKey('shop', name)).sort(),
        inbound: inboundPorts(
          behind.flatMap((name) => catalogOf(shards, name) ?? []),
          cluster,
          [address],
        ),
      });
    }
  return said;
}
