import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { TestView, testResource } from '../../support/xds-views.ts';

const { cluster, endpoint } = typeUrl;

describe('replicas', () => {
  it('stay as they are until they are told of a change', () => {
    const view = new TestView();
    view.set(cluster, { a: '1' });
    const replica = new Replica(view);
    const changes = view.set(cluster, { a: '2', b: '1' });
    assert.deepEqual([...replica.type(cluster).resources.keys()], ['a']);
    const { tail } = replica;
    assert.deepEqual(replica.update(changes), [cluster]);
    assert.deepEqual([...(tail.next?.diffs.get(cluster)?.keys() ?? [])], ['a', 'b']);
    assert.equal(replica.revision, view.revision);
  });

  it('log nothing where nothing differs, but follow the revision', () => {
    const view = new TestView();
    view.set(cluster, { a: '1' });
    const replica = new Replica(view);
    const { tail } = replica;
    assert.deepEqual(replica.update(view.set(cluster, { a: '1' })), []);
    assert.equal(replica.tail, tail);
    assert.equal(replica.revision, view.revision);
  });

  it('have one version per content, whatever the way to it', () => {
    const view = new TestView();
    const replica = new Replica(view);
    replica.update(view.set(cluster, { a: '1', b: '1', c: '1' }));
    const version = replica.type(cluster).version;
    replica.update(view.set(cluster, { a: '2', b: undefined }));
    assert.notEqual(replica.type(cluster).version, version);
    replica.update(view.set(cluster, { b: '1', a: '1' }));
    assert.equal(replica.type(cluster).version, version);
    assert.equal(replica.type(endpoint).version, new Replica(new TestView()).type(endpoint).version);
  });

  it('keep what they have while the view is not ready, and then find every difference', () => {
    const view = new TestView();
    view.set(cluster, { a: '1', b: '1' });
    const replica = new Replica(view);
    view.ready = false;
    replica.update(view.set(cluster, { a: undefined, b: undefined }));
    assert.equal(replica.ready, false);
    assert.equal(replica.type(cluster).resources.size, 2);
    view.set(cluster, { a: '1', c: '1' });
    view.ready = true;
    assert.deepEqual(replica.update(new Map()), [cluster]);
    assert.deepEqual([...(replica.tail.diffs.get(cluster)?.keys() ?? [])].sort(), ['b', 'c']);
  });

  it('find resources by alias, and forget aliases with them', () => {
    const view = new TestView();
    view.put(cluster, new Map([['a', testResource(cluster, 'a', '1', { aliases: ['x'] })]]));
    const replica = new Replica(view);
    assert.equal(replica.type(cluster).names.get('x'), 'a');
    replica.update(view.put(cluster, new Map([['a', testResource(cluster, 'a', '1', { aliases: ['y'] })]])));
    const { names } = replica.type(cluster);
    assert.deepEqual([names.size, names.get('x'), names.get('y')], [1, undefined, 'a']);
  });
});
