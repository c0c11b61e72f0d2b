/** Objects of kinds that others define, without Kubernetes: in a rules folder, over the command line, beside our own, and switched off. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { fairway, type Run } from './cli-run.ts';

const httpRoute = (name: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: shop, name: ${name}}
spec:
  parentRefs: [{group: "", kind: Service, name: ${name}}]
  hostnames: [${name}.example.com]
  rules: [{backendRefs: [{name: ${name}, port: 80}]}]
`;
const virtualService = `apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {namespace: shop, name: ratings}
spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings}}]}]}
`;
const trafficRule = `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {namespace: shop, name: details}
spec: {service: details, routes: [{backends: [{version: v1}]}]}
`;

describe('kinds that others define, from a folder and over the command line', function () {
  this.timeout(90_000);
  let folder: string;
  let pilot: Pilot | undefined;
  let admin = 0;

  const start = async (...more: string[]): Promise<void> => {
    admin = await freePort();
    pilot = await startPilot({
      xds: `127.0.0.1:${await freePort()}`,
      admin: `127.0.0.1:${admin}`,
      args: [
        ...['--clusters', join(folder, 'clusters'), '--rules', join(folder, 'rules')],
        ...['--state', join(folder, 'state'), ...more],
      ],
      logFile: join(folder, 'pilot.log'),
    });
  };
  const run = (args: readonly string[], input = ''): Promise<Run> =>
    fairway([...args, '--admin', `http://127.0.0.1:${admin}`], { input });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-standards-'));
    mkdirSync(join(folder, 'clusters', 'east'), { recursive: true });
    writeFileSync(join(folder, 'clusters', 'east', 'cluster.yaml'), 'name: east\n');
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules', 'all.yaml'), [httpRoute('reviews'), virtualService, trafficRule].join('---\n'));
    await start('--standards', 'gateway-api,istio');
  });
  after(async () => {
    await pilot?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads a file that mixes kinds', async () => {
    const [routes, services, rules] = [
      await run(['get', 'httproutes']),
      await run(['get', 'vs']),
      await run(['get', 'tr']),
    ];
    assert.match(routes.out, /NAMESPACE +NAME +PARENTS +HOSTNAMES +ACCEPTED/);
    assert.match(routes.out, /shop +reviews +Service reviews +reviews\.example\.com/);
    assert.match(services.out, /shop +ratings +ratings /);
    assert.match(rules.out, /shop +details +shop\/details|shop +details/);
    const named = await run(['get', 'httproute.gateway.networking.k8s.io', '-o', 'name']);
    assert.equal(named.out, 'httproute.gateway.networking.k8s.io/reviews\n');
  });

  it('says how each kind is read', async () => {
    const { out } = await run(['get', 'kinds']);
    assert.match(out, /HTTPRoute +gateway\.networking\.k8s\.io +- +gateway-api +read +1 /);
    assert.match(out, /VirtualService +networking\.istio\.io +- +istio +read +1 /);
  });

  it('applies and deletes them, in any of their versions, beside our own', async () => {
    const older = httpRoute('ratings').replace('/v1\n', '/v1beta1\n');
    const applied = await run(['apply', '-f', '-'], `${older}---\n${trafficRule}`);
    assert.equal(applied.exit, 0, applied.err);
    assert.equal(
      applied.out,
      'httproute.gateway.networking.k8s.io/ratings created (namespace shop)\n' +
        'trafficrule.fairway.dev/details unchanged (namespace shop)\n',
    );
    assert.ok(readdirSync(join(folder, 'rules')).includes('shop.ratings.httproute.yaml'));
    assert.match(readFileSync(join(folder, 'rules', 'shop.ratings.httproute.yaml'), 'utf8'), /v1beta1/);
    const again = await run(['apply', '-f', '-'], older);
    assert.match(again.out, /unchanged/);
    const deleted = await run(['delete', 'httproute', 'ratings', '-n', 'shop']);
    assert.equal(deleted.out, 'httproute.gateway.networking.k8s.io/ratings deleted (namespace shop)\n');
    assert.ok(!readdirSync(join(folder, 'rules')).includes('shop.ratings.httproute.yaml'));
  });

  it('refuses what is none of theirs, with the place', async () => {
    const bad = [
      [httpRoute('a').replace('/v1\n', '/v9\n'), /FW-RULE-003[^]*HTTPRoute has no version "v9"/],
      [httpRoute('a').replace('gateway.networking.k8s.io/v1', 'networking.istio.io/v1'), /FW-RULE-003/],
      [httpRoute('a').replace(/spec:[^]*/, 'spec: [1]\n'), /FW-RULE-007[^]*spec must be a mapping/],
      [httpRoute('a').replace('HTTPRoute', 'HTTPRoutte'), /Did you mean `HTTPRoute`\?/],
      [httpRoute('a').replace('spec:', 'hostnames: []\nspec:'), /FW-RULE-006[^]*belongs below spec/],
    ] as const;
    for (const [text, says] of bad) {
      const refused = await run(['apply', '-f', '-'], text);
      assert.notEqual(refused.exit, 0);
      assert.match(refused.err, says);
      assert.match(refused.err, /<stdin>:\d/);
      assert.match(refused.err, /Nothing was applied/);
    }
  });

  it('refuses objects of Istio’s that Istio would not take, and says of each field that there is none', async () => {
    const bad = [
      [virtualService.replace('[ratings]', 'ratings'), /FW-ISTIO-003[^]*hosts must be a list; it is "ratings"/],
      [virtualService.replace('{host: ratings}', '{}'), /FW-ISTIO-003[^]*must have host/],
      [virtualService.replace('host: ratings', 'host: 7'), /FW-ISTIO-003[^]*host must be text; it is 7/],
    ] as const;
    for (const [text, says] of bad) {
      const refused = await run(['apply', '-f', '-'], text);
      assert.notEqual(refused.exit, 0);
      assert.match(refused.err, says);
      assert.match(refused.err, /<stdin>:4:\d+/);
      assert.match(refused.err, /Nothing was applied/);
      const answer = await fetch(`http://127.0.0.1:${admin}/api/v1/apply`, {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'application/yaml' },
      });
      assert.equal(answer.status, 422);
      assert.match((await answer.text()).replaceAll('\\"', '"'), says);
    }
    const odd = virtualService.replace('{hosts', '{hots: [a], hosts').replaceAll('ratings', 'odd');
    const says = /FW-ISTIO-001[^]*Istio has no field "hots" here[^]*Did you mean `hosts`\?/;
    assert.match((await fairway(['convert', 'istio', '-f', '-'], { input: odd })).err, says);
    const applied = await run(['apply', '-f', '-'], odd);
    assert.equal(applied.exit, 0, applied.err);
    assert.match(applied.err, says);
    const shown = await run(['get', 'virtualservices', 'shop/odd', '-o', 'json']);
    assert.match(shown.out, /FW-ISTIO-001/);
    assert.match(shown.out, /it is in force; 1 of its fields differ: see the findings/);
    assert.match((await run(['analyze'])).out, /FW-ISTIO-001/);
    assert.equal((await run(['delete', 'vs', 'odd', '-n', 'shop'])).exit, 0);
  });

  it('keeps what a broken form was before, and says so', async () => {
    const file = join(folder, 'rules', 'broken.yaml');
    writeFileSync(file, httpRoute('kept'));
    await waitFor('the route', async () => /kept/.test((await run(['get', 'httproutes', 'kept'])).out));
    writeFileSync(file, httpRoute('kept').replace(/spec:[^]*/, 'spec: nonsense\n'));
    const shown = await waitFor('the finding', async () => {
      const { out } = await run(['get', 'httproutes', 'shop/kept', '-o', 'json']);
      return /FW-RULE-007/.test(out) ? out : undefined;
    });
    assert.match(shown, /its last good form counts/);
    const analysis = await run(['analyze']);
    assert.match(analysis.out, /FW-RULE-007/);
    rmSync(file);
  });

  it('checks files without a pilot', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(
      file,
      `${httpRoute('fine')}---\n${virtualService.replace('{hosts', '[{hosts').replace('}]}]}', '}]}]}]')}`,
    );
    const { out, exit } = await fairway(['analyze', '-f', file]);
    assert.notEqual(exit, 0);
    assert.match(out, /VirtualService shop\/ratings/);
    assert.match(out, /^1 error /m);
  });

  it('switched off, an object in the folder is told so and the rest goes on', async () => {
    await pilot?.stop();
    await start('--standards', 'none');
    const { out } = await run(['get', 'httproutes', 'shop/reviews', '-o', 'json']);
    assert.match(out, /StandardOff/);
    assert.match(out, /FW-PILOT-040/);
    assert.match((await run(['get', 'rules'])).out, /details/);
  });

  it('refuses a standard that there is not', async () => {
    const wrong = await fairway([
      'serve',
      '--clusters',
      join(folder, 'clusters'),
      '--standards',
      'gateway-api,linkerd',
    ]);
    assert.match(wrong.err, /FW-CLI-056.*linkerd/);
  });
});
