/**
 * What a pilot records in its primary, a real kube-apiserver, with the rights of deploy/pilot/roles.yaml alone: conditions that are written once,
 * Events, and the forms of rules with the way back.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { Condition } from '../../src/model/rule.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { writeKubeconfig } from '../rig/kubernetes/kubectl.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { envoyNode } from '../support/pilot.ts';
import { XdsClient } from '../support/xds-client.ts';
import { fairway, type Run } from './cli-run.ts';
import { ensureNamespace, serviceObject, sliceObject, temporaryFolder } from './kube-support.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const text = (path: string): string => readFileSync(join(deploy, path), 'utf8');
const group = '/apis/fairway.dev/v1alpha1/namespaces/shop';
const slices = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly uid: string;
    readonly generation: number;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string; subresource?: string }[];
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec: unknown;
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
}

interface StoredEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
  readonly reportingController: string;
  readonly series?: { readonly count: number };
}

const rule = (name: string, version: string, service = 'reviews'): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: ${name}, namespace: shop}
spec: {service: ${service}, routes: [{backends: [{version: ${version}}]}]}
`;
/** What is there: the service in that cluster, of no version. */
const inEast = (manifest: string): string => manifest.replace('version: v1', 'cluster: east');
const external = (name: string, host: string): string => `apiVersion: fairway.dev/v1alpha1
kind: ExternalService
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${host}], ports: [{number: 443, protocol: tls}], resolution: static, endpoints: [{address: 192.0.2.1}]}
`;

