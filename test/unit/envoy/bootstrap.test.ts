import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { lookForEnvoy } from '../../../src/cli/envoy-binary.ts';
import { type BootstrapOptions, renderBootstrap } from '../../../src/envoy/bootstrap.ts';
import { parseNode } from '../../../src/pilot/proxies/node.ts';
import { noEnvoy, skip } from '../../support/skips.ts';

const configs = join(import.meta.dirname, '../../../envoy-configs');

const captured: BootstrapOptions = {
  mode: 'captured',
  xds: ['fairway.fairway-system.svc:15010'],
  cluster: 'east',
  namespace: 'shop',
  workload: 'reviews-v1-7d4b9',
  serviceAccount: 'reviews',
  addresses: ['10.1.2.3'],
  labels: { app: 'reviews', version: 'v1' },
  locality: { region: 'eu-west', zone: 'eu-west-1a', subzone: '' },
};
const explicit: BootstrapOptions = {
  mode: 'explicit',
  xds: ['127.0.0.1:15010'],
  cluster: 'east',
  namespace: 'shop',
  workload: 'reviews-v1',
  serviceAccount: 'reviews',
  addresses: ['127.0.0.1'],
  inbound: ['18080:9080:http'],
};
const everything: BootstrapOptions = {
  ...explicit,
  xds: ['[::1]:15010', 'pilot.example:15011'],
  transport: 'sotw',
  addresses: ['10.1.2.3', 'fd00::3'],
  network: 'lan',
  adminPort: 0,
  outbound: '127.0.0.1:3128',
  inboundAddress: '127.0.0.1',
  inbound: ['18080:9080:http', '18090:9090:grpc'],
  clusterDomain: 'mesh.example',
};

describe('bootstrap', () => {
  it('is what envoy-configs/ shows to people', () => {
    assert.deepEqual(renderBootstrap(captured), parse(readFileSync(join(configs, 'sidecar-captured.yaml'), 'utf8')));
    assert.deepEqual(renderBootstrap(explicit), parse(readFileSync(join(configs, 'sidecar-explicit.yaml'), 'utf8')));
  });

  it('tells the pilot what it was told', () => {
    const { node } = renderBootstrap(everything) as unknown as {
      node: { id: string; cluster: string; metadata: Record<string, unknown> };
    };
    const parsed = parseNode({
      ...node,
      locality: { region: '', zone: '', subZone: '' },
      userAgentName: 'envoy',
      userAgentVersion: '1.40.0',
      clientFeatures: [],
    });
    assert.equal(node.id, 'sidecar~10.1.2.3~reviews-v1.shop~shop.svc.mesh.example');
    assert.deepEqual(parsed.settings, {
      mode: 'explicit',
      outbound: { address: '127.0.0.1', port: 3128 },
      inboundAddress: '127.0.0.1',
      routes: 'tables',
      inbound: [
        { port: 18080, targetPort: 9080, protocol: 'http' },
        { port: 18090, targetPort: 9090, protocol: 'grpc' },
      ],
    });
    assert.deepEqual(
      { ...parsed.identity, nodeId: '' },
      {
        nodeId: '',
        kind: 'sidecar',
        addresses: ['10.1.2.3', 'fd00::3'],
        workload: 'reviews-v1',
        namespace: 'shop',
        cluster: 'east',
        network: 'lan',
        labels: {},
        serviceAccount: 'reviews',
        envoyVersion: '1.40.0',
      },
    );
  });

  it('declares what delta can carry, and how much the sidecar is to hold where it is told', () => {
    const metadata = (options: Partial<BootstrapOptions>): Readonly<Record<string, unknown>> =>
      renderBootstrap({ ...explicit, ...options }).node['metadata'] as Readonly<Record<string, unknown>>;
    const said = (options: Partial<BootstrapOptions>): unknown[] => {
      const { FAIRWAY_ROUTES: routes, FAIRWAY_CONFIG: config } = metadata(options);
      return [routes, config];
    };
    assert.deepEqual(said({}), ['vhds', undefined]);
    assert.deepEqual(said({ config: 'on-demand' }), ['vhds', 'on-demand']);
    assert.deepEqual(said({ routes: 'tables', config: 'on-demand' }), [undefined, undefined]);
    assert.deepEqual(said({ transport: 'sotw', config: 'on-demand' }), [undefined, undefined]);
  });

  it('is accepted by Envoy in every form', async function () {
    const found = await lookForEnvoy({ env: process.env, log: () => {} });
    if (found === undefined) return skip(this, noEnvoy);
    const dir = mkdtempSync(join(tmpdir(), 'fairway-bootstrap-'));
    try {
      for (const [index, options] of [captured, explicit, everything].entries()) {
        const file = join(dir, `${index}.json`);
        writeFileSync(file, JSON.stringify(renderBootstrap(options)));
        const { stdout } = await promisify(execFile)(found.path, [
          '-c',
          file,
          '--mode',
          'validate',
          '--log-level',
          'error',
        ]);
        assert.match(stdout, /OK/);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
