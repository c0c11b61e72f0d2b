/** The CRD in a real kube-apiserver: it is taken, it takes what is good, and it says to people what is wrong with the rest. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { silentLogger } from '../../src/core/logger.ts';
import { ruleStatus } from '../../src/rules/traffic-rule/conditions.ts';
import { parseTrafficRule } from '../../src/rules/traffic-rule/parse.ts';
import { RuleSet } from '../../src/rules/traffic-rule/rule-set.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { badRules } from '../support/bad-rules.ts';
import { exampleRule, oneRoute, rawObject, ruleText } from '../support/rules.ts';

const crdFile = join(import.meta.dirname, '../../deploy/crds/trafficrules.fairway.dev.yaml');
const rules = '/apis/fairway.dev/v1alpha1/namespaces/shop/trafficrules';

describe('the CRD of TrafficRule, in a real API', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'fairway-crd-'));
  let api: KubeApi;

  before(async () => {
    api = await startKubeApi({ name: 'primary', dir: folder, controllers: false });
    await api.kubectl(['create', 'namespace', 'shop']);
    await installCrds(api, ['-f', crdFile]);
  });
  after(async () => {
    await api?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As kubectl does: YAML 1.1, and unknown fields are refused. Nothing is kept. */
  async function tryCreate(text: string): Promise<{ status: number; message: string }> {
    const { status, body } = await api.client.request(
      'POST',
      `${rules}?dryRun=All&fieldValidation=Strict`,
      parse(text, { version: '1.1' }),
    );
    return { status, message: String((body as { message?: string }).message ?? '') };
  }

  it('is established without complaints', async () => {
    const crd = JSON.parse(await api.kubectl(['get', 'crd', 'trafficrules.fairway.dev', '-o', 'json'])) as {
      status: { conditions: { type: string; status: string; message: string }[] };
    };
    const state = (type: string) => crd.status.conditions.find((condition) => condition.type === type)?.status;
    assert.equal(state('Established'), 'True');
    assert.equal(state('NamesAccepted'), 'True');
    assert.equal(
      crd.status.conditions.find(({ type }) => type === 'NonStructuralSchema'),
      undefined,
    );
  });

  it('takes the example as it is written, and hands out what means the same', async () => {
    await api.kubectl(['apply', '-f', '-'], exampleRule);
    const stored: unknown = JSON.parse(await api.kubectl(['get', 'tr', 'reviews', '-n', 'shop', '-o', 'json']));
    const options = { defaultNamespace: 'default' };
    const { rule, findings } = parseTrafficRule(rawObject(stored), options);
    assert.deepEqual(findings, []);
    assert.deepEqual(rule?.routes, parseTrafficRule(rawObject(parse(exampleRule)), options).rule?.routes);
    assert.equal(rule?.ref.generation, 1);
    assert.notEqual(rule?.createdAtMs, 0);
    await api.kubectl(['apply', '-f', '-'], exampleRule.replace(' on:', ' "on":'));
    await api.kubectl(['delete', 'tr', 'reviews', '-n', 'shop']);
  });

  it('takes a rule that uses every field', async () => {
    const headers =
      '{set: [{name: X-A, value: "a b"}], add: [{name: x-b, value: ""}, {name: x-b, value: c}], remove: [x-d]}';
    const text = ruleText(
      oneRoute(`name: all, matches: [{path: {regex: "/a/[0-9]+"}, method: PURGE, headers: [{name: x-a, prefix: b}, {name: x-c, regex: "d|e"}],
        queryParams: [{name: "a b", value: c}]}, {}], backends: [{version: "1.2", weight: 0}, {cluster: west_1, weight: 1000000, fallback: [{}]}],
        timeouts: {request: 0s, backendRequest: 1h30m}, retry: {attempts: 0, "on": [5xx, reset, "599"]}, requestHeaders: ${headers}, responseHeaders: ${headers}`),
    );
    assert.deepEqual(await tryCreate(text), { status: 201, message: '' });
    assert.equal(parseTrafficRule(rawObject(parse(text)), { defaultNamespace: 'default' }).findings.length, 0);
  });

  it('takes a rule that does all that a route can do with a request', async () => {
    const text = ruleText(`{service: reviews, routes: [
      {name: moved, matches: [{path: {prefix: /a}, headers: [{name: x-a, present: false}]}],
        redirect: {scheme: https, hostname: www.example.com, port: 443, path: {prefix: /b}, statusCode: 308}},
      {name: answered, matches: [{path: {exact: /c}}], respond: {status: 200, body: "é\\n"}},
      {backends: [{}], rewrite: {hostname: a.example.com, path: {full: /d}}, mirrors: [{version: v2, percent: 0.0001}, {cluster: west}],
        fault: {delay: {percent: 33.3333, duration: 1ms}, abort: {percent: 100, grpcStatus: 16}},
        cors: {allowOrigins: ["https://*.example.com:8443", "http://localhost:3000"], allowMethods: [PUT, M-SEARCH], allowHeaders: [x-a],
          exposeHeaders: [x-b], maxAge: 0s, allowCredentials: true},
        rateLimit: {requests: 1000000, per: 24h, burst: 1}, timeouts: {idle: 5m, stream: 0s},
        retry: {attempts: 10, backoff: {base: 1ms, max: 1ms}, otherHostFirst: false}}]}`);
    assert.deepEqual(await tryCreate(text), { status: 201, message: '' });
    assert.deepEqual(parseTrafficRule(rawObject(parse(text)), { defaultNamespace: 'default' }).findings, []);
  });

  it('takes every percentage that is a step', async () => {
    for (const percent of [0.07, 0.29, 1.1, 57.9999, 99.9999, 3]) {
      const text = ruleText(oneRoute(`backends: [{}], mirrors: [{percent: ${percent}}]`));
      assert.deepEqual(await tryCreate(text), { status: 201, message: '' }, String(percent));
      assert.deepEqual(parseTrafficRule(rawObject(parse(text)), { defaultNamespace: 'default' }).findings, []);
    }
  });

  for (const { name, spec, api: says } of badRules) {
    it(says === undefined ? `takes ${name}, which the status then tells` : `refuses ${name}`, async () => {
      const { status, message } = await tryCreate(ruleText(spec));
      if (says === undefined) {
        assert.equal(status, 201, message);
        return;
      }
      assert.ok(status === 422 || status === 400, `${status} ${message}`);
      assert.ok(message.includes(says), message);
    });
  }

  it('prints the columns, with a status written through the subresource', async () => {
    await api.kubectl(['apply', '-f', '-'], exampleRule);
    const stored: unknown = JSON.parse(await api.kubectl(['get', 'tr', 'reviews', '-n', 'shop', '-o', 'json']));
    const set = new RuleSet(silentLogger);
    set.source('primary').put(rawObject(stored), 'reviews');
    const record = set.records()[0];
    assert.ok(record);
    const status = ruleStatus(
      record,
      { resolved: true },
      { acknowledged: 1, total: 2, rejections: [] },
      Date.now(),
      undefined,
    );
    await api.kubectl([
      'patch',
      'tr',
      'reviews',
      '-n',
      'shop',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);

    const [head = '', row = ''] = (await api.kubectl(['get', 'fairway', '-n', 'shop'])).trimEnd().split('\n');
    assert.deepEqual(head.split(/\s+/), ['NAME', 'SERVICE', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    assert.deepEqual(row.split(/\s+/).slice(0, 4), ['reviews', 'reviews', 'True', 'False']);
    const [wideHead = '', wideRow = ''] = (await api.kubectl(['get', 'trafficrules', '-n', 'shop', '-o', 'wide']))
      .trimEnd()
      .split('\n');
    assert.deepEqual(wideHead.split(/\s+/).slice(5), ['RESOLVEDREFS', 'ROUTES', 'ACKNOWLEDGED', 'PROXIES', 'MESSAGE']);
    assert.match(wideRow, /True\s+2\s+1\s+2\s+1 of 2 proxies acknowledged/);

    const generation = await api.kubectl([
      'get',
      'tr',
      'reviews',
      '-n',
      'shop',
      '-o',
      'jsonpath={.metadata.generation} {.status.observedGeneration}',
    ]);
    assert.equal(generation, '1 1');
  });

  it('explains the fields', async () => {
    assert.match(
      await api.kubectl(['explain', 'trafficrule.spec.routes.backends.fallback']),
      /Who takes over, in this order/,
    );
  });
});
