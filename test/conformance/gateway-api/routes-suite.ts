/**
 * The tests that Gateway API has for the routes of Gateways, with Services in the Gateways' place (routes_test.go says how): TCP and TLS, statuses,
 * grants, mirrors, timeouts, where redirects lead and what backends see, none of which the mesh's own tests look at.
 *
 * The CRDs are those of the experimental channel, where routes say something of retries.
 *
 * The suite runs in a pod behind a sidecar, as a workload of the mesh; its requests to Services go by that sidecar's routes.
 */

import { join } from 'node:path';
import { injectLabel } from '../../rig/cluster/injection.ts';
import { findKubernetes } from '../../rig/kubernetes/binaries.ts';
import { prepareRig, startRig } from '../../rig/rig.ts';
import { readGoTests } from '../go-test-output.ts';
import { runProgram } from '../program.ts';
import type { Suite, SuiteRun, TestResult } from '../suite.ts';
import { prepareSuite, version } from './build.ts';

const suiteLimitMs = 10 * 60_000;
const namespace = 'gateway-conformance-client';
const image = 'fairway/gateway-conformance';

export const gatewayApiRoutes: Suite = {
  name: 'gateway-api-routes',
  title: `Gateway API v${version}, the tests of Gateways’ routes with Services as parents`,
  tableFile: `gateway-api-routes-v${version}.txt`,
  limitMs: 15 * 60_000,
  prepare: prepareSuite,
  run,
};

async function run({ dir, prepared, only, say }: SuiteRun): Promise<readonly TestResult[]> {
  const { program = '', backend = '', crds = '' } = prepared;
  say(`starting two clusters; all logs are in ${dir}`);
  const images = [
    { name: image, cmd: ['sleep', 'infinity'], files: { '/conformance': program } },
    { name: 'registry.k8s.io/gateway-api/echo-basic', entrypoint: ['/echo-basic'], files: { '/echo-basic': backend } },
  ];
  const rig = await startRig({ dir, programs: await prepareRig(say), manifests: [join(crds, 'experimental')], images });
  try {
    const { api } = rig.cluster('east');
    await api.kubectl(['apply', '-f', '-'], clientManifests());
    await api.kubectl(['wait', '-n', namespace, 'pod/client', '--for', 'condition=Ready', '--timeout', '60s']);
    const test = only === undefined ? '^TestRoutesOfServices$' : `^TestRoutesOfServices$/^${only}$`;
    const command = ['/conformance', '-test.v', `-test.run=${test}`, `-test.timeout=${suiteLimitMs}ms`];
    const { kubectl } = await findKubernetes(say);
    say('running the tests in the cluster east');
    const args = ['exec', '-n', namespace, 'client', '-c', 'client', '--', ...command];
    const { output, exitCode } = await runProgram(kubectl, args, api.kubeconfig, join(dir, 'suite.log'));
    return readGoTests(output, exitCode);
  } finally {
    await rig.stop();
  }
}

/** A pod that may do everything in the cluster, as suites do. */
function clientManifests(): string {
  const authorization = 'rbac.authorization.k8s.io';
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { [injectLabel]: 'enabled' } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'client' } },
    {
      apiVersion: `${authorization}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: namespace },
      roleRef: { apiGroup: authorization, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'client' }],
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'client' },
      spec: {
        serviceAccountName: 'client',
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'client', image: `${image}:rig` }],
      },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
