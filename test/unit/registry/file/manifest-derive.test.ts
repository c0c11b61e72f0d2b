import assert from 'node:assert/strict';
import { defaultYamlLimits } from '../../../../src/manifest/yaml-documents.ts';
import type { DeriveSettings } from '../../../../src/registry/derive.ts';
import { FileObjects, type HeldObject } from '../../../../src/registry/file/file-objects.ts';
import { type DerivedManifests, deriveManifests } from '../../../../src/registry/file/manifest-derive.ts';

const settings: DeriveSettings = {
  cluster: 'east',
  network: 'n',
  locality: { region: 'eu', zone: 'eu-a', subzone: '' },
  versionLabels: ['version'],
  allowLoopback: true,
};

async function derive(text: string, earlier: ReadonlyMap<string, HeldObject> = new Map()): Promise<DerivedManifests> {
  const objects = new FileObjects('east', defaultYamlLimits);
  await objects.change({ path: 'a.yaml', content: { text } });
  return deriveManifests(objects.resolve(), settings, earlier);
}

function endpoints(derived: DerivedManifests, key: `${string}/${string}` = 'shop/web') {
  return derived.snapshot.services.get(key)?.endpoints ?? [];
}

function pod(
  name: string,
  ip: string,
  extra = '',
  container = '{name: http, containerPort: 8080}',
  status = '',
): string {
  return `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: web, version: v1}${extra}}
spec: {containers: [{name: app, ports: [${container}]}]}
status: {${ip === '' ? '' : `podIP: ${ip}`}${status}}
`;
}

const service = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: admin, port: 81, targetPort: 9000}]}
`;

describe('manifests of a cluster folder', () => {
  it('make endpoints from the pods that a service selects', async () => {
    const derived = await derive(
      service + pod('a', '127.0.0.1') + pod('b', '127.0.0.2').replace('app: web', 'app: other'),
    );
    const [only, ...rest] = endpoints(derived);
    assert.equal(rest.length, 0);
    assert.equal(only?.address, '127.0.0.1');
    assert.deepEqual(
      only?.ports,
      new Map([
        ['http', 8080],
        ['admin', 9000],
      ]),
    );
    assert.equal(only?.version, 'v1');
    assert.equal(only?.ready, true);
    assert.equal(only?.serviceAccount, 'default');
    assert.equal(only?.workload, 'a');
    assert.equal(only?.network, 'n');
    assert.deepEqual(only?.locality, settings.locality);
    assert.deepEqual(derived.findings, []);
  });

  it('look named ports up pod by pod', async () => {
    const derived = await derive(
      service +
        pod('a', '10.0.0.1') +
        pod('b', '10.0.0.2', '', '{name: http, containerPort: 8888}') +
        pod('c', '10.0.0.3', '', '{name: other, containerPort: 1}'),
    );
    assert.deepEqual(
      endpoints(derived).map(({ address, ports }) => [address, ports.get('http'), ports.get('admin')]),
      [
        ['10.0.0.1', 8080, 9000],
        ['10.0.0.2', 8888, 9000],
        ['10.0.0.3', undefined, 9000],
      ],
    );
    assert.deepEqual(
      derived.findings.map(({ code }) => code),
      ['FW-FILE-019'],
    );
  });

  it('take readiness, deletion and ended pods as the controller does', async () => {
    const conditions = (status: string): string => `, conditions: [{type: Ready, status: "${status}"}]`;
    const derived = await derive(
      service +
        pod('ready', '10.0.0.1', '', undefined, conditions('True')) +
        pod('unready', '10.0.0.2', '', undefined, conditions('False')) +
        pod('going', '10.0.0.3', ', deletionTimestamp: "2026-01-01T00:00:00Z"') +
        pod('ended', '10.0.0.4', '', undefined, ', phase: Succeeded') +
        pod('pending', ''),
    );
    assert.deepEqual(
      endpoints(derived).map(({ workload, ready, serving, terminating }) => [workload, ready, serving, terminating]),
      [
        ['ready', true, true, false],
        ['unready', false, false, false],
        ['going', false, true, true],
      ],
    );
    assert.match(derived.findings[0]?.message ?? '', /status\.podIP/);
    assert.equal(derived.findings[0]?.where.object, 'Pod shop/pending');
  });

  it('leave pods alone where EndpointSlices are written', async () => {
    const slice = `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 7000}]
