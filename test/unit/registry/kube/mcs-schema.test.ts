import assert from 'node:assert/strict';
import type { ApiClient } from '../../../../src/registry/kube/api-client.ts';
import { ApiError } from '../../../../src/registry/kube/api-error.ts';
import { readMcsSchema } from '../../../../src/registry/kube/mcs-schema.ts';

const apiVersion = 'multicluster.x-k8s.io/v1alpha1';
const signal = new AbortController().signal;

function apiOf(answer: () => unknown): ApiClient {
  return { json: () => Promise.resolve().then(answer) } as unknown as ApiClient;
}

const object = (properties: object): object => ({ type: 'object', properties });
const document = (version: string): object => ({
  components: {
    schemas: {
      import: {
        ...object({
          spec: object({ ports: {}, type: {}, ips: { type: 'array', maxItems: 1 } }),
          status: object({ clusters: {} }),
        }),
        'x-kubernetes-group-version-kind': [{ group: 'multicluster.x-k8s.io', version, kind: 'ServiceImport' }],
      },
      export: {
        ...object({ status: object({ conditions: { type: 'array', items: object({ type: {}, status: {} }) } }) }),
        'x-kubernetes-group-version-kind': [{ group: 'multicluster.x-k8s.io', version, kind: 'ServiceExport' }],
      },
    },
  },
});

const spec = { type: 'ClusterSetIP', ports: [], ips: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] };
const status = { conditions: [{ type: 'Valid', status: 'True', observedGeneration: 1 }] };

describe('registry: fields of the Multi-Cluster Services API', () => {
  it('that its CRDs do not have are taken away, and said', async () => {
    const schema = await readMcsSchema(
      apiOf(() => document('v1alpha1')),
      apiVersion,
      signal,
    );
    assert.deepEqual(schema.spec('ServiceImport', spec), { type: 'ClusterSetIP', ports: [], ips: ['10.0.0.1'] });
    assert.deepEqual(schema.status('ServiceImport', { clusters: [], ...status }), { clusters: [] });
    assert.deepEqual(schema.status('ServiceExport', status), { conditions: [{ type: 'Valid', status: 'True' }] });
    assert.deepEqual(schema.missing, [
      'ServiceExport.status.conditions[].observedGeneration',
      'ServiceImport.spec.ipFamilies',
      'ServiceImport.spec.ips[1]',
      'ServiceImport.status.conditions',
    ]);
    assert.ok(
      schema.isLike(
        await readMcsSchema(
          apiOf(() => document('v1alpha1')),
          apiVersion,
          signal,
        ),
      ),
    );
  });

  it('are all there where nothing is known of them', async () => {
    const refuse = (): never => {
      throw new ApiError('forbidden', 'no');
    };
    for (const answer of [() => document('v1beta1'), () => ({}), () => null, refuse]) {
      const schema = await readMcsSchema(apiOf(answer), apiVersion, signal);
      assert.deepEqual(schema.spec('ServiceImport', spec), spec);
      assert.deepEqual(schema.status('ServiceExport', status), status);
      assert.deepEqual(schema.missing, []);
    }
    const lost = apiOf(() => {
      throw new ApiError('unreachable', 'gone');
    });
    await assert.rejects(readMcsSchema(lost, apiVersion, signal), /gone/);
  });
});
