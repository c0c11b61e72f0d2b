/** Prints each sidecar's bootstrap with `fairway bootstrap`: who it is and where its pilot is; the rest comes over xDS. */

import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';

const { EAST_PREFIX: east, WEST_PREFIX: west } = process.env;

const workloads = [
  { name: 'reviews-v1', cluster: 'east', address: `${east}.21`, version: 'v1' },
  { name: 'reviews-v2', cluster: 'west', address: `${west}.22`, version: 'v2' },
  { name: 'reviews-v3', cluster: 'west', address: `${west}.23`, version: 'v3' },
];
const clients = [
  { name: 'web-east', cluster: 'east', address: `${east}.31` },
  { name: 'web-west', cluster: 'west', address: `${west}.32` },
];

function write({ name, cluster, address }, rest) {
  const identity = ['--namespace=shop', `--workload=${name}`, `--cluster=${cluster}`, `--address=${address}`];
  const args = ['bootstrap', '--mode=explicit', '--xds=pilot:15010', ...identity, ...rest];
  writeFileSync(`/bootstraps/.${name}`, execFileSync('fairway', args));
  renameSync(`/bootstraps/.${name}`, `/bootstraps/${name}.yaml`);
}

for (const workload of workloads) {
  write(workload, ['--label=app=reviews', `--label=version=${workload.version}`, '--inbound=9080:8080:http']);
}
// Reached from outside the container too, through a port that Compose publishes on the loopback.
for (const client of clients) write(client, ['--label=app=web', '--outbound=0.0.0.0:15001']);
console.log(`bootstraps: ${workloads.length + clients.length} written`);
