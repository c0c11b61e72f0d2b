/**
 * Conditions of Drains and ClusterPolicies in a real kube-apiserver, with the rights of deploy/pilot/roles.yaml alone: written once, by server-side
 * apply, and not again while nothing changes; and Events of their transitions.
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
import { drainText } from '../support/bad-drains.ts';
import { envoyNode } from '../support/pilot.ts';
import { XdsClient } from '../support/xds-client.ts';
import { ensureNamespace, serviceObject, sliceObject, temporaryFolder } from './kube-support.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const text = (path: string): string => readFileSync(join(deploy, path), 'utf8');
const group = '/apis/fairway.dev/v1alpha1';
const slices = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';

interface Stored {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string; subresource?: string }[];
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const policy = (clusters: string): string => `apiVersion: fairway.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: members}
spec: {clusters: [${clusters}], grants: [{namespaces: [shop], kinds: [TrafficRule]}]}
`;

describe('the statuses of drains and policies in a primary', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let pilot: Pilot | undefined;
  let kubeconfig = '';
  let proxy: XdsClient | undefined;
  let starts = 0;
  let xdsPort = 0;

  const start = async (): Promise<void> => {
    const xds = await freePort();
    const logFile = join(folder.path, `pilot-${starts++}.log`);
    pilot = await startPilot({
      xds: `127.0.0.1:${xds}`,
      admin: `127.0.0.1:${await freePort()}`,
      args: ['--kubeconfig', kubeconfig, '--context', 'east'],
      logFile,
    });
    xdsPort = xds;
  };
  const connect = (): void => {
    proxy = XdsClient.open({ port: xdsPort, transport: 'delta', node: envoyNode({ name: 'a', cluster: 'east' }) });
    proxy.subscribe(typeUrl.cluster);
  };
  const stop = async (): Promise<void> => {
    await pilot?.stop();
    proxy?.close();
    pilot = undefined;
  };
  const get = (plural: string, name: string): Promise<Stored> =>
    api.client.must<Stored>('GET', `${group}/${plural}/${name}`);
  const condition = async (plural: string, name: string, type: Condition['type']): Promise<Condition | undefined> =>
    (await get(plural, name)).status?.conditions?.find((one) => one.type === type);
  const until = (plural: string, name: string, type: Condition['type'], reason: string): Promise<unknown> =>
    waitFor(`${name} to be ${reason}`, async () => (await condition(plural, name, type))?.reason === reason, {
      timeoutMs: 40_000,
    });
  const applied = async (resource: string): Promise<number> => {
    const metrics = await api.kubectl(['get', '--raw', '/metrics']);
    const wanted = ['verb="APPLY"', `resource="${resource}"`, 'subresource="status"'];
    const lines = metrics.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
    const mine = lines.filter((line) => wanted.every((part) => line.includes(part)));
    return mine.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const { items } = await api.client.must<{
      items: readonly { type: string; reason: string; regarding: { kind: string; name: string } }[];
    }>('GET', '/apis/events.k8s.io/v1/events');
    return items
      .filter(({ regarding }) => regarding.name === name)
      .map(({ type, reason, regarding }) => `${regarding.kind} ${type} ${reason}`);
  };

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
    await installCrds(api, ['-f', join(deploy, 'crds')]);
    await api.kubectl(['apply', '-f', '-'], text('pilot/roles.yaml'));
    await api.kubectl(['create', 'serviceaccount', 'fairway', '-n', 'fairway-system']);
    const token = (await api.kubectl(['create', 'token', 'fairway', '-n', 'fairway-system'])).trim();
    kubeconfig = join(folder.path, 'pilot.kubeconfig');
    const certificateAuthority = api.certificateAuthority;
    writeKubeconfig(kubeconfig, { context: 'east', url: api.url, certificateAuthority, token });
    await ensureNamespace(api, 'shop');
    for (const [name, address] of [
      ['reviews', '10.0.0.1'],
      ['witness', '10.0.0.2'],
    ] as const) {
      await api.client.must('POST', '/api/v1/namespaces/shop/services', serviceObject('shop', name));
      await api.client.must('POST', slices, sliceObject('shop', name, `${name}-1`, [address]));
    }
    const drains = [
      drainText('{cluster: east, services: [shop/reviews], force: true}', 'through'),
      drainText('{cluster: east, services: [shop/reviews], over: 100h, force: true}', 'slow'),
      drainText('{cluster: east, services: [shop/witness], force: true}', 'witness'),
    ];
    await api.kubectl(['apply', '-f', '-'], [...drains, policy('east')].join('---\n'));
    await start();
    connect();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(pilot?.process.logTail(20));
  });
  after(async () => {
    await stop();
    await api?.stop();
    folder.remove();
  });

  it('are written once each, under the pilot’s own name, and not again while nothing changes, over a restart too', async () => {
    const all = [
      ['drains', 'through'],
      ['drains', 'slow'],
      ['clusterpolicies', 'members'],
    ] as const;
    await until('drains', 'witness', 'Drained', 'Drained');
    for (const [plural, name] of [...all, ['drains', 'witness'] as const])
      await until(plural, name, 'Programmed', 'Programmed');
    const look = (): Promise<readonly Stored[]> => Promise.all(all.map(([plural, name]) => get(plural, name)));
    const before = await look();
    for (const { metadata } of before) {
      const ours = metadata.managedFields.filter(({ subresource }) => subresource === 'status');
      assert.deepEqual(
        ours.map(({ manager, operation }) => `${manager} ${operation}`),
        ['fairway Apply'],
      );
    }
    const writes = await applied('clusterpolicies');
    const told = await eventsOf('through');
    for (let at = 1; at <= 10; at++) {
      await api.client.must(
        'PUT',
        `${slices}/reviews-1`,
        sliceObject('shop', 'reviews', 'reviews-1', [`10.0.1.${at}`]),
      );
      await waitFor('the batch', async () =>
        (await pilot?.endpoints())?.some(({ address }) => address === `10.0.1.${at}`),
      );
    }
    await stop();
    // What changed while there was no pilot: when the new one has said so, it has spoken of all.
    await api.client.must('DELETE', '/api/v1/namespaces/shop/services/witness');
    await api.client.must('DELETE', `${slices}/witness-1`);
    await start();
    // What is new is judged at once, and everything with it: before any proxy is back.
    await api.kubectl(['apply', '-f', '-'], drainText('{cluster: east, services: [shop/nobody]}', 'new'));
    await until('drains', 'new', 'ResolvedRefs', 'ServiceNotFound');
    connect();
    await until('drains', 'witness', 'ResolvedRefs', 'ServiceNotFound');
    const after = await look();
    assert.deepEqual(
      after.map(({ metadata }) => metadata.resourceVersion),
      before.map(({ metadata }) => metadata.resourceVersion),
    );
    assert.equal(await applied('clusterpolicies'), writes);
    await waitFor('the Event', async () => (await eventsOf('witness')).includes('Drain Warning ServiceNotFound'));
    assert.deepEqual(await eventsOf('through'), told);
  });

  it('are put right when somebody takes them away, and beside what others keep there', async () => {
    const path = `${group}/clusterpolicies/members/status`;
    const theirs = {
      type: 'Theirs',
      status: 'True',
      reason: 'A',
      message: 'b',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await until('clusterpolicies', 'members', 'Programmed', 'Programmed');
    await api.client.must('PATCH', path, { status: { conditions: [theirs] } }, 'application/merge-patch+json');
    await until('clusterpolicies', 'members', 'Programmed', 'Programmed');
    assert.equal((await condition('clusterpolicies', 'members', 'Accepted'))?.status, 'True');
    assert.equal((await condition('clusterpolicies', 'members', 'Theirs' as Condition['type']))?.reason, 'A');
  });

  it('are told in Events when they become others', async () => {
    await api.kubectl(['apply', '-f', '-'], policy('nowhere'));
    await until('clusterpolicies', 'members', 'ResolvedRefs', 'ClusterNotFound');
    await waitFor('the Event', async () =>
      (await eventsOf('members')).includes('ClusterPolicy Warning ClusterNotFound'),
    );
    await api.kubectl(['apply', '-f', '-'], policy('east'));
    await waitFor('the next Event', async () =>
      (await eventsOf('members')).includes('ClusterPolicy Normal ResolvedRefs'),
    );
  });
});
