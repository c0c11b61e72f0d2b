/** `fairway convert istio` as people run it: what it prints is what `fairway analyze` accepts, and what it cannot say it tells with its line. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fairway } from './cli-run.ts';

const mixed = `apiVersion: v1
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {ports: [{port: 9080}]}
---
apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1alpha3
  kind: VirtualService
  metadata: {name: reviews}
  spec:
    hosts: [reviews]
    http:
    - match: [{uri: {prefix: /ratings}}]
      route: [{destination: {host: ratings}}]
    - retries: {attempts: 2, retryOn: "5xx,503"}
      route:
      - {destination: {host: reviews, subset: v1}, weight: 90}
      - {destination: {host: reviews, subset: v2}, weight: 10}
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: reviews}
  spec:
    host: reviews
    trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
    subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay}
spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
`;

const outer = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outer, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [gw]
`;

describe('fairway convert istio', function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-convert-'));
    writeFileSync(join(folder, 'mixed.yaml'), mixed);
    writeFileSync(join(folder, 'outer.yaml'), outer);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints rules that analyze accepts, and what differs to stderr', async () => {
    const { exit, out, err } = await fairway(['convert', 'istio', '-f', '-', '-n', 'shop'], { input: mixed });
    assert.equal(exit, 0, err);
    assert.match(out, /^# from VirtualService shop\/reviews\napiVersion: fairway\.dev\/v1alpha1\n/);
    assert.match(err, /FW-ISTIO-002 <stdin>:26:\d+, DestinationRule shop\/reviews, spec\.trafficPolicy\.tls\.mode/);
    assert.match(
      err,
      /3 of Istio: 2 whole, 1 with warnings, 0 refused; 1 of other kinds left alone; 2 objects made\n$/,
    );
    const [rule] = out.split('---\n');
    assert.deepEqual((parse(rule ?? '') as { spec: { routes: unknown[] } }).spec.routes[0], {
      matches: [{ path: { startsWith: '/ratings' } }],
      backends: [{ service: 'ratings', port: 9080 }],
    });
    const judged = await fairway(['analyze', '-f', '-', '--fail-on', 'warning'], { input: out });
    assert.equal(judged.exit, 0, judged.out);
  });

  it('says of each object what became of it, and ends with 1 where one is not translated', async () => {
    const { exit, out, err } = await fairway([
      'convert',
      'istio',
      '-f',
      folder,
      '-n',
      'shop',
      '--report',
      '-o',
      'json',
    ]);
    assert.equal(exit, 1);
    const list = JSON.parse(out) as { kind: string; items: { kind: string; metadata: unknown }[] };
    assert.equal(list.kind, 'List');
    assert.deepEqual(
      list.items.map(({ kind }) => kind),
      ['TrafficRule', 'ExternalService'],
    );
    assert.match(err, /error FW-ISTIO-021 .*outer\.yaml:6:/);
    assert.match(err, /VirtualService shop\/outer +refused/);
    assert.match(err, /ServiceEntry shop\/pay +whole/);
  });

  it('needs a file, and says which one it cannot read', async () => {
    assert.equal((await fairway(['convert', 'istio'])).exit, 2);
    const { exit, err } = await fairway(['convert', 'istio', '-f', join(folder, 'none.yaml')]);
    assert.equal(exit, 2);
    assert.match(err, /FW-CLI-020/);
  });

  it('lets analyze see the same objects beside one another', async () => {
    const { exit, out } = await fairway(['analyze', '-f', folder, '-n', 'shop', '-o', 'json']);
    assert.equal(exit, 1);
    const { findings } = JSON.parse(out) as { findings: { code: string }[] };
    const codes = findings.map(({ code }) => code);
    for (const code of ['FW-ISTIO-002', 'FW-ISTIO-007', 'FW-ISTIO-021']) assert.ok(codes.includes(code), codes.join());
  });
});
