/**
 * The synthetic mesh in a Kubernetes API, for control planes that are measured beside each other: Services with one EndpointSlice each, and for
 * the first services one rule, as a TrafficRule and as a VirtualService that say the same. Changes are PATCHes; each carries its mark (marks.ts).
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KubeApi } from '../test/rig/kubernetes/api.ts';
import { type ApiClient, mergePatch } from '../test/rig/kubernetes/client.ts';
import { waitFor } from '../test/rig/wait.ts';
import { markedAddress, markedValue } from './load/marks.ts';
import type { MeshSize } from './load/messages.ts';
import { namespace } from './load/synthetic-mesh.ts';

export interface RuleKind {
  /** `/apis/GROUP/VERSION` and the plural. */
  readonly api: string;
  readonly plural: string;
  object(service: number, n: number): { readonly spec: object };
}

const name = (service: number): string => `svc-${service}`;

/** Requests with the marked header may take 10 s, all others as long as they want: no version or subset is needed, on either side. */
export const trafficRule: RuleKind = {
  api: '/apis/fairway.dev/v1alpha1',
  plural: 'trafficrules',
  object: (service, n) => ({
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { name: name(service), namespace },
    spec: {
      service: name(service),
      routes: [
        {
          matches: [{ headers: [{ name: 'x-group', value: markedValue(n) }] }],
          backends: [{}],
          timeouts: { request: '10s' },
        },
        { backends: [{}] },
      ],
    },
  }),
};

export const virtualService: RuleKind = {
  api: '/apis/networking.istio.io/v1',
  plural: 'virtualservices',
  object(service, n) {
    const route = [{ destination: { host: name(service) } }];
    return {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: name(service), namespace },
      spec: {
        hosts: [name(service)],
        http: [{ match: [{ headers: { 'x-group': { exact: markedValue(n) } } }], route, timeout: '10s' }, { route }],
      },
    };
  },
};

const seedersAtOnce = 8;

/** Creates it all; the rules get the numbers from `firstN`. Returns the next free number. */
export async function seedMesh(api: KubeApi, mesh: MeshSize, rules: number, firstN: number): Promise<number> {
  const { client } = api;
  await client.must('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  for (const definition of [readTrafficRuleDefinition(), virtualServiceDefinition])
    await api.kubectl(['apply', '--server-side', '-f', '-'], definition);
  for (const { api: group, plural } of [trafficRule, virtualService])
    await waitFor(`${plural} to be served`, async () => {
      return (await client.request('GET', `${group}/namespaces/${namespace}/${plural}`)).status === 200;
    });
  let next = 0;
  const seed = async (): Promise<void> => {
    for (let service = next++; service < mesh.services; service = next++)
      await createService(client, service, mesh.endpoints);
  };
  await Promise.all(Array.from({ length: seedersAtOnce }, seed));
  for (let service = 0; service < rules; service++)
    for (const { api: group, plural, object } of [trafficRule, virtualService])
      await client.must('POST', `${group}/namespaces/${namespace}/${plural}`, object(service, firstN + service));
  return firstN + rules;
}

export async function changeEndpoint(client: ApiClient, service: number, endpoints: number, n: number): Promise<void> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${name(service)}`;
  await client.must('PATCH', path, { endpoints: endpointsOf(service, endpoints, n) }, mergePatch);
}

export async function changeRule(client: ApiClient, kind: RuleKind, service: number, n: number): Promise<void> {
  const path = `${kind.api}/namespaces/${namespace}/${kind.plural}/${name(service)}`;
  await client.must('PATCH', path, { spec: kind.object(service, n).spec }, mergePatch);
}

async function createService(client: ApiClient, service: number, endpoints: number): Promise<void> {
  await client.must('POST', `/api/v1/namespaces/${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: name(service) },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }] },
  });
  await client.must('POST', `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: name(service), labels: { 'kubernetes.io/service-name': name(service) } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpointsOf(service, endpoints),
  });
}

function endpointsOf(service: number, count: number, marked?: number): readonly object[] {
  return Array.from({ length: count }, (_, at) => ({
    addresses: [at === 0 && marked !== undefined ? markedAddress(marked) : addressOf(service, at)],
    conditions: { ready: true },
    zone: `z${at % 3}`,
    nodeName: `n${at % 3}`,
  }));
}

/** Up to 16 endpoints each; apart from the marked addresses, from the Services' own and from the proxies'. */
function addressOf(service: number, at: number): string {
  const number = service * 16 + (at % 16);
  return `${100 + (number >> 16)}.64.${(number >> 8) & 255}.${number & 255}`;
}

/** From the root of the sources, where this may be compiled into dist/. */
function readTrafficRuleDefinition(): string {
  const up = import.meta.url.endsWith('.ts') ? '..' : '../..';
  return readFileSync(
    fileURLToPath(new URL(`${up}/deploy/crds/trafficrules.fairway.dev.yaml`, import.meta.url)),
    'utf8',
  );
}

/** The least that a reader of VirtualServices needs. https://istio.io/latest/docs/reference/config/networking/virtual-service/ */
const virtualServiceDefinition = JSON.stringify({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'virtualservices.networking.istio.io' },
  spec: {
    group: 'networking.istio.io',
    scope: 'Namespaced',
    names: {
      kind: 'VirtualService',
      listKind: 'VirtualServiceList',
      plural: 'virtualservices',
      singular: 'virtualservice',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
