/** What a cluster's API may do wrong, and that nothing is lost by it. */

import assert from 'node:assert/strict';
import type { KubeSourceSettings } from '../../../../src/registry/kube/cluster-source.ts';
import { quickSettings, type Running, sliceObject, startSourceOf } from '../../../feature/kube-support.ts';
import { waitFor } from '../../../rig/wait.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { answerJson, answerStatus, FakeApi, type FakeObject, type Intercept } from './fake-api.ts';

const service = (name: string): FakeObject => ({
  metadata: { namespace: 'shop', name },
  spec: { ports: [{ name: 'http', port: 80 }] },
});
const slice = (name: string, addresses: readonly string[]): FakeObject =>
  sliceObject('shop', name, `${name}-1`, addresses) as FakeObject;

describe('registry: a cluster read from an API with faults', () => {
  let api: FakeApi;
  const running: Running[] = [];

  beforeEach(async () => {
    api = new FakeApi();
    await api.start();
    for (let index = 0; index < 7; index++) api.put('services', service(`s${index}`));
    api.put('endpointslices', slice('s0', ['10.0.0.1']));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ source }) => source.stop()));
    await api.stop();
  });

  function start(settings: KubeSourceSettings = quickSettings): Running {
    const started = startSourceOf(api.kubeconfig, 'east', settings);
    running.push(started);
    return started;
  }
  const until = (what: string, { sink }: Running, condition: () => boolean): Promise<unknown> =>
    waitFor(what, condition, { intervalMs: 5 }, sink.describe);
  const fresh = async (east: Running): Promise<void> => {
    await until('fresh', east, () => east.sink.phase === 'fresh' && watchesAreOpen());
  };
  const watchesAreOpen = (): boolean =>
    ['namespaces', 'nodes', 'pods', 'services', 'endpointslices'].every((plural) => api.watches(plural) > 0);
  /** Answers the next request that fits in this way, once. */
  function once(
    fits: (request: Parameters<Intercept>[0]) => boolean,
    answer: (...args: Parameters<Intercept>) => void,
  ): void {
    api.intercept = (request, response) => {
      if (!fits(request)) return false;
      api.intercept = () => false;
      answer(request, response);
      return true;
    };
  }
  /** Makes all watches of a resource start over with a list. */
  const forget = (plural: string): void => {
    api.send(plural, {
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
    });
  };
  const served = (east: Running): string =>
    [...east.sink.services.keys()]
      .filter((key) => key.startsWith('shop/'))
      .toSorted()
      .join(' ');
  const all = 'shop/s0 shop/s1 shop/s2 shop/s3 shop/s4 shop/s5 shop/s6';

  it('reads all pages, and follows the watch', async () => {
    const east = start();
    await fresh(east);
    assert.equal(served(east), all);
    assert.ok(api.requests.some(({ query }) => query.get('continue') === '6'));
    api.put('services', service('s9'));
    await until('a new one', east, () => east.sink.services.has('shop/s9'));
    api.remove('services', 'shop/s9');
    await until('a removal', east, () => !east.sink.services.has('shop/s9'));
  });

  it('a page that fails spoils the list: all of it is asked for again, nothing is removed', async () => {
    const east = start();
    await fresh(east);
    api.remove('services', 'shop/s6', true);
    once(
      ({ path, query }) => path.endsWith('/services') && query.get('continue') === '3',
      (_, response) => answerStatus(response, 500, 'etcd is gone'),
    );
    forget('services');
    await until('the deletion', east, () => east.sink.removed.length > 0);
    assert.deepEqual(east.sink.removed, ['shop/s6']);
    assert.equal(api.lists('services'), 3);
  });

  it('a page that has expired (410) restarts the list', async () => {
    once(
      ({ query }) => query.get('continue') === '3',
      (_, response) => answerStatus(response, 410, 'the provided continue parameter is too old'),
    );
    const east = start();
    await fresh(east);
    assert.equal(served(east), all);
    assert.equal(api.lists('services'), 2);
    assert.equal(east.stats().watchers.get('services')?.expired, 1);
  });

  for (const [what, act] of [
    ['an ERROR event', () => forget('services')],
    [
      'an HTTP status',
      () => {
        once(
          ({ watch, path }) => watch && path.endsWith('/services'),
          (_, response) => answerStatus(response, 410, 'too old'),
        );
        cut('services');
      },
    ],
  ] as const) {
    it(`410 as ${what}: deletions are found, nothing comes twice`, async () => {
      const east = start();
      await fresh(east);
      const untouched = east.sink.services.get('shop/s2');
      api.remove('services', 'shop/s1', true);
      api.put('services', service('new'), true);
      act();
      await until('the new state', east, () => served(east) === `shop/new ${all.replace(' shop/s1', '')}`);
      assert.deepEqual(east.sink.removed, ['shop/s1']);
      assert.equal(east.sink.services.get('shop/s2'), untouched);
      assert.equal(east.sink.syncs, 1);
      assert.equal(east.stats().watchers.get('services')?.expired, 1);
    });
  }

  /** Ends the open watches of a resource, as the API does after timeoutSeconds. */
  function cut(plural: string): void {
    for (const watch of api.takeWatches(plural)) watch.end();
  }

  it('a watch that ends goes on where it was, without a list', async () => {
    const east = start();
    await fresh(east);
    cut('services');
    await until('watched again', east, () => api.watches('services') > 0);
    api.put('services', service('s9'));
    await until('a new one', east, () => east.sink.services.has('shop/s9'));
    assert.equal(api.lists('services'), 1);
  });

  it('a bookmark moves the place from which the watch goes on', async () => {
    const east = start();
    await fresh(east);
    api.send('services', { type: 'BOOKMARK', object: { kind: 'Service', metadata: { resourceVersion: '4242' } } });
    await until('the bookmark', east, () => east.stats().watchers.get('services')?.events === 1);
    cut('services');
    await until('watched again', east, () => api.requests.some(({ query }) => query.get('resourceVersion') === '4242'));
    assert.equal(east.sink.changes, 0);
  });

  it('a half-open watch is cut after the idle deadline, and heals', async () => {
    const east = start({ ...quickSettings, watch: { ...quickSettings.watch, idleMs: 300 } });
    await fresh(east);
    // Its events get lost from here on, as on a dead connection.
    const dead = api.takeWatches('services');
    api.put('services', service('s9'));
    api.remove('services', 'shop/s1');
    await until('opened again', east, () => api.watches('services') > 0);
    forget('services');
    await until('healed', east, () => east.sink.services.has('shop/s9') && !east.sink.services.has('shop/s1'));
    assert.ok((east.stats().watchers.get('services')?.silences ?? 0) > 0);
    for (const response of dead) response.destroy();
  });

  for (const [what, text] of [
    ['garbage', 'this is not JSON\n'],
    ['an unknown event', '{"type":"SURPRISE","object":{"metadata":{"resourceVersion":"1"}}}\n'],
    ['an object without a version', '{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"shop"}}}\n'],
    ['a truncated event', '{"type":"DELETED","object":{"metadata"\n'],
  ] as const) {
    it(`${what} in the watch: counted, and listed anew`, async () => {
      const east = start();
      await fresh(east);
      api.remove('services', 'shop/s1', true);
      api.sendText('services', text);
      await until('the deletion', east, () => east.sink.removed.length > 0);
      assert.deepEqual(east.sink.removed, ['shop/s1']);
      assert.equal(east.stats().watchers.get('services')?.malformed, 1);
      await until('fresh again', east, () => east.sink.phase === 'fresh');
    });
  }

  it('a line without an end is cut off at the limit', async () => {
    const east = start();
    await fresh(east);
    api.remove('services', 'shop/s1', true);
    for (let megabyte = 0; megabyte < 9; megabyte++) api.sendText('services', 'x'.repeat(1024 * 1024));
    await until('the deletion', east, () => east.sink.removed.length > 0);
    assert.equal(east.stats().watchers.get('services')?.malformed, 1);
  });

  it('an empty list is not believed at once, and is when it stays', async () => {
    const east = start({ ...quickSettings, watch: { ...quickSettings.watch, emptyConfirmMs: 100_000 } });
    await fresh(east);
    const emptySlices = (): Intercept => (request, response) => {
      if (!request.path.endsWith('/endpointslices') || request.watch) return false;
      answerJson(response, 200, { kind: 'EndpointSliceList', metadata: { resourceVersion: '500' }, items: [] });
      return true;
    };
    api.intercept = emptySlices();
    forget('endpointslices');
    await until('the alarm', east, () => east.sink.problem?.code === 'FW-KUBE-008');
    assert.equal(east.sink.phase, 'stale');
    assert.deepEqual(east.sink.addresses('shop/s0'), ['10.0.0.1']);
    await east.source.stop();

    api.intercept = () => false;
    const west = start();
    await fresh(west);
    api.intercept = emptySlices();
    forget('endpointslices');
    await until('believed', west, () => west.sink.addresses('shop/s0').length === 0);
    await until('fresh', west, () => west.sink.phase === 'fresh');
    assert.ok(west.sink.states.some(({ problem }) => problem?.code === 'FW-KUBE-008'));
  });

  it('an empty list that was a mistake leaves no trace', async () => {
    const east = start();
    await fresh(east);
    once(
      ({ path, watch }) => path.endsWith('/services') && !watch,
      (_, response) =>
        answerJson(response, 200, { kind: 'ServiceList', metadata: { resourceVersion: '500' }, items: [] }),
    );
    forget('services');
    await until('the alarm', east, () => east.sink.problem?.code === 'FW-KUBE-008');
    await until('fresh again', east, () => east.sink.phase === 'fresh');
    assert.equal(served(east), all);
    assert.deepEqual(east.sink.removed, []);
  });

  it('an empty list that was believed once is no cause for doubt when it is listed again', async () => {
    for (const plural of ['services', 'endpointslices']) api.clear(plural);
    const east = start();
    await fresh(east);
    const before = east.sink.states.length;
    const lists = api.lists('services');
    forget('services');
    await until('another list and watch', east, () => api.lists('services') > lists && watchesAreOpen());
    assert.deepEqual(
      east.sink.states.slice(before).filter(({ phase }) => phase !== 'fresh'),
      [],
    );
  });

  it('an API that answers everything with empty lists is never synced from', async () => {
    for (const plural of ['namespaces', 'services', 'endpointslices']) api.clear(plural);
    const east = start();
    await until('the alarm', east, () => east.sink.problem?.code === 'FW-KUBE-008');
    await until('many lists', east, () => api.lists('namespaces') > quickSettings.watch.emptyConfirmations + 2);
    assert.equal(east.sink.syncs, 0);
    assert.equal(east.sink.phase, 'syncing');
  });

  for (const [what, body] of [
    ['HTML', '<html>Please log in</html>'],
    ['an object that is no list', '{"kind":"Status"}'],
    ['a list without a version', '{"kind":"ServiceList","metadata":{},"items":[]}'],
    ['an empty object', '{}'],
    ['null', 'null'],
  ] as const) {
    it(`a 200 with ${what} is not a list: nothing is removed`, async () => {
      const east = start();
      await fresh(east);
      api.intercept = ({ path, watch }, response) => {
        if (!path.endsWith('/services') || watch) return false;
        response.end(body);
        return true;
      };
      forget('services');
      await until('stale', east, () => east.sink.phase === 'stale');
      assert.equal(east.sink.problem?.code, 'FW-KUBE-009');
      assert.equal(served(east), all);
      api.intercept = () => false;
      await until('fresh', east, () => east.sink.phase === 'fresh');
      assert.deepEqual(east.sink.removed, []);
    });
  }

  it('is whole again as soon as one kind of object can be read again, though the probe never failed', async () => {
    const clock = new ManualClock();
    const watch = { ...quickSettings.watch, backoff: { firstMs: 1_000, maxMs: 3_600_000 }, idleMs: 1e9 };
    const slow = { ...quickSettings, watch, probeAnswerMs: 1e9 };
    const east = startSourceOf(api.kubeconfig, 'east', slow, clock);
    running.push(east);
    await fresh(east);
    const plurals = ['namespaces', 'nodes', 'pods', 'services', 'endpointslices'];
    api.intercept = ({ path }, response) => {
      if (path === '/readyz') return false;
      answerStatus(response, 500, 'the storage is gone');
      return true;
    };
    for (const watch of plurals.flatMap((plural) => api.takeWatches(plural))) watch.destroy();
    const brokenMs = clock.monotonic();
    await until('long waits', east, () => {
      clock.advance(5_000);
      return clock.monotonic() - brokenMs > 1_000_000;
    });
    assert.equal(east.sink.phase, 'stale');
    api.intercept = () => false;
    await until('one open watch', east, () => {
      clock.advance(1_000);
      return plurals.some((plural) => api.watches(plural) > 0);
    });
    // From here on hardly any time passes: nothing is tried again by itself.
    await until('all to be read again', east, () => {
      clock.advance(1);
      return watchesAreOpen() && east.sink.phase === 'fresh';
    });
  });

  it('Retry-After is kept by all watchers of the cluster', async () => {
    const east = start();
    await fresh(east);
    api.intercept = ({ path }, response) => {
      if (path === '/readyz') return false;
      answerStatus(response, 429, 'too many requests', { 'retry-after': '30' });
      return true;
    };
    const from = api.requests.length;
    for (const plural of ['services', 'pods', 'nodes', 'namespaces', 'endpointslices']) forget(plural);
    await until('stale', east, () => east.sink.phase === 'stale');
    const asked = (): readonly string[] =>
      api.requests.slice(from).flatMap(({ path }) => (path === '/readyz' || path === '/version' ? [] : [path]));
    // Asked once each, at most, and then left alone: the quick pauses between tries would be many tries by now.
    const probes = api.requests.length;
    await until(
      'some probes',
      east,
      () => api.requests.slice(probes).filter(({ path }) => path === '/readyz').length === 3,
    );
    assert.ok(asked().length <= 6, `asked ${asked().length} times`);
    assert.match(east.sink.problem?.message ?? '', /too many requests/);
    assert.equal(served(east), all);
    assert.deepEqual(east.sink.removed, []);
  });

  it('another cluster at the same address is not believed, however it comes', async () => {
    const east = start();
    await fresh(east);
    api.put('namespaces', { metadata: { name: 'kube-system', uid: 'uid-2' } }, true);
    for (let index = 0; index < 7; index++) api.remove('services', `shop/s${index}`, true);
    api.put('services', service('other'), true);
    forget('services');
    await until('stale', east, () => east.sink.problem?.code === 'FW-KUBE-010');
    assert.equal(east.sink.phase, 'stale');
    assert.equal(served(east), all);
    assert.deepEqual(east.sink.removed, []);
    // The address leads to the first one again.
    api.put('namespaces', { metadata: { name: 'kube-system', uid: 'uid-1' } }, true);
    for (let index = 0; index < 7; index++) api.put('services', service(`s${index}`), true);
    api.remove('services', 'shop/other', true);
    await until('fresh again', east, () => east.sink.phase === 'fresh');
    assert.equal(served(east), all);
    assert.deepEqual(east.sink.removed, []);
  });

  it('a credential that is withdrawn makes it stale, with what it held', async () => {
    const east = start();
    await fresh(east);
    api.intercept = (_, response) => {
      answerStatus(response, 401, 'Unauthorized');
      return true;
    };
    await until('stale', east, () => east.sink.phase === 'stale');
    assert.equal(east.sink.problem?.code, 'FW-KUBE-005');
    assert.equal(served(east), all);
    api.intercept = () => false;
    await until('fresh again', east, () => east.sink.phase === 'fresh');
  });

  it('more objects than the limit: the first ones are taken, and it is said', async () => {
    const east = start({ ...quickSettings, watch: { ...quickSettings.watch, list: { page: 3, items: 4 } } });
    await fresh(east);
    assert.equal(east.sink.services.size, 4);
    assert.deepEqual(
      east.sink.lastFindings.map(({ code }) => code),
      ['FW-KUBE-011'],
    );
    api.put('services', service('s9'));
    await until('the excess', east, () => east.stats().watchers.get('services')?.excess === 1);
    assert.equal(east.sink.services.size, 4);
  });

  it('poisoned objects hurt only themselves, and are said', async () => {
    api.put('endpointslices', slice('s1', ['127.0.0.1', '169.254.169.254', '10.0.0.9']));
    api.put('services', {
      metadata: { namespace: 'shop', name: 's2', annotations: { 'topology.istio.io/cluster': 'west' } },
      spec: {},
    });
    api.put('services', { metadata: { namespace: 'shop', name: 's3' }, spec: { ports: [{ port: 'x' }] } });
    const east = start();
    await fresh(east);
    assert.deepEqual(east.sink.addresses('shop/s1'), ['10.0.0.9']);
    assert.ok(!east.sink.services.has('shop/s2'));
    assert.ok(!east.sink.services.has('shop/s3'));
    assert.ok(east.sink.services.has('shop/s4'));
    assert.deepEqual(
      east.sink.lastFindings.map(({ code }) => code),
      ['FW-KUBE-012', 'FW-KUBE-012', 'FW-KUBE-012'],
    );
  });

  it('stops at once, and is silent from then on', async () => {
    const east = start();
    await fresh(east);
    await east.source.stop();
    const states = east.sink.states.length;
    await waitFor('connections closed', () => !['services', 'pods'].some((plural) => api.watches(plural) > 0));
    assert.equal(east.sink.states.length, states);
  });
});
