/**
 * The compose project, for real: the image is built from the Dockerfile, both clusters come up with their APIs, and the clients' own counts
 * show where requests go before, with, and after a rule. Needs root; installs Docker on Debian when it is absent.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy } from '../../src/cli/envoy-binary.ts';
import { findKubernetes } from '../rig/kubernetes/binaries.ts';
import { waitFor } from '../rig/wait.ts';
import { type DockerDaemon, readEnvFile, startDocker } from './docker-daemon.ts';
import { makeLocalImages } from './local-images.ts';

const project = join(import.meta.dirname, '../../compose');
const clients = ['web-east', 'web-west'];

/** One request for reviews.shop through a sidecar's published port; where it was answered. */
function askThrough(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const path = 'http://reviews.shop/';
    const call = request(
      { host: '127.0.0.1', port, path, headers: { host: 'reviews.shop', ...headers }, agent: false },
      (answer) => {
        answer.resume();
        resolve(`${String(answer.headers['x-version'])} ${String(answer.headers['x-cluster'])}`);
      },
    );
    call.once('error', reject);
    call.end();
  });
}

/** Debian's docker-compose 1.29 by default; a Compose v2 program shows that the project works with that, too. */
const composeCommand = process.env['FAIRWAY_COMPOSE'] ?? 'docker-compose';

