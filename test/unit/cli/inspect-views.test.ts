/** What the commands that look closer print, at several widths. */

import assert from 'node:assert/strict';
import stringWidth from 'string-width';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { printAnalysis } from '../../../src/cli/views/analysis.ts';
import { printCluster } from '../../../src/cli/views/cluster-description.ts';
import { printRequestPath } from '../../../src/cli/views/request-path.ts';
import { matchTexts, percentText } from '../../../src/cli/views/route-text.ts';
import { printInspection } from '../../../src/cli/views/rule-inspection.ts';
import type { Finding } from '../../../src/core/errors.ts';
import { unknownLocality } from '../../../src/model/cluster.ts';
import type { PathEndpoint, ProxyRequestPath, RuleInspection } from '../../../src/model/inspection.ts';
import type { ClusterReport } from '../../../src/model/report.ts';

function printed(columns: number | undefined, print: (terminal: Terminal) => void): string {
  let text = '';
  print({
    out: (part) => {
      text += part;
    },
    err: () => {},
    columns,
    hasColour: false,
    paint: (_colour, part) => part,
    isInteractive: false,
  });
  for (const line of text.split('\n')) {
    assert.ok(columns === undefined || stringWidth(line) <= columns, `${columns}: ${line}`);
    assert.equal(line, line.trimEnd());
  }
  return text;
}

const nowMs = Date.parse('2026-01-01T00:10:00Z');

const finding = (code: Finding['code'], severity: Finding['severity'], where: Finding['where']): Finding => ({
  code,
  severity,
  message: `what ${code} says, in a sentence that is longer than a narrow page is wide`,
  where,
  hint: 'Do this',
});

