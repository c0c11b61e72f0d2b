/**
 * TrafficRules that lead to other services and ports, are for some ports, or take connections, through a whole pilot and real Envoys. Skipped, and
 * said so, where there is no Envoy.
 */

import assert from 'node:assert/strict';
import { waitFor } from '../rig/wait.ts';
import { port } from '../support/fixtures.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { startHttpWorkload, type Workload } from './envoy-rig.ts';
import { GatewayRig } from './gateway-rig.ts';
import { type Sidecar, startSidecar, whenReady } from './vhds-rig.ts';

function grant(name: string, from: string): string {
  return `{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: ${name}, namespace: other},
      spec: {from: [${from}], to: [{group: '', kind: Service, name: far}]}}`;
}

for (const config of ['eager', 'on-demand'] as const)
  describe(`TrafficRules that lead elsewhere, in a real Envoy that holds its configuration ${config}`, function () {
    this.timeout(60_000);
    let rig: GatewayRig;
    let sidecar: Sidecar;
    const workloads: Workload[] = [];

    before(async function () {
      rig = await GatewayRig.start();
      for (const name of ['v1', 'v2', 'ratings', 'far']) workloads.push(await startHttpWorkload(name));
      const [v1, v2, ratings, far] = workloads as [Workload, Workload, Workload, Workload];
      rig.service('reviews', [v1, v2], { ports: [port(80), port(8080, 'http', 'alt')] });
      rig.service('ratings', [ratings], { ports: [port(9080)] });
      rig.service('far', [far], { namespace: 'other' });
      const started = await startSidecar(rig.port, { config });
      if (started === undefined) return skip(this, noEnvoy);
      sidecar = started;
      await whenReady(sidecar);
    });

    after(async () => {
      await sidecar?.stop();
      await rig?.stop();
      for (const workload of workloads) await workload.stop();
    });

    async function applied(routes: string): Promise<void> {
      rig.apply(`{apiVersion: fairway.dev/v1alpha1, kind: TrafficRule, metadata: {name: reviews, namespace: shop},
      spec: {service: reviews, routes: [${routes}]}}`);
      await rig.settled();
    }

    async function becomes(wanted: string, path = '/', host = 'reviews.shop'): Promise<void> {
      let last = '';
      await waitFor(
        `${wanted} to answer`,
        async () => {
          const { status, said } = await sidecar.ask(host, { path });
          last = status === 200 ? said.name : String(status);
          return last === wanted;
        },
        {},
        () => last,
      );
    }

    it('leads into another namespace while a grant there lets it, and copies there', async () => {
      const rule = `{matches: [{path: {startsWith: /far}}], backends: [{service: far, namespace: other, port: 80}]},
      {backends: [{version: v1}], mirrors: [{service: far, namespace: other, port: 80}]}`;
      const resolved = (): string => {
        rig.assembly.ruleStatus.touch();
        const [report] = rig.assembly.ruleStatus.reports();
        const codes = report?.findings.map(({ code }) => code) ?? [];
        return [report?.conditions.find(({ type }) => type === 'ResolvedRefs')?.reason, ...codes].join(' ');
      };
      await applied(rule);
      await becomes('500', '/far');
      await becomes('v1');
      assert.equal(resolved(), 'RefNotPermitted FW-RULE-054');
      rig.apply(grant('wrong', '{group: fairway.dev, kind: TrafficRule, namespace: lab}'));
      await rig.settled();
      assert.equal(resolved(), 'RefNotPermitted FW-RULE-054');
      rig.apply(grant('far', '{group: fairway.dev, kind: TrafficRule, namespace: shop}'));
      await becomes('far', '/far');
      assert.equal(resolved(), 'ResolvedRefs');
      rig.delete('ReferenceGrant', 'far', 'other');
      await becomes('500', '/far');
      assert.equal(resolved(), 'RefNotPermitted FW-RULE-054');
      rig.apply(grant('far', '{group: fairway.dev, kind: TrafficRule, namespace: shop}'));
      await becomes('far', '/far');
    });

    it('shares requests with other services, and changes headers for one share alone', async () => {
      await applied(`{matches: [{path: {startsWith: /far}}], backends: [{service: far, namespace: other, port: 80}]},
      {backends: [{service: ratings, port: 9080, weight: 50, responseHeaders: {set: [{name: x-share, value: ratings}]}}, {version: v1, weight: 50}]}`);
      await becomes('far', '/farther');
      const shares = new Map<string, number>();
      const count = 600;
      for (let i = 0; i < count; i++) {
        const { said, headers } = await sidecar.ask('reviews.shop');
        shares.set(said.name, (shares.get(said.name) ?? 0) + 1);
        assert.equal(headers['x-share'], said.name === 'ratings' ? 'ratings' : undefined);
      }
      assert.deepEqual([...shares.keys()].sort(), ['ratings', 'v1']);
      const deviation = 3 * Math.sqrt(count * 0.25);
      assert.ok(Math.abs((shares.get('v1') ?? 0) - count / 2) <= deviation, JSON.stringify([...shares]));
    });

    it('answers 500 while the other service is missing, says so, and goes on when it comes', async () => {
      await applied('{backends: [{service: later, port: 80}]}');
      await becomes('500');
      const resolved = (): string => {
        rig.assembly.ruleStatus.touch();
        const [report] = rig.assembly.ruleStatus.reports();
        return report?.conditions.find(({ type }) => type === 'ResolvedRefs')?.reason ?? '';
      };
      assert.equal(resolved(), 'BackendNotFound');
      rig.service('later', [workloads[3] as Workload]);
      await becomes('far');
      assert.equal(resolved(), 'ResolvedRefs');
      rig.removeService('later');
      await becomes('500');
    });

    it('is for the ports that it names, and leaves the others as without a rule', async () => {
      await applied('{ports: [8080], backends: [{version: v2, port: 80}]}');
      for (let i = 0; i < 5; i++) await becomes('v2', '/', 'reviews.shop:8080');
      const seen = new Set<string>();
      await waitFor('both versions to answer on the other port', async () => {
        seen.add((await sidecar.ask('reviews.shop')).said.name);
        return seen.size === 2;
      });
    });
  });
