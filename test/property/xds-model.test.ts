/**
 * Random sequences of subscribe, unsubscribe, ACK, NACK, reconnect, resource changes, stale nonces, a view that is not ready and a change of
 * view, against a small model of what the client must hold at the end. Pure: the stream machine without sockets or time.
 */

import fc from 'fast-check';
import { typeUrl } from '../../src/core/type-urls.ts';
import { ModelClient } from '../support/xds-model.ts';
import type { Transport } from '../support/xds-model-requests.ts';
import { TestView, testResource } from '../support/xds-views.ts';

const runs = 10_000;
const seed = 20_251;
const typesOf = {
  sotw: [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener],
  delta: [typeUrl.cluster, typeUrl.endpoint, typeUrl.virtualHost],
} as const;
const names = ['a', 'b', 'c', 'd'];
/** What a wildcard means at first in a view that says so. */
const some: readonly string[] = ['a', 'b'];

type Step =
  | { readonly do: 'subscribe' | 'unsubscribe'; type: number; names: string[]; wildcard: boolean }
  | { readonly do: 'change'; type: number; name: string; content: number; silently: boolean }
  | { readonly do: 'mean'; name: string }
  | { readonly do: 'poison'; type: number; name: string; content: number }
  | { readonly do: 'toServer' | 'write' | 'toClient' | 'reconnect' | 'settle' }
  | { readonly do: 'stale'; type: number }
  | { readonly do: 'ready'; ready: boolean }
  | { readonly do: 'rebase'; view: number };

const typeIndex = fc.nat({ max: 2 });
const name = fc.constantFrom(...names);
const someNames = fc.subarray([...names, 'alias-a', 'alias-b']);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      type: typeIndex,
      names: someNames,
      wildcard: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('unsubscribe' as const),
      type: typeIndex,
      names: someNames,
      wildcard: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      type: typeIndex,
      name,
      content: fc.nat({ max: 3 }),
      silently: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('poison' as const),
      type: typeIndex,
      name,
      content: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constantFrom('toServer' as const, 'write' as const, 'toClient' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reconnect' as const, 'settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mean' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stale' as const), type: typeIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ready' as const), ready: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebase' as const), view: fc.nat({ max: 1 }) }) },
);

function resourceOf(type: string, name: string, content: string): ReturnType<typeof testResource> {
  const aliases = type === typeUrl.virtualHost ? { aliases: [`alias-${name}`] } : {};
  return testResource(type, name, content.repeat(20), aliases);
}

function play(transport: Transport, steps: readonly Step[], withPoison: boolean, limited: boolean): void {
  const views = [new TestView('one'), new TestView('two')] as const;
  const meant = new Set(some);
  if (limited) for (const view of views) view.wildcardNames = (type) => (type === typeUrl.endpoint ? undefined : meant);
  const client = new ModelClient(transport, views[0]);
  const types = typesOf[transport];
  const typeAt = (index: number): string => types[index] ?? types[0];
  const set = (view: TestView, type: string, name: string, content: number): ReturnType<TestView['put']> =>
    view.put(type, new Map([[name, content === 0 ? undefined : resourceOf(type, name, String(content))]]));
  let silent = new Map<string, Set<string>>();
  const tell = (): void => {
    client.changed(silent);
    silent = new Map();
  };
  for (const each of steps) {
    switch (each.do) {
      case 'subscribe':
        client.subscribe(typeAt(each.type), each.names, each.wildcard);
        break;
      case 'unsubscribe':
        client.unsubscribe(typeAt(each.type), each.names, each.wildcard);
        break;
      case 'change': {
        for (const [type, changed] of set(client.view, typeAt(each.type), each.name, each.content))
          silent.set(type, new Set([...(silent.get(type) ?? []), ...changed]));
        if (!each.silently) tell();
        break;
      }
      case 'mean': {
        meant.add(each.name);
        tell();
        for (const view of views) {
          view.revision++;
          client.changed(new Map(types.map((type) => [type, new Set([each.name])])), view);
        }
        break;
      }
      case 'poison': {
        if (!withPoison) break;
        const bad = resourceOf(typeAt(each.type), each.name, String(each.content));
        client.poison.add(`${bad.name}@${bad.version}`);
        break;
      }
      case 'toServer':
        client.toServer();
        break;
      case 'write':
        client.write();
        break;
      case 'toClient':
        client.toClient();
        break;
      case 'settle':
        client.settle();
        break;
      case 'reconnect':
        client.reconnect();
        break;
      case 'stale':
        client.sendStale(typeAt(each.type));
        break;
      case 'ready':
        client.view.ready = each.ready;
        tell();
        break;
      case 'rebase': {
        tell();
        const view = views[each.view];
        if (view !== undefined) client.rebase(view);
        break;
      }
    }
  }
  client.view.ready = true;
  tell();
  client.settle();
  if (withPoison) {
    // A NACK is followed by silence until something changes; let something change.
    // What changes may be refused together with another bad resource, so there is one change more than there are bad ones.
    for (const type of types) client.subscribe(type, ['zz'], false);
    for (let content = 1; content <= client.poison.size + 1; content++) {
      for (const type of types) client.changed(set(client.view, type, 'zz', content));
      client.settle();
    }
    const refuses = (type: string): boolean =>
      [...client.view.resources(type).values()].some((resource) =>
        client.poison.has(`${resource.name}@${resource.version}`),
      );
    client.compare((type, resource) => {
      const bad = [resource, client.view.resources(type).get(resource.name)].some(
        (one) => one !== undefined && client.poison.has(`${one.name}@${one.version}`),
      );
      return (
        bad || (transport === 'sotw' && type !== typeUrl.endpoint && refuses(type)) || hasRefusedReferrer(refuses, type)
      );
    });
    client.poison.clear();
    for (const type of types) {
      const fresh = [...client.view.resources(type).keys()].map((each) => [each, resourceOf(type, each, '9')] as const);
      client.changed(client.view.put(type, new Map(fresh)));
    }
    client.settle();
  }
  client.compare(() => false);
  client.compareWithServer();
  client.write();
  for (const [, status] of client.machine().status(0)) {
    if (status.state !== 'synced') throw new Error(`at rest, but ${status.state}`);
    if (status.ackedRevision !== client.view.revision) throw new Error(`at rest, but not at the view's revision`);
  }
}

/** Clusters and endpoints stay while the client refuses what may lead to them. */
function hasRefusedReferrer(refuses: (type: string) => boolean, type: string): boolean {
  if (type !== typeUrl.cluster && type !== typeUrl.endpoint) return false;
  return refuses(typeUrl.listener) || refuses(typeUrl.virtualHost);
}

describe('the protocol against its model', () => {
  for (const [transport, limited] of [
    ['sotw', false],
    ['delta', false],
    ['delta', true],
  ] as const) {
    it(`${transport}${limited ? ', where all means some' : ''}: ${runs} random sequences end with what the client must hold`, function () {
      this.timeout(120_000);
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.boolean(), (steps, withPoison) =>
          play(transport, steps, withPoison, limited),
        ),
        { numRuns: runs, seed, endOnFailure: false },
      );
    });
  }
});