describe('pages of the commands that look closer', () => {
  it('describe cluster: what its ClusterProfile says, too', () => {
    const cluster: ClusterReport = {
      name: 'west',
      phase: 'fresh',
      since: '2026-01-01T00:00:00Z',
      origin: 'clusterprofile fairway-system/west',
      network: 'net-1',
      locality: { ...unknownLocality, region: 'eu' },
      uid: 'u-1',
      services: 2,
      endpoints: 3,
      proxies: 1,
      version: 'v1.36.1',
      dropped: 0,
      findings: [finding('FW-KUBE-048', 'warning', { cluster: 'west' })],
      profile: {
        manager: 'fleet',
        displayName: 'West',
        properties: [{ name: 'tier.example.com', value: 'gold' }],
        conditions: [{ type: 'ControlPlaneHealthy', status: 'False', reason: 'Unreachable', message: 'no answer' }],
      },
    };
    for (const width of [40, 72, undefined]) {
      const text = printed(width, (terminal) => printCluster(cluster, nowMs, terminal));
      for (const part of ['Cluster west', 'fleet', 'tier.example.com', 'gold', 'Unreachable', 'FW-KUBE-048'])
        assert.ok(text.includes(part), `${width} ${part}: ${text}`);
    }
    const { profile: _, ...other } = cluster;
    assert.ok(!printed(72, (terminal) => printCluster(other, nowMs, terminal)).includes('ClusterProfile'));
  });

  it('analyze: by object, the gravest first, and by line', () => {
    const findings = [
      finding('FW-X-001', 'warning', { object: 'TrafficRule a/warned', file: 'a.yaml', line: 3, column: 1 }),
      finding('FW-X-002', 'warning', { object: 'TrafficRule z/wrong', file: 'z.yaml', line: 1, column: 1 }),
      finding('FW-X-003', 'error', {
        object: 'TrafficRule z/wrong',
        file: 'z.yaml',
        line: 9,
        column: 2,
        field: 'spec.x',
      }),
      finding('FW-X-004', 'error', { cluster: 'west' }),
      finding('FW-X-005', 'warning', { file: 'stray.yaml' }),
    ];
    for (const width of [40, 72, 160, undefined]) {
      const text = printed(width, (terminal) =>
        printAnalysis({ findings, errors: 2, warnings: 4, scope: '9 objects' }, terminal),
      );
      const order = [
        'Cluster west',
        'FW-X-004',
        'TrafficRule z/wrong',
        'FW-X-003',
        'FW-X-002',
        'TrafficRule a/warned',
        'FW-X-001',
        'stray.yaml',
        'FW-X-005',
      ];
      const found = order.map((part) => text.indexOf(part));
      assert.ok(
        found.every((at, i) => at > (found[i - 1] ?? -1)),
        `${found.join()}\n${text}`,
      );
      assert.match(text.replaceAll('\n', ' '), /2 errors and 4 warnings in 9 objects, 1 of them not shown/);
    }
    const clean = printed(40, (terminal) =>
      printAnalysis({ findings: [], errors: 0, warnings: 0, scope: '1 object' }, terminal),
    );
    assert.equal(clean, 'No problems found in 1 object.\n');
  });

  it('inspect rule: counts, then proxies with the words of those that rejected it', () => {
    const inspection: RuleInspection = {
      rule: {
        namespace: 'shop',
        name: 'reviews',
        generation: 3,
        service: 'shop/reviews',
        origin: 'rules/reviews.yaml',
        conditions: [],
        programmed: { acknowledged: 1, total: 3 },
        findings: [],
        spec: {},
      },
      inForce: 2,
      counts: { rejected: 1, 'in-doubt': 0, pending: 1, holds: 28 },
      items: [
        {
          nodeId: 'n1',
          workload: 'web-with-quite-a-long-name-5d9f7c',
          namespace: 'shop',
          cluster: 'east',
          state: 'rejected',
          since: '2026-01-01T00:08:00Z',
          error: 'Proto constraint validation failed: something that goes on for long',
          has: { generation: 1, isPresent: false },
        },
        { nodeId: 'n2', workload: '', namespace: '', cluster: '', state: 'pending', error: '' },
      ],
      continue: 'x',
    };
    for (const width of [40, 72, 160]) {
      const text = printed(width, (terminal) => printInspection(inspection, nowMs, terminal));
      assert.match(text, /holds +28 of 30/);
      assert.match(text, /REJECTED +2m +1$/m);
      assert.match(text, /pending +- +none$/m);
      assert.match(text, /└ Proto constraint/);
      assert.match(text, /and 28 more; name them all with --all/);
      assert.equal(text.includes('no room for CLUSTER'), width === 40);
    }
  });

  it('endpoints: what is missing is said, and weights only where they say something', () => {
    const endpoint = (address: string, fields: Partial<PathEndpoint> = {}): PathEndpoint => ({
      address,
      port: 80,
      priority: 0,
      health: 'HEALTHY',
      locality: unknownLocality,
      localityWeight: 2,
      version: 'v1',
      cluster: 'east',
      workload: `workload-of-${address}`,
      ...fields,
    });
    const path: ProxyRequestPath = {
      proxy: {
        nodeId: 'n',
        workload: 'web',
        namespace: 'shop',
        cluster: 'east',
        config: 'on-demand',
        interception: 'explicit',
      },
      types: { CDS: { state: 'pending', since: '2026-01-01T00:09:30Z', resources: 1, error: '' } },
      host: 'fd00::1',
      port: 80,
      listener: 'http_proxy',
      ways: [
        {
          traffic: 'HTTP',
          table: 't',
          routes: [
            { name: 'a', rule: 'shop/r', match: '', action: 'forward', clusters: [{ name: 'gone', percent: 100 / 3 }] },
          ],
        },
      ],
      clusters: [
        {
          name: 'plain',
          type: 'EDS',
          balancing: 'least request',
          endpoints: [endpoint('10.0.0.1'), endpoint('fd00::2', { health: 'UNHEALTHY' })],
          omitted: 5,
        },
        {
          name: 'weighted',
          type: 'EDS',
          balancing: 'ring hash',
          endpoints: [endpoint('10.0.0.3', { weight: 7 })],
          omitted: 0,
        },
        { name: 'empty', type: 'EDS', balancing: 'x', endpoints: [], omitted: 0 },
        { name: 'gone', type: '', balancing: '', endpoints: [], omitted: 0 },
      ],
    };
    for (const width of [40, 72, 160]) {
      const text = printed(width, (terminal) => printRequestPath(path, nowMs, terminal));
      const flat = text.replaceAll(/\s+/g, ' ');
      assert.match(flat, /^\[fd00::1\]:80 as web\.shop sees it/);
      assert.match(flat, /CDS pending for 30s: it goes by what it had before/);
      assert.match(flat, /33\.3% gone/);
      assert.match(flat, /× no endpoint: requests to it are answered with 503/);
      assert.match(flat, /× the proxy is given no such Envoy cluster/);
      assert.match(flat, /and 5 more/);
      if (width === 160) assert.equal(text.match(/WEIGHT/g)?.length, 1);
    }
  });

  it('matches and shares in words', () => {
    const none = { headers: [], queryParams: [] };
    assert.deepEqual(matchTexts([]), ['all requests']);
    assert.deepEqual(
      matchTexts([
        { ...none, path: { kind: 'prefix', value: '/a' }, method: 'GET' },
        {
          headers: [{ name: 'x', match: { kind: 'present', present: false } }],
          queryParams: [{ name: 'q', match: { kind: 'regex', value: 'b+' } }],
        },
        { ...none, source: { cluster: 'east', namespace: '', labels: { app: 'web' } } },
      ]),
      ['path prefix /a, method GET', 'header x is not there, query q ~ b+', 'from cluster east, labels app=web'],
    );
    assert.deepEqual([0, 0.05, 2, 33.333, 100].map(percentText), ['0%', '0.05%', '2%', '33.3%', '100%']);
  });
});
