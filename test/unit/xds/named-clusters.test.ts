/**
 * Clients that name each cluster that they use, as gRPC's own do (SotW, aggregated): they accept a route table at once and go by the one before
 * until they have all that the new one leads to. So nothing of that is taken from them before they drop it themselves.
 */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../src/core/resource.ts';
import { typeUrl } from '../../../src/core/type-urls.ts';
import type { Draft } from '../../../src/xds/draft.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { StreamMachine } from '../../../src/xds/stream-machine.ts';
import { TestView, testResource } from '../../support/xds-views.ts';

const lingerMs = 15_000;

class Client {
  readonly view = new TestView();
  readonly replica: Replica;
  readonly machine: StreamMachine;
  nowMs = 0;
  readonly #nonces = new Map<string, string>();
  readonly #names = new Map<string, readonly string[]>();
  #count = 0;

  constructor(fill: (view: TestView) => void) {
    this.view.missing = (type, name) =>
      type === typeUrl.cluster || type === typeUrl.endpoint ? testResource(type, name, 'empty') : undefined;
    fill(this.view);
    this.replica = new Replica(this.view);
    this.machine = new StreamMachine(
      {
        transport: 'sotw',
        maxResponseBytes: 1_000_000,
        warmingWaitMaxMs: 2_000,
        removalLingerMs: lingerMs,
        removalGraceMs: 0,
        aggregated: true,
        supportsTtl: false,
      },
      this.replica,
    );
  }

  ask(url: string, names: readonly string[], resumes = false): void {
    this.#names.set(url, names);
    this.#request(url, resumes);
  }

  #request(url: string, resumes = false): void {
    const nonce = this.#nonces.get(url) ?? '';
    const rest = { node: undefined, error: undefined, unsubscribe: [], initialVersions: new Map(), resumes };
    const subscribe = this.#names.get(url) ?? [];
    this.machine.request({ typeUrl: url, nonce, subscribe, ...rest }, 0, this.nowMs);
  }

  change(url: string, contents: Readonly<Record<string, string | undefined>>): void {
    this.replica.update(this.view.set(url, { ...contents }));
  }

  /** Takes and acknowledges all that is sent now: `C c1=1 c2=2`, with one letter per type. */
  take(): string[] {
    const seen: string[] = [];
    for (let draft = this.machine.next(this.nowMs); draft !== undefined; draft = this.machine.next(this.nowMs)) {
      const nonce = `n${++this.#count}`;
      this.machine.sent(draft, nonce, this.nowMs);
      this.#nonces.set(draft.typeUrl, nonce);
      this.#request(draft.typeUrl);
      seen.push(show(draft));
    }
    return seen;
  }
}

const letters = new Map<string, string>([
  [typeUrl.cluster, 'C'],
  [typeUrl.endpoint, 'E'],
  [typeUrl.listener, 'L'],
  [typeUrl.route, 'R'],
]);

function show({ typeUrl: url, resources }: Draft): string {
  const contentOf = (name: string, version: string): string | undefined =>
    ['1', '2', '3', 'empty', 'before c2', 'before c3', 'c1 for c2'].find(
      (content) => testResource(url, name, content).version === version,
    );
  const texts = resources.map(({ name, version }) => `${name}=${contentOf(name, version)}`);
  return [letters.get(url), ...texts].join(' ');
}

/** It holds a listener, a table, and cluster c1 with its endpoints. */
function settled(): Client {
  const client = new Client((view) => {
    view.set(typeUrl.listener, { l: '1' });
    view.set(typeUrl.route, { r: '1' });
    view.set(typeUrl.cluster, { c1: '1' });
    view.set(typeUrl.endpoint, { c1: '1' });
  });
  client.ask(typeUrl.listener, ['l']);
  client.ask(typeUrl.route, ['r']);
  client.ask(typeUrl.cluster, ['c1']);
  client.ask(typeUrl.endpoint, ['c1']);
  assert.deepEqual(client.take().sort(), ['C c1=1', 'E c1=1', 'L l=1', 'R r=1']);
  return client;
}

/** The table leads to c2 now, and c1 is no more. */
function turned(client: Client): void {
  client.change(typeUrl.cluster, { c1: undefined, c2: '1' });
  client.change(typeUrl.endpoint, { c1: undefined, c2: '1' });
  client.change(typeUrl.route, { r: '2' });
}

