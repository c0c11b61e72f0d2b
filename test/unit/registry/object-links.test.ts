import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ServiceKey } from '../../../src/model/service.ts';
import type { PodObject, SliceObject } from '../../../src/registry/cluster-objects.ts';
import { readNode, readPod, readSlice } from '../../../src/registry/derive-objects.ts';
import { ObjectLinks } from '../../../src/registry/object-links.ts';

const node = readNode({ metadata: { name: 'n1' } });
const pods: readonly PodObject[] = ['p1', 'p2'].map(
  (name) => readPod({ metadata: { namespace: 'shop', name }, spec: { nodeName: 'n1' } }) as PodObject,
);
const targetOf = (name: string): object => ({ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name } });
const slice = (service: string, name: string, targets: readonly string[]): SliceObject =>
  readSlice({
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: targets.map(targetOf),
  }) as SliceObject;

/** What a cluster holds, with its links. */
class Held {
  readonly #objects = new Map<string, PodObject | SliceObject>();
  readonly links = new ObjectLinks((key) => this.#objects.get(key) as PodObject | undefined);

  /** The services that it touches: it comes, or it goes where it is there. */
  toggle(object: PodObject | SliceObject): ReadonlySet<ServiceKey> {
    const key = `${object.namespace}/${object.name}`;
    const touched = new Set<ServiceKey>();
    if (this.#objects.has(key)) {
      this.links.touch(key, object, -1, touched);
      this.#objects.delete(key);
    } else {
      this.#objects.set(key, object);
      this.links.touch(key, object, 1, touched);
    }
    return touched;
  }

  ofNode(): readonly ServiceKey[] {
    assert.ok(node.kind === 'Node');
    const touched = new Set<ServiceKey>();
    this.links.touch('n1', node, 1, touched);
    return [...touched].sort();
  }
}

describe('registry: what an object touches', () => {
  it('is the services whose endpoints point at a pod, whichever came first', () => {
    for (const isPodFirst of [true, false]) {
      const held = new Held();
      const [pod] = pods;
      assert.ok(pod !== undefined);
      if (isPodFirst) assert.deepEqual([...held.toggle(pod)], []);
      assert.deepEqual([...held.toggle(slice('a', 'a-1', ['p1']))], ['shop/a']);
      if (!isPodFirst) assert.deepEqual([...held.toggle(pod)], ['shop/a']);
      assert.deepEqual(held.ofNode(), ['shop/a'], 'the node that the endpoint does not name');
      assert.deepEqual([...held.links.slicesOf('shop/a')], ['shop/a-1']);
    }
  });

  it('is nothing once all that came went, in whatever order', () => {
    const objects = [
      ...pods,
      slice('a', 'a-1', ['p1', 'p2']),
      slice('a', 'a-2', ['p1']),
      slice('b', 'b-1', ['p2', 'p2', 'none']),
    ];
    const orders = fc.tuple(
      fc.shuffledSubarray(objects, { minLength: objects.length }),
      fc.shuffledSubarray(objects, { minLength: objects.length }),
    );
    fc.assert(
      fc.property(orders, ([comes, goes]) => {
        const held = new Held();
        for (const object of comes) held.toggle(object);
        assert.deepEqual(held.ofNode(), ['shop/a', 'shop/b']);
        for (const object of goes) held.toggle(object);
        assert.deepEqual(held.ofNode(), []);
        assert.deepEqual([...held.links.slicesOf('shop/a'), ...held.links.slicesOf('shop/b')], []);
        for (const pod of pods) assert.deepEqual([...held.toggle(pod)], []);
      }),
    );
  });
});
