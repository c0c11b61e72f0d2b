/** `fairway translate` and `fairway diff` as processes: out of files, and against a running pilot. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { lookForEnvoy } from '../../src/cli/envoy-binary.ts';
import { shortTypeName, type TypeUrl, typeUrl } from '../../src/core/type-urls.ts';
import type { Plain } from '../../src/envoy/proto/encode.ts';
import type { PreviewReport } from '../../src/model/preview.ts';
import { trafficRule } from '../support/manifests.ts';
import { changedSpec, type PreviewFiles, writePreviewFiles } from '../support/preview-files.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { staticOf } from '../support/static-envoy.ts';
import type { XdsClient } from '../support/xds-client.ts';
import { fairway, type Run } from './cli-run.ts';
import { type PreviewPilot, startPreviewPilot } from './preview-pilot.ts';

const run = promisify(execFile);

interface Translated {
  readonly node: string;
  readonly scope: { readonly cluster: string; readonly inbound: readonly { readonly port: number }[] };
  readonly resources: Readonly<Record<string, readonly Plain[]>>;
}

const host = 'reviews.shop.svc.cluster.local';

function istio(kind: string, name: string, spec: string): string {
  return `{apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}\n`;
}

describe('fairway translate and diff', function () {
  this.timeout(90_000);
  let folder: string;
  let files: PreviewFiles;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-preview-'));
    files = writePreviewFiles(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const translate = (...args: string[]): Promise<Run> =>
    fairway(['translate', '-f', files.clusters, '-f', files.rules, ...args]);
  const names = (translated: Translated, type: string, key = 'name'): unknown[] =>
    (translated.resources[type] ?? []).map((resource) => resource[key]);

  describe('translate', () => {
    it('prints what the sidecar of a pod would get, the same each time', async () => {
      const first = await translate('--as', 'shop/reviews-v1');
      assert.equal(first.exit, 0, first.err);
      assert.equal(first.err, '');
      const translated = parse(first.out) as Translated;
      assert.equal(translated.node, 'sidecar~10.1.1.1~reviews-v1-1.shop~shop.svc.cluster.local');
      assert.deepEqual(translated.scope.inbound, [{ port: 9080, targetPort: 9080, protocol: 'http' }]);
      assert(names(translated, 'CDS').includes(`outbound|80|v1|${host}`));
      assert(names(translated, 'VHDS').includes(`80/${host}`));
      const again = await translate('--as', 'shop/reviews-v1');
      assert.equal(again.out, first.out);
    });

    it('takes a node id, and places by name; --type keeps some', async () => {
      const id = 'sidecar~10.2.1.3~reviews-v3-3.shop~shop.svc.cluster.local';
      const [byId, byPlace] = await Promise.all([
        translate('--as', id, '-o', 'json', '--type', 'lds'),
        translate('--as', 'cluster=west,namespace=other', '-o', 'json', '--mode', 'explicit', '--type', 'rds,eds'),
      ]);
      const one = JSON.parse(byId.out) as Translated;
      assert.equal(one.node, id);
      assert.equal(one.scope.cluster, 'west');
      assert.deepEqual(Object.keys(one.resources), ['LDS']);
      const other = JSON.parse(byPlace.out) as Translated;
      assert.deepEqual(Object.keys(other.resources), ['EDS', 'RDS']);
      assert.deepEqual(names(other, 'RDS'), ['http_proxy']);
    });

    it('says what is wrong on stderr and ends with 1, and translates the rest', async () => {
      const bad = join(folder, 'bad.yaml');
      writeFileSync(
        bad,
        trafficRule('\n  service: ratings\n  routes: [{backends: [{version: v9, weight: -1}]}]\n', 'ratings'),
      );
      const { exit, out, err } = await translate('-f', bad, '--as', 'shop/reviews-v1', '--type', 'cds');
      assert.equal(exit, 1);
      assert.match(err, /error FW-RULE-\d+ .*bad\.yaml:6/);
      assert(names(parse(out) as Translated, 'CDS').includes(`outbound|80|v1|${host}`));
    });

    it('refuses a proxy that is not there, or is in several clusters', async () => {
      const several = await translate('--as', 'shop/ratings-v1-1');
      assert.equal(several.exit, 1);
      assert.match(several.err, /FW-PREVIEW-007 .*east, west/);
      assert.match(several.err, /cluster=east,namespace=shop,workload=ratings-v1-1/);
      const none = await translate('--as', 'shop/nobody');
      assert.equal(none.exit, 1);
      assert.match(none.err, /FW-PREVIEW-006/);
      const unclear = await translate('--as', 'nobody');
      assert.match(unclear.err, /FW-PREVIEW-005/);
      const type = await translate('--as', 'shop/reviews-v1', '--type', 'sds');
      assert.equal(type.exit, 2);
    });

    it('prints what Envoy accepts', async function () {
      const envoy = await lookForEnvoy({ env: process.env, log: () => {} });
      if (envoy === undefined) return skip(this, noEnvoy);
      const { out } = await translate('-f', files.changed, '--as', 'cluster=east,namespace=shop', '-o', 'json');
      const { resources } = JSON.parse(out) as Translated;
      const file = join(folder, 'static.json');
      writeFileSync(file, JSON.stringify(staticOf((url) => resources[shortTypeName[url as TypeUrl]] ?? [])));
      const { stdout } = await run(envoy.path, ['-c', file, '--mode', 'validate', '--log-level', 'error']);
      assert.match(stdout, /OK/);
    });
  });

  describe('diff out of files', () => {
    const diff = (...args: string[]): Promise<Run> =>
      fairway(['diff', '--clusters', files.clusters, '--rules', files.rules, ...args], { env: { COLUMNS: '80' } });

    it('shows how requests move and who is told, and ends with 1', async () => {
      const { exit, out, err } = await diff('-f', files.changed);
      assert.equal(exit, 1, err);
      assert.match(out, /shop\/reviews: rule shop\/reviews\nRequests from east, west \(8 proxies\)/);
      assert.match(out, /route-0 +80 +v1 +east +90\.0% +50\.0% +-40\.0\n/);
      assert.match(out, /route-0 +80 +v2 +east +3\.3% +0\.0% +-3\.3\n/);
      assert.match(out, /route-0 +80 +v2 +west +6\.7% +50\.0% +\+43\.3\n/);
      assert.match(out, /8 of 8 proxies would be sent/);
      for (const line of out.split('\n')) assert(line.length <= 80, line);
    });

    it('ends with 0 where nothing changes, and with more than 1 where it cannot be told', async () => {
      const same = await diff('-f', files.rules);
      assert.equal(same.exit, 0, same.err);
      assert.equal(same.out, 'Nothing would change.\n');
      const bad = join(folder, 'worse.yaml');
      writeFileSync(bad, trafficRule('\n  service: reviews\n  routes: [{backends: [{weight: -1}]}]\n'));
      const wrong = await diff('-f', bad);
      assert.equal(wrong.exit, 2);
      assert.match(wrong.err, /worse\.yaml:6:\d+[\s\S]*Nothing was compared\./);
      assert.equal((await diff('-f', join(folder, 'none.yaml'))).exit, 2);
    });

    it('compares routes of the Gateway API, out of files that hold some', async () => {
      const spec = (weight: number): string =>
        `\n  parentRefs: [{group: "", kind: Service, name: ratings}]\n  rules: [{backendRefs: [{name: ratings, port: 80}, {name: reviews, port: 80, weight: ${weight}}]}]\n`;
      const route = (weight: number): string =>
        trafficRule(spec(weight), 'api')
          .replace('TrafficRule', 'HTTPRoute')
          .replace('fairway.dev/v1alpha1', 'gateway.networking.k8s.io/v1');
      const file = join(folder, 'route.yaml');
      writeFileSync(file, route(1));
      const { exit, out, err } = await diff('-f', file, '-o', 'json');
      assert.equal(exit, 1, err);
      const report = JSON.parse(out) as PreviewReport;
      assert.deepEqual(
        report.objects.map(({ name, action }) => `${name} ${action}`),
        ['api created'],
      );
      assert.deepEqual(
        report.services.map(({ service }) => service),
        ['shop/ratings'],
      );
      assert.doesNotMatch(err, /FW-PREVIEW-001/);
    });

    it('compares objects of Istio’s, and what ServiceEntries come to', async () => {
      const file = join(folder, 'istio.yaml');
      const objects = [
        istio('VirtualService', 'virtual', '{hosts: [ratings], http: [{route: [{destination: {host: reviews}}]}]}'),
        istio('DestinationRule', 'policy', '{host: ratings, trafficPolicy: {loadBalancer: {simple: RANDOM}}}'),
        istio(
          'ServiceEntry',
          'outside',
          '{hosts: [api.example.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}',
        ),
      ];
      writeFileSync(file, objects.join('---\n'));
      const { exit, out, err } = await diff('-f', file, '-o', 'json');
      assert.equal(exit, 1, err);
      const report = JSON.parse(out) as PreviewReport;
      assert.deepEqual(
        report.objects.map(({ name, action }) => `${name} ${action}`),
        ['virtual created', 'policy created', 'outside created'],
      );
      assert.deepEqual(report.services.map(({ service }) => service).sort(), ['api.example.com', 'shop/ratings']);
      assert.match(JSON.stringify(report.services), /istio:ratings.*other-service/);
      assert.doesNotMatch(err, /FW-PREVIEW-001/);
      // Of objects that are there already, what differs.
      const wholeFolder = (...args: string[]): Promise<Run> =>
        fairway(['diff', '--clusters', files.clusters, '--rules', file, ...args]);
      const same = await wholeFolder('-f', file);
      assert.equal(same.exit, 0, same.err);
      assert.match(same.out, /Nothing would change/);
      writeFileSync(join(folder, 'none.yaml'), objects[2]?.replace('443', '8443') ?? '');
      const moved = await wholeFolder('-f', join(folder, 'none.yaml'), '-o', 'json');
      assert.equal(moved.exit, 1, moved.err);
      const changed = JSON.parse(moved.out) as PreviewReport;
      assert.deepEqual(
        [changed.objects[0]?.action, changed.services.map(({ service }) => service)],
        ['configured', ['api.example.com']],
      );
      rmSync(join(folder, 'none.yaml'));
    });

    it('warns of a rule that would not be in force', async () => {
      const other = join(folder, 'other.yaml');
      const virtual = istio(
        'VirtualService',
        'virtual',
        '{hosts: [reviews], http: [{route: [{destination: {host: ratings}}]}]}',
      );
      writeFileSync(other, `${trafficRule(changedSpec, 'younger')}---\n${virtual}`);
      const { exit, out, err } = await diff('-f', other, '-o', 'json');
      // A TrafficRule goes before a VirtualService for its service.
      assert.equal(exit, 0, err);
      const report = JSON.parse(out) as PreviewReport;
      assert.deepEqual(
        report.objects.map(({ name, action }) => `${name} ${action}`),
        ['younger created', 'virtual created'],
      );
      assert.match(err, /FW-RULE-040/);
    });
  });

  describe('diff against a pilot', () => {
    let scene: PreviewPilot;
    let admin = '';
    let client: XdsClient;
    const rulesNow = (): string =>
      readdirSync(join(folder, 'rules'))
        .map((file) => readFileSync(join(folder, 'rules', file), 'utf8'))
        .join();

    before(async () => {
      scene = await startPreviewPilot(folder, files);
      ({ admin } = scene);
      client = await scene.follow('front', 'west');
    });

    after(() => scene?.stop());

    const diff = (...args: string[]): Promise<Run> => fairway(['diff', '--admin', `http://${admin}`, ...args]);

    it('says what proxies would be sent, and changes nothing', async () => {
      const before = rulesNow();
      const held = [...client.held(typeUrl.cluster).keys()].sort();
      const { exit, out, err } = await diff('-f', files.changed, '-o', 'json');
      assert.equal(exit, 1, err);
      const { proxies, services, totals } = JSON.parse(out) as PreviewReport;
      assert.deepEqual(proxies[0]?.names, ['front.shop']);
      assert.deepEqual(proxies[0]?.virtualHosts, [{ name: `${host}:80`, change: 'changed' }]);
      assert.deepEqual(services[0]?.views[0]?.from, ['west']);
      assert.equal(totals.changed, 1);
      assert.equal(rulesNow(), before);
      const expected = new Set(held);
      for (const { type, name, change } of proxies[0]?.resources ?? []) {
        if (type !== 'CDS') continue;
        if (change === 'removed') expected.delete(name);
        if (change === 'added') expected.add(name);
      }
      assert.notDeepEqual([...expected].sort(), held);
      // What was foretold comes true.
      const applied = await fairway(['apply', '--admin', `http://${admin}`, '-f', files.changed]);
      assert.equal(applied.exit, 0, applied.err);
      const holds = (): string[] => [...client.held(typeUrl.cluster).keys()].sort();
      await client.until(() => expected.size === holds().length && holds().every((name) => expected.has(name)));
      const same = await diff('-f', files.changed);
      assert.equal(same.exit, 0, same.err + same.out);
      assert.match(same.out, /Nothing would change\./);
    });

    it('says of objects of a standard that is off that they are not compared', async () => {
      const file = join(folder, 'off.yaml');
      writeFileSync(
        file,
        istio('VirtualService', 'virtual', '{hosts: [ratings], http: [{fault: {abort: {httpStatus: 500}}}]}'),
      );
      const { exit, out, err } = await diff('-f', file, '-o', 'json');
      assert.equal(exit, 0, err);
      assert.equal((JSON.parse(out) as PreviewReport).objects[0]?.action, 'not-compared');
      assert.match(err, /FW-PREVIEW-001/);
    });

    it('answers nobody who may not ask, and refuses what is no rule', async () => {
      const ask = (init: RequestInit): Promise<Response> =>
        fetch(`http://${admin}/api/v1/preview`, { method: 'POST', ...init });
      const type = { 'content-type': 'application/yaml' };
      assert.equal((await ask({ body: 'a: 1', headers: { ...type, origin: 'http://evil.example' } })).status, 403);
      assert.equal((await ask({ body: ' ', headers: type })).status, 400);
      assert.equal((await ask({ body: `a: ${'x'.repeat(1024 * 1024)}`, headers: type })).status, 413);
      const bad = await ask({ body: 'a: [1\n---\nkind: Pod', headers: type });
      assert.equal(bad.status, 422);
      const report = (await bad.json()) as PreviewReport;
      assert.equal(report.changed, false);
      assert(report.findings.length > 0);
    });

    it('needs a pilot', async () => {
      const { exit, err } = await fairway(['diff', '-f', files.changed, '--admin', '127.0.0.1:1']);
      assert.equal(exit, 3, err);
    });
  });
});
