import assert from 'node:assert/strict';
import { renderGrpcBootstrap } from '../../../../src/envoy/grpc/bootstrap.ts';
import { parseNode } from '../../../../src/pilot/proxies/node.ts';

const rendered = renderGrpcBootstrap({
  xds: ['pilot-a:15010', '[::1]:15010'],
  cluster: 'east',
  namespace: 'shop',
  workload: 'web-1',
  serviceAccount: 'web',
  addresses: ['10.1.2.3'],
  labels: { app: 'web' },
  network: 'lan',
});

describe('the bootstrap of a client without a proxy', () => {
  it('names every pilot, in order, in plain text', () => {
    assert.deepEqual(
      rendered.xds_servers.map(({ server_uri, channel_creds, server_features }) => [
        server_uri,
        channel_creds,
        server_features,
      ]),
      [
        ['pilot-a:15010', [{ type: 'insecure' }], ['xds_v3']],
        ['[::1]:15010', [{ type: 'insecure' }], ['xds_v3']],
      ],
    );
  });

  it('has a locality though it be empty, for gRPC for Node takes none without', () => {
    assert.deepEqual(rendered.node['locality'], {});
  });

  it('tells the pilot who asks, and that it has no proxy', () => {
    const node = rendered.node as { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> };
    const shared = { cluster: '', locality: { region: '', zone: '', subZone: '' }, clientFeatures: [] };
    const { identity, settings } = parseNode({ ...node, ...shared, userAgentName: '', userAgentVersion: '' });
    assert.deepEqual(
      [
        identity.kind,
        identity.cluster,
        identity.namespace,
        identity.workload,
        identity.labels['app'],
        identity.network,
      ],
      ['grpc', 'east', 'shop', 'web-1', 'web', 'lan'],
    );
    assert.equal(settings.mode, 'grpc');
  });

  it('is known by the client’s own name too, whatever sidecar settings the node carries', () => {
    const metadata = { CLUSTER_ID: 'east', FAIRWAY_MODE: 'explicit', FAIRWAY_ROUTES: 'vhds' };
    const node = {
      id: 'sidecar~10.0.0.1~web.shop~shop.svc.cluster.local',
      cluster: '',
      metadata,
      locality: { region: '', zone: '', subZone: '' },
      userAgentVersion: '1.82.1',
      clientFeatures: [],
    };
    assert.equal(parseNode({ ...node, userAgentName: 'gRPC Go' }).settings.mode, 'grpc');
    assert.equal(parseNode({ ...node, userAgentName: 'envoy' }).settings.mode, 'explicit');
  });
});
