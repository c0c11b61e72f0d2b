import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { explicitPodHosts, podFindings, podHostsMax } from '../../../src/envoy/pod-hosts.ts';
import { domainsOf } from '../../../src/envoy/virtual-host-bytes.ts';
import { compileService } from '../../../src/mesh/compile.ts';
import { defaultMeshSettings } from '../../../src/model/mesh.ts';
import { endpoint, port, shard } from '../../support/fixtures.ts';

function pods(count: number, cluster = 'east', namespace = 'shop') {
  const endpoints = Array.from({ length: count }, (_, i) =>
    endpoint(cluster, `10.0.${i >> 8}.${i & 255}`, { hostname: `db-${i}` }),
  );
  const service = mergeService([shard(cluster, 'db', { namespace, headless: true, ports: [port(80)], endpoints })]);
  return explicitPodHosts(compileService(service, undefined), cluster, defaultMeshSettings);
}

describe('the hosts of single workloads', () => {
  it('are bounded, and what is over the bound is reported', () => {
    const { hosts, clusters, assignments, dropped } = pods(podHostsMax + 3);
    assert.deepEqual(
      [hosts.length, clusters.length, assignments.length, dropped],
      [podHostsMax, podHostsMax, podHostsMax, 3],
    );
    const [finding] = podFindings([['shop/db', dropped]], 'east');
    assert.equal(finding?.code, 'FW-ENVOY-006');
    assert.match(finding?.message ?? '', /^3 workloads/);
    assert.deepEqual(podFindings([['shop/db', 0]], 'east'), []);
  });

  it('take no name that may be a service’s, and no cluster’s name that is no part of a host', () => {
    const inSvc = pods(1, 'east', 'svc').hosts.flatMap(({ body }) => domainsOf(body));
    assert.ok(!inSvc.includes('db-0.db.svc'), inSvc.join(' '));
    assert.ok(inSvc.includes('db-0.db.svc.svc'));
    const ofCapitals = pods(1, 'East_1').hosts.flatMap(({ body }) => domainsOf(body));
    assert.ok(!ofCapitals.some((domain) => domain.includes('East')));
    assert.ok(ofCapitals.includes('db-0.db.shop'));
  });
});
