import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { TestView, testResource } from '../../support/xds-views.ts';

function setUp() {
  const view = new TestView();
  view.set(typeUrl.endpoint, { a: '1', b: '1', c: '1' });
  const replica = new Replica(view);
  return { view, replica, answers: replica.type(typeUrl.endpoint).answers };
}

describe('shared answers', () => {
  it('are listed once for a set of names, until the type changes', () => {
    const { view, replica, answers } = setUp();
    const names = new Set(['a', 'c']);
    const answer = answers.to(names);
    assert.deepEqual(answer?.names, ['a', 'c']);
    assert.equal(answers.to(names), answer);
    assert.notEqual(answers.to(new Set(['a', 'c']))?.id, answer?.id);
    replica.update(view.set(typeUrl.endpoint, { c: '2' }));
    assert.equal(answers.to(names)?.resources[1], view.resources(typeUrl.endpoint).get('c'));
  });

  it('name a resource once, whatever it is asked for by', () => {
    const view = new TestView();
    view.put(
      typeUrl.virtualHost,
      new Map([['t/x', testResource(typeUrl.virtualHost, 't/x', '1', { aliases: ['t/y'] })]]),
    );
    const { answers } = new Replica(view).type(typeUrl.virtualHost);
    assert.deepEqual(answers.to(new Set(['t/y', 't/x']))?.names, ['t/x']);
  });

  it('are none where something is not there, until it is', () => {
    const { view, replica, answers } = setUp();
    const names = new Set(['a', 'later']);
    assert.equal(answers.to(names), undefined);
    replica.update(view.set(typeUrl.endpoint, { later: '1' }));
    assert.deepEqual(answers.to(names)?.names, ['a', 'later']);
  });

  it('to a client that asks for all are all that there is', () => {
    const { view, replica, answers } = setUp();
    assert.deepEqual(answers.all().names, ['a', 'b', 'c']);
    replica.update(view.set(typeUrl.endpoint, { b: undefined }));
    assert.deepEqual(answers.all().names, ['a', 'c']);
    assert.equal(answers.all().bytes, replica.type(typeUrl.endpoint).bytes);
  });
});
