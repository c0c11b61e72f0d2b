/**
 * Multi-Cluster Services with running pods: what names in `clusterset.local` resolve to, and whom connections reach; from pods without a sidecar, by
 * each cluster's own DNS and kube-proxy, and from pods behind one, by the mesh.
 *
 * Start: `npm run rig-test`, which gives it its namespaces.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import type { RigCluster } from '../rig/cluster/cluster.ts';
import { injectLabel } from '../rig/cluster/injection.ts';
import { prepareRig, type Rig, startRig } from '../rig/rig.ts';
import { standardCrds } from '../rig/standards.ts';
import { waitFor } from '../rig/wait.ts';
import { deployment, namespaceOf, service } from './manifests.ts';

const root = join(import.meta.dirname, '../..');
const plain = 'mcs-plain';
const meshed = 'mcs-meshed';
const quiet = (): void => {};

describe('multi-cluster services, with pods', () => {
  let rig: Rig;
  let east: RigCluster;
  let west: RigCluster;

  before(async function () {
    this.timeout(180_000);
    rig = await startRig({
      dir: join(process.env['FAIRWAY_RIG_DIR'] ?? '', 'mcs'),
      programs: await prepareRig(quiet),
      manifests: [standardCrds('mcs'), join(root, 'deploy/remote/mcs.yaml')],
      clusterSetDns: true,
      dualStack: true,
      pilot: { args: ['--mcs'] },
    });
    east = rig.cluster('east');
    west = rig.cluster('west');
    await Promise.all(rig.clusters.map(furnish));
  });

  after(async () => rig?.stop());

  it('does not reach what nobody exports', async () => {
    match(await fromTools(west, ['dig', 'web.mcs-plain.svc.clusterset.local']), /status: NXDOMAIN/);
  });

  it('resolves an exported service to its virtual IPs of both families, and its ports', async () => {
    await exportFrom(east, plain, 'both');
    const ips = await waitFor('virtual IPs of both families', async () => {
      const found = (await field(west, plain, 'serviceimport/both', '{.spec.ips[*]}')).split(' ');
      return found.length === 2 ? found : undefined;
    });
    deepEqual((await field(west, plain, 'serviceimport/both', '{.spec.ipFamilies[*]}')).split(' '), ['IPv4', 'IPv6']);
    await untilDig(west, 'both.mcs-plain.svc.clusterset.local', 'A', [ips[0] ?? '']);
    await untilDig(west, 'both.mcs-plain.svc.clusterset.local', 'AAAA', [ips[1] ?? '']);
    const record = await dig(west, '_http._tcp.both.mcs-plain.svc.clusterset.local', 'SRV');
    match(record.join(), / 80 both\.mcs-plain\.svc\.clusterset\.local\.$/);
    match((await dig(west, 'dns-version.clusterset.local', 'TXT')).join(), /^"\d+\.\d+\.\d+"$/);
  });

  it('reaches it over both families from a pod without a sidecar, in a cluster that has no such Service', async () => {
    equal((await west.api.tryKubectl(['get', 'service', 'both', '-n', plain])).code, 1);
    for (const family of ['-4', '-6']) {
      await waitFor(`an answer over ${family}`, async () =>
        (
          await fromTools(west, ['curl', family, '-sS', '-m', '3', 'http://both.mcs-plain.svc.clusterset.local/'])
        ).includes('Cluster=east'),
      );
    }
  });

  it('reaches the clusters that export, those alone, and cluster.local stays the cluster’s own', async () => {
    await exportFrom(east, plain, 'web');
    await untilPlain(west, 'web.mcs-plain.svc.clusterset.local', ['east']);
    await exportFrom(west, plain, 'web');
    await untilPlain(west, 'web.mcs-plain.svc.clusterset.local', ['east', 'west']);
    await untilPlain(west, 'web.mcs-plain.svc.cluster.local', ['west']);
    await east.api.kubectl(['delete', 'serviceexport', 'web', '-n', plain]);
    await untilPlain(east, 'web.mcs-plain.svc.clusterset.local', ['west']);
  });

  it('sends what comes to a port to the clusters that expose that very port', async () => {
    for (const name of ['same-name', 'other-name']) {
      await exportFrom(east, plain, name);
      await waitFor(
        'the first export',
        async () => (await field(east, plain, `serviceimport/${name}`, '{.spec.type}')) !== '',
      );
      // Times are in whole seconds, and the first one is to be the oldest.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await exportFrom(west, plain, name);
    }
    await untilPlain(west, 'other-name.mcs-plain.svc.clusterset.local:81', ['east']);
    await untilPlain(east, 'other-name.mcs-plain.svc.clusterset.local:82', ['west']);
    const conflict = `{.status.conditions[?(@.type=='Conflict')].reason}`;
    equal(await field(west, plain, 'serviceexport/same-name', conflict), 'PortConflict');
    await untilPlain(west, 'same-name.mcs-plain.svc.clusterset.local:81', ['east']);
    const refused = await fromTools(west, [
      'curl',
      '-sS',
      '-m',
      '2',
      'http://same-name.mcs-plain.svc.clusterset.local:82/',
    ]);
    equal(refused, '');
  });

  it('resolves a headless service to its ready pods, and each by its name and cluster', async () => {
    await exportFrom(east, plain, 'db');
    const addresses = (await field(east, plain, 'pods -l app=db', '{.items[*].status.podIP}')).split(' ').sort();
    equal(addresses.length, 2);
    await untilDig(west, 'db.mcs-plain.svc.clusterset.local', 'A', addresses);
    const first = await field(east, plain, 'pod/db-0', '{.status.podIP}');
    await untilDig(west, 'db-0.east.db.mcs-plain.svc.clusterset.local', 'A', [first]);
    const records = await dig(west, 'db.mcs-plain.svc.clusterset.local', 'SRV');
    equal(records.length, 2);
    for (const record of records) match(record, / 8080 db-[01]\.east\.db\.mcs-plain\.svc\.clusterset\.local\.$/);
  });

  it('behind a sidecar, clusterset.local is another name of the merged service, and its rule counts', async () => {
    await exportFrom(east, meshed, 'web');
    await untilMeshed('web.mcs-meshed.svc.clusterset.local', ['east', 'west']);
    await untilMeshed('web.mcs-meshed.svc.cluster.local', ['east', 'west']);
    await ruleTo('east');
    await untilMeshed('web.mcs-meshed.svc.clusterset.local', ['east']);
    await noRule();
  });

  it('with --services exported it is the exported part, and cluster.local the own cluster’s', async () => {
    await rig.restartPilot({ args: ['--mcs', '--services', 'exported'] });
    await untilMeshed('web.mcs-meshed.svc.clusterset.local', ['east']);
    await untilMeshed('web.mcs-meshed.svc.cluster.local', ['west']);
    await exportFrom(west, meshed, 'web');
    await untilMeshed('web.mcs-meshed.svc.clusterset.local', ['east', 'west']);
    await ruleTo('east');
    await untilMeshed('web.mcs-meshed.svc.clusterset.local', ['east']);
    await noRule();
    await untilMeshed('web.mcs-meshed.svc.cluster.local', ['west']);
  });

  it('behind a sidecar, the virtual IP alone leads there too, whatever is spoken', async () => {
    await exportFrom(east, meshed, 'raw');
    const ip = await waitFor('a virtual IP', async () => {
      const found = await field(west, meshed, 'serviceimport/raw', '{.spec.ips[0]}');
      return found === '' ? undefined : found;
    });
    await waitFor('an answer from east', async () => {
      const curl = ['curl', '-sS', '-m', '3', '--http1.0', `http://${ip}:9000/`];
      const said = await west.api.tryKubectl(['exec', '-n', meshed, 'deploy/tools', '--', ...curl]);
      return said.stdout.includes('Cluster=east');
    });
    const dump = await fetch(`http://${rig.admin}/api/v1/proxies`).then((answer) => answer.json());
    ok(JSON.stringify(dump).includes(meshed), 'there are sidecars');
  });

  async function ruleTo(cluster: string): Promise<void> {
    const rule = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { name: 'web', namespace: meshed },
      spec: { service: 'web', routes: [{ backends: [{ cluster }] }] },
    };
    await east.api.kubectl(['apply', '-f', '-'], JSON.stringify(rule));
  }

  async function noRule(): Promise<void> {
    await east.api.kubectl(['delete', 'trafficrule', '-n', meshed, 'web']);
  }

  /** From a pod of west behind a sidecar. */
  function untilMeshed(host: string, wanted: readonly string[]): Promise<void> {
    return untilFrom(wanted, (script) =>
      west.api.tryKubectl(['exec', '-n', meshed, 'deploy/tools', '--', ...script(host)]),
    );
  }

  function untilPlain(cluster: RigCluster, host: string, wanted: readonly string[]): Promise<void> {
    return untilFrom(wanted, (script) =>
      cluster.api.tryKubectl(['exec', '-n', plain, 'deploy/tools', '--', ...script(host)]),
    );
  }
});

