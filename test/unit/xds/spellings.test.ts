/** Names that clients spell in more than one way: one resource, told of by each spelling that was asked for. */

import assert from 'node:assert/strict';
import type { EncodedResource } from '../../../src/core/resource.ts';
import { typeUrl as types } from '../../../src/core/type-urls.ts';
import { type Draft, toldAliases } from '../../../src/xds/draft.ts';
import { defaultXdsLimits } from '../../../src/xds/limits.ts';
import { withinLimits } from '../../../src/xds/passed-over.ts';
import { Replica } from '../../../src/xds/replica.ts';
import { Spellings, sharedSpellings } from '../../../src/xds/spellings.ts';
import { StreamMachine } from '../../../src/xds/stream-machine.ts';
import { Subscription } from '../../../src/xds/subscription.ts';
import { TypeMachine } from '../../../src/xds/type-machine.ts';
import { type Changes, TestView, testResource } from '../../support/xds-views.ts';

const typeUrl = types.virtualHost;
/** `t/x:9` and `t/X` are spelled so, and mean `t/x`. */
const meaning = (name: string): string => name.replace(/:[^:]*$/, '').toLowerCase();
const service = (content: string): EncodedResource =>
  testResource(typeUrl, 't/x.long', content, { aliases: ['t/x', 't/x.short'] });

interface Said {
  /** By name, what it is told by. */
  readonly told: Readonly<Record<string, readonly string[]>>;
  readonly removed: readonly string[];
}

/** A client on demand and its server. */
class Talk {
  readonly view = new TestView();
  readonly replica: Replica;
  machine: TypeMachine;
  #seen: Replica['tail'];
  #nonces = 0;

  constructor(resources: readonly EncodedResource[] = []) {
    this.view.missing = (type, name) => testResource(type, name, 'nobody');
    this.view.meaningOf = () => meaning;
    this.view.wildcardNames = () => new Set();
    this.#put(new Map(resources.map((each) => [each.name, each])));
    this.replica = new Replica(this.view);
    this.#seen = this.replica.tail;
    this.machine = this.#connected();
  }

  #connected(remembered: readonly string[] = []): TypeMachine {
    const options = { typeUrl, transport: 'delta', impliedWildcard: true, maxResponseBytes: 10_000 } as const;
    return new TypeMachine({ ...options, remembered: () => remembered }, this.replica);
  }

  reconnect(remembered: readonly string[] = []): void {
    this.machine = this.#connected(remembered);
    this.#seen = this.replica.tail;
  }

  ask(
    subscribe: readonly string[],
    more: { readonly unsubscribe?: readonly string[]; readonly held?: ReadonlyMap<string, string> } = {},
  ): Said | undefined {
    const { unsubscribe = [], held = new Map() } = more;
    this.#request('', subscribe, unsubscribe, held);
    return this.said();
  }

  put(name: string, resource: EncodedResource | undefined): Said | undefined {
    this.replica.update(this.#put(new Map([[name, resource]])));
    for (; this.#seen.next !== undefined; this.#seen = this.#seen.next)
      this.machine.mark(this.#seen.next.diffs.get(typeUrl) ?? new Map());
    return this.said();
  }

  /** The next message, which the client accepts. */
  said(): Said | undefined {
    const draft: Draft | undefined = this.machine.draft();
    if (draft === undefined) return undefined;
    const nonce = `n${++this.#nonces}`;
    const told = Object.fromEntries(draft.resources.map((each) => [each.name, [...toldAliases(each, draft)].sort()]));
    this.machine.commit(draft, nonce);
    this.#request(nonce, [], [], new Map());
    return { told, removed: draft.removed };
  }

  heldNames(): string[] {
    return [...this.machine.held()].map(([name]) => name).sort();
  }

  #put(resources: ReadonlyMap<string, EncodedResource | undefined>): Changes {
    return this.view.put(typeUrl, resources);
  }

  #request(
    nonce: string,
    subscribe: readonly string[],
    unsubscribe: readonly string[],
    initialVersions: ReadonlyMap<string, string>,
  ): void {
    const resumes = initialVersions.size > 0;
    const rest = { node: undefined, error: undefined };
    this.machine.request({ typeUrl, nonce, subscribe, unsubscribe, initialVersions, resumes, ...rest });
  }
}

