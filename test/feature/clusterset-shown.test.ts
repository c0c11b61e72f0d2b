/**
 * What people are shown of exported services, where only these merge: `get`, `describe`, `diff` of a running pilot over folders, and `diff`,
 * `translate` and `analyze` of the same folders without one.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceDescription } from '../../src/model/inspection.ts';
import type { PreviewReport } from '../../src/model/preview.ts';
import type { EndpointReport, ServiceReport } from '../../src/model/report.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { waitFor } from '../rig/wait.ts';
import { reviewsExport, reviewsService, trafficRule } from '../support/manifests.ts';
import { fairway } from './cli-run.ts';

const rule = trafficRule(' {service: reviews, routes: [{backends: [{cluster: west}]}]}\n');
const host = 'reviews.shop.svc.clusterset.local';

describe('exported services, as they are shown where they alone merge', function () {
  this.timeout(60_000);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-shown-'));
  const clusters = join(dir, 'clusters');
  const ruleFile = join(dir, 'rule.yaml');
  let pilot: Pilot | undefined;
  let flags: readonly string[] = [];

  before(async () => {
    const files = {
      east: { 'reviews.yaml': reviewsService({ address: '10.1.0.1' }) },
      north: {
        'reviews.yaml': reviewsService({ address: '10.3.0.1' }),
        'export.yaml': reviewsExport({ second: 1, spec: '{exportedLabels: {a: b}}' }),
      },
      west: { 'reviews.yaml': reviewsService({ address: '10.2.0.1' }), 'export.yaml': reviewsExport({ second: 2 }) },
    };
    for (const [cluster, contents] of Object.entries(files)) {
      mkdirSync(join(clusters, cluster), { recursive: true });
      for (const [name, text] of Object.entries(contents)) writeFileSync(join(clusters, cluster, name), text);
    }
    mkdirSync(join(dir, 'rules'));
    writeFileSync(ruleFile, rule);
    const admin = `127.0.0.1:${await freePort()}`;
    flags = ['--admin', `http://${admin}`];
    pilot = await startPilot({
      xds: `127.0.0.1:${await freePort()}`,
      admin,
      args: ['--clusters', clusters, '--rules', join(dir, 'rules'), '--services', 'exported'],
      logFile: join(dir, 'pilot.log'),
    });
    await waitFor('all clusters', async () => (await services()).length === 2);
  });
  after(async () => {
    await pilot?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function json<T>(...args: readonly string[]): Promise<T> {
    const { out, err } = await fairway([...args, '-o', 'json', ...flags]);
    assert.notEqual(out, '', err);
    return JSON.parse(out) as T;
  }

  const services = async (): Promise<readonly ServiceReport[]> =>
    (await json<{ items: readonly ServiceReport[] }>('get', 'services')).items;

  it('`get services` has one row for those of the clusters, and one for the exported part', async () => {
    const [ofClusters, part] = await services();
    assert.deepEqual(ofClusters?.clusters, ['east', 'north', 'west']);
    assert.equal(ofClusters?.ownClusterOnly, true);
    assert.equal(ofClusters?.clusterset, undefined);
    assert.deepEqual(part?.clusters, ['north', 'west']);
    assert.deepEqual(part?.endpoints, { ready: 2, total: 2 });
    const { clusterset } = part;
    assert.equal(clusterset?.host, host);
    assert.deepEqual(
      clusterset?.exportedBy.map(({ cluster, counts }) => [cluster, counts === true]),
      [
        ['north', true],
        ['west', false],
      ],
    );
    assert.deepEqual(
      clusterset?.conflicts.map(({ reason }) => reason),
      ['LabelsConflict'],
    );
    const { out } = await fairway(['get', 'services', ...flags]);
    assert.match(out, /NAMESPACE +NAME +DOMAIN/);
    assert.match(out, /shop +reviews +cluster +80\/http +east,north,west/);
    assert.match(out, /shop +reviews +clusterset +80\/http +north,west/);
    assert.match(out, /LabelsConflict: exportedLabels is/);
    const named = await fairway(['get', 'services', host, '-o', 'name', ...flags]);
    assert.equal(named.out, `service/${host}\n`);
  });

  it('`get endpoints` says whose each is', async () => {
    const { items } = await json<{ items: readonly EndpointReport[] }>('get', 'endpoints');
    assert.deepEqual(
      items.map(({ address, clusterset }) => `${address} ${clusterset === true ? 'clusterset' : 'cluster'}`).sort(),
      ['10.1.0.1 cluster', '10.2.0.1 cluster', '10.2.0.1 clusterset', '10.3.0.1 cluster', '10.3.0.1 clusterset'],
    );
  });

  it('`describe service` tells both apart, with the rule that is for both', async () => {
    const applied = await fairway(['apply', '-f', ruleFile, ...flags]);
    assert.equal(applied.exit, 0, applied.err);
    const described = (name: string): Promise<ServiceDescription> => json('describe', 'service', name);
    await waitFor('the rule', async () => (await described('shop/reviews')).clusterset?.rule !== undefined);
    const both = await described('reviews');
    assert.equal(both.rule?.name, 'reviews');
    assert.deepEqual(
      both.clusters.map(({ name }) => name),
      ['east', 'north', 'west'],
    );
    assert.deepEqual(
      both.clusterset?.routes[0]?.expected.map(({ from, shares }) => [from, shares.map(({ cluster }) => cluster)]),
      [[['east', 'north', 'west'], ['west']]],
    );
    const part = await described(host);
    assert.equal(part.host, host);
    assert.deepEqual(
      part.endpoints.map(({ cluster, ready }) => [cluster, ready]),
      [
        ['north', 1],
        ['west', 1],
      ],
    );
    const { out } = await fairway(['describe', 'service', 'reviews', ...flags]);
    assert.match(out, /Service shop\/reviews/);
    assert.match(out, /seen +by the clients of its own cluster/);
    assert.match(out, /Service reviews\.shop\.svc\.clusterset\.local/);
    assert.match(out, /Exported by/);
    await fairway(['delete', '-f', ruleFile, ...flags]);
    await waitFor('no rule', async () => (await described('shop/reviews')).clusterset?.rule === undefined);
    const missing = await fairway(['describe', 'service', 'other.shop.svc.clusterset.local', ...flags]);
    assert.equal(missing.exit, 1);
  });

  it('`describe cluster` tells what is known of it', async () => {
    const { out } = await fairway(['describe', 'cluster', 'north', ...flags]);
    assert.match(out, /Cluster north/);
    assert.match(out, /registered by +/);
    assert.equal((await json<{ name: string }>('describe', 'cluster', 'north')).name, 'north');
    assert.equal((await fairway(['describe', 'cluster', 'south', ...flags])).exit, 1);
  });

  it('`diff` shows how requests move under both names, with a pilot and without', async () => {
    const live = await json<PreviewReport>('diff', '-f', ruleFile);
    const offline = JSON.parse(
      (await fairway(['diff', '-f', ruleFile, '--clusters', clusters, '--services', 'exported', '-o', 'json'])).out,
    ) as PreviewReport;
    for (const report of [live, offline])
      assert.deepEqual(report.services.map((move) => move.service).sort(), [host, 'shop/reviews']);
    const all = await fairway(['diff', '-f', ruleFile, '--clusters', clusters, '-o', 'json']);
    assert.deepEqual(
      (JSON.parse(all.out) as PreviewReport).services.map((move) => move.service),
      ['shop/reviews'],
    );
  });

  it('`translate` gives a proxy the exported part under its own name', async () => {
    const proxy = ['--as', 'cluster=east,namespace=shop', '--type', 'cds,eds', '-o', 'json'];
    const { out, err } = await fairway(['translate', '-f', clusters, ...proxy, '--services', 'exported']);
    assert.match(out, /10\.3\.0\.1/, err);
    const names = (JSON.parse(out) as { resources: { CDS: readonly { name: string }[] } }).resources.CDS.map(
      ({ name }) => name,
    ).filter((name) => name.includes('reviews'));
    assert.equal(names.length, 2, names.join());
    const { out: merged } = await fairway(['translate', '-f', clusters, ...proxy]);
    const one = (JSON.parse(merged) as { resources: { CDS: readonly { name: string }[] } }).resources.CDS.filter(
      ({ name }) => name.includes('reviews'),
    );
    assert.equal(one.length, 1);
  });
});