type Script = (host: string) => readonly string[];
/** New connections each time, since kube-proxy chooses by connection. */
const asks = 12;
const script: Script = (host) => [
  ...['sh', '-c'],
  `for i in $(seq ${asks}); do curl -sS -m 3 http://${host}/ | grep ^Cluster=; done`,
];

/** One round of requests was answered from exactly these clusters. */
async function untilFrom(
  wanted: readonly string[],
  run: (script: Script) => Promise<{ readonly stdout: string; readonly stderr: string }>,
): Promise<void> {
  let seen = '';
  await waitFor(
    `answers from ${wanted.join(' and ')}`,
    async () => {
      const { stdout, stderr } = await run(script);
      const clusters = [...stdout.matchAll(/^Cluster=(\w+)$/gm)].map(([, cluster]) => cluster);
      seen = `${clusters.join()} ${stderr.slice(0, 300)}`;
      return clusters.length === asks && [...new Set(clusters)].sort().join() === wanted.join();
    },
    { timeoutMs: 40_000, intervalMs: 200 },
    () => seen,
  );
}

async function furnish(cluster: RigCluster): Promise<void> {
  const { name, api } = cluster;
  const isEast = name === 'east';
  const headless = { clusterIP: 'None', selector: { app: 'db' }, ports: [{ name: 'http', port: 8080 }] };
  const raw = { ports: [{ name: 'raw', port: 9000, targetPort: 8080 }], selector: { app: 'web' } };
  const objects: readonly unknown[] = [
    namespaceOf(plain),
    namespaceOf(meshed, { [injectLabel]: 'enabled' }),
    deployment({ namespace: plain, name: 'web', cluster: name }),
    service(plain, 'web'),
    deployment({ namespace: plain, name: 'tools', cluster: name, image: 'nicolaka/netshoot' }),
    portOf('same-name', 'http', isEast ? 81 : 82),
    portOf('other-name', isEast ? 'one' : 'two', isEast ? 81 : 82),
    deployment({ namespace: meshed, name: 'web', cluster: name }),
    service(meshed, 'web'),
    deployment({ namespace: meshed, name: 'tools', cluster: name, image: 'nicolaka/netshoot' }),
    ...(isEast
      ? [
          service(plain, 'both', { app: 'web' }, 'RequireDualStack'),
          { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: plain }, spec: headless },
          statefulSet(plain, 'db', name),
          { apiVersion: 'v1', kind: 'Service', metadata: { name: 'raw', namespace: meshed }, spec: raw },
        ]
      : []),
  ];
  await api.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const wanted: readonly (readonly [string, string])[] = [
    [plain, 'deployment/web'],
    [plain, 'deployment/tools'],
    [meshed, 'deployment/web'],
    [meshed, 'deployment/tools'],
    ...(isEast ? [[plain, 'statefulset/db'] as const] : []),
  ];
  for (const [namespace, what] of wanted)
    await api.kubectl(['rollout', 'status', '-n', namespace, what, '--timeout', '55s']);
}

