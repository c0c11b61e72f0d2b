/**
 * That the rig's clusters are what conformance suites take for clusters: Deployments get ready, Services and names work, exec, logs, restarts and
 * deletion are as Kubernetes has them, clusters reach each other, and a pod behind a sidecar goes where the pilot's rules say.
 *
 * Start: `npm run rig-test`, which gives it its namespaces.
 */

import { equal, match, notEqual, ok } from 'node:assert/strict';
import type { RigCluster } from '../rig/cluster/cluster.ts';
import { injectLabel, proxyContainer } from '../rig/cluster/injection.ts';
import { prepareRig, type Rig, startRig } from '../rig/rig.ts';
import { waitFor } from '../rig/wait.ts';
import { deployment, namespaceOf, service, singlePod } from './manifests.ts';

const plain = 'plain';
const meshed = 'meshed';
const quiet = (): void => {};

describe('rig', () => {
  let rig: Rig;
  let east: RigCluster;
  let west: RigCluster;

  before(async function () {
    this.timeout(180_000);
    const dir = process.env['FAIRWAY_RIG_DIR'] ?? '';
    rig = await startRig({ dir, programs: await prepareRig(quiet), dualStack: true });
    east = rig.cluster('east');
    west = rig.cluster('west');
    await Promise.all(rig.clusters.map(furnish));
  });

  after(async () => rig?.stop());

  it('readies a Deployment, and spreads a Service over its pods, by name, from a pod without a sidecar', async () => {
    equal(await status(east, plain, 'deployment/web', '{.status.readyReplicas}'), '2');
    const answered = new Set<string>();
    await waitFor('answers from both pods', async () => {
      answered.add(hostnameOf(await fromTools(east, ['curl', '-sS', '-m', '5', 'http://web.plain/'])));
      return answered.size === 2;
    });
    const pods = (await status(east, plain, 'pods -l app=web', '{.items[*].metadata.name}')).split(' ');
    equal([...answered].sort().join(), pods.sort().join());
  });

  it('resolves names as clusters do: addresses, ports, and what is not there', async () => {
    const address = await status(east, plain, 'service/web', '{.spec.clusterIP}');
    const dig = (name: string, type = 'A'): Promise<string> => fromTools(east, ['dig', '+short', name, type]);
    equal((await dig('web.plain.svc.cluster.local')).trim(), address);
    match(await dig('_http._tcp.web.plain.svc.cluster.local', 'SRV'), / 80 web\.plain\.svc\.cluster\.local\.$/m);
    match(await fromTools(east, ['dig', 'nobody.plain.svc.cluster.local']), /status: NXDOMAIN/);
  });

  it('gives exec’s output, input and exit code', async () => {
    const exec = ['exec', '-n', plain, 'deploy/tools'];
    const failed = await east.api.tryKubectl([...exec, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    equal(failed.code, 7);
    equal(failed.stdout, 'out\n');
    match(failed.stderr, /^err\n/);
    const echoed = await east.api.tryKubectl([...exec, '-i', '--', 'sed', 's/^/got /'], 'one\ntwo\n');
    equal(echoed.stdout, 'got one\ngot two\n');
    const unknown = await east.api.tryKubectl([...exec, '--', 'no-such-program']);
    notEqual(unknown.code, 0);
  });

  it('has each pod’s own host name, hosts file and writable layer, and leaves the machine alone', async () => {
    const name = (await status(east, plain, 'pods -l app=tools', '{.items[0].metadata.name}')).trim();
    equal((await fromTools(east, ['hostname'])).trim(), name);
    match(await fromTools(east, ['cat', '/etc/hosts']), new RegExp(`\\s${name}$`, 'm'));
    await fromTools(east, ['sh', '-c', 'echo mine >/etc/fairway-rig-test']);
    equal(await fromTools(east, ['cat', '/etc/fairway-rig-test']), 'mine\n');
    const other = await east.api.tryKubectl(['exec', '-n', plain, 'deploy/web', '--', 'cat', '/etc/fairway-rig-test']);
    match(other.stderr, /No such file/);
  });

  it('restarts what crashed, with its exit code in the status, its logs kept and its volumes as they were', async () => {
    const script = 'echo attempt; test -e /data/crashed && exec sleep 600; touch /data/crashed; exit 3';
    const crashing = singlePod({ name: 'crash', command: ['sh', '-c', script], volume: '/data' });
    await east.api.kubectl(['apply', '-n', plain, '-f', '-'], crashing);
    const container = '{.status.containerStatuses[0]';
    await waitFor('the restart', async () => {
      return (
        (await status(east, plain, 'pod/crash', `${container}.restartCount}{' '}${container}.ready}`)) === '1 true'
      );
    });
    equal(await status(east, plain, 'pod/crash', `${container}.lastState.terminated.exitCode}`), '3');
    equal(await east.api.kubectl(['logs', '-n', plain, 'crash', '--previous']), 'attempt\n');
    equal(await east.api.kubectl(['logs', '-n', plain, 'crash']), 'attempt\n');
  });

  it('is not ready before its probe says so, and ends by SIGTERM within its grace', async () => {
    const script =
      'trap "echo ending; exit 0" TERM; while ! test -e /tmp/go; do sleep 0.1; done; touch /tmp/ready; sleep 600 & wait';
    const pod = singlePod({ name: 'slow', command: ['sh', '-c', script], readyFile: '/tmp/ready' });
    await east.api.kubectl(['apply', '-n', plain, '-f', '-'], pod);
    const ready = "{.status.conditions[?(@.type=='Ready')].status}";
    await waitFor('it to run', async () => (await status(east, plain, 'pod/slow', '{.status.phase}')) === 'Running');
    equal(await status(east, plain, 'pod/slow', ready), 'False');
    await east.exec(plain, 'slow', ['touch', '/tmp/go']);
    await waitFor('it to be ready', async () => (await status(east, plain, 'pod/slow', ready)) === 'True');
    await east.api.kubectl(['delete', 'pod', '-n', plain, 'slow', '--timeout=25s']);
    equal((await east.api.tryKubectl(['get', 'pod', '-n', plain, 'slow'])).code, 1);
  });

  it('says of an unknown image what to do', async () => {
    await east.api.kubectl(
      ['apply', '-n', plain, '-f', '-'],
      singlePod({ name: 'unknown', image: 'nobody/nothing:1' }),
    );
    const waiting = '{.status.containerStatuses[0].state.waiting.message}';
    const said = await waitFor('its status', async () => {
      const message = await status(east, plain, 'pod/unknown', waiting);
      return message.includes('test/rig/images.ts') ? message : undefined;
    });
    match(said, /no image \\?"nobody\/nothing/);
  });

  it('lets pods of one cluster reach pods of the other by their own addresses', async () => {
    const address = (await status(west, plain, 'pods -l app=web', '{.items[0].status.podIP}')).trim();
    const answer = await fromTools(east, ['curl', '-sS', '-m', '5', `http://${address}:8080/`]);
    match(answer, /^Cluster=west$/m);
    const own = await status(east, plain, 'pods -l app=tools', '{.items[0].status.podIP}');
    ok(answer.includes(`IP=${own}\n`), `no address is translated on the way:\n${answer}`);
  });

  it('has IPv6 beside IPv4: for Services that ask for it, and from cluster to cluster', async () => {
    const both = service(plain, 'both', { app: 'web' }, 'RequireDualStack');
    await east.api.kubectl(['apply', '-f', '-'], JSON.stringify(both));
    const served = await waitFor('an answer over IPv6', async () => {
      const answer = await fromTools(east, ['curl', '-6', '-sS', '-m', '5', 'http://both.plain/']);
      return answer.includes('Cluster=east') ? answer : undefined;
    });
    match(served, /^IP=fd00:10:1::/m);
    const address = await status(west, plain, 'pods -l app=web', '{.items[0].status.podIPs[1].ip}');
    match(await fromTools(east, ['curl', '-sS', '-m', '5', `http://[${address}]:8080/`]), /^Cluster=west$/m);
  });

  it('routes a pod behind a sidecar by the pilot’s rules', async () => {
    const containers = '{.items[0].status.initContainerStatuses[*].name}';
    match(await status(east, meshed, 'pods -l app=web', containers), new RegExp(proxyContainer));
    await untilAnswersFrom(['east', 'west']);
    const rule = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { name: 'web', namespace: meshed },
      spec: { service: 'web', routes: [{ backends: [{ cluster: 'west' }] }] },
    };
    await east.api.kubectl(['apply', '-f', '-'], JSON.stringify(rule));
    await untilAnswersFrom(['west']);
    // Another pilot has it from the cluster again, and takes its change.
    await rig.restartPilot();
    await untilAnswersFrom(['west']);
    await east.api.kubectl(['delete', 'trafficrule', '-n', meshed, 'web']);
    await untilAnswersFrom(['east', 'west']);
  });

  /** One client call makes 20 requests; the last such call answered from exactly these clusters. */
  async function untilAnswersFrom(wanted: readonly string[]): Promise<void> {
    let seen = '';
    await waitFor(
      `answers from ${wanted.join(' and ')}`,
      async () => {
        const exec = ['exec', '-n', meshed, 'deploy/web', '--', 'client', '--count', '20', 'http://web.meshed/'];
        const answer = await east.api.kubectl(exec);
        const clusters = [...answer.matchAll(/\bCluster=(\w+)$/gm)].map(([, cluster]) => cluster);
        seen = clusters.join();
        return clusters.length === 20 && [...new Set(clusters)].sort().join() === wanted.join();
      },
      { timeoutMs: 30_000, intervalMs: 200 },
      () => seen,
    );
  }
});

async function furnish(cluster: RigCluster): Promise<void> {
  const { name, api } = cluster;
  const objects = [
    namespaceOf(plain),
    namespaceOf(meshed, { [injectLabel]: 'enabled' }),
    deployment({ namespace: plain, name: 'web', cluster: name, replicas: 2 }),
    service(plain, 'web'),
    deployment({ namespace: plain, name: 'tools', cluster: name, image: 'nicolaka/netshoot' }),
    deployment({ namespace: meshed, name: 'web', cluster: name }),
    service(meshed, 'web'),
  ];
  await api.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  for (const [namespace, wanted] of [
    [plain, 'deployment/web'],
    [plain, 'deployment/tools'],
    [meshed, 'deployment/web'],
  ] as const) {
    await api.kubectl(['rollout', 'status', '-n', namespace, wanted, '--timeout', '55s']);
  }
}

/** A field of an object, by its JSONPath. */
function status(cluster: RigCluster, namespace: string, what: string, path: string): Promise<string> {
  return cluster.api.kubectl(['get', '-n', namespace, ...what.split(' '), '-o', `jsonpath=${path}`]);
}

function fromTools(cluster: RigCluster, command: readonly string[]): Promise<string> {
  return cluster.api.kubectl(['exec', '-n', plain, 'deploy/tools', '--', ...command]);
}

function hostnameOf(answer: string): string {
  return /^Hostname=(.*)$/m.exec(answer)?.[1] ?? '';
}
