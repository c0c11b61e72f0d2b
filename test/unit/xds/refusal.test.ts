import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { defaultXdsLimits } from '../../../src/xds/limits.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { StreamMachine } from '../../../src/xds/stream-machine.ts';
import { TestView } from '../../support/xds-views.ts';

/** A client of one type that holds `a` as it is in the view. */
function setUp(transport: 'sotw' | 'delta', url: string) {
  const view = new TestView();
  view.set(url, { a: '1' });
  const replica = new Replica(view);
  const { maxResponseBytes, warmingWaitMaxMs, removalLingerMs } = defaultXdsLimits;
  const machine = new StreamMachine(
    {
      transport,
      maxResponseBytes,
      warmingWaitMaxMs,
      removalLingerMs,
      removalGraceMs: 0,
      aggregated: true,
      supportsTtl: false,
    },
    replica,
  );
  let nonces = 0;
  const request = (nonce: string, error: string | undefined, subscribe: readonly string[]): void => {
    const fields = { typeUrl: url, node: undefined, unsubscribe: [], initialVersions: new Map(), resumes: false };
    machine.request({ ...fields, nonce, error, subscribe }, 0, 0);
  };
  /** Sends what there is to send, and has it answered; says whether there was anything. */
  const exchange = (error?: string): boolean => {
    const draft = machine.next(0);
    if (draft === undefined) return false;
    const nonce = `n${++nonces}`;
    machine.sent(draft, nonce, 0);
    request(nonce, error, transport === 'sotw' ? ['a'] : []);
    return true;
  };
  const change = (content: number): void => {
    view.set(url, { a: String(content) });
    replica.update(new Map([[url, new Set(['a'])]]));
  };
  const status = () => machine.status(0).get(url);
  request('', undefined, ['a']);
  assert.ok(exchange());
  assert.equal(status()?.state, 'synced');
  return { view, replica, machine, exchange, change, status };
}

describe('a refusal', () => {
  for (const transport of ['sotw', 'delta'] as const) {
    for (const url of [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener, typeUrl.route]) {
      const type = url.split('.').at(-1);

      it(`is over once what was refused is taken back, without a message (${transport} ${type})`, () => {
        const { replica, exchange, change, status } = setUp(transport, url);
        change(2);
        assert.ok(exchange('no'));
        assert.equal(status()?.state, 'rejected');
        assert.equal(status()?.error, 'no');
        change(1);
        assert.equal(exchange(), false);
        assert.equal(status()?.state, 'synced');
        assert.equal(status()?.error, '');
        assert.equal(status()?.ackedRevision, replica.revision);
      });

      it(`is over at once for a client that is given a view which holds what it holds (${transport} ${type})`, () => {
        const { machine, exchange, change, status } = setUp(transport, url);
        const former = new TestView();
        former.set(url, { a: '1' });
        change(2);
        assert.ok(exchange('no'));
        machine.rebase(new Replica(former));
        assert.equal(status()?.state, 'synced');
        assert.equal(exchange(), false);
      });
    }
  }
});