/** A second Service of the pods of `web`, with one port. */
function portOf(service: string, name: string, port: number): unknown {
  const spec = { selector: { app: 'web' }, ports: [{ name, port, targetPort: 8080 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: service, namespace: plain }, spec };
}

/** Two pods with host names of their own. */
function statefulSet(namespace: string, name: string, cluster: string): unknown {
  const { spec } = deployment({ namespace, name, cluster, replicas: 2 }) as { readonly spec: object };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace },
    spec: { ...spec, serviceName: name },
  };
}

async function exportFrom(cluster: RigCluster, namespace: string, name: string): Promise<void> {
  const object = { apiVersion: 'multicluster.x-k8s.io/v1beta1', kind: 'ServiceExport', metadata: { namespace, name } };
  await cluster.api.kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

/** A field of an object, by its JSONPath; '' where it is not there. */
async function field(cluster: RigCluster, namespace: string, what: string, path: string): Promise<string> {
  return (await cluster.api.tryKubectl(['get', '-n', namespace, ...what.split(' '), '-o', `jsonpath=${path}`])).stdout;
}

function fromTools(cluster: RigCluster, command: readonly string[]): Promise<string> {
  return cluster.api.tryKubectl(['exec', '-n', plain, 'deploy/tools', '--', ...command]).then(({ stdout }) => stdout);
}

async function dig(cluster: RigCluster, name: string, type: string): Promise<readonly string[]> {
  return (await fromTools(cluster, ['dig', '+short', name, type])).trim().split('\n').sort();
}

async function untilDig(cluster: RigCluster, name: string, type: string, wanted: readonly string[]): Promise<void> {
  let seen = '';
  await waitFor(
    `${type} of ${name} in ${cluster.name}`,
    async () => {
      seen = (await dig(cluster, name, type)).join();
      return seen === wanted.join();
    },
    { intervalMs: 200 },
    () => seen,
  );
}
