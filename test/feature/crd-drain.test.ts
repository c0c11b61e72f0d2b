/** Drain's CRD in a real kube-apiserver; and `fairway cluster drain` with the object kept there, a pilot that reads it and writes its status. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseDrain } from '../../src/rules/drain/parse.ts';
import { type KubeApi, startKubeApi } from '../rig/kubernetes/api.ts';
import { installCrds } from '../rig/kubernetes/crds.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { badDrains, drainText, exampleDrain } from '../support/bad-drains.ts';
import { rawObject } from '../support/rules.ts';
import { fairway, type Run } from './cli-run.ts';
import { temporaryFolder } from './kube-support.ts';

const crds = join(import.meta.dirname, '../../deploy/crds');
const path = '/apis/fairway.dev/v1alpha1/drains';

describe('the CRD of Drain, in a real API', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let api: KubeApi;

  before(async () => {
    api = await startKubeApi({ name: 'east', dir: folder.path, controllers: false });
    await installCrds(api, ['-f', crds]);
  });
  after(async () => {
    await api?.stop();
    folder.remove();
  });

  it('takes the example as it is written, and hands out what means the same', async () => {
    await api.kubectl(['apply', '-f', '-'], exampleDrain);
    const stored: unknown = JSON.parse(await api.kubectl(['get', 'dr', 'west', '-o', 'json']));
    const [{ value, findings }, written] = [stored, parse(exampleDrain)].map((object) =>
      parseDrain(rawObject(object), { defaultNamespace: 'default' }),
    ) as [ReturnType<typeof parseDrain>, ReturnType<typeof parseDrain>];
    assert.deepEqual(findings, []);
    const { place, services, overMs, startAtMs, force } = value ?? assert.fail();
    assert.deepEqual(
      { place, services, overMs, startAtMs, force },
      {
        place: written.value?.place,
        services: written.value?.services,
        overMs: written.value?.overMs,
        startAtMs: written.value?.startAtMs,
        force: written.value?.force,
      },
    );
    await api.kubectl(['delete', 'drain', 'west']);
  });

  for (const { name, spec, api: says } of badDrains) {
    it(`refuses ${name}`, async () => {
      const body = parse(drainText(spec, 'tried'), { version: '1.1' });
      const answer = await api.client.request('POST', `${path}?dryRun=All&fieldValidation=Strict`, body);
      const message = String((answer.body as { message?: string }).message ?? '');
      assert.ok(answer.status === 422 || answer.status === 400, `${answer.status} ${message}`);
      assert.ok(message.includes(says), message);
    });
  }

  describe('with a pilot', () => {
    let pilot: Pilot;
    let admin: string;

    before(async () => {
      admin = `127.0.0.1:${await freePort()}`;
      pilot = await startPilot({
        xds: `127.0.0.1:${await freePort()}`,
        admin,
        args: ['--kubeconfig', api.kubeconfig, '--context', 'east', '--namespace', 'fairway-system'],
        logFile: join(folder.path, 'pilot.log'),
      });
    });
    after(() => pilot?.stop());

    const run = (args: readonly string[]): Promise<Run> =>
      fairway([...args, '--kubeconfig', api.kubeconfig, '--context', 'east', '--admin', `http://${admin}`], {
        env: { HOME: folder.path },
      });

    it('is applied there, judged, shown, and deleted by undrain', async () => {
      const drained = await run(['cluster', 'drain', 'east', '--service', 'default/kubernetes', '--force', '--wait']);
      assert.equal(drained.exit, 0, drained.err);
      assert.match(drained.out, /drain\.fairway\.dev\/east created in context east/);
      const shown = await api.kubectl(['get', 'drains']);
      assert.match(shown, /NAME +CLUSTER +ZONE +OVER +DRAINED +PROGRESS +ACCEPTED +PROGRAMMED +AGE/);
      assert.match(shown, /east +east +True +100%, step 10 of 10: /);
      const undrained = await run(['cluster', 'undrain', 'east']);
      assert.equal(undrained.out, 'drain.fairway.dev/east deleted in context east\n');
      assert.equal(await api.kubectl(['get', 'drains', '-o', 'name']), '');
    });
  });
});
