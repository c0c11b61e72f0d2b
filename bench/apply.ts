/**
 * Workload `apply`: from the moment a rule is applied over the admin API to the last of N real Envoys that routes by it, seen by requests
 * through each Envoy. The rule sends everything to v1 and to v2 in turn.
 *
 * The resolution is the pause between two requests through one Envoy (`probeMs`); what is reported is the time at which the first answer of
 * the new version came back, which is never too early.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminClient } from '../src/demo/admin.ts';
import { freePorts } from '../src/demo/ports.ts';
import { type RunningProcess, start, startPilot } from '../src/demo/processes.ts';
import { renderBootstrap } from '../src/envoy/bootstrap.ts';
import { percentile } from './figures.ts';
import { RawClient, startRawBackend } from './raw-http.ts';
import type { Workload } from './workload.ts';

const envoys = 20;
const probeMs = 10;

export const apply: Workload = {
  name: 'apply',
  about: `apply → the last of ${envoys} real Envoys routes by it`,
  async run({ envoyBinary: findEnvoy, quick }) {
    const envoyBinary = await findEnvoy();
    const rounds = quick ? 5 : 40;
    const dir = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
    const running: { stop(): Promise<void> }[] = [];
    try {
      const backends = await Promise.all(['v1', 'v2'].map((version) => startRawBackend(version)));
      running.push(...backends.map((backend) => ({ stop: async () => backend.stop() })));
      await writeCluster(
        join(dir, 'clusters', 'east'),
        backends.map(({ port }) => port),
      );
      await mkdir(join(dir, 'rules'));
      const pilot = await startPilot(
        [
          '--clusters',
          join(dir, 'clusters'),
          '--rules',
          join(dir, 'rules'),
          '--xds',
          '127.0.0.1:0',
          '--admin',
          '127.0.0.1:0',
          '--no-access-log',
        ],
        join(dir, 'pilot.log'),
      );
      running.push(pilot.process);
      const probes = await Promise.all(
        Array.from({ length: envoys }, (_, index) => startProbe(dir, envoyBinary, pilot.ready.xds, index, running)),
      );
      const admin = adminClient(pilot.ready.admin);
      await admin.apply(ruleTo('v1'));
      await Promise.all(probes.map((probe) => probe.untilAnswers('v1')));
      const last: number[] = [];
      const each: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const version = round % 2 === 0 ? 'v2' : 'v1';
        const began = performance.now();
        const arrivals = probes.map((probe) => probe.untilAnswers(version).then((at) => at - began));
        await admin.apply(ruleTo(version));
        const times = await Promise.all(arrivals);
        each.push(...times);
        last.push(Math.max(...times));
      }
      for (const probe of probes) probe.stop();
      return {
        'each Envoy p50, ms': percentile(each, 50),
        'last Envoy p50, ms': percentile(last, 50),
        'last Envoy max, ms': Math.max(...last),
        rounds,
      };
    } finally {
      await Promise.all(running.map((process) => process.stop()));
      await rm(dir, { recursive: true, force: true });
    }
  },
};

interface Probe {
  /** Resolves at the first answer of this version, with the time of it. */
  untilAnswers(version: string): Promise<number>;
  stop(): void;
}

async function startProbe(
  dir: string,
  binary: string,
  xds: string,
  index: number,
  running: { stop(): Promise<void> }[],
): Promise<Probe> {
  const [adminPort = 0, outboundPort = 0] = await freePorts([0, 0]);
  const file = join(dir, `envoy-${index}.json`);
  const bootstrap = renderBootstrap({
    mode: 'explicit',
    xds: [xds],
    cluster: 'east',
    namespace: 'shop',
    workload: `client-${index}`,
    serviceAccount: 'client',
    addresses: ['127.0.0.1'],
    adminPort,
    outbound: `127.0.0.1:${outboundPort}`,
  });
  await writeFile(file, JSON.stringify(bootstrap));
  const envoy: RunningProcess = start(
    [binary, '-c', file, '--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'error'],
    join(dir, `envoy-${index}.log`),
  );
  running.push(envoy);
  return probeThrough(outboundPort);
}

function probeThrough(port: number): Probe {
  const client = new RawClient(port, 'reviews.shop:9080');
  const waiting = new Map<string, (at: number) => void>();
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const version = await client.ask();
      const resolve = version === undefined ? undefined : waiting.get(version);
      if (version !== undefined && resolve !== undefined) {
        waiting.delete(version);
        resolve(performance.now());
      }
      await new Promise((next) => setTimeout(next, probeMs));
    }
    client.close();
  };
  void loop();
  return {
    untilAnswers: (version) => new Promise((resolve) => waiting.set(version, resolve)),
    stop() {
      isOver = true;
    },
  };
}

async function writeCluster(dir: string, ports: readonly number[]): Promise<void> {
  await mkdir(dir, { recursive: true });
  const documents = ports.map(
    (port, index) => `apiVersion: v1
kind: Pod
metadata: {name: reviews-v${index + 1}, namespace: shop, labels: {app: reviews, version: v${index + 1}}}
spec: {}
status: {phase: Running, podIP: 127.0.0.1}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews-v${index + 1}, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: ${port}}]
endpoints: [{addresses: [127.0.0.1], targetRef: {kind: Pod, name: reviews-v${index + 1}, namespace: shop}}]
`,
  );
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop}\nspec: {ports: [{name: http, port: 9080}]}\n';
  await writeFile(join(dir, 'reviews.yaml'), [service, ...documents].join('---\n'));
}

function ruleTo(version: string): string {
  return `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews, namespace: shop}
spec: {service: reviews, routes: [{backends: [{version: ${version}}]}]}
`;
}