endpoints: [{addresses: [10.9.0.1]}]
`;
    const derived = await derive(service + pod('a', '10.0.0.1') + slice);
    assert.deepEqual(
      endpoints(derived).map(({ address }) => address),
      ['10.9.0.1'],
    );
  });

  it('use the default namespace where none is written, and nodes for the locality', async () => {
    const text = `{apiVersion: v1, kind: List, items: [
      {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}},
      {apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: web}}, spec: {nodeName: n1}, status: {podIP: 10.0.0.1}},
      {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/region: us, topology.kubernetes.io/zone: us-a}}},
      {apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {a: b}}}]}`;
    const derived = await derive(text);
    assert.equal(endpoints(derived, 'default/web')[0]?.locality.zone, 'us-a');
    assert.equal(endpoints(derived, 'default/web')[0]?.ports.get(''), 80);
    assert.deepEqual(derived.snapshot.namespaces.get('default')?.labels, { a: 'b' });
  });

  it('report kinds that do not count, and versions that are not read', async () => {
    const derived = await derive(
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\n---\napiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\nmetadata: {name: c}\n',
    );
    assert.deepEqual(
      derived.findings.map(({ code, message }) => `${code} ${message}`),
      [
        'FW-FILE-007 2 objects of kind Deployment (apps/v1) are skipped',
        'FW-FILE-007 an object of kind EndpointSlice (discovery.k8s.io/v1beta1) is skipped',
      ],
    );
    assert.match(derived.findings[1]?.hint ?? '', /discovery\.k8s\.io\/v1\./);
  });

  it('keep the earlier form of an object that cannot be used, and say where it is wrong', async () => {
    const good = await derive(service + pod('a', '10.0.0.1'));
    const badPort = await derive(service.replace('port: 80,', 'port: 80000,') + pod('a', '10.0.0.1'), good.usable);
    assert.equal(badPort.snapshot.services.get('shop/web')?.ports[0]?.port, 80);
    assert.equal(badPort.partial, false);
    assert.equal(badPort.findings[0]?.code, 'FW-FILE-011');
    assert.equal(badPort.findings[0]?.where.line, 4);
    assert.equal(badPort.findings[0]?.where.field, 'spec.ports[0].port');
    const badLabel = await derive(service + pod('a', '10.0.0.1').replace('version: v1', 'version: 1'));
    assert.equal(badLabel.partial, true);
    assert.equal(badLabel.findings[0]?.where.field, 'metadata.labels.version');
    assert.match(badLabel.findings[0]?.hint ?? '', /quotes/);
  });

  it('count the first of two objects with one name, and report the other', async () => {
    const objects = new FileObjects('east', defaultYamlLimits);
    await objects.change({ path: 'b.yaml', content: { text: service.replace('port: 80,', 'port: 90,') } });
    await objects.change({ path: 'a.yaml', content: { text: service } });
    const { objects: held, findings } = objects.resolve();
    assert.equal(held.get('Service/shop/web')?.file, 'a.yaml');
    assert.equal(findings[0]?.code, 'FW-FILE-008');
    assert.equal(findings[0]?.where.file, 'east/b.yaml');
    objects.remove('a.yaml');
    assert.equal(objects.resolve().objects.get('Service/shop/web')?.file, 'b.yaml');
  });

  it('report objects that do not say who they are', async () => {
    const derived = await derive('a: 1\n---\nkind: Service\n---\n- x\n---\nkind: Service\nmetadata: {name: 7}\n');
    assert.deepEqual(
      derived.findings.map(({ code, where }) => `${code} ${where.line}`),
      ['FW-FILE-006 1', 'FW-FILE-006 3', 'FW-FILE-006 5', 'FW-FILE-006 8'],
    );
  });
});
