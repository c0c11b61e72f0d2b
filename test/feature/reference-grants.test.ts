/**
 * References into another namespace under a pilot that reads no standard: grants count all the same, for the primary's rules and the members', and
 * `fairway diff` judges a rule together with the grant that comes with it.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { PreviewReport } from '../../src/model/preview.ts';
import { waitFor } from '../rig/wait.ts';
import { membersFirst, trafficRule } from '../support/manifests.ts';
import { writePreviewFiles } from '../support/preview-files.ts';
import type { XdsClient } from '../support/xds-client.ts';
import { fairway } from './cli-run.ts';
import { type PreviewPilot, startPreviewPilot } from './preview-pilot.ts';

const grant = `apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: far, namespace: lab}
spec:
  from: [{group: fairway.dev, kind: TrafficRule, namespace: shop}]
  to: [{group: '', kind: Service, name: far}]
`;
const policy = membersFirst('west', 'shop');
const toFar = (service: string, version: string): string =>
  trafficRule(
    `
  service: ${service}
  routes: [{backends: [{service: far, namespace: lab, port: 80, version: ${version}}]}]
`,
    service,
  );
const far = `
{apiVersion: v1, kind: Service, metadata: {name: far, namespace: lab},
 spec: {clusterIP: 10.9.0.1, clusterIPs: [10.9.0.1], selector: {app: far}, ports: [{name: http, port: 80, targetPort: 9080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: far-v1, namespace: lab, labels: {app: far, version: v1}},
 spec: {containers: [{name: app, ports: [{containerPort: 9080}]}]},
 status: {phase: Running, podIP: 10.9.1.1, podIPs: [{ip: 10.9.1.1}], conditions: [{type: Ready, status: 'True'}]}}
`;

describe('references into another namespace, with no standard on', function () {
  this.timeout(90_000);
  let folder: string;
  let scene: PreviewPilot;
  let client: XdsClient;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-reference-grants-'));
    const files = writePreviewFiles(folder);
    writeFileSync(join(files.clusters, 'east', 'far.yaml'), far);
    writeFileSync(join(files.clusters, 'west', 'own.yaml'), toFar('ratings', 'v1'));
    writeFileSync(join(files.rules, 'policy.yaml'), policy);
    scene = await startPreviewPilot(folder, files, ['--standards', 'none']);
    client = await scene.follow('east', 'east');
  });

  after(async () => {
    await scene?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const diff = (text: string): Promise<PreviewReport> => scene.diff(text);
  const resolved = async (): Promise<readonly string[]> =>
    (await scene.pilot.rules())
      .filter(({ name }) => name !== 'details')
      .map(({ holder, conditions }) => {
        const condition = conditions.find(({ type }) => type === 'ResolvedRefs');
        return `${holder} ${condition?.status} ${condition?.reason}`;
      })
      .sort();
  const added = ({ proxies }: PreviewReport): readonly string[] =>
    proxies.flatMap(({ resources }) =>
      resources.filter(({ type, change }) => type === 'CDS' && change === 'added').map(({ name }) => name),
    );
  const ofFar = 'outbound|80|v1|far.lab.svc.cluster.local';

  it('are refused without a grant, the members’ too', async () => {
    await waitFor('the verdicts', async () => (await resolved()).includes('west False RefNotPermitted'));
    const alone = await diff(toFar('reviews', 'v1'));
    assert.deepEqual(
      alone.findings.map(({ code }) => code),
      ['FW-RULE-054'],
    );
    assert.deepEqual(added(alone), []);
    const shares = alone.services[0]?.views[0]?.routes[0]?.after;
    assert.deepEqual(
      shares?.unserved.map(({ reason }) => reason),
      ['refused'],
    );
  });

  it('are judged with the grant in the same file, and what that foretells comes true', async () => {
    const both = `${toFar('reviews', 'v1')}---\n${grant}`;
    const report = await diff(both);
    assert.deepEqual(report.findings, []);
    assert.deepEqual(
      report.objects.map(({ kind, action }) => `${kind} ${action}`),
      ['TrafficRule configured', 'ReferenceGrant created'],
    );
    // The Envoy cluster that the routes of one service need of another; of whose own requests nothing is said, for none moves.
    assert.deepEqual(added(report), [ofFar]);
    assert.deepEqual(
      report.services.map(({ service }) => service),
      ['shop/ratings', 'shop/reviews'],
    );
    await scene.apply(both);
    await client.until(() => client.held(typeUrl.cluster).has(ofFar));
    await waitFor('the grant to count for all', async () => {
      const all = await resolved();
      return all.length === 2 && all.every((text) => text.endsWith('True ResolvedRefs'));
    });
    assert.deepEqual(added(await diff(both)), []);
    const other = await diff(toFar('reviews', 'v2'));
    const [change] = other.proxies;
    assert.deepEqual(
      change?.resources.filter(({ type }) => type === 'CDS').map(({ name, change: what }) => `${what} ${name}`),
      [`removed ${ofFar}`, `added ${ofFar.replace('v1', 'v2')}`],
    );
  });

  it('are refused again when the grant goes', async () => {
    const gone = await fairway(['delete', 'referencegrant', 'far', '-n', 'lab', '--admin', scene.admin]);
    assert.equal(gone.exit, 0, gone.err);
    await waitFor('the verdicts', async () =>
      (await resolved()).every((text) => text.endsWith('False RefNotPermitted')),
    );
    await client.until(() => !client.held(typeUrl.cluster).has(ofFar));
  });

  it('are known by the offline commands, out of files', async () => {
    const given = (text: string): readonly string[] => ['-f', join(folder, 'clusters'), '-f', scene.file(text)];
    const analyzed = async (text: string): Promise<string> =>
      (await fairway(['analyze', '--clusters', join(folder, 'clusters'), '-f', scene.file(text)])).out;
    // The member's own rule is granted by the policy, and judged by the same grants.
    const without = await analyzed(`${policy}---\n${toFar('reviews', 'v1')}`);
    assert.match(without, /TrafficRule shop\/reviews[^]*FW-RULE-054/);
    assert.match(without, /TrafficRule shop\/ratings[^]*FW-RULE-054/);
    const both = `${policy}---\n${toFar('reviews', 'v1')}---\n${grant}`;
    assert.doesNotMatch(await analyzed(both), /FW-RULE-054/);
    const translated = await fairway([
      'translate',
      ...given(both),
      '--as',
      'cluster=east,namespace=shop',
      '--type',
      'cds',
    ]);
    assert.match(translated.out, /outbound\|80\|v1\|far\.lab/, translated.err);
    // What the member's rule needs of another service is there for its own proxies, and for no others.
    const own = `${policy}---\n${grant}`;
    for (const [cluster, has] of [
      ['west', true],
      ['east', false],
    ] as const) {
      const as = `cluster=${cluster},namespace=shop`;
      const { out, err } = await fairway(['translate', ...given(own), '--as', as, '--type', 'cds']);
      assert.equal(/outbound\|80\|v1\|far\.lab/.test(out), has, err);
    }
  });
});