describe('names spelled in several ways', () => {
  it('mean one resource, which is told of by each that was asked for', () => {
    const talk = new Talk([service('1')]);
    talk.ask([]);
    assert.deepEqual(talk.ask(['t/x:9']), { told: { 't/x.long': ['t/x:9'] }, removed: [] });
    assert.deepEqual(talk.ask(['t/x', 't/x.long:7']), {
      told: { 't/x.long': ['t/x', 't/x.long:7', 't/x:9'] },
      removed: [],
    });
    assert.deepEqual(talk.put('t/x.long', service('2'))?.removed, []);
    assert.deepEqual(talk.heldNames(), ['t/x.long']);
  });

  it('mean one answer where there is nothing, and the resource once there is, and again', () => {
    const talk = new Talk();
    talk.ask([]);
    assert.deepEqual(talk.ask(['t/x:9']), { told: { 't/x': ['t/x:9'] }, removed: [] });
    assert.deepEqual(talk.ask(['t/x:8']), { told: { 't/x': ['t/x:8', 't/x:9'] }, removed: [] });
    for (const content of ['1', '2']) {
      assert.deepEqual(talk.put('t/x.long', service(content)), {
        told: { 't/x.long': ['t/x:8', 't/x:9'] },
        removed: ['t/x'],
      });
      assert.deepEqual(talk.heldNames(), ['t/x.long']);
      const gone = talk.put('t/x.long', undefined);
      assert.deepEqual(gone, { told: { 't/x': ['t/x:8', 't/x:9'] }, removed: ['t/x.long'] });
      assert.deepEqual(talk.heldNames(), ['t/x']);
    }
  });

  it('by which a resource is named itself take its place where it goes', () => {
    const talk = new Talk([service('1')]);
    talk.ask([]);
    assert.deepEqual(talk.ask(['t/x.long:7']), { told: { 't/x.long': ['t/x.long:7'] }, removed: [] });
    assert.deepEqual(talk.put('t/x.long', undefined), { told: { 't/x.long': ['t/x.long:7'] }, removed: [] });
    assert.deepEqual(talk.put('t/x.long', service('1')), { told: { 't/x.long': ['t/x.long:7'] }, removed: [] });
  });

  it('are sent nothing where a client comes back with what they mean', () => {
    const talk = new Talk([service('1')]);
    const versions = new Map([
      ['t/x.long', service('1').version],
      ['t/y', testResource(typeUrl, 't/y', 'nobody').version],
    ]);
    const all = ['*', 't/x:9', 't/x:8', 't/y:9'];
    assert.equal(talk.ask(all, { held: versions }), undefined);
    assert.deepEqual(talk.heldNames(), ['t/x.long', 't/y']);
    assert.deepEqual(talk.put('t/x.long', service('2')), { told: { 't/x.long': ['t/x:8', 't/x:9'] }, removed: [] });
  });

  it('that were names of resources once are taken away from a client that comes back with them', () => {
    const talk = new Talk([service('1')]);
    const versions = new Map([
      ['t/x.long:80', 'old'],
      ['t/y:9', 'old'],
    ]);
    const said = talk.ask(['*', 't/x:9', 't/y:9'], { held: versions });
    assert.deepEqual(said, { told: { 't/x.long': ['t/x:9'], 't/y': ['t/y:9'] }, removed: ['t/x.long:80', 't/y:9'] });
    assert.deepEqual(talk.heldNames(), ['t/x.long', 't/y']);
  });

  it('are remembered as what they mean', () => {
    const talk = new Talk([service('1')]);
    talk.ask([]);
    talk.ask(['t/x:9', 't/x:8', 't/nobody:1']);
    const remembered = talk.machine.askedNames();
    assert.deepEqual(remembered, ['t/x']);
    talk.reconnect(remembered);
    assert.deepEqual(talk.ask([]), { told: { 't/x.long': ['t/x'] }, removed: [] });
  });

  it('are given up one by one', () => {
    const subscription = new Subscription(true);
    subscription.understand(meaning);
    subscription.edit(['t/x:9', 't/x:8'], [], true);
    assert.ok(subscription.asks('t/x') && subscription.has('long', service('1')));
    assert.ok(!subscription.asks('t/x:9'), 'a spelling is nothing that there could be');
    subscription.edit([], ['t/x:9'], false);
    assert.deepEqual(subscription.spellings.of('t/x'), ['t/x:8']);
    subscription.edit([], ['t/x:8'], false);
    assert.ok(!subscription.asks('t/x'));
    assert.equal(subscription.spellings.size, 0);
  });

  it('are read once where streams share them', () => {
    const names = new Set(['t/x:9', 't/y']);
    const both = [new Subscription(true), new Subscription(true)].map((subscription) => {
      subscription.understand(meaning);
      subscription.edit([...names], [], true, names);
      return subscription;
    });
    assert.ok(both.every((each) => each.spellings === sharedSpellings(names, meaning)));
    both[0]?.edit(['t/y:1'], [], false);
    assert.deepEqual(both[0]?.spellings.of('t/y'), ['t/y:1']);
    assert.deepEqual(both[1]?.spellings.of('t/y'), []);
  });

  it('are as many as were asked for', () => {
    const spellings = new Spellings();
    for (const name of ['t/x', 't/x:9', 't/x:9', 't/x:8']) spellings.add(name, meaning(name));
    assert.deepEqual(spellings.of('t/x'), ['t/x:9', 't/x:8']);
    for (const name of ['t/x:7', 't/x:9', 't/x:8']) spellings.delete(name, meaning(name));
    assert.equal(spellings.size, 0);
  });

  it('take up room beyond the first, though there is something of them', () => {
    const { view, replica } = new Talk([service('1')]);
    const machine = new StreamMachine(
      {
        transport: 'delta',
        maxResponseBytes: 1000,
        warmingWaitMaxMs: 0,
        removalLingerMs: 0,
        removalGraceMs: 0,
        aggregated: true,
        supportsTtl: false,
      },
      replica,
    );
    assert.equal(view.ready, true);
    const rest = { typeUrl, node: undefined, nonce: '', error: undefined, unsubscribe: [], resumes: false } as const;
    const request = { ...rest, initialVersions: new Map() };
    const limits = { ...defaultXdsLimits, maxNamesPerType: 2 };
    const ports = Array.from({ length: 1000 }, (_, at) => `t/x:${at}`);
    const first = withinLimits({ ...request, subscribe: [...ports, 't/x'] }, machine.askedOf(typeUrl), limits);
    assert.deepEqual(first.subscribe, ['t/x:0', 't/x:1', 't/x:2', 't/x']);
    machine.request(first, 0, 0);
    const later = withinLimits({ ...request, subscribe: ['t/x:5', 't/x.short:5'] }, machine.askedOf(typeUrl), limits);
    assert.deepEqual([later.subscribe, later.passedOver], [['t/x.short:5'], ['t/x:5']]);
  });
});
