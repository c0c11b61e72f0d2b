/** `fairway get` and `fairway check` as people run them, looked at by what they print and how they end. */

import assert from 'node:assert/strict';
import stringWidth from 'string-width';
import type { RuleReport } from '../../src/model/report.ts';
import { sampleMesh } from './api-sample-mesh.ts';
import { fairway } from './cli-run.ts';
import { cliScene } from './cli-scene.ts';

describe('the fairway command', function () {
  // Each test starts several processes; a busy machine takes its time with them.
  this.timeout(60_000);
  const scene = cliScene();

  describe('get', () => {
    it('fits every table to 60 and to 160 columns', async () => {
      for (const kind of ['clusters', 'services', 'endpoints', 'rules', 'proxies']) {
        for (const width of [60, 160]) {
          const { exit, out, err } = await fairway(['get', kind], { env: { ...scene.env, COLUMNS: String(width) } });
          assert.equal(exit, 0);
          for (const line of `${out}${err}`.split('\n')) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
          assert.equal(err.includes('Not shown for lack of room'), width === 60, `${kind} at ${width}: ${err}`);
        }
      }
    });

    it('shows which cluster is stale since when, and why', async () => {
      const { out } = await fairway(['get', 'clusters'], { env: { ...scene.env, COLUMNS: '160' } });
      assert.match(out, /^NAME +STATE +SINCE +SERVICES +ENDPOINTS +PROXIES +NETWORK +LOCALITY +ORIGIN$/m);
      assert.match(out, /^east +fresh +60m +12 +340 +170 +n1 +eu-west +kubeconfig context kind-east$/m);
      assert.match(out, /^west +STALE +12m /m);
      assert.match(
        out,
        /└ FW-KUBE-003 https:\/\/10\.0\.0\.9:6443 does not answer: .* → Check the cluster's API server/,
      );
      assert.match(out, /└ what it said 12m ago is in force/);
    });

    it('shows per type what a proxy holds, waits for, or rejected and why', async () => {
      const { out } = await fairway(['get', 'proxies'], { env: { ...scene.env, COLUMNS: '160' } });
      assert.match(out, /^web-1\.shop +west +synced +pending \d+s +synced +REJECTED +/m);
      assert.match(out, /└ RDS rejected 7\ds ago: Only unique values for domains are permitted\. Duplicate entry/);
    });

    it('shows how far a rule got, and what stopped it', async () => {
      const { out } = await fairway(['get', 'rules'], { env: { ...scene.env, COLUMNS: '160' } });
      assert.match(out, /^shop +reviews +reviews +primary +True +True +True 214\/214 +3d +cluster east$/m);
      assert.match(out, /^shop +ratings-canary\S* +ratings +primary +True +False +False 3\/214 /m);
      assert.match(out, /└ not Programmed \(Rejected\): web-1\.shop: Only unique values/);
    });

    it('cuts nothing in a pipe, and shows all with wide', async () => {
      const pipe = await fairway(['get', 'rules'], { env: scene.env });
      assert.match(pipe.out, /ratings-canary-with-a-long-name/);
      assert.equal(pipe.err, '');
      const wide = await fairway(['get', 'proxies', '-o', 'wide'], { env: { ...scene.env, COLUMNS: '60' } });
      assert.match(wide.out, /sidecar~10\.1\.0\.7~web-1\.shop~shop\.svc\.cluster\.local/);
    });

    it('prints JSON and YAML as the API says it, and names for other commands', async () => {
      const list = JSON.parse((await fairway(['get', 'svc', '-o', 'json'], { env: scene.env })).out) as {
        items: unknown[];
      };
      assert.deepEqual(list.items, JSON.parse(JSON.stringify(scene.rig.mesh.services)));
      const one = JSON.parse(
        (await fairway(['get', 'rule', 'shop/reviews', '-o', 'json'], { env: scene.env })).out,
      ) as RuleReport;
      assert.equal(one.name, 'reviews', 'one object of one place is that object');
      assert.match(
        (await fairway(['get', 'cluster', 'east', '-o', 'yaml'], { env: scene.env })).out,
        /^name: east\nphase: fresh\n/,
      );
      const names = await fairway(['get', 'rules', '-o', 'name'], { env: scene.env });
      assert.equal(
        names.out,
        'trafficrule.fairway.dev/ratings-canary-with-a-long-name\ntrafficrule.fairway.dev/reviews\n',
      );
    });

    it('filters by namespace, name and cluster', async () => {
      assert.equal(
        (await fairway(['get', 'services', '-n', 'shop', 'ratings', '-o', 'name'], { env: scene.env })).out,
        'service/ratings\n',
      );
      const west = await fairway(['get', 'ep', '--cluster', 'west', '-o', 'name'], { env: scene.env });
      assert.equal(west.out, 'endpoint/reviews/10.2.0.30\nendpoint/reviews/fd00:10:2::1f\n');
      const proxy = await fairway(['get', 'proxies', 'web-1.shop', '-o', 'name'], { env: scene.env });
      assert.equal(proxy.out, 'proxy/sidecar~10.1.0.7~web-1.shop~shop.svc.cluster.local\n');
    });

    it('says when there is nothing, and fails when what was named is not there', async () => {
      const none = await fairway(['get', 'services', '-n', 'empty'], { env: scene.env });
      assert.deepEqual(none, { exit: 0, out: '', err: 'No services found in namespace empty.\n' });
      const missing = await fairway(['get', 'services', 'nope'], { env: scene.env });
      assert.equal(missing.exit, 1);
      assert.equal(missing.out, '');
      assert.match(missing.err, /^error FW-CLI-032 no service "nope" is known\n {2}→ /);
    });

    it('colours only where that is wanted', async () => {
      const escape = '\u001b[';
      const colour = { ...scene.env, FORCE_COLOR: '1' };
      assert.ok((await fairway(['get', 'clusters'], { env: colour })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters'], { env: scene.env })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters', '--no-color'], { env: colour })).out.includes(escape));
      assert.ok(!(await fairway(['get', 'clusters'], { env: { ...colour, NO_COLOR: '1' } })).out.includes(escape));
    });

    it('prints nothing that could steer a terminal', async () => {
      scene.rig.mesh.clusters = scene.rig.mesh.clusters.map((cluster) => ({
        ...cluster,
        origin: 'a\u001b]0;owned\u0007b',
      }));
      assert.ok(!(await fairway(['get', 'clusters'], { env: scene.env })).out.includes('\u001b'));
    });
  });

  describe('check', () => {
    it('groups what is well, what is doubtful and what is not, with cause and hint', async () => {
      const run = await fairway(['check'], { env: { ...scene.env, COLUMNS: '60', PATH: '' } });
      assert.equal(run.exit, 1);
      assert.match(run.out, /^clusters\n-{8}\n× west is stale since 12m\n {4}FW-KUBE-003 /m);
      assert.match(run.out, /^‼ shop\/ratings has no ready endpoint\n {4}0 of 2 are ready in east\n {4}→ /m);
      assert.match(run.out, /^× web-1\.shop in west rejects configuration\n {4}RDS since 7\ds: Only unique/m);
      assert.match(run.out, /^‼ Envoy is found on this machine\n/m);
      for (const line of run.out.split('\n')) assert.ok(stringWidth(line) <= 60, line);
    });

    it('ends with 0 when nothing failed, and says the same in JSON', async () => {
      const mesh = sampleMesh(Date.now());
      scene.rig.mesh.clusters = mesh.clusters.slice(0, 1);
      scene.rig.mesh.rules = mesh.rules.slice(0, 1);
      scene.rig.mesh.proxies = mesh.proxies.slice(0, 1);
      assert.equal((await fairway(['check'], { env: scene.env })).exit, 0);
      const json = JSON.parse((await fairway(['check', '-o', 'json'], { env: scene.env })).out) as {
        ok: boolean;
        groups: { title: string }[];
      };
      assert.equal(json.ok, true);
      assert.deepEqual(
        json.groups.map(({ title }) => title),
        ['pilot', 'clusters', 'services', 'rules', 'proxies', 'this machine'],
      );
    });

    it('waits until all is well', async () => {
      const mesh = sampleMesh(Date.now());
      scene.rig.mesh.rules = [];
      scene.rig.mesh.proxies = [];
      const waiting = fairway(['check', '--wait', '--timeout', '15s'], { env: scene.env });
      setTimeout(() => {
        scene.rig.mesh.clusters = mesh.clusters.slice(0, 1);
      }, 300);
      assert.equal((await waiting).exit, 0);
    });

    it('ends with 3 when no pilot answers', async () => {
      const run = await fairway(['check'], { env: { ...scene.env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' } });
      assert.equal(run.exit, 3);
      assert.match(run.out, /^× the admin API answers\n {4}FW-CLI-010 /m);
    });
  });
});
