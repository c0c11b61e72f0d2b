/**
 * Istio's rules as they are, through a whole pilot and real Envoys: what clients get, and what is said of the objects. Skipped, and said so, where
 * there is no Envoy.
 */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';
import { GatewayRig } from './gateway-rig.ts';
import { type RecordingWorkload, startRecordingWorkload } from './recording-workload.ts';
import { type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

function istio(kind: string, name: string, spec: string, namespace = 'shop'): string {
  return `{apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`;
}

const subsets = istio(
  'DestinationRule',
  'reviews',
  '{host: reviews, subsets: [{name: stable, labels: {version: v1}}, {name: next, labels: {version: v2}}]}',
);

const to = (subset: string, weight = 100): string =>
  `{destination: {host: reviews, subset: ${subset}}, weight: ${weight}}`;

for (const config of ['eager', 'on-demand'] as const)
  describe(`Istio's rules, with real Envoys that hold their configuration ${config}`, function () {
    this.timeout(60_000);
    let rig: GatewayRig;
    let sidecar: Sidecar;
    let stranger: Sidecar;
    let audit: RecordingWorkload;
    const workloads: Workload[] = [];

    before(async function () {
      rig = await GatewayRig.start(['istio']);
      for (const name of ['v1', 'v2', 'ratings', 'outside']) workloads.push(await startHttpWorkload(name));
      audit = await startRecordingWorkload('audit');
      const [v1, v2, ratings] = workloads as [Workload, Workload, Workload, Workload];
      rig.service('reviews', [v1, v2]);
      rig.service('ratings', [ratings]);
      rig.service('audit', [{ ...v1, name: 'audit', port: audit.port }], { namespace: 'ops' });
      const started = await startSidecar(rig.port, { config });
      if (started === undefined) return skip(this, noEnvoy);
      sidecar = started;
      stranger = (await startSidecar(rig.port, { config, namespace: 'web' })) as Sidecar;
      await whenReady(sidecar);
      await whenReady(stranger);
    });

    after(async () => {
      await sidecar?.stop();
      await stranger?.stop();
      await rig?.stop();
      await audit?.stop();
      for (const workload of workloads) await workload.stop();
    });

    afterEach(async () => {
      for (const { kind, name, namespace, origin } of rig.assembly.stages.flatMap((stage) => stage.reports()))
        if (origin.startsWith('rules') && kind !== 'ExternalService') rig.delete(kind, name, namespace);
      rig.delete('TrafficRule', 'own');
      await rig.settled();
    });

    type Asked = Parameters<Sidecar['ask']>[1];

    async function who(asked: Asked = {}, host = 'reviews.shop', from = sidecar): Promise<string> {
      const { status, said } = await from.ask(host, asked);
      return status === 200 ? said.name : String(status);
    }

    /** A proxy says that it has a configuration before its workers go by it. */
    async function becomes(wanted: string, asked: Asked = {}, host = 'reviews.shop'): Promise<void> {
      let last = '';
      await waitFor(
        `${wanted} to answer`,
        async () => {
          last = await who(asked, host);
          return last === wanted;
        },
        {},
        () => last,
      );
    }

    async function applied(...texts: string[]): Promise<void> {
      for (const text of texts) rig.apply(text);
      await rig.settled();
    }

    it('splits by subsets and leads a header to one of them', async () => {
      const canary = istio(
        'VirtualService',
        'reviews',
        `{hosts: [reviews], http: [
        {match: [{headers: {x-group: {exact: beta}}}], route: [${to('next')}]},
        {route: [${to('stable', 90)}, ${to('next', 10)}]}]}`,
      );
      await applied(subsets, canary);
      for (let i = 0; i < 10; i++) await becomes('v2', { headers: { 'x-group': 'beta' } });
      const count = 1000;
      let next = 0;
      for (let i = 0; i < count; i++) if ((await who()) === 'v2') next += 1;
      // Three standard deviations of a tenth of the requests.
      const deviation = 3 * Math.sqrt(count * 0.1 * 0.9);
      assert.ok(Math.abs(next - count / 10) <= deviation, `${next} of ${count}`);
      for (let i = 0; i < 20; i++) assert.equal(await who({ headers: { 'x-group': 'beta' } }), 'v2');
      const { conditions, findings } = rig.report('VirtualService', 'reviews');
      assert.deepEqual(findings, []);
      assert.deepEqual(
        conditions.map(({ type, status }) => `${type} ${status}`),
        ['Accepted True', 'Programmed True'],
      );
    });

    it('follows a subset that is given another version', async () => {
      const all = istio('VirtualService', 'reviews', `{hosts: [reviews], http: [{route: [${to('stable')}]}]}`);
      await applied(all, subsets);
      await becomes('v1');
      await applied(subsets.replace('version: v1', 'version: v2'));
      await becomes('v2');
      rig.delete('VirtualService', 'reviews');
      await rig.settled();
      const seen = new Set<string>();
      await waitFor('both versions to answer again', async () => {
        seen.add(await who());
        return seen.size === 2;
      });
    });

    it('takes characters for a prefix, as Istio does, and replaces them', async () => {
      const prefixed = istio(
        'VirtualService',
        'reviews',
        `{hosts: [reviews.shop.svc.cluster.local], http: [
        {match: [{uri: {prefix: /API}, ignoreUriCase: true, withoutHeaders: {x-old: {exact: "1"}}}], rewrite: {uri: /v2}, route: [${to('next')}]},
        {match: [{uri: {exact: /one}}], rewrite: {uri: /two}, route: [${to('stable')}]},
        {match: [{uri: {regex: "/r/.*"}}], rewrite: {uriRegexRewrite: {match: "/r/([a-z]+)", rewrite: "/\\\\1/r"}}, route: [${to('stable')}]}]}`,
      );
      await applied(subsets, prefixed);
      await becomes('404', { path: '/one/x' });
      const became = async (path: string, headers = {}): Promise<string> => {
        const { status, said } = await sidecar.ask('reviews.shop', { path, headers });
        return status === 200 ? `${said.name} ${said.url}` : String(status);
      };
      assert.equal(await became('/apix?q=1'), 'v2 /v2x?q=1');
      assert.equal(await became('/api/x', { 'x-old': '2' }), 'v2 /v2/x');
      assert.equal(await became('/api/x', { 'x-old': '1' }), '404');
      assert.equal(await became('/one'), 'v1 /two');
      assert.equal(await became('/one/x'), '404');
      assert.equal(await became('/r/abc?x'), 'v1 /abc/r?x');
    });

    it('puts the routes of delegates in their places, and leaves out those of one that is missing', async () => {
      const root = istio(
        'VirtualService',
        'root',
        `{hosts: [reviews], http: [
        {match: [{uri: {prefix: /team}}], delegate: {name: team, namespace: crew}},
        {match: [{uri: {prefix: /gone}}], delegate: {name: gone}},
        {route: [${to('stable')}]}]}`,
      );
      const reviews = 'reviews.shop.svc.cluster.local';
      const team = istio(
        'VirtualService',
        'team',
        `{http: [
        {match: [{uri: {prefix: /team/next}}], route: [{destination: {host: ${reviews}, subset: next}}]},
        {match: [{uri: {prefix: /other}}], route: [{destination: {host: ${reviews}, subset: next}}]},
        {match: [{uri: {prefix: /team/ratings}}], route: [{destination: {host: ratings.shop.svc.cluster.local, port: {number: 80}}}]}]}`,
        'crew',
      );
      await applied(subsets, root, team);
      await becomes('ratings', { path: '/team/ratings' });
      assert.equal(await who({ path: '/team/next/1' }), 'v2');
      assert.equal(await who({ path: '/team/ratings' }), 'ratings');
      assert.equal(await who({ path: '/gone' }), 'v1');
      assert.equal(await who({ path: '/other' }), 'v1');
      const codes = (name: string): string[] => rig.report('VirtualService', name).findings.map(({ code }) => code);
      assert.deepEqual(codes('root'), ['FW-ISTIO-009']);
      assert.deepEqual(codes('team'), ['FW-ISTIO-011']);
      rig.delete('VirtualService', 'team', 'crew');
      await becomes('v1', { path: '/team/next/1' });
      assert.deepEqual(codes('root'), ['FW-ISTIO-009', 'FW-ISTIO-009']);
    });

    it('makes faults, and copies requests to another service', async () => {
      const rule = istio(
        'VirtualService',
        'reviews',
        `{hosts: [reviews], http: [
        {match: [{headers: {x-trial: {}}}], fault: {abort: {httpStatus: 555, percentage: {value: 100}}}, route: [${to('stable')}]},
        {route: [${to('stable')}], mirror: {host: audit.ops.svc.cluster.local}}]}`,
      );
      await applied(subsets, rule);
      await becomes('555', { headers: { 'x-trial': 'yes' } });
      audit.seen.length = 0;
      await waitFor('a copy to arrive', async () => {
        assert.equal(await who({ path: '/copied' }), 'v1');
        return audit.seen.length > 0;
      });
      const [copy] = audit.seen;
      assert.equal(copy?.url, '/copied');
      assert.match(copy?.headers.host ?? '', /-shadow/);
    });

    it('keeps a rule to the namespaces that it is exported to', async () => {
      const own = istio(
        'VirtualService',
        'own',
        `{hosts: [reviews], exportTo: ["."], http: [{match: [{uri: {prefix: /next}}], route: [${to('next')}]}]}`,
      );
      await applied(subsets, own);
      await becomes('404', { path: '/else' });
      assert.equal(await who({ path: '/next' }), 'v2');
      assert.equal((await stranger.ask('reviews.shop', { path: '/else' })).status, 200);
    });

    it('lets a TrafficRule go before it, and says so', async () => {
      const all = istio('VirtualService', 'reviews', `{hosts: [reviews], http: [{route: [${to('next')}]}]}`);
      const policy = istio(
        'DestinationRule',
        'policy',
        '{host: reviews, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}',
      );
      await applied(subsets, policy, all);
      for (let i = 0; i < 10; i++) await becomes('v2');
      await applied(`{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: own, namespace: shop},
      spec: {service: reviews, routes: [{backends: [{version: v1}]}]}}`);
      await becomes('v1');
      assert.deepEqual(rig.conditions('VirtualService', 'reviews'), ['Accepted False Overruled']);
      // The rule says nothing of endpoints: there the policy still counts.
      assert.deepEqual(rig.conditions('DestinationRule', 'policy')[0], 'Accepted True Accepted');
      await applied(`{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: own, namespace: shop},
      spec: {service: reviews, loadBalancing: {policy: random}, routes: [{backends: [{version: v1}]}]}}`);
      assert.deepEqual(rig.conditions('DestinationRule', 'policy'), ['Accepted False Overruled']);
    });

    it('says what a rule cannot be, and leaves the service as it is without it', async () => {
      const bad = istio(
        'VirtualService',
        'reviews',
        `{hosts: [reviews], http: [{match: [{method: {prefix: G}}], route: [${to('next')}]}, {route: [${to('next')}]}]}`,
      );
      await applied(subsets, bad);
      const { conditions, findings } = rig.report('VirtualService', 'reviews');
      assert.deepEqual(
        findings.map(({ code, severity }) => `${severity} ${code}`),
        ['error FW-ISTIO-005'],
      );
      assert.equal(conditions[0]?.reason, 'NotTranslated');
      const seen = new Set<string>();
      for (let i = 0; i < 40; i++) seen.add(await who());
      assert.deepEqual([...seen].sort(), ['v1', 'v2']);
    });

    it('begins TLS with the host of a ServiceEntry while a DestinationRule says so, whichever came first', async () => {
      const outside = workloads[3]?.port ?? 0;
      const host = 'card.example.com';
      const entry = istio(
        'ServiceEntry',
        'card',
        `{hosts: [${host}], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],
        endpoints: [{address: 127.0.0.1, ports: {http: ${outside}}}]}`,
      );
      const tls = istio('DestinationRule', 'card', `{host: ${host}, trafficPolicy: {tls: {mode: SIMPLE}}}`);
      await applied(entry);
      await waitFor('the host to answer', async () => (await who({}, host)) === 'outside');
      await applied(tls);
      // It does not speak TLS, which is how it is seen that the sidecar does.
      await waitFor('TLS to be tried', async () => /TLS_error/.test((await sidecar.ask(host)).body));
      rig.delete('DestinationRule', 'card');
      await waitFor('the host to answer again', async () => (await who({}, host)) === 'outside');
      rig.delete('ServiceEntry', 'card');
      await applied(tls);
      await applied(entry);
      await waitFor('TLS to be tried again', async () => /TLS_error/.test((await sidecar.ask(host)).body));
      assert.deepEqual(rig.report('DestinationRule', 'card').findings, []);
      rig.delete('DestinationRule', 'card');
      rig.delete('ServiceEntry', 'card');
    });

    it('reaches the hosts of a ServiceEntry, and routes their requests', async () => {
      const outside = workloads[3]?.port ?? 0;
      const host = 'pay.example.com';
      const entry = istio(
        'ServiceEntry',
        'pay',
        `{hosts: [${host}], location: MESH_EXTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],
        endpoints: [{address: 127.0.0.1, ports: {http: ${outside}}}]}`,
      );
      assert.equal(await who({}, host), '502');
      const rule = istio(
        'VirtualService',
        'pay',
        `{hosts: [${host}], http: [
        {match: [{uri: {exact: /no}}], directResponse: {status: 418, body: {string: "no\\n"}}},
        {route: [{destination: {host: ${host}}}]}]}`,
      );
      await applied(rule, entry);
      await waitFor('the host to answer', async () => (await who({}, host)) === 'outside');
      assert.equal(await who({ path: '/no' }, host), '418');
      assert.deepEqual(rig.report('VirtualService', 'pay').findings, []);
      assert.equal(rig.report('ServiceEntry', 'pay').conditions[0]?.status, 'True');
      rig.delete('ServiceEntry', 'pay');
      await waitFor('the host to be unknown again', async () => (await who({}, host)) === '502');
      assert.deepEqual(
        rig.report('VirtualService', 'pay').findings.map(({ code }) => code),
        ['FW-ISTIO-006'],
      );
    });
  });
