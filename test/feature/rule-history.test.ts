/** The history of what is in a rules folder, and the way back: over the command line, through a pilot's process and its restarts. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectHistory } from '../../src/model/history.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { externalText } from '../support/bad-externals.ts';
import { fairway, type Run } from './cli-run.ts';

const rule = (weight: number): string => `apiVersion: fairway.dev/v1alpha1
kind: TrafficRule
metadata: {name: reviews, namespace: shop, labels: {team: books}}
spec: {service: reviews, routes: [{backends: [{version: v1, weight: ${weight}}, {version: v2}]}]}
`;

describe('the history of rules in a folder', function () {
  this.timeout(90_000);
  let folder: string;
  let pilot: Pilot | undefined;
  let admin: string;

  const start = async (...more: readonly string[]): Promise<void> => {
    admin = `127.0.0.1:${await freePort()}`;
    const args = ['--clusters', join(folder, 'clusters'), '--rules', join(folder, 'rules'), ...more];
    const logFile = join(folder, 'pilot.log');
    pilot = await startPilot({ xds: `127.0.0.1:${await freePort()}`, admin, args, logFile });
  };
  const state = (): readonly string[] => ['--state', join(folder, 'state')];
  const run = (args: readonly string[], input = ''): Promise<Run> => fairway([...args, '--admin', admin], { input });
  const history = async (): Promise<ObjectHistory> => {
    const { exit, out, err } = await run(['rule', 'history', 'shop/reviews', '-o', 'json']);
    assert.equal(exit, 0, err);
    return JSON.parse(out) as ObjectHistory;
  };
  const weights = async (): Promise<readonly string[]> =>
    (await history()).entries.map(
      ({ revision, spec }) => `${revision}: ${/"weight":(\d+)/.exec(JSON.stringify(spec))?.[1]}`,
    );

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-rule-history-'));
    mkdirSync(join(folder, 'clusters', 'east'), { recursive: true });
    writeFileSync(join(folder, 'clusters', 'east', 'cluster.yaml'), 'name: east\n');
    await start(...state());
  });
  after(async () => {
    await pilot?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows each form, when it came, by whom, and what it changed', async () => {
    for (const weight of [90, 90, 50]) assert.equal((await run(['apply', '-f', '-'], rule(weight))).exit, 0);
    const { out, err } = await run(['rule', 'history', 'reviews', '-n', 'shop']);
    assert.equal(err, '');
    assert.match(out, /^REVISION +AGE +BY +HASH +VALID +CHANGED\n1 +\d+s +admin API +[0-9a-f]{12} +True +the oldest/);
    assert.match(out, /\n2 +\d+s +admin API .* routes\[0\]\.backends\[0\]\.weight 90 → 50\n$/);
    const whole = await run(['rule', 'history', 'shop/reviews', '--revision', '1']);
    assert.match(whole.out, /name: reviews[\s\S]*team: books[\s\S]*weight: 90/);
  });

  it('undo applies the form before, which is a form of its own, and can be undone', async () => {
    const dry = await run(['rule', 'undo', 'shop/reviews', '--dry-run']);
    assert.equal(dry.out, 'trafficrule.fairway.dev/reviews undone to revision 1 (namespace shop) (dry run)\n');
    assert.equal(dry.err, 'Would change: routes[0].backends[0].weight 50 → 90\n');
    assert.deepEqual(await weights(), ['1: 90', '2: 50']);
    const undone = await run(['rule', 'undo', 'shop/reviews']);
    assert.equal(undone.exit, 0, undone.err);
    assert.deepEqual(await weights(), ['1: 90', '2: 50', '3: 90']);
    assert.match((await run(['rule', 'history', 'shop/reviews'])).out, /\n3 .* as revision 1: /);
    assert.match(readFileSync(join(folder, 'rules', 'shop.reviews.trafficrule.yaml'), 'utf8'), /team: books/);
    assert.equal((await run(['rule', 'undo', 'shop/reviews'])).exit, 0);
    assert.deepEqual((await weights()).at(-1), '4: 50');
    const same = await run(['rule', 'undo', 'shop/reviews', '--to', '2']);
    assert.equal(same.out, 'trafficrule.fairway.dev/reviews is as in revision 2 (namespace shop)\n');
  });

  it('is there after a restart, and takes what was written into the file', async () => {
    await pilot?.stop();
    await start(...state());
    assert.equal((await weights()).length, 4);
    const [file = ''] = readdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules', file), rule(10));
    await waitFor('the form', async () => (await weights()).at(-1) === '5: 10');
    assert.match((await history()).entries.at(-1)?.by ?? '', /^file .*reviews/);
  });

  it('a form that is not valid is kept as such, and never undone to', async () => {
    const [file = ''] = readdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules', file), rule(10).replace('version: v2', 'version: 7'));
    await waitFor('the form', async () => (await history()).entries.at(-1)?.valid === false);
    const undone = await run(['rule', 'undo', 'shop/reviews']);
    assert.match(undone.out, /undone to revision 5 /);
    const bad = await run(['rule', 'undo', 'shop/reviews', '--to', '6']);
    assert.equal(bad.exit, 1);
    assert.match(bad.err, /FW-RULE-[\s\S]*Revision 6 was not applied\./);
  });

  it('brings back what was deleted', async () => {
    assert.equal((await run(['delete', 'rule', 'shop/reviews'])).exit, 0);
    assert.match((await run(['rule', 'history', 'shop/reviews'])).err, /It was deleted/);
    const back = await run(['rule', 'undo', 'shop/reviews']);
    assert.equal(back.exit, 0, back.err);
    assert.equal((await run(['get', 'rules', '-o', 'name'])).out, 'trafficrule.fairway.dev/reviews\n');
  });

  it('holds for every kind', async () => {
    const spec = (host: string): string =>
      `{hosts: [${host}], ports: [{number: 443, protocol: tls}], resolution: static, endpoints: [{address: 192.0.2.1}]}`;
    for (const host of ['a.example.com', 'b.example.com']) await run(['apply', '-f', '-'], externalText(spec(host)));
    const undone = await run(['rule', 'undo', 'shop/api', '--kind', 'es']);
    assert.equal(undone.out, 'externalservice.fairway.dev/api undone to revision 1 (namespace shop)\n');
    assert.equal(undone.err, 'Changed: hosts[0] b.example.com → a.example.com\n');
  });

  it('says what is not known, and what cannot be meant', async () => {
    const answers = await Promise.all([
      run(['rule', 'history', 'shop/nothing']),
      run(['rule', 'undo', 'shop/reviews', '--to', 'yesterday']),
      run(['rule', 'undo', 'shop/reviews', '--to', '99']),
      run(['rule', 'history', 'shop/reviews', '-n', 'other']),
      run(['rule', 'history']),
    ]);
    assert.deepEqual(
      answers.map(({ exit, err }) => `${exit} ${/FW-CLI-\d+/.exec(err)?.[0]}`),
      ['1 FW-CLI-101', '2 FW-CLI-102', '1 FW-CLI-103', '2 FW-CLI-042', '2 FW-CLI-001'],
    );
  });

  it('without --state it says that it forgets', async () => {
    await pilot?.stop();
    await start();
    const { exit, err } = await run(['rule', 'history', 'shop/reviews']);
    assert.equal(exit, 0);
    assert.match(err, /forgets the history[\s\S]*--state DIR/);
  });
});
