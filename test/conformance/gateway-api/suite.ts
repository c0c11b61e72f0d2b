/**
 * Gateway API's own conformance tests, profiles MESH-HTTP and MESH-GRPC: the Go module beside this file, against a cluster of the rig with the
 * API's CRDs, a pilot, and the suite's pods behind sidecars. Which extended features are declared is said in conformance_test.go.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { injectLabel } from '../../rig/cluster/injection.ts';
import { prepareRig, startRig } from '../../rig/rig.ts';
import { readGoTests } from '../go-test-output.ts';
import { runProgram } from '../program.ts';
import type { Suite, SuiteRun, TestResult } from '../suite.ts';
import { prepareSuite, version } from './build.ts';

const suiteLimitMs = 8 * 60_000;
const root = join(import.meta.dirname, '../../..');

export const gatewayApi: Suite = {
  name: 'gateway-api',
  title: `Gateway API v${version}, MESH-HTTP and MESH-GRPC`,
  reportFile: `gateway-api-v${version}.yaml`,
  limitMs: 15 * 60_000,
  prepare: prepareSuite,
  run,
};

async function run({ dir, prepared, only, report, say }: SuiteRun): Promise<readonly TestResult[]> {
  const { program = '', crds = '' } = prepared;
  say(`starting two clusters; all logs are in ${dir}`);
  const rig = await startRig({ dir, programs: await prepareRig(say), manifests: [join(crds, 'standard')] });
  try {
    const args = [
      '-test.v',
      '-test.run=^TestConformance$',
      `-test.timeout=${suiteLimitMs}ms`,
      `-namespace-labels=${injectLabel}=enabled`,
    ];
    if (only !== undefined) args.push(`-run-test=${only}`);
    if (report !== undefined) args.push(`-report-output=${report}`, `-version=${ownVersion()}`);
    const kubeconfig = rig.cluster('east').api.kubeconfig;
    say('running the suite in the cluster east');
    const { output, exitCode } = await runProgram(program, args, kubeconfig, join(dir, 'suite.log'));
    const results = readGoTests(output, exitCode);
    return only === undefined ? results : results.filter(({ outcome }) => outcome !== 'skipped');
  } finally {
    await rig.stop();
  }
}

function ownVersion(): string {
  const { version: own } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  return `v${own}`;
}
