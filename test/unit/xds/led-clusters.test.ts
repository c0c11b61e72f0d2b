/**
 * Clients on demand, which ask for virtual hosts and Envoy clusters one by one: a virtual host comes once what it leads to is there and warm, and
 * what it led to goes once the client has confirmed that it does not. So the client has nothing to ask for while a request waits.
 */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../src/core/resource.ts';
import { typeUrl } from '../../../src/core/type-urls.ts';
import type { Draft } from '../../../src/xds/draft.ts';
import { Replica } from '../../../src/xds/replica.ts';
import type { XdsRequest } from '../../../src/xds/request.ts';
import { StreamMachine } from '../../../src/xds/stream-machine.ts';
import { TestView, testResource, together } from '../../support/xds-views.ts';

const { cluster, endpoint, virtualHost } = typeUrl;
const always: ReadonlySet<string> = new Set(['black-hole']);
const letters = new Map<string, string>([
  [cluster, 'C'],
  [endpoint, 'E'],
  [virtualHost, 'V'],
]);

class Client {
  readonly view = new TestView();
  readonly replica: Replica;
  readonly machine: StreamMachine;
  nowMs = 0;
  readonly #leads = new Map<string, readonly string[]>();
  #count = 0;

  constructor() {
    const { view } = this;
    view.impliedWildcard = (type) => type !== endpoint;
    view.wildcardNames = (type) => (type === endpoint ? undefined : always);
    view.leadsTo = ({ version }) => this.#leads.get(version) ?? [];
    for (const type of [cluster, endpoint]) view.set(type, { a: '1', b: '1', c: '1', 'black-hole': '1' });
    view.put(virtualHost, new Map([['host', this.#host('a')]]));
    this.replica = new Replica(view);
    const limits = { maxResponseBytes: 1_000_000, warmingWaitMaxMs: 2_000, removalLingerMs: 15_000, removalGraceMs: 0 };
    this.machine = new StreamMachine(
      { transport: 'delta', aggregated: true, supportsTtl: false, ...limits },
      this.replica,
    );
    this.ask(cluster);
    this.ask(virtualHost);
    this.take();
  }

  ask(url: string, fields: Partial<XdsRequest> = {}): void {
    const nothing = { nonce: '', subscribe: [], unsubscribe: [], initialVersions: new Map(), resumes: false };
    this.machine.request({ typeUrl: url, node: undefined, error: undefined, ...nothing, ...fields }, 0, this.nowMs);
  }

  /** The host leads to `to` from now on, and of a, b and c these are there. */
  lead(to: readonly string[], there: readonly string[] = ['a', 'b', 'c']): void {
    const contents = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, there.includes(name) ? '1' : undefined]));
    const hosts = new Map([['host', this.#host(...to)]]);
    const { view } = this;
    this.replica.update(
      together(view.set(cluster, contents), view.set(endpoint, contents), view.put(virtualHost, hosts)),
    );
  }

  #host(...to: readonly string[]): EncodedResource {
    const host = testResource(virtualHost, 'host', to.join('+'), { aliases: ['host'] });
    this.#leads.set(host.version, to);
    return host;
  }

  /** What the server would write now, unanswered. */
  write(): { readonly said: string; readonly answer: (error?: string) => void } | undefined {
    const draft = this.machine.next(this.nowMs);
    if (draft === undefined) return undefined;
    const nonce = `n${++this.#count}`;
    this.machine.sent(draft, nonce, this.nowMs);
    return { said: show(draft), answer: (error) => this.ask(draft.typeUrl, { nonce, error }) };
  }

  /** Takes, and confirms, all that comes; asks for the endpoints of new clusters, as Envoy does, unless told not to. */
  take(asksForEndpoints = true): string[] {
    const seen: string[] = [];
    for (let message = this.write(); message !== undefined; message = this.write()) {
      seen.push(message.said);
      message.answer();
      const clusters = /^C ([^-]*)/.exec(message.said)?.[1]?.trim() ?? '';
      if (clusters !== '' && asksForEndpoints) this.ask(endpoint, { subscribe: clusters.split(' ') });
    }
    return seen;
  }
}

/** `C a b -c`: one letter per type, the resources, and what is gone. */
function show({ typeUrl: url, resources, removed }: Draft): string {
  return [letters.get(url), ...resources.map(({ name }) => name), ...removed.map((name) => `-${name}`)].join(' ');
}

describe('what virtual hosts lead to, on demand', () => {
  it('comes before them, with its endpoints, and nothing else comes', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    assert.deepEqual(client.take(), ['C a', 'E a', 'V host']);
  });

  it('is not sent again to a client that has it, nor if it asked for it itself', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.ask(cluster, { subscribe: ['b'] });
    client.take();
    client.lead(['b']);
    assert.deepEqual(client.take(), ['V host']);
  });

  it('comes before they change, and they wait for its endpoints', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.take();
    client.lead(['a', 'b']);
    assert.deepEqual(client.take(false), ['C b']);
    client.ask(endpoint, { subscribe: ['b'] });
    assert.deepEqual(client.take(), ['E b', 'V host']);
  });

  it('is waited for no longer than other warming clusters', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.take();
    client.lead(['b']);
    assert.deepEqual(client.take(false), ['C b']);
    assert.equal(client.machine.wakeAt, 2_000);
    client.nowMs = 2_000;
    assert.deepEqual(client.take(false), ['V host']);
  });

  it('goes only once the client has confirmed that they do not lead there, however soon that is taken back', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.take();
    client.lead(['b'], ['a', 'b']);
    client.write()?.answer();
    client.ask(endpoint, { subscribe: ['b'] });
    client.write()?.answer();
    const leading = client.write();
    assert.equal(leading?.said, 'V host');
    // Withdrawn while the client has not answered.
    client.lead(['a'], ['a']);
    assert.equal(client.write(), undefined);
    leading?.answer();
    const led = client.write();
    assert.equal(led?.said, 'V host');
    assert.equal(client.write(), undefined);
    led?.answer();
    assert.deepEqual(client.take(), ['C -b', 'E -b']);
  });

  it('is never led to when it is withdrawn while it comes', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.take();
    client.lead(['b'], ['a', 'b']);
    assert.deepEqual(client.take(false), ['C b']);
    client.lead(['a'], ['a']);
    assert.deepEqual(client.take(), ['C -b']);
  });

  it('stays while the client holds on to a host that it refused to exchange', () => {
    const client = new Client();
    client.ask(virtualHost, { subscribe: ['host'] });
    client.take();
    client.lead(['b'], ['b']);
    const messages: string[] = [];
    for (let message = client.write(); message !== undefined; message = client.write()) {
      messages.push(message.said);
      message.answer(message.said.startsWith('V') ? 'no' : undefined);
      if (message.said.startsWith('C')) client.ask(endpoint, { subscribe: ['b'] });
    }
    assert.deepEqual(messages, ['C b', 'E b', 'V host']);
    client.nowMs = 1_000_000;
    assert.deepEqual(client.take(), []);
    client.lead(['b', 'b'], ['b']);
    assert.deepEqual(client.take(), ['V host', 'C -a', 'E -a']);
  });
});
