/**
 * Kinds that others define, from a real kube-apiserver: CRDs that come, change and go; rights that are missing; and statuses in a list that several
 * controllers share, counted where they arrive.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import type { Finding } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { httpRouteKind, tcpRouteKind } from '../../src/gateway-api/kinds.ts';
import { gatewayControllerName, type ParentStatus } from '../../src/model/parent-status.ts';
import { type Access, readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { KubeRuleSource } from '../../src/registry/kube/rule-source.ts';
import { RuleStatusWriter } from '../../src/registry/kube/rule-status.ts';
import type { RuleSink } from '../../src/registry/rule-sink.ts';
import { trafficRuleKind } from '../../src/rules/traffic-rule/kind.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { waitFor } from '../rig/wait.ts';
import { gatewayGroup, httpRouteCrd } from '../support/standard-crds.ts';
import { ensureNamespace, quickSettings, temporaryFolder } from './kube-support.ts';

const crdName = `httproutes.${gatewayGroup}`;
const routes = (version = 'v1'): string => `/apis/${gatewayGroup}/${version}/namespaces/shop/httproutes`;
const ruleKind = trafficRuleKind;

class Sink implements RuleSink {
  readonly held = new Map<string, unknown>();
  puts = 0;
  removals = 0;
  findings: readonly Finding[] = [];
  /** What was not known each time that it said that it was synced. */
  readonly unread: (readonly string[])[] = [];

  put(raw: { readonly object: unknown }, id: string): void {
    this.puts += 1;
    this.held.set(id, raw.object);
  }

  remove(id: string): void {
    this.removals += 1;
    this.held.delete(id);
  }

  problem(findings: readonly Finding[]): void {
    this.findings = findings;
  }

  synced(unread: ReadonlySet<string> = new Set()): void {
    this.unread.push([...unread]);
  }
}

function route(name: string, more: object = {}): object {
  return {
    apiVersion: `${gatewayGroup}/v1`,
    kind: 'HTTPRoute',
    metadata: { namespace: 'shop', name },
    spec: { parentRefs: [{ group: '', kind: 'Service', name: 'reviews' }], ...more },
  };
}

