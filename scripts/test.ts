/**
 * `npm test [-- mocha's arguments]`: unit, property, golden and feature tests. Needs no root, no Docker, no Go and no Kubernetes: Node comes
 * with the devDependencies, and Envoy is found, or installed into the cache, as `fairway envoy` does it.
 *
 * `npm run kube`: the tests that need a kube-apiserver (files named kube-… or crd), which is found or built as for `npm run e2e`.
 */

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { findEnvoy } from '../src/cli/envoy-binary.ts';

const kube = process.argv.includes('--kube');
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--kube');

const all = globSync('test/{unit,property,golden,feature}/**/*.test.ts').sort();
const files = all.filter((file) => /\/(kube-[\w-]+|crd)\.test\.ts$/.test(file) === kube);
const leftOut = all.length - files.length;
if (!kube && leftOut > 0) console.log(`${leftOut} test files need a kube-apiserver and run with npm run kube`);
if (files.length === 0) throw new Error('no test file found: run this in the root of the repository');

if (kube) {
  const { findKubernetes } = await import('../test/rig/kubernetes/binaries.ts');
  const { apiserver, etcd } = await findKubernetes();
  console.log(`kube-apiserver: ${apiserver}, etcd: ${etcd}`);
}
const envoy = await findEnvoy({ env: process.env, log: (line) => console.log(line) });
console.log(`Envoy: ${envoy.path} (${envoy.from})`);

const mocha = spawnSync(
  'mocha',
  passedOn.some((argument) => argument.endsWith('.ts')) ? passedOn : [...passedOn, ...files],
  {
    stdio: 'inherit',
    env: { ...process.env, ENVOY_BIN: envoy.path },
  },
);
if (mocha.error !== undefined) throw mocha.error;
process.exitCode = mocha.status ?? 1;
