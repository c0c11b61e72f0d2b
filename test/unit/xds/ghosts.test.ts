/** What a host says for names that are not there, when the client is moved to the view of another. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { TypeMachine } from '../../../src/xds/type-machine.ts';
import { TestView, testResource } from '../../support/xds-views.ts';

describe('names that are not there', () => {
  it('are answered in the words of the view that a client is moved to', () => {
    const [silent, telling] = [new TestView('silent'), new TestView('telling')];
    telling.missing = (type, name) => testResource(type, name, 'nobody');
    const options = { typeUrl: typeUrl.virtualHost, transport: 'delta', impliedWildcard: false } as const;
    const machine = new TypeMachine({ ...options, maxResponseBytes: 1_000 }, new Replica(silent));
    const request = (nonce: string, subscribe: readonly string[]): void => {
      const rest = { node: undefined, error: undefined, unsubscribe: [], initialVersions: new Map(), resumes: false };
      machine.request({ typeUrl: typeUrl.virtualHost, nonce, subscribe, ...rest });
    };
    let nonces = 0;
    const exchange = (): readonly (readonly string[])[] | undefined => {
      const draft = machine.draft();
      if (draft === undefined) return undefined;
      const nonce = `n${++nonces}`;
      machine.commit(draft, nonce);
      request(nonce, []);
      return [draft.resources.map(({ name }) => name), draft.removed];
    };
    request('', ['t/x']);
    assert.deepEqual(exchange(), [[], ['t/x']]);
    assert.equal(exchange(), undefined);
    machine.rebase(new Replica(telling));
    assert.deepEqual(exchange(), [['t/x'], []]);
    machine.rebase(new Replica(telling));
    assert.equal(exchange(), undefined);
    machine.rebase(new Replica(silent));
    assert.deepEqual(exchange(), [[], ['t/x']]);
  });
});
