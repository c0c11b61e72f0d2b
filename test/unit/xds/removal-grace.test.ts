/** Requests may still wait for an Envoy cluster that no route leads to any more: it is left to its client for some time, and nothing waits for that. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../../src/core/type-urls.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { StreamMachine } from '../../../src/xds/stream-machine.ts';
import { TestView } from '../../support/xds-views.ts';

const graceMs = 5000;
const letters = new Map<string, string>([
  [typeUrl.cluster, 'C'],
  [typeUrl.endpoint, 'E'],
  [typeUrl.listener, 'L'],
  [typeUrl.route, 'R'],
]);

class Client {
  readonly replica: Replica;
  readonly machine: StreamMachine;
  nowMs = 1000;
  /** Whether it answers. */
  answers = true;
  readonly #view = new TestView();
  readonly #transport: 'sotw' | 'delta';
  readonly #unanswered: { readonly url: string; readonly nonce: string }[] = [];
  #count = 0;

  constructor(transport: 'sotw' | 'delta') {
    this.#transport = transport;
    this.replica = new Replica(this.#view);
    this.machine = new StreamMachine(
      {
        transport,
        maxResponseBytes: 1_000_000,
        warmingWaitMaxMs: 2_000,
        removalLingerMs: 15_000,
        removalGraceMs: graceMs,
        aggregated: true,
        supportsTtl: false,
      },
      this.replica,
    );
    this.change(['c1', 'c2'], 'both');
    for (const url of [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener, typeUrl.route]) this.#request(url, '');
    this.take();
  }

  /** The clusters that there are, with endpoints, and a table that leads to them. */
  change(clusters: readonly string[], table: string): void {
    const gone = ['c1', 'c2', 'c3'].filter((name) => !clusters.includes(name));
    const contents = Object.fromEntries([
      ...clusters.map((name) => [name, '1'] as const),
      ...gone.map((name) => [name, undefined] as const),
    ]);
    this.replica.update(
      new Map([
        ...this.#view.set(typeUrl.cluster, contents),
        ...this.#view.set(typeUrl.endpoint, contents),
        ...this.#view.set(typeUrl.listener, { main: '1' }),
        ...this.#view.set(typeUrl.route, { table }),
      ]),
    );
  }

  /** Takes all that is sent now: `C +c1 -c2`. */
  take(): string[] {
    const seen: string[] = [];
    for (let draft = this.machine.next(this.nowMs); draft !== undefined; draft = this.machine.next(this.nowMs)) {
      const nonce = `n${++this.#count}`;
      this.machine.sent(draft, nonce, this.nowMs);
      if (this.answers) this.#request(draft.typeUrl, nonce);
      else this.#unanswered.push({ url: draft.typeUrl, nonce });
      const parts = [...draft.resources.map(({ name }) => `+${name}`), ...draft.removed.map((name) => `-${name}`)];
      seen.push([letters.get(draft.typeUrl), ...parts].join(' '));
    }
    return seen;
  }

  answer(): void {
    this.answers = true;
    for (const { url, nonce } of this.#unanswered.splice(0)) this.#request(url, nonce);
  }

  /** At the time for which it asked. */
  wake(): string[] {
    this.nowMs = this.machine.wakeAt ?? this.nowMs;
    return this.take();
  }

  #request(url: string, nonce: string): void {
    const all = url === typeUrl.cluster || url === typeUrl.listener;
    const names = all ? [] : url === typeUrl.route ? ['table'] : ['c1', 'c2', 'c3'];
    const subscribe = this.#transport === 'sotw' || nonce === '' ? names : [];
    const rest = { node: undefined, error: undefined, unsubscribe: [], initialVersions: new Map(), resumes: false };
    this.machine.request({ typeUrl: url, nonce, subscribe, ...rest }, 0, this.nowMs);
  }
}

describe('Envoy clusters that nothing leads to any more', () => {
  for (const transport of ['delta', 'sotw'] as const) {
    const removals = transport === 'delta' ? ['C -c2', 'E -c2'] : ['C +c1'];

    it(`${transport}: stay for the time that requests may wait, which begins once the routes are confirmed`, () => {
      const client = new Client(transport);
      client.change(['c1'], 'one');
      client.answers = false;
      assert.deepEqual(client.take(), ['R +table']);
      client.nowMs += 3000;
      client.answer();
      assert.deepEqual(client.take(), []);
      assert.equal(client.machine.wakeAt, client.nowMs + graceMs);
      client.nowMs += graceMs - 1;
      assert.deepEqual(client.take(), []);
      assert.deepEqual(client.wake(), removals);
      assert.deepEqual(client.take(), []);
      assert.equal(client.machine.wakeAt, undefined);
    });

    it(`${transport}: are no reason to call a client behind, nor is their removal while it has yet to be confirmed`, () => {
      const client = new Client(transport);
      const floor = (): number | undefined => client.machine.ackedFloor([typeUrl.cluster, typeUrl.route]);
      client.change(['c1'], 'one');
      client.take();
      assert.equal(floor(), client.replica.revision);
      assert.equal(client.machine.status(0).get(typeUrl.cluster)?.state, 'synced');
      client.answers = false;
      assert.deepEqual(client.wake()[0], removals[0]);
      assert.equal(floor(), client.replica.revision);
    });

    it(`${transport}: that come back are as they were, and stay anew when they go again`, () => {
      const client = new Client(transport);
      client.change(['c1'], 'one');
      client.take();
      client.nowMs += 4000;
      client.change(['c1', 'c2'], 'both');
      assert.deepEqual(client.take(), ['R +table']);
      client.change(['c1'], 'one');
      assert.deepEqual(client.take(), ['R +table']);
      const goneMs = client.nowMs;
      let seen: string[] = [];
      while (seen.length === 0) seen = client.wake();
      assert.deepEqual(seen, removals);
      assert.ok(client.nowMs >= goneMs + graceMs, `${client.nowMs - goneMs} ms`);
    });

    it(`${transport}: go each in its own time, though others come to go meanwhile`, () => {
      const client = new Client(transport);
      client.change(['c1', 'c2', 'c3'], 'three');
      client.take();
      client.change(['c1', 'c3'], 'one and three');
      client.take();
      client.nowMs += 4000;
      client.change(['c1'], 'one');
      client.take();
      const goneMs = client.nowMs;
      assert.deepEqual(client.wake(), transport === 'delta' ? removals : ['C +c1 +c3']);
      assert.deepEqual(client.wake(), transport === 'delta' ? ['C -c3', 'E -c3'] : ['C +c1']);
      assert.ok(client.nowMs >= goneMs + graceMs);
    });
  }

  it('are kept by their name and version alone, where a removal says no more', () => {
    const client = new Client('delta');
    client.change(['c1'], 'one');
    client.take();
    const held = client.machine.held().get(typeUrl.cluster)?.get('c2');
    assert.deepEqual(Object.keys(held ?? {}), ['version']);
  });
});
