/** TrafficRules from a real kube-apiserver: the rule source, the status writer, the lease, and what people write through a kubeconfig. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { Finding } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { RawObject } from '../../src/model/object.ts';
import { type Access, readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { Lease } from '../../src/registry/kube/lease.ts';
import { type KubeObject, KubeObjects } from '../../src/registry/kube/objects.ts';
import { KubeRuleSource } from '../../src/registry/kube/rule-source.ts';
import { RuleStatusWriter } from '../../src/registry/kube/rule-status.ts';
import type { RuleSink } from '../../src/registry/rule-sink.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { waitFor } from '../rig/wait.ts';
import { ensureNamespace, quickSettings, temporaryFolder } from './kube-support.ts';

const crd = readFileSync(new URL('../../deploy/crds/trafficrules.fairway.dev.yaml', import.meta.url), 'utf8');
const rules = '/apis/fairway.dev/v1alpha1/namespaces/shop/trafficrules';

class RecordingRuleSink implements RuleSink {
  readonly held = new Map<string, RawObject>();
  puts = 0;
  findings: readonly Finding[] = [];
  isSynced = false;

  put(raw: RawObject, id: string): void {
    this.puts += 1;
    this.held.set(id, raw);
  }

  remove(id: string): void {
    this.held.delete(id);
  }

  problem(findings: readonly Finding[]): void {
    this.findings = findings;
  }

  synced(): void {
    this.isSynced = true;
  }
}

function rule(name: string, version: string): KubeObject {
  return {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: { namespace: 'shop', name },
    spec: { service: 'reviews', routes: [{ backends: [{ version }] }] },
  };
}

describe('kube rules, real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let access: Access;
  const ends: (() => unknown)[] = [];

  before(async () => {
    api = await startKubeApi({ name: 'primary', dir: folder.path, controllers: false });
    access = readKubeconfig(readFileSync(api.kubeconfig, 'utf8'), { trust: trustAll, where: {} });
    await ensureNamespace(api, 'shop');
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    await api.client.request('DELETE', rules);
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  function startRules(): { readonly sink: RecordingRuleSink; readonly source: KubeRuleSource } {
    const sink = new RecordingRuleSink();
    const watch = quickSettings.watch;
    const source = new KubeRuleSource({
      access,
      cluster: 'primary',
      sink,
      clock: systemClock,
      logger: silentLogger,
      watch,
    });
    ends.push(() => source.stop());
    return { sink, source };
  }

  function startObjects(): KubeObjects {
    const objects = new KubeObjects(access);
    ends.push(() => objects.close());
    return objects;
  }

  it('without the CRD: synced, said once; then installed: found', async () => {
    const { sink } = startRules();
    await waitFor('synced', () => sink.isSynced);
    assert.deepEqual(
      sink.findings.map(({ code }) => code),
      ['FW-KUBE-014'],
    );
    const objects = startObjects();
    await assert.rejects(objects.apply(rule('reviews', 'v1'), { dryRun: false, force: false }), {
      code: 'FW-KUBE-021',
    });
    await installCrds(api, ['-f', '-'], crd);
    await waitFor('the finding is cured', () => sink.findings.length === 0);
    await objects.apply(rule('reviews', 'v1'), { dryRun: false, force: false });
    await waitFor('the rule', () => sink.held.size === 1);
  });

  it('puts, changes and removes; status and bookkeeping alone are not put again', async () => {
    const { sink, source } = startRules();
    await waitFor('synced', () => sink.isSynced);
    await api.client.must('POST', rules, rule('reviews', 'v1'));
    const id = 'TrafficRule/shop/reviews';
    const raw = await waitFor('the rule', () => sink.held.get(id));
    assert.equal((raw.object as KubeObject).kind, 'TrafficRule');
    assert.equal(raw.origin, 'cluster primary');
    assert.deepEqual(raw.where(['spec', 'routes', 0, 'backends', 1, 'weight']), {
      cluster: 'primary',
      object: 'TrafficRule shop/reviews',
      field: 'spec.routes[0].backends[1].weight',
    });
    const merge = 'application/merge-patch+json';
    await api.client.must('PATCH', `${rules}/reviews/status`, { status: { routes: 1 } }, merge);
    await waitFor('the status', () => (source.view(id)?.status as { routes?: number } | undefined)?.routes === 1);
    assert.equal(sink.puts, 1);
    await api.client.must(
      'PATCH',
      `${rules}/reviews`,
      { spec: { routes: [{ backends: [{ version: 'v2' }] }] } },
      merge,
    );
    await waitFor('the change', () => sink.puts === 2);
    assert.match(JSON.stringify(sink.held.get(id)?.object), /"v2"/);
    await api.client.must('DELETE', `${rules}/reviews`);
    await waitFor('the removal', () => sink.held.size === 0);
  });

  it('API killed and back: rules stay, deletions are found', async () => {
    const { sink } = startRules();
    await api.client.must('POST', rules, rule('a', 'v1'));
    await api.client.must('POST', rules, rule('b', 'v1'));
    await waitFor('both', () => sink.held.size === 2);
    await api.kill();
    await waitFor('the trouble is said', () => sink.findings.some(({ code }) => code === 'FW-KUBE-018'));
    assert.equal(sink.held.size, 2);
    await api.restart();
    await waitFor('healed', () => sink.findings.length === 0);
    await api.client.must('DELETE', `${rules}/a`);
    await waitFor('the removal', () => sink.held.size === 1);
    assert.equal(sink.puts, 2);
  });

  it('a rotated credential of the primary is used at once, and nothing is taken back meanwhile', async () => {
    const wrong = readKubeconfig(readFileSync(api.kubeconfig, 'utf8').replaceAll(api.token, 'nonsense'), {
      trust: trustAll,
      where: {},
    });
    await api.client.must('POST', rules, rule('reviews', 'v1'));
    const sink = new RecordingRuleSink();
    const watch = { ...quickSettings.watch, refusedRetryMs: 3_600_000 };
    const source = new KubeRuleSource({
      access: wrong,
      cluster: 'primary',
      sink,
      clock: systemClock,
      logger: silentLogger,
      watch,
    });
    ends.push(() => source.stop());
    await waitFor('the trouble is said', () => sink.findings.some(({ code }) => code === 'FW-KUBE-018'));
    assert.ok(!sink.isSynced);
    source.rotate(access);
    await waitFor('the rule', () => sink.isSynced && sink.held.size === 1);
    assert.deepEqual(sink.findings, []);
    source.rotate(wrong);
    await waitFor('the trouble is said again', () => sink.findings.length > 0);
    assert.equal(sink.held.size, 1);
  });

  const condition = (status: string, time: string): object => ({
    type: 'Accepted',
    status,
    reason: status === 'True' ? 'Accepted' : 'Invalid',
    message: 'because',
    observedGeneration: 1,
    lastTransitionTime: time,
  });
  const uidOf = async (name: string): Promise<string> =>
    (await api.client.must<{ metadata: { uid: string } }>('GET', `${rules}/${name}`)).metadata.uid;
  const statusIn = async (name: string): Promise<{ conditions?: Record<string, unknown>[]; routes?: number }> =>
    (await api.client.must<{ status?: object }>('GET', `${rules}/${name}`)).status ?? {};

  it('writes statuses as the leader alone, once each, and keeps transition times', async () => {
    const { sink, source } = startRules();
    await api.client.must('POST', rules, rule('reviews', 'v1'));
    await waitFor('the rule', () => sink.held.size === 1);
    let leader = false;
    const writer = new RuleStatusWriter({
      access,
      clock: systemClock,
      logger: silentLogger,
      view: (id) => source.view(id),
      isLeader: () => leader,
      pauseMs: 1,
    });
    ends.push(() => writer.stop());
    const target = { namespace: 'shop', name: 'reviews', uid: await uidOf('reviews') };
    const status = (value: string, time: string, routes = 1): object => ({
      observedGeneration: 1,
      conditions: [condition(value, time)],
      routes,
      proxies: { acknowledged: 0, total: 0 },
    });
    writer.put(target, status('False', '2026-01-01T00:00:00Z'));
    writer.put(target, status('True', '2026-01-02T00:00:00Z'));
    assert.deepEqual(await statusIn('reviews'), {});
    leader = true;
    await waitFor('the status', async () => (await statusIn('reviews')).conditions?.[0]?.['status'] === 'True');
    // The API shows what was written before the writer has heard its answer.
    await waitFor('its count', () => writer.counters.written === 1);
    await waitFor('the source knows it', () => source.view('TrafficRule/shop/reviews')?.status !== undefined);

    // The same state judged at another time, as after a restart: nothing to write but what differs.
    writer.put(target, status('True', '2026-02-02T00:00:00Z'));
    writer.put(target, status('True', '2026-02-02T00:00:00Z', 2));
    await waitFor('the second status', async () => (await statusIn('reviews')).routes === 2);
    assert.equal((await statusIn('reviews')).conditions?.[0]?.['lastTransitionTime'], '2026-01-02T00:00:00Z');
    await waitFor('its count', () => writer.counters.written === 2);
    const { managedFields } = (
      await api.client.must<{
        metadata: { managedFields: { manager: string; subresource?: string }[] };
      }>('GET', `${rules}/reviews`)
    ).metadata;
    assert.ok(managedFields.some(({ manager, subresource }) => manager === 'fairway' && subresource === 'status'));
    assert.equal(sink.puts, 1);
  });

  it('an object made anew under the same name does not get the old one’s status', async () => {
    const { sink, source } = startRules();
    await api.client.must('POST', rules, rule('reviews', 'v1'));
    await waitFor('the rule', () => sink.held.size === 1);
    const old = { namespace: 'shop', name: 'reviews', uid: await uidOf('reviews') };
    await api.client.must('DELETE', `${rules}/reviews`);
    await api.client.must('POST', rules, rule('reviews', 'v2'));
    await api.client.must('POST', rules, rule('other', 'v2'));
    const writer = new RuleStatusWriter({
      access,
      clock: systemClock,
      logger: silentLogger,
      view: (id) => source.view(id),
      isLeader: () => true,
      pauseMs: 1,
    });
    ends.push(() => writer.stop());
    const status = { observedGeneration: 1, conditions: [condition('True', '2026-01-01T00:00:00Z')] };
    writer.put(old, status);
    writer.put({ namespace: 'shop', name: 'absent', uid: '' }, status);
    writer.put({ namespace: 'shop', name: 'other', uid: await uidOf('other') }, status);
    await waitFor('the other is known', () => source.view('TrafficRule/shop/other'));
    await waitFor('the one after it', async () => (await statusIn('other')).conditions !== undefined);
    assert.deepEqual(await statusIn('reviews'), {});
    assert.equal(writer.counters.failed, 0);
  });

  it('a lease has one holder; it is given back, and taken over when it runs out', async () => {
    const settings = { durationMs: 1_000, renewDeadlineMs: 700, retryMs: 50 };
    // A holder whose wall clock is an hour off must not matter.
    const ahead: Clock = { ...systemClock, now: () => Date.now() + 3_600_000 };
    const hold = (identity: string, clock: Clock): Lease =>
      new Lease({ access, namespace: 'shop', name: 'fairway', identity, clock, logger: silentLogger, settings });
    const first = hold('first', ahead);
    await waitFor('the first leads', () => first.isLeader());
    const second = hold('second', systemClock);
    ends.push(() => second.stop());
    const lease = '/apis/coordination.k8s.io/v1/namespaces/shop/leases/fairway';
    const renewals = new Set<string>();
    await waitFor('some renewals', async () => {
      assert.ok(!second.isLeader());
      const { spec } = await api.client.must<{ spec: { renewTime: string; holderIdentity: string } }>('GET', lease);
      assert.equal(spec.holderIdentity, 'first');
      return renewals.add(spec.renewTime).size > 5;
    });
    await first.stop();
    await waitFor('the second leads', () => second.isLeader());
    // Somebody who died without giving it back.
    await second.stop();
    await api.client.must(
      'PATCH',
      lease,
      { spec: { holderIdentity: 'dead', leaseDurationSeconds: 1 } },
      'application/merge-patch+json',
    );
    const third = hold('third', systemClock);
    ends.push(() => third.stop());
    await waitFor('the third leads', () => third.isLeader());
    const { spec } = await api.client.must<{ spec: { leaseTransitions: number } }>('GET', lease);
    assert.ok(spec.leaseTransitions >= 2);
  });

  it('applies, lists and deletes through a kubeconfig, and says what happened', async () => {
    const objects = startObjects();
    const options = { dryRun: false, force: false };
    const ref = { apiVersion: 'fairway.dev/v1alpha1', kind: 'TrafficRule', namespace: 'shop', name: 'reviews' };
    assert.equal((await objects.apply(rule('reviews', 'v1'), { ...options, dryRun: true })).action, 'created');
    assert.equal(await objects.get(ref), undefined);
    assert.equal((await objects.apply(rule('reviews', 'v1'), options)).action, 'created');
    assert.equal((await objects.apply(rule('reviews', 'v1'), options)).action, 'unchanged');
    assert.equal((await objects.apply(rule('reviews', 'v2'), { ...options, dryRun: true })).action, 'configured');
    assert.equal((await objects.apply(rule('reviews', 'v2'), options)).action, 'configured');
    const listed = await objects.list('fairway.dev/v1alpha1', 'TrafficRule', '');
    assert.deepEqual(
      listed.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
      ['TrafficRule shop/reviews'],
    );
    const bad = { ...rule('reviews', 'v1'), spec: { service: 'reviews', rutes: [] } };
    await assert.rejects(objects.apply(bad, options), (error: { code?: string; message: string }) => {
      assert.equal(error.code, 'FW-KUBE-022', error.message);
      assert.match(error.message, /rutes/);
      return true;
    });
    await api.kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      JSON.stringify(rule('reviews', 'v7')),
    );
    await assert.rejects(objects.apply(rule('reviews', 'v8'), options), { code: 'FW-KUBE-023' });
    assert.equal((await objects.apply(rule('reviews', 'v8'), { ...options, force: true })).action, 'configured');
    assert.equal(await objects.delete(ref, { dryRun: true }), 'deleted');
    assert.equal(await objects.delete(ref, { dryRun: false }), 'deleted');
    assert.equal(await objects.delete(ref, { dryRun: false }), 'not-found');
  });
});
