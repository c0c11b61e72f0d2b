/** A whole set that many clients are sent alike: what one of them makes of it stays its own. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { TypeMachine } from '../../../src/xds/type-machine.ts';
import { TestView } from '../../support/xds-views.ts';

/** SotW clients of one replica that ask for all clusters; each answers what it is sent. */
function setUp() {
  const view = new TestView();
  view.set(typeUrl.cluster, { a: '1', b: '1' });
  const replica = new Replica(view);
  let nonces = 0;
  const open = () => {
    const options = { typeUrl: typeUrl.cluster, transport: 'sotw', impliedWildcard: true } as const;
    const machine = new TypeMachine({ ...options, maxResponseBytes: 1_000 }, replica);
    const request = (nonce: string, error?: string): void => {
      const empty = { subscribe: [], unsubscribe: [], initialVersions: new Map(), resumes: false };
      machine.request({ typeUrl: typeUrl.cluster, node: undefined, nonce, error, ...empty });
    };
    /** What it is sent, by name; undefined if nothing. */
    const exchange = (error?: string): readonly string[] | undefined => {
      const draft = machine.draft();
      if (draft === undefined) return undefined;
      const nonce = `n${++nonces}`;
      machine.commit(draft, nonce);
      request(nonce, error);
      return draft.resources.map((resource) => resource.name);
    };
    request('');
    return { machine, exchange };
  };
  const change = (contents: Record<string, string | undefined>): void => {
    const changes = view.set(typeUrl.cluster, contents);
    const entry = replica.tail;
    replica.update(changes);
    const diff = entry.next?.diffs.get(typeUrl.cluster);
    if (diff !== undefined) for (const { machine } of clients) machine.mark(diff);
  };
  const clients = [open(), open()];
  for (const { exchange } of clients) assert.deepEqual(exchange(), ['a', 'b']);
  return { view, clients, change };
}

describe('a whole set', () => {
  it('that one client refuses is held by the others, and not sent again while nothing changes', () => {
    const { view, clients, change } = setUp();
    const [one, other] = clients;
    const before = view.resources(typeUrl.cluster).get('b');
    change({ b: '2' });
    assert.deepEqual(one?.exchange('no'), ['a', 'b']);
    assert.deepEqual(other?.exchange(), ['a', 'b']);
    assert.deepEqual(new Map(one?.machine.held()).get('b'), before);
    assert.deepEqual(new Map(other?.machine.held()).get('b'), view.resources(typeUrl.cluster).get('b'));
    assert.equal(one?.exchange(), undefined);
    change({ b: '1' });
    assert.equal(one?.exchange(), undefined);
    assert.equal(one?.machine.isRejected, false);
    assert.deepEqual(other?.exchange(), ['a', 'b']);
  });

  it('says which of its resources each client did not have', () => {
    const { clients, change } = setUp();
    change({ b: '2', c: '1' });
    const draft = clients[0]?.machine.draft();
    assert.deepEqual(draft?.added, ['c']);
    assert.deepEqual(draft?.changed, ['b', 'c']);
    assert.deepEqual(draft?.resources.length, 3);
  });

  it('is what all means to the view, and what was asked for by name besides', () => {
    const view = new TestView();
    view.set(typeUrl.cluster, { a: '1', b: '1', c: '1' });
    view.wildcardNames = () => new Set(['a']);
    const replica = new Replica(view);
    const asked = [[], ['*', 'c'], ['b', 'c'], []].map((subscribe) => {
      const options = { typeUrl: typeUrl.cluster, transport: 'sotw', impliedWildcard: true } as const;
      const machine = new TypeMachine({ ...options, maxResponseBytes: 1_000 }, replica);
      const set = subscribe.includes('*') ? {} : { subscribeSet: new Set(subscribe) };
      const more = { unsubscribe: [], initialVersions: new Map(), resumes: false, ...set };
      machine.request({ typeUrl: typeUrl.cluster, node: undefined, nonce: '', error: undefined, subscribe, ...more });
      const draft = machine.draft();
      if (draft !== undefined) machine.commit(draft, 'n1');
      assert.deepEqual(
        [...machine.held()].map(([name]) => name),
        draft?.added,
      );
      assert.equal(machine.heldCount(), draft?.resources.length);
      return draft?.resources.map((resource) => resource.name);
    });
    assert.deepEqual(asked, [['a'], ['a', 'c'], ['b', 'c'], ['a']]);
  });
});
