/**
 * `npm test [-- mocha's arguments]`: unit, property, golden and feature tests. Needs no root, no Docker, no Go and no Kubernetes: Node comes
 * with the devDependencies, and Envoy is found, or installed into the cache, as `fairway envoy` does it.
 *
 * `npm run kube`: the tests that need a kube-apiserver (files named kube-… or crd…), which is found or built as for `npm run e2e`.
 */

import { globSync } from 'node:fs';
import { type FoundEnvoy, findEnvoy } from '../src/cli/envoy-binary.ts';
import { errorMessage, FairwayError, formatFinding } from '../src/core/errors.ts';
import { runMocha } from './run-mocha.ts';

/** Several times what all of them take on two cores. */
const limitMs = 45 * 60_000;

const kube = process.argv.includes('--kube');
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--kube');

const all = globSync('test/{unit,property,golden,feature}/**/*.test.ts').sort();
const files = all.filter((file) => /\/(kube-[\w-]+|crd(-[\w-]+)?)\.test\.ts$/.test(file) === kube);
const leftOut = all.length - files.length;
if (!kube && leftOut > 0) console.log(`${leftOut} test files need a kube-apiserver and run with npm run kube`);
if (files.length === 0) throw new Error('no test file found: run this in the root of the repository');

const envoy = await findPrograms().catch((error: unknown) => {
  console.error(error instanceof FairwayError ? formatFinding(error) : errorMessage(error));
  process.exit(1);
});

process.exitCode = await runMocha({
  args: passedOn.some((argument) => argument.endsWith('.ts')) ? passedOn : [...passedOn, ...files],
  // A test that is in the wrong half by its name says so at once, instead of building Kubernetes in a hook.
  env: { ...process.env, ENVOY_BIN: envoy.path, FAIRWAY_TESTS: kube ? 'kube' : 'plain' },
  limitMs,
});

/** Throws with what to do where one is missing. */
async function findPrograms(): Promise<FoundEnvoy> {
  if (kube) {
    const { findKubernetes } = await import('../test/rig/kubernetes/binaries.ts');
    const { apiserver, etcd } = await findKubernetes();
    console.log(`kube-apiserver: ${apiserver}, etcd: ${etcd}`);
  }
  const found = await findEnvoy({ env: process.env, log: (line) => console.log(line) });
  console.log(`Envoy: ${found.path} (${found.from})`);
  return found;
}