describe('a client that names its clusters', () => {
  it('keeps what its routes led to until it drops it, though it has accepted the new routes', () => {
    const client = settled();
    turned(client);
    assert.deepEqual(client.take(), ['R r=2']);
    client.ask(typeUrl.cluster, ['c1', 'c2']);
    assert.deepEqual(client.take(), ['C c2=1 c1=1']);
    client.nowMs += 5_000;
    client.ask(typeUrl.endpoint, ['c1', 'c2']);
    assert.deepEqual(client.take(), ['E c2=1']);
    client.ask(typeUrl.endpoint, ['c2']);
    client.ask(typeUrl.cluster, ['c2']);
    assert.deepEqual(client.take(), []);
    client.nowMs += 2 * lingerMs;
    assert.deepEqual(client.take(), []);
    assert.equal(client.machine.wakeAt, undefined);
  });

  it('is told the truth in the end, if it does not drop it', () => {
    const client = settled();
    turned(client);
    assert.deepEqual(client.take(), ['R r=2']);
    client.nowMs = lingerMs - 1;
    assert.deepEqual(client.take(), []);
    assert.equal(client.machine.wakeAt, lingerMs);
    client.nowMs = lingerMs;
    assert.deepEqual(client.take(), ['C c1=empty', 'E c1=empty']);
  });

  it('gets the host’s words at once for what was never there', () => {
    const client = settled();
    client.ask(typeUrl.cluster, ['c1', 'c9']);
    client.ask(typeUrl.endpoint, ['c1', 'c9']);
    assert.deepEqual(client.take(), ['C c1=1 c9=empty', 'E c9=empty']);
    client.change(typeUrl.cluster, { c9: '1' });
    client.change(typeUrl.endpoint, { c9: '1' });
    assert.deepEqual(client.take(), ['C c1=1 c9=1', 'E c9=1']);
  });

  it('that comes back keeps the endpoints that it uses until it has those of the new routes', () => {
    const client = new Client((view) => {
      view.set(typeUrl.listener, { l: '1' });
      view.set(typeUrl.route, { r: '2' });
      view.set(typeUrl.cluster, { c2: '1' });
      view.set(typeUrl.endpoint, { c2: '1' });
    });
    for (const [url, name] of [
      [typeUrl.listener, 'l'],
      [typeUrl.route, 'r'],
      [typeUrl.cluster, 'c1'],
      [typeUrl.endpoint, 'c1'],
    ] as const)
      client.ask(url, [name], true);
    assert.deepEqual(client.take().sort(), ['C c1=empty', 'L l=1', 'R r=2']);
    client.ask(typeUrl.cluster, ['c1', 'c2']);
    client.ask(typeUrl.endpoint, ['c1', 'c2']);
    assert.deepEqual(client.take(), ['C c2=1 c1=empty', 'E c2=1']);
    client.nowMs = lingerMs;
    assert.deepEqual(client.take(), ['E c1=empty']);
  });

  describe('and goes by a new table before it has what it leads to', () => {
    const leadsTo = (content: string, ...names: string[]): EncodedResource => ({
      ...testResource(typeUrl.route, 'r', content),
      announce: {
        names,
        before: (_held, missing) => testResource(typeUrl.route, 'r', `before ${missing.join()}`),
        resumed: (held, missing) =>
          held.has('c1') ? testResource(typeUrl.route, 'r', `c1 for ${missing.join()}`) : undefined,
      },
    });

    /** The table leads to c2 now; this client comes back, in this order, with c1 in hand. */
    function comesBack(...order: readonly ('C' | 'E' | 'L' | 'R')[]): {
      readonly client: Client;
      readonly said: string[];
    } {
      const client = new Client((view) => {
        view.set(typeUrl.listener, { l: '1' });
        view.put(typeUrl.route, new Map([['r', leadsTo('2', 'c2')]]));
        view.set(typeUrl.cluster, { c1: '1', c2: '1' });
        view.set(typeUrl.endpoint, { c1: '1', c2: '1' });
      });
      const names = { C: 'c1', E: 'c1', L: 'l', R: 'r' };
      const said: string[] = [];
      for (const letter of order) {
        const [url] = [...letters].find(([, each]) => each === letter) ?? [''];
        client.ask(url, [names[letter]], true);
        said.push(...client.take());
      }
      return { client, said };
    }

    const orders = [
      ['L', 'R', 'C', 'E'],
      ['C', 'E', 'L', 'R'],
      ['R', 'C', 'E', 'L'],
      ['E', 'R', 'L', 'C'],
    ] as const;

    it('and comes back, nobody knows with which: is sent the new one leading to what it has, until it has the rest', () => {
      for (const order of orders) {
        const { client, said } = comesBack(...order);
        assert.deepEqual([...new Set(said)].sort(), ['C c1=1', 'E c1=1', 'L l=1', 'R r=c1 for c2'], order.join(''));
        client.ask(typeUrl.cluster, ['c1', 'c2']);
        assert.deepEqual(client.take(), ['C c1=1 c2=1']);
        client.ask(typeUrl.endpoint, ['c1', 'c2']);
        assert.deepEqual(client.take(), ['E c2=1', 'R r=2']);
        client.ask(typeUrl.endpoint, ['c2']);
        client.ask(typeUrl.cluster, ['c2']);
        assert.deepEqual(client.take(), []);
      }
    });

    it('and comes back: has the new one after a while, whatever it says and does', () => {
      const { client } = comesBack('L', 'R', 'C', 'E');
      assert.equal(client.machine.wakeAt, 2_000);
      client.nowMs = 2_000;
      assert.deepEqual(client.take(), ['R r=2']);
      const silent = comesBack('L', 'R').client;
      assert.equal(silent.machine.wakeAt, 2_000);
      silent.nowMs = 2_000;
      assert.deepEqual(silent.take(), ['R r=2']);
    });

    it('and comes back: has the new one at once, if it has all of it or nothing that could stand in', () => {
      const other = new Client((view) => void view.set(typeUrl.route, { r: '1' }));
      other.ask(typeUrl.route, ['r'], true);
      assert.deepEqual(other.take(), ['R r=1'], 'a table that leads to no assignments');
      for (const names of [['c1', 'c2'], ['c3']]) {
        const client = new Client((view) => {
          view.put(typeUrl.route, new Map([['r', leadsTo('2', 'c2')]]));
          view.set(typeUrl.cluster, { c1: '1', c2: '1', c3: '1' });
          view.set(typeUrl.endpoint, { c1: '1', c2: '1', c3: '1' });
        });
        for (const url of [typeUrl.cluster, typeUrl.endpoint]) client.ask(url, names, true);
        client.ask(typeUrl.route, ['r'], true);
        assert.deepEqual(client.take().slice(-1), ['R r=2']);
      }
    });
    const change = (client: Client, table: EncodedResource): void => {
      client.replica.update(client.view.put(typeUrl.route, new Map([['r', table]])));
    };

    it('is told of that before, and has the table once it holds it', () => {
      const client = settled();
      client.change(typeUrl.cluster, { c2: '1' });
      client.change(typeUrl.endpoint, { c2: '1' });
      change(client, leadsTo('2', 'c1', 'c2'));
      assert.deepEqual(client.take(), ['R r=before c2']);
      assert.equal(client.machine.status(0).get(typeUrl.route)?.state, 'pending');
      client.ask(typeUrl.cluster, ['c1', 'c2']);
      assert.deepEqual(client.take(), ['C c1=1 c2=1']);
      client.ask(typeUrl.endpoint, ['c1', 'c2']);
      assert.deepEqual(client.take(), ['E c2=1', 'R r=2']);
      assert.equal(client.machine.status(0).get(typeUrl.route)?.state, 'synced');
    });

    it('has the table after a while, whatever it does', () => {
      const client = settled();
      change(client, leadsTo('2', 'c2'));
      assert.deepEqual(client.take(), ['R r=before c2']);
      client.nowMs = 1_999;
      assert.deepEqual(client.take(), []);
      assert.equal(client.machine.wakeAt, 2_000);
      client.nowMs = 2_000;
      assert.deepEqual(client.take(), ['R r=2']);
    });

    it('has only the newest table, of several', () => {
      const client = settled();
      change(client, leadsTo('2', 'c2'));
      assert.deepEqual(client.take(), ['R r=before c2']);
      change(client, leadsTo('3', 'c3'));
      assert.deepEqual(client.take(), ['R r=before c3']);
      client.ask(typeUrl.cluster, ['c1', 'c3']);
      client.ask(typeUrl.endpoint, ['c1', 'c3']);
      assert.deepEqual(client.take(), ['C c1=1 c3=empty', 'E c3=empty', 'R r=3']);
    });

    it('is told nothing before where it holds all, or has no table yet', () => {
      const client = settled();
      change(client, leadsTo('2', 'c1'));
      assert.deepEqual(client.take(), ['R r=2']);
      const fresh = new Client((view) => view.put(typeUrl.route, new Map([['r', leadsTo('1', 'c1')]])));
      fresh.ask(typeUrl.cluster, ['c1']);
      fresh.ask(typeUrl.route, ['r']);
      assert.deepEqual(fresh.take(), ['C c1=empty', 'R r=1']);
    });
  });

  it('loses a listener at once', () => {
    const client = settled();
    client.change(typeUrl.listener, { l: undefined });
    assert.deepEqual(client.take(), ['L']);
  });
});