describe('the compose project', function () {
  this.timeout(600_000);
  this.bail(true);
  const folder = mkdtempSync(join(tmpdir(), 'fairway-compose-'));
  let docker: DockerDaemon;

  const compose = (...args: string[]): string => docker.run(composeCommand, args, { cwd: project });
  const kubectl = (...args: string[]): string => compose('run', '--rm', '-T', 'kubectl', ...args);
  const fairway = (...args: string[]): string => compose('exec', '-T', 'pilot', 'fairway', ...args);

  /** What the client's last line says, `v1 east: 7, v2 west: 13`, as a map. */
  const sharesFrom = (client: string): ReadonlyMap<string, number> => {
    const line = compose('logs', '--no-color', '--tail=1', client).trim().split('\n').at(-1) ?? '';
    const shares = (line.split('→')[1] ?? '').trim().split(', ');
    return new Map(
      shares.map((share) => [
        share.slice(0, share.lastIndexOf(': ')),
        Number(share.slice(share.lastIndexOf(': ') + 2)),
      ]),
    );
  };
  /** Waits until each client's last line names exactly these places. */
  const untilTrafficGoesTo = async (...places: string[]): Promise<void> => {
    for (const client of clients) {
      let seen = '';
      await waitFor(
        `${client} reaches ${places.join(', ')} and nothing else`,
        () => {
          seen = [...sharesFrom(client).keys()].sort().join(', ');
          return seen === places.join(', ');
        },
        { timeoutMs: 60_000, intervalMs: 500 },
        () => seen,
      );
    }
  };

  before(async () => {
    chmodSync(folder, 0o711);
    docker = await startDocker(join(folder, 'docker'));
    const kubernetes = await findKubernetes();
    const envoy = await findEnvoy({ env: process.env, log: (line) => console.log(line) });
    const names = readEnvFile(join(project, '.env'));
    makeLocalImages(docker, names, { kubernetes, envoy: envoy.path });
    const image = names.get('FAIRWAY_IMAGE') ?? '';
    const base = `NODE_IMAGE=${names.get('NODE_IMAGE')}`;
    await docker.runLoudly('docker', [
      'build',
      '--quiet',
      '--network',
      'host',
      '--build-arg',
      base,
      '--tag',
      image,
      join(project, '..'),
    ]);
  });

  after(async function () {
    if (docker === undefined) return;
    try {
      if (this.test?.parent?.tests.some((test) => test.isFailed()) === true)
        console.log(compose('ps'), compose('logs', '--no-color', '--tail=12'));
      compose('down', '--volumes', '--timeout', '3');
    } finally {
      await docker.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is valid, pins every image, and publishes ports on the loopback alone', () => {
    const text = compose('config');
    for (const image of text.matchAll(/^\s+image: (\S+)$/gm)) assert.match(image[1] ?? '', /:(?!latest)[\w.-]+$/);
    for (const port of text.matchAll(/^\s+- (\S*\d+:\d+\/tcp)$/gm)) assert.match(port[1] ?? '', /^127\.0\.0\.1:/);
  });

  it('has an image that runs as nobody and says its version', () => {
    const image = docker.run('docker', [
      'image',
      'inspect',
      '--format',
      '{{.Config.User}} {{json .Config.Healthcheck.Test}}',
      'fairway:dev',
    ]);
    assert.match(image, /^65532:65532 .*readyz/);
    assert.match(
      docker.run('docker', ['run', '--rm', '--network', 'none', '--read-only', 'fairway:dev', 'version']),
      /\d+\.\d+\.\d+/,
    );
  });

  it('comes up, every container healthy', async () => {
    compose('up', '--detach', '--no-build');
    await waitFor(
      'no container is starting',
      () => {
        const states = docker.run('docker', ['ps', '--all', '--format', '{{.Names}} {{.Status}}']);
        if (/unhealthy|Exited \((?!0\))/.test(states)) throw new Error(states);
        return !/health: starting|Created/.test(states);
      },
      { timeoutMs: 120_000, intervalMs: 500 },
    );
  });

  it('reads both clusters, with a credential that may not write', () => {
    const clusters = fairway('get', 'clusters', '-o', 'json');
    assert.deepEqual(
      [...clusters.matchAll(/"phase":\s*"(\w+)"/g)].map((match) => match[1]),
      ['fresh', 'fresh'],
    );
    const account = '--as=system:serviceaccount:fairway-system';
    assert.throws(() => kubectl('auth', 'can-i', 'delete', 'services', `${account}:fairway`), /exit 1/);
    assert.throws(() => kubectl('auth', 'can-i', 'get', 'secrets', '-A', `${account}:fairway`), /exit 1/);
    const reader = `${account}:fairway-reader`;
    assert.throws(
      () => kubectl('--context=west', 'auth', 'can-i', 'get', 'secrets', '-n', 'fairway-system', reader),
      /exit 1/,
    );
  });

  it('has manifests for real clusters that a real API accepts', () => {
    const checked = (...args: string[]): string => kubectl('apply', '--dry-run=server', '--validate=strict', ...args);
    assert.match(checked('-k', '/deploy/pilot'), /deployment.apps\/fairway created \(server dry run\)/);
    assert.match(checked('-f', '/deploy/remote/reader.yaml'), /secret\/fairway-reader-token created/);
    assert.match(checked('-f', '/deploy/examples/sidecar.yaml'), /deployment.apps\/reviews-v1 created/);
  });

  it('sends requests from both clusters to every version in both clusters', async () => {
    await untilTrafficGoesTo('v1 east', 'v2 west', 'v3 west');
  });

  it('sends all of them to v2 in west once kubectl has applied the rule', async () => {
    assert.match(kubectl('apply', '-f', '/rules/shift.yaml'), /created/);
    await untilTrafficGoesTo('v2 west');
  });

  it('says so in the status of the rule', async () => {
    const wait = ['wait', '-n', 'shop', 'trafficrule/reviews', '--timeout=30s'];
    for (const condition of ['Accepted', 'ResolvedRefs', 'Programmed'])
      kubectl(...wait, `--for=condition=${condition}`);
  });

  it('falls back while v2 is gone from its cluster, and goes back to it', async () => {
    const conditions = (ready: boolean): string =>
      JSON.stringify([{ op: 'replace', path: '/endpoints/0/conditions/ready', value: ready }]);
    const patch = (ready: boolean): string =>
      kubectl(
        '--context=west',
        'patch',
        'endpointslice',
        '-n',
        'shop',
        'reviews-west',
        '--type=json',
        '-p',
        conditions(ready),
      );
    patch(false);
    await untilTrafficGoesTo('v1 east', 'v3 west');
    patch(true);
    await untilTrafficGoesTo('v2 west');
  });

  it('splits by weight and header', async () => {
    assert.match(kubectl('apply', '-f', '/rules/split.yaml'), /configured/);
    await untilTrafficGoesTo('v1 east', 'v2 west');
    for (const port of [15_001, 15_002]) assert.equal(await askThrough(port, { 'x-group': 'beta' }), 'v3 west');
  });

  it('keeps what a cluster last said while its API is away, says so, and heals', async () => {
    const phaseOfWest = (): string | undefined =>
      /"name":\s*"west",\s*"phase":\s*"(\w+)"/.exec(fairway('get', 'clusters', '-o', 'json'))?.[1];
    const untilWestIs = (phase: string): Promise<true> =>
      waitFor(`west is ${phase}`, () => phaseOfWest() === phase || undefined, {
        timeoutMs: 90_000,
        intervalMs: 500,
      }).then(() => true);
    compose('stop', '--timeout', '1', 'west-api');
    await untilWestIs('stale');
    await untilTrafficGoesTo('v1 east', 'v2 west');
    compose('start', 'west-api');
    await untilWestIs('fresh');
  });

  it('goes back to where it began when the rule is deleted', async () => {
    kubectl('delete', '-f', '/rules/split.yaml');
    await untilTrafficGoesTo('v1 east', 'v2 west', 'v3 west');
  });
});
