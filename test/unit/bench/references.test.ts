import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import { referencesOf } from '../../../bench/load/references.ts';
import { usedServices } from '../../../bench/load/shape.ts';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { loadProtos } from '../../../src/xds/protos.ts';

const messages: Readonly<Record<string, readonly [file: string, name: string]>> = {
  [typeUrl.cluster]: ['envoy/config/cluster/v3/cluster.proto', 'envoy.config.cluster.v3.Cluster'],
  [typeUrl.route]: ['envoy/config/route/v3/route.proto', 'envoy.config.route.v3.RouteConfiguration'],
  [typeUrl.virtualHost]: ['envoy/config/route/v3/route_components.proto', 'envoy.config.route.v3.VirtualHost'],
};

function any(url: string, fields: object): Buffer {
  const [file, name] = messages[url] ?? assert.fail(url);
  const type = loadProtos([file]).lookupType(name);
  const value = type.encode(type.fromObject(fields)).finish();
  return Buffer.from(protobuf.Writer.create().uint32(10).string(url).uint32(18).bytes(value).finish());
}

describe('the load client reads', () => {
  it('the assignment of an Envoy cluster of type EDS, and none of another', () => {
    const eds = { name: 'a', type: 3, eds_cluster_config: { service_name: 'b' } };
    assert.deepEqual(referencesOf(typeUrl.cluster, any(typeUrl.cluster, eds)), ['b']);
    assert.deepEqual(referencesOf(typeUrl.cluster, any(typeUrl.cluster, { name: 'a', type: 3 })), ['a']);
    assert.deepEqual(referencesOf(typeUrl.cluster, any(typeUrl.cluster, { name: 'a', type: 0 })), []);
  });

  it('whether the hosts of a route table are to be asked for', () => {
    const vhds = { config_source: { ads: {} } };
    const hosts = [{ name: 'x', domains: ['x'] }];
    assert.deepEqual(referencesOf(typeUrl.route, any(typeUrl.route, { name: '80', vhds })), ['80']);
    assert.deepEqual(referencesOf(typeUrl.route, any(typeUrl.route, { name: '80', virtual_hosts: hosts })), []);
  });

  it('every Envoy cluster to which the routes of a virtual host lead, once', () => {
    const host = {
      name: 'x',
      domains: ['x', 'y'],
      routes: [
        { match: { prefix: '/a' }, route: { cluster: 'one' } },
        { match: { prefix: '/b' }, route: { weighted_clusters: { clusters: [{ name: 'two' }, { name: 'one' }] } } },
        { match: { prefix: '/c' }, redirect: { host_redirect: 'z' } },
      ],
    };
    assert.deepEqual(referencesOf(typeUrl.virtualHost, any(typeUrl.virtualHost, host)), ['one', 'two']);
    assert.deepEqual(referencesOf(typeUrl.virtualHost, Buffer.alloc(0)), []);
  });
});

describe('the services that a proxy on demand calls', () => {
  it('are as many different ones as asked for, the same each time, and others for each proxy', () => {
    const all = Array.from({ length: 100 }, (_, index) => usedServices(index, 1000, 20));
    for (const [index, used] of all.entries()) {
      assert.equal(new Set(used).size, 20);
      assert.ok(used.every((service) => Number.isInteger(service) && service >= 0 && service < 1000));
      assert.deepEqual(usedServices(index, 1000, 20), used);
    }
    assert.equal(new Set(all.map((used) => used.toSorted((a, b) => a - b).join())).size, 100);
    // Together they call most of what there is.
    assert.ok(new Set(all.flat()).size > 800);
  });

  it('are all, where there are no more', () => {
    assert.deepEqual(
      usedServices(3, 5, 20).toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
  });
});
