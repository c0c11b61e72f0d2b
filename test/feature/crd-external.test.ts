/** ExternalService's CRD in a real kube-apiserver; and a pilot's way with the objects there: read, judged, their status written. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { KindStage } from '../../src/pilot/status/object-stage.ts';
import { readKubeconfig, trustAll } from '../../src/registry/kube/access.ts';
import { KubeRuleSource } from '../../src/registry/kube/rule-source.ts';
import { RuleStatusWriter } from '../../src/registry/kube/rule-status.ts';
import { externalHead } from '../../src/rules/external/head.ts';
import { parseExternalService } from '../../src/rules/external/parse.ts';
import { ObjectSet } from '../../src/rules/objects/object-set.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { waitFor } from '../rig/wait.ts';
import { badExternals, exampleExternal, externalText } from '../support/bad-externals.ts';
import { rawObject } from '../support/rules.ts';

const crdFile = join(import.meta.dirname, '../../deploy/crds/externalservices.fairway.dev.yaml');
const path = '/apis/fairway.dev/v1alpha1/namespaces/shop/externalservices';

describe('the CRD of ExternalService, in a real API', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'fairway-crd-external-'));
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

  it('takes the example as it is written, and hands out what means the same', async () => {
    await api.kubectl(['apply', '-f', '-'], exampleExternal);
    const stored: unknown = JSON.parse(await api.kubectl(['get', 'es', 'pay', '-n', 'shop', '-o', 'json']));
    const options = { defaultNamespace: 'default' };
    const { value, findings } = parseExternalService(rawObject(stored), options);
    assert.deepEqual(findings, []);
    const written = parseExternalService(rawObject(parse(exampleExternal)), options).value;
    assert.deepEqual(
      [value?.hosts, value?.ports, value?.endpoints],
      [written?.hosts, written?.ports, written?.endpoints],
    );
  });

  for (const { name, spec, api: says } of badExternals) {
    it(says === undefined ? `takes ${name}, which the status then tells` : `refuses ${name}`, async () => {
      const body = parse(externalText(spec, 'tried'), { version: '1.1' });
      const answer = await api.client.request('POST', `${path}?dryRun=All&fieldValidation=Strict`, body);
      const message = String((answer.body as { message?: string }).message ?? '');
      if (says === undefined) {
        assert.equal(answer.status, 201, message);
        return;
      }
      assert.ok(answer.status === 422 || answer.status === 400, `${answer.status} ${message}`);
      assert.ok(message.includes(says), message);
    });
  }

  it('is read, judged and given its status by a pilot', async () => {
    await api.kubectl(['apply', '-f', '-'], exampleExternal);
    const access = readKubeconfig(readFileSync(api.kubeconfig, 'utf8'), { trust: trustAll, where: {} });
    const [clock, logger] = [systemClock, silentLogger];
    const objects = new ObjectSet({
      head: externalHead,
      parse: parseExternalService,
      logger,
      maxObjects: 10,
      defaultNamespace: 'default',
    });
    const accepted = { status: 'True', reason: 'Accepted', message: 'well' } as const;
    const programming = { acknowledged: 1, total: 1, rejections: [] };
    const stage = new KindStage(objects, () => ({ accepted, programming, findings: [] }), clock);
    const target = objects.source('primary');
    const source = new KubeRuleSource({
      access,
      cluster: 'primary',
      clock,
      logger,
      kinds: [externalHead],
      sink: {
        put: (raw, id) => target.put(raw, id),
        remove: (id) => target.remove(id),
        problem: () => {},
        synced: () => {},
      },
    });
    const writer = new RuleStatusWriter({
      access,
      clock,
      logger,
      view: (id) => source.view(id),
      isLeader: () => true,
      kind: externalHead,
    });
    objects.onChange(() => stage.touch());
    stage.listen(({ namespace, name }, status) => writer.put({ namespace, name, uid: '' }, status));
    try {
      const row = await waitFor('the status to be there', async () => {
        const text = await api.kubectl(['get', 'externalservices', '-n', 'shop']);
        return / True +True /.test(text) && text.trimEnd().split('\n');
      });
      assert.deepEqual(row[0]?.split(/\s+/), ['NAME', 'HOSTS', 'RESOLUTION', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    } finally {
      stage.stop();
      await writer.stop();
      await source.stop();
    }
  });
});
