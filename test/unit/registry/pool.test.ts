import assert from 'node:assert/strict';
import type { PodObject, SliceObject } from '../../../src/registry/cluster-objects.ts';
import { readPod, readSlice } from '../../../src/registry/derive-objects.ts';
import { Pool, shareParts } from '../../../src/registry/pool.ts';

const rawPod = (name: string, app: string): unknown => ({
  metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, labels: { app, version: 'v1' } },
  spec: { nodeName: 'a-node-with-a-long-name', serviceAccountName: 'shop' },
});
const rawSlice = {
  metadata: { namespace: 'shop', name: 'a-1', labels: { 'kubernetes.io/service-name': 'a' } },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.0.0.1'], nodeName: 'n', targetRef: { kind: 'Pod', name: 'a-1', uid: 'uid-of-a-1' } },
    { addresses: ['10.0.0.2'], nodeName: 'n', targetRef: { kind: 'Pod', name: 'a-2', uid: 'another' } },
    { addresses: ['10.0.0.3'], zone: 'z' },
  ],
};

describe('registry: equal values kept once', () => {
  it('changes nothing of an object', () => {
    const pool = new Pool();
    const pod = readPod(rawPod('a-1', 'a')) as PodObject;
    const other = readPod(rawPod('a-2', 'b')) as PodObject;
    const slice = readSlice(rawSlice) as SliceObject;
    const pods = new Map([pod, other].map((one) => [one.name, one]));
    const podOf = (_: string, name: string): PodObject | undefined => pods.get(name);
    for (const object of [pod, other, slice, pod, slice]) assert.deepEqual(shareParts(object, pool, podOf), object);
  });

  it('gives pods of one kind the same labels, and others their own', () => {
    const pool = new Pool();
    const labelsOf = (name: string, app: string): unknown =>
      (shareParts(readPod(rawPod(name, app)) as PodObject, pool, () => undefined) as PodObject).labels;
    const labels = labelsOf('a-1', 'a');
    assert.equal(labelsOf('a-2', 'a'), labels);
    assert.notDeepEqual(labelsOf('b-1', 'b'), labels);
  });

  it('gives equal localities the same object', () => {
    const pool = new Pool();
    const locality = (zone: string) => pool.locality({ region: 'r', zone, subzone: '' });
    assert.equal(locality('a'), locality('a'));
    assert.deepEqual(locality('b'), { region: 'r', zone: 'b', subzone: '' });
    assert.deepEqual(pool.locality({ region: 'r', zone: '', subzone: 'a' }), { region: 'r', zone: '', subzone: 'a' });
  });

  it('begins anew when it is full', () => {
    const pool = new Pool();
    const first = pool.locality({ region: '', zone: 'first', subzone: '' });
    for (let at = 0; at < 50_000; at++) pool.locality({ region: '', zone: `z${at}`, subzone: '' });
    const again = pool.locality({ region: '', zone: 'first', subzone: '' });
    assert.deepEqual(again, first);
    assert.notEqual(again, first);
  });
});
