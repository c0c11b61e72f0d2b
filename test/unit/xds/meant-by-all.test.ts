/** Names that a wildcard comes to mean, or no longer means, while a client is connected that asked for all. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { ModelClient } from '../../support/xds-model.ts';
import { type Changes, TestView, together } from '../../support/xds-views.ts';

const { cluster } = typeUrl;

function connected(): {
  view: TestView;
  meant: Set<string>;
  client: ModelClient;
  means: (name: string, is: boolean) => Changes;
} {
  const view = new TestView();
  const meant = new Set(['a']);
  view.wildcardNames = () => meant;
  view.set(cluster, { a: '1', b: '1', c: '1' });
  const client = new ModelClient('delta', view);
  client.subscribe(cluster, [], true);
  client.settle();
  const means = (name: string, is: boolean): Changes => {
    if (is) meant.add(name);
    else meant.delete(name);
    view.revision++;
    return new Map([[cluster, new Set([name])]]);
  };
  return { view, meant, client, means };
}

/** Name → version, as the client has it. */
function held(client: ModelClient): Record<string, string> {
  return Object.fromEntries([...client.heldOf(cluster)].map(([name, { version }]) => [name, version]).sort());
}

describe('what all means', () => {
  it('grows: the resource that was there is sent, once, and its changes are', () => {
    const { view, client, means } = connected();
    assert.deepEqual(Object.keys(held(client)), ['a']);
    const before = client.sentMessages;
    client.changed(means('b', true));
    client.settle();
    assert.deepEqual(Object.keys(held(client)), ['a', 'b']);
    assert.equal(client.sentMessages, before + 1);
    client.changed(view.set(cluster, { b: '2', c: '2' }));
    client.settle();
    client.compare(() => false);
    assert.deepEqual(Object.keys(held(client)), ['a', 'b']);
    assert.equal(client.sentMessages, before + 2);
  });

  it('is sent nothing anew that the client asked for by name', () => {
    const { client, means } = connected();
    client.subscribe(cluster, ['b'], false);
    client.settle();
    const before = client.sentMessages;
    client.changed(means('b', true));
    client.settle();
    assert.equal(client.sentMessages, before);
    client.compareWithServer();
  });

  it('ends where the resource does: the client is told, and again once both are back', () => {
    const { view, client, means } = connected();
    client.changed(means('b', true));
    client.settle();
    client.changed(together(means('b', false), view.set(cluster, { b: undefined })));
    client.settle();
    assert.deepEqual(Object.keys(held(client)), ['a']);
    client.compareWithServer();
    client.changed(view.set(cluster, { b: '1' }));
    client.settle();
    assert.deepEqual(Object.keys(held(client)), ['a']);
    client.changed(means('b', true));
    client.settle();
    assert.deepEqual(Object.keys(held(client)), ['a', 'b']);
  });

  it('shrinks: a client keeps what it was given, and is told of its changes and its end', () => {
    const { view, client, means } = connected();
    client.changed(means('a', false));
    client.settle();
    client.changed(view.set(cluster, { a: '2' }));
    const fresh = new ModelClient('delta', view);
    fresh.subscribe(cluster, [], true);
    client.subscribe(cluster, ['a'], false);
    for (const each of [client, fresh]) each.settle();
    assert.equal(held(client)['a'], view.resources(cluster).get('a')?.version);
    assert.deepEqual(held(fresh), {});
    client.changed(view.set(cluster, { a: undefined }));
    client.settle();
    assert.deepEqual(held(client), {});
  });

  it('is told right to a client that reads several changes at once', () => {
    const { view, client, means } = connected();
    // In one go: it means b, which changes, and is as it was before.
    client.changed(view.set(cluster, { b: '2' }));
    client.changed(means('b', true));
    client.changed(view.set(cluster, { b: '1' }));
    client.settle();
    client.compare(() => false);
    client.compareWithServer();
    assert.deepEqual(Object.keys(held(client)), ['a', 'b']);
  });

  it('holds for a client that goes over to a view that gives less', () => {
    const { client } = connected();
    const other = new TestView('other');
    other.wildcardNames = () => new Set(['b']);
    other.set(cluster, { a: '3', b: '3', c: '3' });
    client.rebase(other);
    client.subscribe(cluster, ['a', 'b'], false);
    client.settle();
    assert.equal(held(client)['a'], other.resources(cluster).get('a')?.version);
    client.compareWithServer();
  });
});
