import assert from 'node:assert/strict';
import { mergeService } from '../../../../src/catalog/merge.ts';
import { typeUrl } from '../../../../src/core/type-urls.ts';
import { compileService } from '../../../../src/mesh/compile.ts';
import { defaultMeshSettings, type MeshService, type Scope } from '../../../../src/model/mesh.ts';
import { type ServiceKey, serviceKey } from '../../../../src/model/service.ts';
import { Scopes } from '../../../../src/pilot/scope/scopes.ts';
import { ScopeView } from '../../../../src/pilot/scope/view.ts';
import { endpoint, port, shard } from '../../../support/fixtures.ts';

const scope: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'explicit',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'tables',
  rejected: [],
};
const scopeOfPort = (number: number): Scope => ({ ...scope, outbound: { address: '127.0.0.1', port: number } });

/** Scopes over a mesh of `count` services, with time for one service at once and two per turn, and turns given by hand. */
class Rig {
  readonly services = new Map<ServiceKey, MeshService>();
  readonly jobs: { turn(): void }[] = [];
  readonly changed: { readonly view: ScopeView; readonly names: readonly string[] }[] = [];
  readonly scopes: Scopes;
  revision = 1;
  looks = 0;
  /** Of the endpoints that changed last in the base. */
  #ofBase: readonly string[] = [];

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.put(`svc-${i}`, '10.0.0.1');
    this.scopes = new Scopes({
      isReady: () => true,
      meshFor: () => ({ revision: this.revision, settings: defaultMeshSettings, services: this.services }),
      now: () => 3 * ++this.looks,
      enqueue: (job) => this.jobs.push(job) > 0,
      changed: (view, changes) => {
        const names = [...(changes.get(typeUrl.endpoint) ?? [])].map(serviceOf).sort();
        if (view instanceof ScopeView) this.changed.push({ view, names: view.isCurrent ? this.#ofBase : names });
        else this.#ofBase = names;
      },
      caughtUp() {},
    });
  }

  put(name: string, address: string): ServiceKey {
    const endpoints = [endpoint('east', address, { ports: new Map([['http', 8080]]) })];
    const catalog = mergeService([shard('east', name, { ports: [port(80)], endpoints })]);
    const key = serviceKey('shop', name);
    this.services.set(key, compileService(catalog, undefined));
    return key;
  }

  turn(): void {
    this.jobs.shift()?.turn();
  }
}

function serviceOf(name: string): string {
  return name.replace(/^outbound\|80\|\|(.*)\.shop\..*$/, '$1');
}

describe('scopes', () => {
  it('build a first view in slices: nobody is answered from it before it is whole, with all that changed meanwhile', () => {
    const rig = new Rig(5);
    const view = rig.scopes.acquire(scope);
    assert.equal(rig.scopes.acquire(scope), view);
    assert.equal(rig.jobs.length, 1);
    rig.turn();
    rig.turn();
    assert.equal(view.isCurrent, false);
    const keys = [rig.put('svc-0', '10.0.0.2'), rig.put('svc-9', '10.0.0.2'), serviceKey('shop', 'svc-4')];
    rig.services.delete(keys[2] as ServiceKey);
    rig.revision = 2;
    rig.scopes.update(new Set(keys));
    assert.deepEqual([rig.jobs.length, rig.changed.length, view.ready, view.revision], [1, 0, false, 0]);
    for (let i = 0; i < 10 && !view.isCurrent; i++) rig.turn();
    assert.deepEqual([view.ready, view.revision, rig.jobs.length], [true, 2, 0]);
    assert.deepEqual(rig.changed, [{ view, names: ['svc-0', 'svc-1', 'svc-2', 'svc-3', 'svc-9'] }]);
    const [assignment] = [...view.resources(typeUrl.endpoint).values()].filter(({ name }) => name.includes('svc-0'));
    assert.ok(assignment?.body.includes('10.0.0.2'));
  });

  it('tell of many changes at once, as one, and of a small one at once', () => {
    const rig = new Rig(4);
    const view = rig.scopes.acquire(scope);
    while (rig.jobs.length > 0) rig.turn();
    rig.changed.length = 0;
    rig.revision = 2;
    rig.scopes.update(new Set([rig.put('svc-0', '10.0.0.2')]));
    assert.deepEqual(rig.changed, [{ view, names: ['svc-0'] }]);
    rig.changed.length = 0;
    rig.revision = 3;
    rig.scopes.update(new Set(['svc-1', 'svc-2', 'svc-3'].map((name) => rig.put(name, '10.0.0.3'))));
    assert.deepEqual([rig.changed.length, view.ready, view.revision], [0, true, 2]);
    while (rig.jobs.length > 0) rig.turn();
    assert.deepEqual(rig.changed, [{ view, names: ['svc-1', 'svc-2', 'svc-3'] }]);
    assert.equal(view.revision, 3);
  });

  it('do nothing for a view that nobody uses, and answer nobody from it until it has caught up', () => {
    const rig = new Rig(3);
    const view = rig.scopes.acquire(scope);
    while (rig.jobs.length > 0) rig.turn();
    rig.scopes.release(view);
    rig.changed.length = 0;
    rig.scopes.update(new Set([rig.put('svc-1', '10.0.0.2')]));
    rig.scopes.update(new Set([rig.put('svc-2', '10.0.0.2')]));
    // Whoever took over its resources must know that they are not to be answered from.
    assert.deepEqual(rig.changed, [{ view, names: [] }]);
    assert.deepEqual([view.ready, rig.jobs.length], [false, 0]);
    assert.equal(rig.scopes.acquire(scope), view);
    while (rig.jobs.length > 0) rig.turn();
    assert.deepEqual(rig.changed.slice(1), [{ view, names: ['svc-1', 'svc-2'] }]);
    assert.equal(view.ready, true);
  });

  it('leave off a view that is given up half done', () => {
    const rig = new Rig(3);
    const view = rig.scopes.acquire(scope);
    rig.turn();
    rig.scopes.release(view);
    while (rig.jobs.length > 0) rig.turn();
    assert.deepEqual(rig.changed, []);
    assert.equal(rig.scopes.acquire(scope), view);
    while (rig.jobs.length > 0) rig.turn();
    assert.equal(view.resources(typeUrl.endpoint).size, 3);
  });

  it('forget the view that was not used for the longest time', () => {
    const rig = new Rig(1);
    const views = Array.from({ length: 40 }, (_, i) => rig.scopes.acquire(scopeOfPort(i)));
    while (rig.jobs.length > 0) rig.turn();
    for (const view of views) rig.scopes.release(view);
    assert.deepEqual([...rig.scopes.views()], views.slice(8));
    const back = rig.scopes.acquire(scopeOfPort(8));
    assert.equal(back, views[8]);
    rig.scopes.release(rig.scopes.acquire(scopeOfPort(99)));
    assert.ok([...rig.scopes.views()].includes(back));
    assert.equal([...rig.scopes.views()].length, 33);
  });
});