describe('kinds that others define, real API', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let api: KubeApi;
  let access: Access;
  const ends: (() => unknown)[] = [];

  before(async () => {
    api = await startKubeApi({ name: 'primary', dir: folder.path, controllers: false });
    access = accessOf(api.token);
    await ensureNamespace(api, 'shop');
    await installCrds(api, ['-f', 'deploy/crds/trafficrules.fairway.dev.yaml']);
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    await api.kubectl(['delete', 'crd', crdName, '--ignore-not-found', '--wait=true']);
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  function accessOf(token: string): Access {
    const text = readFileSync(api.kubeconfig, 'utf8').replaceAll(api.token, token);
    return readKubeconfig(text, { trust: trustAll, where: {} });
  }

  interface Started {
    readonly sink: Sink;
    readonly source: KubeRuleSource;
    readonly said: readonly string[];
  }

  function start(as: Access = access): Started {
    const sink = new Sink();
    const said: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      info: (message, fields) => said.push(`${message} ${String(fields?.['kinds'] ?? '')}`),
    };
    const source = new KubeRuleSource({
      access: as,
      cluster: 'primary',
      sink,
      clock: systemClock,
      logger,
      kinds: [ruleKind, httpRouteKind, tcpRouteKind],
      watch: quickSettings.watch,
    });
    ends.push(() => source.stop());
    return { sink, source, said };
  }

  const install = async (...versions: readonly [string, ...string[]]): Promise<void> => {
    await installCrds(api, ['-f', '-'], httpRouteCrd(...versions));
  };

  const stateOf = (source: KubeRuleSource): string | undefined =>
    source.readings().find(({ kind }) => kind === 'HTTPRoute')?.state;

  it('without the CRD there is no finding and nothing waits; it comes, and it goes', async () => {
    const { sink, source, said } = start();
    await waitFor('synced, without it', () => sink.unread.length > 0);
    assert.deepEqual(sink.findings, []);
    assert.equal(stateOf(source), 'absent');
    await waitFor('it is known that there are none', () => sink.unread.at(-1)?.length === 0);
    assert.deepEqual(said, ['kinds are not installed, and are looked for from time to time HTTPRoute, TCPRoute']);

    await install('v1');
    await api.client.must('POST', routes(), route('reviews'));
    await waitFor('the route', () => sink.held.has('HTTPRoute/shop/reviews'));
    assert.equal(stateOf(source), 'read');

    await api.kubectl(['delete', 'crd', crdName, '--wait=true']);
    await waitFor('the route is gone', () => sink.held.size === 0);
    await waitFor('it is absent', () => stateOf(source) === 'absent');
    assert.deepEqual(sink.findings, []);

    await install('v1');
    await api.client.must('POST', routes(), route('ratings'));
    await waitFor('another route', () => sink.held.has('HTTPRoute/shop/ratings'));
  });

  it('an own rule is read as ever while a CRD goes, and the API is not asked in a loop', async () => {
    await install('v1');
    await api.client.must('POST', routes(), route('reviews'));
    const { sink, source } = start();
    await waitFor('the route', () => sink.held.size === 1);
    await api.kubectl(['delete', 'crd', crdName, '--wait=true']);
    await waitFor('it is absent', () => stateOf(source) === 'absent');
    const before = await count(api, { resource: 'httproutes' });
    const rule = { service: 'reviews', routes: [{ backends: [{ version: 'v1' }] }] };
    const rules = '/apis/fairway.dev/v1alpha1/namespaces/shop/trafficrules';
    await api.client.must('POST', rules, {
      apiVersion: 'fairway.dev/v1alpha1',
      kind: 'TrafficRule',
      metadata: { namespace: 'shop', name: 'reviews' },
      spec: rule,
    });
    await waitFor('the rule', () => sink.held.has('TrafficRule/shop/reviews'));
    await api.client.must('DELETE', `${rules}/reviews`);
    await waitFor('the rule is gone', () => sink.held.size === 0);
    assert.equal(await count(api, { resource: 'httproutes' }), before);
  });

  it('reads the newest version that is served, and moves to a newer one without removing anything', async () => {
    await install('v1beta1');
    await api.client.must('POST', routes('v1beta1'), { ...route('reviews'), apiVersion: `${gatewayGroup}/v1beta1` });
    const { sink, source } = start();
    const held = await waitFor('the route', () => sink.held.get('HTTPRoute/shop/reviews'));
    assert.equal((held as { apiVersion: string }).apiVersion, `${gatewayGroup}/v1beta1`);
    await install('v1beta1', 'v1');
    source.rotate(access);
    await waitFor('v1 is read', () => source.view('HTTPRoute/shop/reviews')?.apiVersion === `${gatewayGroup}/v1`);
    assert.equal(sink.removals, 0);
  });

  it('says that it is served in a version alone that is not read', async () => {
    await install('v1alpha2');
    const { sink } = start();
    await waitFor('the finding', () => sink.findings.some(({ code }) => code === 'FW-KUBE-046'));
    assert.match(sink.findings[0]?.message ?? '', /served there as gateway\.networking\.k8s\.io\/v1alpha2 alone/);
    await install('v1alpha2', 'v1');
    await waitFor('it is cured', () => sink.findings.length === 0);
  });

  it('without the right to read it: said with the resource and the file, and everything else goes on', async () => {
    await install('v1');
    await api.client.must('POST', routes(), route('reviews'));
    await api.kubectl([
      'create',
      'clusterrole',
      'own-alone',
      '--verb=get,list,watch',
      '--resource=trafficrules.fairway.dev',
    ]);
    await api.kubectl([
      'create',
      'clusterrolebinding',
      'own-alone',
      '--clusterrole=own-alone',
      '--user=fairway-reader',
    ]);
    const { sink, source } = start(accessOf(api.readerToken));
    await waitFor('synced', () => sink.unread.length > 0);
    await waitFor('only the one is not known', () => sink.unread.at(-1)?.join() === 'HTTPRoute');
    const finding = sink.findings.find(({ code }) => code === 'FW-KUBE-045');
    assert.match(
      finding?.message ?? '',
      /httproutes\.gateway\.networking\.k8s\.io .*cannot list resource "httproutes"/,
    );
    assert.match(finding?.hint ?? '', /deploy\/pilot\/roles\.yaml/);
    assert.equal(stateOf(source), 'refused');
    const { rules } = JSON.parse(await api.kubectl(['get', 'clusterrole', 'own-alone', '-o', 'json'])) as {
      rules: object[];
    };
    const granted = { apiGroups: [gatewayGroup], resources: ['httproutes'], verbs: ['get', 'list', 'watch'] };
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/own-alone';
    await api.client.must('PATCH', role, { rules: [...rules, granted] }, 'application/merge-patch+json');
    await waitFor('the route', () => sink.held.has('HTTPRoute/shop/reviews'));
    await waitFor('it is cured', () => sink.findings.length === 0 && sink.unread.at(-1)?.length === 0);
  });

  const parentRef = { group: '', kind: 'Service', name: 'reviews' };
  const entry = (status: string, over: Partial<ParentStatus> = {}, time = '2026-01-01T00:00:00Z'): ParentStatus => ({
    parentRef,
    controllerName: gatewayControllerName,
    conditions: [
      {
        type: 'Accepted',
        status: status as 'True',
        reason: status === 'True' ? 'Accepted' : 'NoMatchingParent',
        message: 'because',
        observedGeneration: 1,
        lastTransitionTime: time,
      },
    ],
    ...over,
  });
  const parentsOf = async (name: string): Promise<readonly ParentStatus[]> => {
    const object = await api.client.must<{ status?: { parents?: ParentStatus[] } }>('GET', `${routes()}/${name}`);
    return object.status?.parents ?? [];
  };

  it('writes its own entries beside those of others, once each, and takes them back', async () => {
    await install('v1');
    await api.client.must('POST', routes(), route('reviews'));
    const theirs = entry('True', { controllerName: 'example.com/gateway', parentRef: { name: 'edge' } });
    const merge = 'application/merge-patch+json';
    const putTheirs = (parents: readonly unknown[]): Promise<unknown> =>
      api.client.must('PATCH', `${routes()}/reviews/status`, { status: { parents } }, merge);
    await putTheirs([theirs]);
    const { sink, source } = start();
    await waitFor('the route', () => sink.held.size === 1);
    const startWriter = (): RuleStatusWriter =>
      new RuleStatusWriter({
        access,
        clock: systemClock,
        logger: silentLogger,
        view: (id) => source.view(id),
        isLeader: () => true,
        kind: httpRouteKind,
        pauseMs: 1,
      });
    const target = { namespace: 'shop', name: 'reviews', uid: source.view('HTTPRoute/shop/reviews')?.uid ?? '' };
    const writes = (): Promise<number> => count(api, { resource: 'httproutes', subresource: 'status' });
    const first = await writes();
    let writer = startWriter();
    writer.put(target, { parents: [entry('True')] });
    await waitFor('the entry', async () => (await parentsOf('reviews')).length === 2);
    assert.deepEqual(await parentsOf('reviews'), [theirs, entry('True')]);
    assert.equal(await writes(), first + 1);
    await waitFor('it was read', () =>
      JSON.stringify(source.view('HTTPRoute/shop/reviews')?.status).includes('fairway'),
    );

    // As after a restart: the same verdict, judged at another time. A second object shows that the writer has been there.
    await writer.stop();
    await api.client.must('POST', routes(), route('other'));
    await waitFor('the other', () => sink.held.size === 2);
    writer = startWriter();
    ends.push(() => writer.stop());
    const other = { namespace: 'shop', name: 'other', uid: '' };
    writer.put(target, { parents: [entry('True', {}, '2026-02-02T00:00:00Z')] });
    writer.put(other, { parents: [] });
    writer.put({ ...other }, { parents: [entry('False')] });
    await waitFor('the other entry', async () => (await parentsOf('other')).length === 1);
    assert.equal(await writes(), first + 2);

    // Somebody else changes their entry at the same time: neither is lost.
    const changed = { ...theirs, conditions: [{ ...theirs.conditions[0], reason: 'Changed' }] };
    await putTheirs([changed, entry('True')]);
    writer.put(target, { parents: [entry('False', {}, '2026-03-03T00:00:00Z')] });
    await waitFor('our change', async () => (await parentsOf('reviews'))[1]?.conditions[0]?.status === 'False');
    assert.deepEqual(await parentsOf('reviews'), [changed, entry('False', {}, '2026-03-03T00:00:00Z')]);

    // The parent is no longer in the route's spec.
    writer.put(target, { parents: [] });
    await waitFor('ours is gone', async () => (await parentsOf('reviews')).length === 1);
    assert.deepEqual(await parentsOf('reviews'), [changed]);
    assert.equal(sink.puts, 2);
  });

  it('loses nothing to a controller that writes at the same time, nor that controller to it', async () => {
    await install('v1');
    await api.client.must('POST', routes(), route('reviews'));
    const { sink, source } = start();
    await waitFor('the route', () => sink.held.size === 1);
    const writer = new RuleStatusWriter({
      access,
      clock: systemClock,
      logger: silentLogger,
      view: (id) => source.view(id),
      isLeader: () => true,
      kind: httpRouteKind,
      pauseMs: 1,
    });
    ends.push(() => writer.stop());
    const theirs = (round: number): ParentStatus =>
      entry('True', { controllerName: 'example.com/gateway', parentRef: { name: `edge-${round}` } });
    /** As controllers do: read, changed, written in that very version, and again from the start after a conflict. */
    const writeTheirs = async (round: number): Promise<void> => {
      for (let status = 409; status === 409; ) {
        const path = `${routes()}/reviews`;
        const object = await api.client.must<{ status?: { parents?: ParentStatus[] } }>('GET', path);
        const others = (object.status?.parents ?? []).filter(
          ({ controllerName }) => controllerName === gatewayControllerName,
        );
        const body = { ...object, status: { parents: [theirs(round), ...others] } };
        ({ status } = await api.client.request('PUT', `${path}/status`, body));
      }
    };
    const rounds = 20;
    const target = { namespace: 'shop', name: 'reviews', uid: '' };
    for (let round = 1; round <= rounds; round += 1) {
      writer.put(target, { parents: [entry(round % 2 === 0 ? 'True' : 'False')] });
      await writeTheirs(round);
    }
    const both = [JSON.stringify(theirs(rounds)), JSON.stringify(entry('True'))].sort();
    await waitFor('the last word of both', async () => {
      const parents = await parentsOf('reviews');
      return JSON.stringify(parents.map((each) => JSON.stringify(sortedLike(each))).sort()) === JSON.stringify(both);
    });
    assert.equal(writer.counters.failed, 0);
  });
});

/** With its keys in the order of `entry`: the API sorts them. */
function sortedLike({ parentRef, controllerName, conditions }: ParentStatus): ParentStatus {
  const { group, kind, name } = parentRef as Readonly<Record<string, string>>;
  return {
    parentRef: kind === undefined ? { name: name ?? '' } : { group, kind, name },
    controllerName,
    conditions: conditions.map(({ type, status, reason, message, observedGeneration, lastTransitionTime }) => ({
      type,
      status,
      reason,
      message,
      observedGeneration,
      lastTransitionTime,
    })),
  };
}

/** How many requests the API has answered about a resource that change it or read it, by its own count. */
async function count(api: KubeApi, wanted: Readonly<Record<string, string>>): Promise<number> {
  const { body } = await api.client.request('GET', '/metrics');
  const isWanted = (line: string): boolean =>
    line.startsWith('apiserver_request_total{') &&
    Object.entries(wanted).every(([label, value]) => line.includes(`${label}="${value}"`)) &&
    !line.includes('verb="WATCH"') &&
    (wanted['subresource'] === undefined || /verb="(APPLY|PATCH|PUT)"/.test(line));
  return String(body)
    .split('\n')
    .filter(isWanted)
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
