/**
 * The Multi-Cluster Services API's own conformance tests, against two clusters of the rig with the API's CRDs, its names in their DNS, and a pilot
 * that writes imports with the rights of deploy/ and no others.
 *
 * The suite's module cannot be fetched as a dependency (it points at its parent folder), so a checkout of kubernetes-sigs/mcs-api is given with `--suite`.
 */

import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goPrograms } from '../rig/go-programs.ts';
import { prepareRig, startRig } from '../rig/rig.ts';
import { standardCrds } from '../rig/standards.ts';
import { runProgram } from './program.ts';
import type { Suite, SuiteRun, TestResult } from './suite.ts';

const root = join(import.meta.dirname, '../..');
const suiteLimitMs = 12 * 60_000;

export const mcs: Suite = {
  name: 'mcs',
  title: 'Multi-Cluster Services API v1beta1',
  reportFile: 'mcs-v1beta1.yaml',
  needsCheckout: 'kubernetes-sigs/mcs-api',
  limitMs: 20 * 60_000,
  prepare,
  run,
};

async function prepare(
  say: (message: string) => void,
  checkout: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const module = join(checkout ?? '', 'conformance');
  if (!existsSync(join(module, 'go.mod'))) throw new Error(`${module} is no checkout of the suite: it holds no go.mod`);
  await prepareRig(say);
  const tests = await goPrograms(
    { name: 'mcs-conformance', module, programs: { conformance: '.' }, mode: 'test' },
    say,
  );
  return { program: join(tests, 'conformance'), crds: standardCrds('mcs') };
}

async function run({ dir, prepared, only, report, say }: SuiteRun): Promise<readonly TestResult[]> {
  const { program = '', crds = '' } = prepared;
  say(`starting two clusters; all logs are in ${dir}`);
  const rig = await startRig({
    dir,
    programs: await prepareRig(say),
    manifests: [crds, join(root, 'deploy/remote/mcs.yaml')],
    clusterSetDns: true,
    dualStack: true,
    pilot: { args: ['--mcs'] },
  });
  try {
    say('running the suite in the clusters east and west');
    const results = join(dir, 'results.json');
    const log = join(dir, 'suite.log');
    await runProgram(program, suiteArguments(rig.kubeconfig, results, only), rig.kubeconfig, log, { cwd: dir });
    if (report !== undefined) copyFileSync(join(dir, 'report.yaml'), report);
    return readSpecs(readFileSync(results, 'utf8'), only);
  } finally {
    await rig.stop();
  }
}

function suiteArguments(kubeconfig: string, results: string, only: string | undefined): readonly string[] {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  return [
    '--test.v',
    `--test.timeout=${suiteLimitMs}ms`,
    '--contexts=east,west',
    `--kubeconfig=${kubeconfig}`,
    '--organization=Fairway',
    '--project=Fairway',
    `--version=v${version}`,
    '--ginkgo.no-color',
    `--ginkgo.json-report=${results}`,
    ...(only === undefined ? [] : [`--ginkgo.focus=${only}`]),
  ];
}

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  /** Nanoseconds. */
  readonly RunTime: number;
  readonly Failure?: { readonly Message?: string };
}

/** Ginkgo's own report (https://onsi.github.io/ginkgo/#generating-machine-readable-reports). */
function readSpecs(text: string, only: string | undefined): readonly TestResult[] {
  const [suite] = JSON.parse(text) as readonly { readonly SpecReports: readonly SpecReport[] }[];
  return (suite?.SpecReports ?? [])
    .filter(({ LeafNodeType, State }) => LeafNodeType === 'It' && (only === undefined || State !== 'skipped'))
    .map(({ ContainerHierarchyTexts, LeafNodeText, State, RunTime, Failure }) => ({
      name: [...(ContainerHierarchyTexts ?? []), LeafNodeText].filter((part) => part !== '').join(', '),
      outcome: State === 'passed' ? 'passed' : State === 'skipped' || State === 'pending' ? 'skipped' : 'failed',
      seconds: RunTime / 1e9,
      why: (Failure?.Message ?? '').split('\n').slice(0, 6).join('\n'),
    }));
}