describe('what a pilot records in its primary', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let pilot: Pilot | undefined;
  let kubeconfig: string;
  let admin: string;
  let starts = 0;
  let xdsPort = 0;
  let proxy: XdsClient | undefined;
  let logFile = '';

  const start = async (): Promise<void> => {
    admin = `127.0.0.1:${await freePort()}`;
    logFile = join(folder.path, `pilot-${starts++}.log`);
    const args = ['--kubeconfig', kubeconfig, '--context', 'east'];
    xdsPort = await freePort();
    pilot = await startPilot({ xds: `127.0.0.1:${xdsPort}`, admin, args, logFile });
  };
  /** A proxy that takes all that it is given. */
  const connect = (): void => {
    proxy = XdsClient.open({ port: xdsPort, transport: 'delta', node: envoyNode({ name: 'a', cluster: 'east' }) });
    proxy.subscribe(typeUrl.cluster);
  };
  const stop = async (): Promise<void> => {
    await pilot?.stop();
    proxy?.close();
    proxy = undefined;
    pilot = undefined;
  };
  const run = (...args: readonly string[]): Promise<Run> =>
    fairway([...args, '--kubeconfig', api.kubeconfig, '--context', 'east'], { env: { HOME: folder.path } });
  const get = (plural: string, name: string): Promise<Stored> =>
    api.client.must<Stored>('GET', `${group}/${plural}/${name}`);
  const condition = async (plural: string, name: string, type: Condition['type']): Promise<Condition | undefined> =>
    (await get(plural, name)).status?.conditions?.find((one) => one.type === type);
  const judged = (plural: string, name: string): Promise<Condition> =>
    waitFor(`the status of ${name}`, () => condition(plural, name, 'Accepted'));
  const events = async (namespace: string): Promise<readonly StoredEvent[]> =>
    (await api.client.must<{ items: StoredEvent[] }>('GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`))
      .items;
  const eventsOf = async (name: string, namespace = 'shop'): Promise<readonly string[]> =>
    (await events(namespace))
      .filter(({ regarding }) => regarding.name === name)
      .map(({ type, reason }) => `${type} ${reason}`);
  /** Requests that the API has served, by its own count: those that changed nothing too. */
  const served = async (verb: string, resource: string, subresource: string): Promise<number> => {
    const metrics = await api.kubectl(['get', '--raw', '/metrics']);
    const wanted = [`verb="${verb}"`, `resource="${resource}"`, `subresource="${subresource}"`];
    const lines = metrics.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
    const mine = lines.filter((line) => wanted.every((part) => line.includes(part)));
    return mine.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
    await installCrds(api, ['-f', join(deploy, 'crds')]);
    await api.kubectl(['apply', '-f', '-'], text('pilot/roles.yaml'));
    await api.kubectl(['create', 'serviceaccount', 'fairway', '-n', 'fairway-system']);
    const token = (await api.kubectl(['create', 'token', 'fairway', '-n', 'fairway-system'])).trim();
    kubeconfig = join(folder.path, 'pilot.kubeconfig');
    writeKubeconfig(kubeconfig, {
      context: 'east',
      url: api.url,
      certificateAuthority: api.certificateAuthority,
      token,
    });
    await ensureNamespace(api, 'shop');
    await api.client.must('POST', '/api/v1/namespaces/shop/services', serviceObject('shop', 'reviews'));
    await api.client.must('POST', slices, sliceObject('shop', 'reviews', 'reviews-1', ['10.0.0.1']));
    await api.client.must('POST', '/api/v1/namespaces/shop/services', serviceObject('shop', 'witness'));
    await api.client.must('POST', slices, sliceObject('shop', 'witness', 'witness-1', ['10.0.0.2']));
    await api.kubectl(['apply', '-f', '-'], inEast(rule('reviews', 'v1')));
    await api.kubectl(['apply', '-f', '-'], inEast(rule('witness', 'v1', 'witness')));
    await api.kubectl(['apply', '-f', '-'], external('api', 'api.example.com'));
    await start();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(pilot?.process.logTail(20));
  });
  after(async () => {
    await stop();
    await api?.stop();
    folder.remove();
  });

  it('writes conditions by server-side apply, under its own name', async () => {
    for (const [plural, name] of [
      ['trafficrules', 'reviews'],
      ['externalservices', 'api'],
    ] as const) {
      const accepted = await judged(plural, name);
      assert.deepEqual([accepted.status, accepted.observedGeneration], ['True', 1]);
      const { managedFields } = (await get(plural, name)).metadata;
      const ours = managedFields.filter(({ subresource }) => subresource === 'status');
      assert.deepEqual(
        ours.map(({ manager, operation }) => `${manager} ${operation}`),
        ['fairway Apply'],
      );
    }
  });

  it('writes nothing while nothing changes: over batches, another’s condition, and a restart', async () => {
    await waitFor(
      'the witness',
      async () => (await condition('trafficrules', 'witness', 'ResolvedRefs'))?.status === 'True',
    );
    connect();
    for (const [plural, name] of [
      ['trafficrules', 'reviews'],
      ['trafficrules', 'witness'],
      ['externalservices', 'api'],
    ] as const) {
      await waitFor(`${name} to be held`, async () => (await condition(plural, name, 'Programmed'))?.status === 'True');
    }
    // What a deployment tool may add to the list; it is left alone.
    const foreign = {
      type: 'Synced',
      status: 'True',
      reason: 'Tool',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { name: 'reviews', namespace: 'shop' },
      status: { conditions: [foreign] },
    };
    const apply = 'application/apply-patch+yaml';
    await api.client.must('PATCH', `${group}/trafficrules/reviews/status?fieldManager=tool`, status, apply);
    const before = await Promise.all([get('trafficrules', 'reviews'), get('externalservices', 'api')]);
    assert.equal(before[0].status?.conditions?.length, 4);
    const counts = async (): Promise<readonly number[]> =>
      Promise.all([served('APPLY', 'trafficrules', 'status'), served('APPLY', 'externalservices', 'status')]);
    const writes = await counts();

    for (let at = 1; at <= 20; at++) {
      const body = sliceObject('shop', 'reviews', 'reviews-1', [`10.0.1.${at}`]);
      await api.client.must('PUT', `${slices}/reviews-1`, body);
      await waitFor('the batch', async () =>
        (await pilot?.endpoints())?.some(({ address }) => address === `10.0.1.${at}`),
      );
    }
    await stop();
    // Of what changed while there was no pilot, the new one speaks only after its proxies had time to come back; by then it has spoken of all.
    await api.client.must('DELETE', '/api/v1/namespaces/shop/services/witness');
    await api.client.must('DELETE', `${slices}/witness-1`);
    await start();
    connect();
    await waitFor(
      'the witness',
      async () => (await condition('trafficrules', 'witness', 'ResolvedRefs'))?.status === 'False',
    );

    const after = await Promise.all([get('trafficrules', 'reviews'), get('externalservices', 'api')]);
    assert.deepEqual(
      after.map(({ metadata }) => metadata.resourceVersion),
      before.map(({ metadata }) => metadata.resourceVersion),
    );
    const [rules = 0, externals = 0] = (await counts()).map((count, at) => count - (writes[at] ?? 0));
    assert.deepEqual([rules, externals], [1, 0], 'the witness’ alone');
    await waitFor('the Event', async () => (await eventsOf('witness')).includes('Warning ServiceNotFound'));
    assert.deepEqual(await eventsOf('reviews'), []);
  });

  it('moves lastTransitionTime with the status alone', async () => {
    const before = await condition('trafficrules', 'witness', 'ResolvedRefs');
    await api.kubectl(['apply', '-f', '-'], rule('witness', 'v2', 'witness'));
    const after = await waitFor('the next generation', async () => {
      const now = await condition('trafficrules', 'witness', 'ResolvedRefs');
      return now?.observedGeneration === 2 ? now : undefined;
    });
    assert.deepEqual([after.status, after.lastTransitionTime], ['False', before?.lastTransitionTime]);
  });

  it('tells of transitions in Events of the object', async () => {
    await api.kubectl(['apply', '-f', '-'], external('second', 'api.example.com'));
    await waitFor('the Event', async () => (await eventsOf('second')).includes('Warning Conflicted'));
    const [event] = (await events('shop')).filter(({ regarding }) => regarding.name === 'second');
    assert.deepEqual([event?.regarding.kind, event?.reportingController], ['ExternalService', 'fairway.dev/pilot']);
    assert.match(event?.note ?? '', /shop\/api/);
    await api.kubectl(['delete', 'externalservice', 'api', '-n', 'shop']);
    await waitFor('the next Event', async () => (await eventsOf('second')).includes('Normal Accepted'));
    const metrics = await (await fetch(`http://${admin}/metrics`)).text();
    assert.match(metrics, /fairway_kubernetes_events_total\{outcome="written"\} [1-9]/);
    assert.match(readFileSync(logFile, 'utf8'), /"msg":"a condition changed"/);
  });

  describe('the history of a rule', () => {
    const revisions = async (name: string): Promise<readonly Stored[]> => {
      const all = await api.client.must<{ items: Stored[] }>(
        'GET',
        '/apis/apps/v1/namespaces/shop/controllerrevisions',
      );
      return all.items.filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
    };
    const kept = (name: string, count: number): Promise<readonly Stored[]> =>
      waitFor(`${count} forms of ${name}`, async () => {
        const found = await revisions(name);
        return found.length === count ? found : undefined;
      });

    it('is kept with the rule, and shown with who wrote what', async () => {
      await api.kubectl(['apply', '--server-side', '-f', '-'], rule('books', 'v1', 'books'));
      await kept('books', 1);
      await api.kubectl(['apply', '--server-side', '-f', '-'], rule('books', 'v2', 'books'));
      const forms = await kept('books', 2);
      const { uid } = (await get('trafficrules', 'books')).metadata;
      assert.ok(forms.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid));
      const shown = await run('rule', 'history', 'shop/books');
      assert.equal(shown.exit, 0, shown.err);
      assert.match(shown.out, /^1 +\d+s +kubectl +[0-9a-f]{12} +True +the oldest form that is kept$/m);
      assert.match(shown.out, /^2 +\d+s +kubectl .* routes\[0\]\.backends\[0\]\.version v1 → v2$/m);
    });

    it('undo goes back, as a new form; without --force not over what somebody else manages', async () => {
      const { spec } = JSON.parse(
        await api.kubectl(['get', 'trafficrule', 'books', '-n', 'shop', '-o', 'json']),
      ) as Stored;
      const dry = await run('rule', 'undo', 'shop/books', '--force', '--dry-run');
      assert.deepEqual(
        [dry.exit, dry.out, dry.err],
        [
          0,
          'trafficrule.fairway.dev/books undone to revision 1 (namespace shop) (dry run) in context east\n',
          'Would change: routes[0].backends[0].version v2 → v1\n',
        ],
      );
      assert.deepEqual((await get('trafficrules', 'books')).spec, spec);
      const refused = await run('rule', 'undo', 'shop/books');
      assert.equal(refused.exit, 1);
      assert.match(refused.err, /FW-KUBE-023 [\s\S]*--force/);
      const undone = await run('rule', 'undo', 'shop/books', '--force');
      assert.equal(undone.exit, 0, undone.err);
      await kept('books', 3);
      const shown = await run('rule', 'history', 'shop/books');
      assert.match(shown.out, /^3 +\d+s +fairway-cli .* as revision 1: routes\[0\]\.backends\[0\]\.version v2 → v1$/m);
      const redone = await run('rule', 'undo', 'books', '-n', 'shop', '--to', '2');
      assert.equal(redone.exit, 0, `one’s own fields need no force: ${redone.err}`);
      assert.deepEqual((await get('trafficrules', 'books')).spec, spec);
    });

    it('undo ends in exactly the earlier form, or refuses', async () => {
      const { spec, metadata } = await get('trafficrules', 'books');
      const more = {
        apiVersion: 'fairway.dev/v1alpha1',
        kind: 'TrafficRule',
        metadata: { name: 'books', namespace: 'shop' },
      };
      const body = { ...more, spec: { loadBalancing: { policy: 'random' } } };
      const written = await api.client.request(
        'PATCH',
        `${group}/trafficrules/books?fieldManager=tuner&force=true`,
        body,
        'application/apply-patch+yaml',
      );
      assert.equal(written.status, 200, JSON.stringify(written));
      await kept('books', 5);
      const to = String(metadata.generation);
      const refused = await run('rule', 'undo', 'shop/books', '--to', to);
      assert.match(refused.err, /FW-KUBE-043 [\s\S]*spec\.loadBalancing/);
      const forced = await run('rule', 'undo', 'shop/books', '--to', to, '--force');
      assert.equal(forced.exit, 0, forced.err);
      assert.deepEqual((await get('trafficrules', 'books')).spec, spec);
    });

    it('holds the last ten forms', async () => {
      for (let at = 1; at <= 12; at++) {
        await api.kubectl(['apply', '--server-side', '-f', '-'], rule('many', `v${at}`, 'many'));
      }
      await waitFor('the last', async () =>
        (await revisions('many')).some(({ metadata }) => metadata.name.endsWith('-12')),
      );
      await waitFor('the oldest to go', async () => (await revisions('many')).length === 10);
      const shown = await run('rule', 'history', 'shop/many', '-o', 'json');
      const { entries } = JSON.parse(shown.out) as { entries: { revision: number }[] };
      assert.deepEqual(
        entries.map(({ revision }) => revision),
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      );
    });

    it('is not written again by the next pilot', async () => {
      const before = await api.client.must<{ items: Stored[] }>('GET', '/apis/apps/v1/controllerrevisions');
      const posts = await served('POST', 'controllerrevisions', '');
      await stop();
      await start();
      await api.kubectl(['apply', '--server-side', '-f', '-'], rule('zebra', 'v1', 'zebra'));
      await kept('zebra', 1);
      assert.equal((await served('POST', 'controllerrevisions', '')) - posts, 1);
      const after = await api.client.must<{ items: Stored[] }>('GET', '/apis/apps/v1/controllerrevisions');
      assert.equal(after.items.length, before.items.length + 1);
    });
  });

  // A suite of its own, so that it comes last: the rights do not come back.
  describe('without the rights to Events and revisions', () => {
    it('says so once each, and all else goes on', async () => {
      await stop();
      await api.kubectl(['patch', 'clusterrole', 'fairway', '--type=json', '-p', await withoutRecords()]);
      const may = [
        'auth',
        'can-i',
        'create',
        'controllerrevisions.apps',
        '--as=system:serviceaccount:fairway-system:fairway',
      ];
      await waitFor('the right to be gone', async () => (await api.tryKubectl(may)).stdout.trim() === 'no');
      await start();
      for (const name of ['third', 'fourth', 'fifth']) {
        await api.kubectl(['apply', '-f', '-'], rule(name, 'v1', name));
        await waitFor(
          'the status',
          async () => (await condition('trafficrules', name, 'ResolvedRefs'))?.status === 'False',
        );
      }
      const said = (code: string): number => readFileSync(logFile, 'utf8').split(`"code":"${code}"`).length - 1;
      await waitFor('both are said', () => said('FW-KUBE-041') > 0 && said('FW-KUBE-042') > 0);
      assert.deepEqual([said('FW-KUBE-041'), said('FW-KUBE-042')], [1, 1]);
      assert.deepEqual(await eventsOf('fifth'), []);
      const metrics = await (await fetch(`http://${admin}/metrics`)).text();
      assert.match(metrics, /fairway_kubernetes_events_total\{outcome="dropped"\} [1-9]/);
    });
  });

  /** A JSON patch that takes Events and ControllerRevisions out of the role. */
  async function withoutRecords(): Promise<string> {
    const role = JSON.parse(await api.kubectl(['get', 'clusterrole', 'fairway', '-o', 'json'])) as {
      rules: { resources: string[] }[];
    };
    const left = role.rules.filter(
      ({ resources }) => !resources.some((name) => ['events', 'controllerrevisions'].includes(name)),
    );
    return JSON.stringify([{ op: 'replace', path: '/rules', value: left }]);
  }
});
