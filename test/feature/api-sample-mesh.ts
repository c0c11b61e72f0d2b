/** A mesh with something of everything that people need to see: a stale cluster, a refused one, conflicts, a rejecting proxy. */

import type { EndpointReport, ProxyReport } from '../../src/model/report.ts';
import type { Condition } from '../../src/model/rule.ts';
import { emptyMesh, type SampleMesh } from './api-rig.ts';

const nothingWrong = { findings: [], dropped: 0 } as const;

export function sampleMesh(nowMs: number): SampleMesh {
  const ago = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString();
  const locality = (region: string, zone: string) => ({ region, zone, subzone: '' });
  const condition = (
    type: Condition['type'],
    status: Condition['status'],
    reason: string,
    message: string,
  ): Condition => ({
    type,
    status,
    reason,
    message,
    observedGeneration: 3,
    lastTransitionTime: ago(200),
  });
  const endpoint = (
    address: string,
    cluster: string,
    version: string,
    more: Partial<EndpointReport>,
  ): EndpointReport => ({
    namespace: 'shop',
    service: 'reviews',
    address,
    ports: { http: 8080 },
    cluster,
    network: '',
    locality: locality('eu-west', 'eu-west-1a'),
    version,
    workload: `reviews-${version}-6d4cf56db6-x7k2p`,
    serviceAccount: 'reviews',
    ready: true,
    serving: true,
    terminating: false,
    ...more,
  });
  const synced = { state: 'synced', since: ago(90), resources: 4, error: '' } as const;
  const proxy = (workload: string, cluster: string, types: ProxyReport['types']): ProxyReport => ({
    identity: {
      nodeId: `sidecar~10.1.0.7~${workload}.shop~shop.svc.cluster.local`,
      kind: 'sidecar',
      addresses: ['10.1.0.7'],
      workload,
      namespace: 'shop',
      cluster,
      network: '',
      labels: {},
      serviceAccount: 'web',
      envoyVersion: '1.40.0',
    },
    connectedSince: ago(7300),
    peer: '10.1.0.7:41822',
    transport: 'delta',
    types,
    findings: [],
  });
  return {
    ...emptyMesh(),
    clusters: [
      {
        name: 'east',
        phase: 'fresh',
        since: ago(3605),
        origin: 'kubeconfig context kind-east',
        network: 'n1',
        locality: locality('eu-west', ''),
        uid: '4e1f8d0a-3ed1-4a55-9a56-3ac1b9e05e6b',
        version: 'v1.36.1',
        services: 12,
        endpoints: 340,
        proxies: 170,
        lastNews: ago(2),
        ...nothingWrong,
      },
      {
        name: 'west',
        phase: 'stale',
        since: ago(734),
        origin: 'secret fairway-system/west',
        network: 'n2',
        locality: locality('us-west', 'us-west-2b'),
        uid: 'c1f7e2ce-9c0f-4f15-8a1b-0f2b7ac64c11',
        version: 'v1.36.1',
        services: 11,
        endpoints: 96,
        proxies: 44,
        lastNews: ago(734),
        problem: {
          code: 'FW-KUBE-003',
          message: 'https://10.0.0.9:6443 does not answer: connect ECONNREFUSED 10.0.0.9:6443',
          hint: "Check the cluster's API server and the network to it",
        },
        ...nothingWrong,
      },
      {
        name: 'west-2',
        phase: 'refused',
        since: ago(65),
        origin: 'secret fairway-system/west-copy',
        network: '',
        locality: locality('', ''),
        uid: '',
        version: 'v1.36.1',
        services: 0,
        endpoints: 0,
        proxies: 0,
        problem: {
          code: 'FW-KUBE-011',
          message: 'it is the same API as west',
          hint: 'Delete one of the two Secrets',
        },
        ...nothingWrong,
      },
    ],
    services: [
      {
        namespace: 'shop',
        name: 'ratings',
        headless: false,
        ports: [{ name: 'grpc', port: 9090, transport: 'TCP', protocol: 'grpc', clusters: ['east'] }],
        clusters: ['east'],
        versions: [],
        endpoints: { ready: 0, total: 2 },
        conflicts: [],
      },
      {
        namespace: 'shop',
        name: 'reviews',
        headless: false,
        ports: [
          { name: 'http', port: 80, transport: 'TCP', protocol: 'http', clusters: ['east', 'west'] },
          { name: 'metrics', port: 9100, transport: 'TCP', protocol: 'tcp', clusters: ['east'] },
        ],
        clusters: ['east', 'west'],
        versions: ['v1', 'v2', 'v3'],
        endpoints: { ready: 5, total: 6 },
        rule: 'shop/reviews',
        conflicts: [
          {
            reason: 'PortConflict',
            message: 'port 9100: "metrics" in east (oldest) wins over "stats" in west',
            winner: 'east',
            losers: ['west'],
          },
        ],
      },
    ],
    endpoints: [
      endpoint('10.1.0.21', 'east', 'v1', {}),
      endpoint('10.1.0.22', 'east', 'v1', { ready: false, serving: false }),
      endpoint('10.2.0.30', 'west', 'v2', { staleSince: ago(734) }),
      endpoint('fd00:10:2::1f', 'west', 'v3', {
        staleSince: ago(734),
        terminating: true,
        ports: { http: 8080, metrics: 9100 },
      }),
    ],
    rules: [
      {
        namespace: 'shop',
        name: 'reviews',
        generation: 3,
        service: 'shop/reviews',
        origin: 'cluster east',
        createdAt: ago(86_400 * 3),
        conditions: [
          condition('Accepted', 'True', 'Accepted', ''),
          condition('ResolvedRefs', 'True', 'ResolvedRefs', ''),
          condition('Programmed', 'True', 'Programmed', '214 of 214 proxies hold it'),
        ],
        programmed: { acknowledged: 214, total: 214 },
        findings: [],
        spec: { service: 'reviews', routes: [{ backends: [{ version: 'v2', cluster: 'west' }] }] },
      },
      {
        namespace: 'shop',
        name: 'ratings-canary-with-a-long-name',
        generation: 1,
        service: 'shop/ratings',
        origin: 'rules/ratings.yaml',
        createdAt: ago(125),
        conditions: [
          condition('Accepted', 'True', 'Accepted', ''),
          condition('ResolvedRefs', 'False', 'BackendNotFound', 'no endpoint of shop/ratings has version v9'),
          condition('Programmed', 'False', 'Rejected', 'web-1.shop: Only unique values for domains are permitted'),
        ],
        programmed: { acknowledged: 3, total: 214 },
        findings: [
          {
            code: 'FW-RULE-053',
            severity: 'warning',
            message: 'no endpoint of shop/ratings has version v9',
            where: { file: 'rules/ratings.yaml', line: 8, column: 18 },
            hint: 'Deploy the version, or correct it',
          },
        ],
        spec: { service: 'ratings', routes: [] },
      },
    ],
    proxies: [
      proxy('web-7d9f8c6b5-2xk4q', 'east', { CDS: synced, EDS: synced, LDS: synced, RDS: synced }),
      proxy('web-1', 'west', {
        CDS: synced,
        EDS: { ...synced, state: 'pending', since: ago(4) },
        LDS: synced,
        RDS: {
          ...synced,
          state: 'rejected',
          since: ago(75),
          error: 'Only unique values for domains are permitted. Duplicate entry of domain reviews.shop:80',
        },
      }),
    ],
  };
}
