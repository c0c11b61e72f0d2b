/** TLS to hosts outside: what sidecars are told of the authorities of their machines, and that gRPC clients, which begin no TLS, are sent nowhere. */

import assert from 'node:assert/strict';
import { grpcClusters } from '../../../src/envoy/grpc/clusters.ts';
import { grpcAssignments } from '../../../src/envoy/grpc/endpoints.ts';
import { grpcFindings } from '../../../src/envoy/grpc/findings.ts';
import { assignmentKey } from '../../../src/envoy/locality-levels.ts';
import { decodeResource } from '../../../src/envoy/proto/decode.ts';
import { originationFields } from '../../../src/envoy/upstream-tls.ts';
import type { Mesh, Scope } from '../../../src/model/mesh.ts';
import { parseMeshFixture } from '../../support/mesh-fixture.ts';

function meshOf(resolution: string): { readonly mesh: Mesh; readonly scope: Scope } {
  const external = {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'ExternalService',
    metadata: { name: 'api', namespace: 'shop' },
    spec: {
      hosts: ['api.example.com'],
      ports: [
        { number: 80, protocol: 'grpc', targetPort: 443, tls: {} },
        { number: 81, protocol: 'grpc', targetPort: 8081 },
      ],
      resolution,
      ...(resolution === 'static' ? { endpoints: [{ address: '192.0.2.1' }] } : {}),
    },
  };
  return parseMeshFixture(
    JSON.stringify({ scope: { cluster: 'east', namespace: 'shop' }, services: [], externals: [external] }),
  );
}

describe('TLS to hosts outside', () => {
  it('trusts whom the sidecar’s machine trusts, in the file that the mesh names', () => {
    const { mesh } = meshOf('dns');
    const [service] = mesh.services.values();
    const port = service?.catalog.ports[0];
    assert.ok(port !== undefined);
    const text = (settings: Mesh['settings']): string =>
      JSON.stringify(originationFields(port, 'api.example.com', settings));
    assert.ok(JSON.stringify(originationFields(port, 'a', mesh.settings)).includes('transport_socket'));
    assert.match(text(mesh.settings), /"filename":"\/etc\/ssl\/certs\/ca-certificates\.crt"/);
    assert.match(
      text({ ...mesh.settings, systemCaFile: '/etc/pki/bundle.crt' }),
      /"filename":"\/etc\/pki\/bundle\.crt"/,
    );
    assert.deepEqual(originationFields(service?.catalog.ports[1] ?? port, 'a', mesh.settings), {});
  });

  for (const resolution of ['dns', 'static'])
    it(`is not left out by gRPC clients without a proxy: ${resolution}`, () => {
      const { mesh, scope } = meshOf(resolution);
      const [[key, service] = []] = [...mesh.services];
      assert.ok(key !== undefined && service !== undefined);
      const found = [
        ...grpcClusters(service, mesh.settings),
        ...grpcAssignments(service, assignmentKey(service, scope), mesh.settings),
      ].map((resource) => JSON.stringify(decodeResource(resource)));
      const of = (port: number): string => found.filter((text) => text.includes(`outbound|${port}|`)).join();
      assert.doesNotMatch(of(80), /socket_address/);
      assert.match(of(81), /"port_value":8081/);
      assert.deepEqual(
        grpcFindings([[key, service]], 'east').map(({ code, where }) => [code, where.object]),
        [['FW-ENVOY-007', 'ExternalService shop/api']],
      );
    });
});
