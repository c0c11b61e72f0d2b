import assert from 'node:assert/strict';
import { mergeService } from '../../../../src/catalog/merge.ts';
import { typeUrl } from '../../../../src/core/type-urls.ts';
import { ScopeResources } from '../../../../src/envoy/scope-resources.ts';
import { compileService } from '../../../../src/mesh/compile.ts';
import { defaultMeshSettings, type Mesh, type MeshService, type Scope } from '../../../../src/model/mesh.ts';
import { type ServiceKey, serviceKey } from '../../../../src/model/service.ts';
import { Scopes } from '../../../../src/pilot/scope/scopes.ts';
import type { ScopeView } from '../../../../src/pilot/scope/view.ts';
import { Replicas } from '../../../../src/xds/replicas.ts';
import type { ResourceView } from '../../../../src/xds/view.ts';
import { endpoint, port, shard } from '../../../support/fixtures.ts';

const scopeIn = (cluster: string, more: Partial<Scope> = {}): Scope => ({
  cluster,
  network: '',
  namespace: 'shop',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'vhds',
  rejected: [],
  ...more,
});

/** Scopes over services each of which is in one cluster, with turns given by hand and time for everything at once. */
class Rig {
  readonly services = new Map<ServiceKey, MeshService>();
  readonly jobs: { turn(): void }[] = [];
  readonly told: { readonly view: ResourceView; readonly names: readonly string[] }[] = [];
  readonly replicas = new Replicas();
  readonly scopes: Scopes;
  /** Of single clusters. */
  readonly meshes = new Map<string, Mesh>();
  revision = 1;
  /** How far the clock moves with every look at it, ms. */
  stepMs = 0;
  #nowMs = 0;

  constructor() {
    this.scopes = new Scopes({
      isReady: () => true,
      meshFor: ({ cluster }) => this.meshes.get(cluster) ?? this.mesh,
      now: () => (this.#nowMs += this.stepMs),
      enqueue: (job) => this.jobs.push(job) > 0,
      changed: (view, changes) => {
        this.replicas.changed(view, changes);
        this.told.push({ view, names: [...changes.values()].flatMap((names) => [...names]).sort() });
      },
      caughtUp() {},
    });
  }

  get mesh(): Mesh {
    return { revision: this.revision, settings: defaultMeshSettings, services: this.services };
  }

  put(cluster: string, name: string, vip: string, address: string): ServiceKey {
    const endpoints = [endpoint(cluster, address, { ports: new Map([['http', 8080]]) })];
    const catalog = mergeService([shard(cluster, name, { ports: [port(80)], vips: [vip], endpoints })]);
    const key = serviceKey('shop', name);
    this.services.set(key, compileService(catalog, undefined));
    return key;
  }

  use(scope: Scope): ScopeView {
    const view = this.scopes.acquire(scope);
    this.replicas.of(view);
    return view;
  }

  work(): void {
    for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) job.turn();
  }

  /** What clients are sent is what a view of its own would have, of the mesh as it is now. */
  check(view: ScopeView): void {
    const alone = new ScopeResources(view.scope);
    alone.update(this.meshes.get(view.scope.cluster) ?? this.mesh, 'all');
    for (const url of Object.values(typeUrl)) {
      const { resources } = this.replicas.of(view).type(url);
      assert.deepEqual(versions(resources), versions(alone.resources(url)), url);
      assert.deepEqual(versions(view.resources(url)), versions(alone.resources(url)), url);
    }
    assert.equal(view.revision, this.revision);
  }
}

function versions(resources: ReadonlyMap<string, { readonly version: string }>): unknown[] {
  return [...resources].map(([name, { version }]) => `${name} ${version}`).sort();
}

describe('scopes that share a base', () => {
  it('hold only what is otherwise in theirs', () => {
    const rig = new Rig();
    for (let i = 0; i < 20; i++) rig.put(`c${i}`, `svc-${i}`, `10.0.0.${i}`, '10.1.0.1');
    const views = Array.from({ length: 5 }, (_, i) => rig.use(scopeIn(`c${i}`)));
    rig.work();
    assert.equal(new Set(views.map(({ base }) => base)).size, 1);
    for (const view of views) rig.check(view);
    // Of endpoints and clusters of services nothing; of hosts, those with an address: the scope's own, and the one that the base has.
    assert.deepEqual(
      views.map((view) => view.own(typeUrl.endpoint).size),
      [0, 0, 0, 0, 0],
    );
    assert.deepEqual(
      views.map((view) => view.own(typeUrl.virtualHost).size),
      [0, 2, 2, 2, 2],
    );
  });

  it('are told of a change together, after the base, and what is the same for all is told there alone', () => {
    const rig = new Rig();
    for (let i = 0; i < 4; i++) rig.put(`c${i}`, `svc-${i}`, `10.0.0.${i}`, '10.1.0.1');
    const views = [rig.use(scopeIn('c0')), rig.use(scopeIn('c1')), rig.use(scopeIn('c2', { namespace: 'other' }))];
    rig.work();
    rig.told.length = 0;
    rig.revision = 2;
    rig.scopes.update(new Set([rig.put('c1', 'svc-1', '10.0.0.1', '10.1.0.2')]));
    const [base, ...others] = rig.told;
    assert.equal(base?.view, views[0]?.base);
    assert.deepEqual(base?.names, ['outbound|80||svc-1.shop.svc.cluster.local']);
    assert.deepEqual(
      others,
      views.map((view) => ({ view, names: [] })),
    );
    for (const view of views) rig.check(view);
    rig.told.length = 0;
    rig.revision = 3;
    rig.scopes.update(new Set([rig.put('c1', 'svc-1', '10.0.0.9', '10.1.0.2')]));
    assert.deepEqual(
      rig.told.map(({ names }) => names),
      [[], [], ['80/svc-1.shop.svc.cluster.local'], []],
    );
    for (const view of views) rig.check(view);
  });

  it('are worked on in slices, and told of nothing before all is in', () => {
    const rig = new Rig();
    const keys = Array.from({ length: 9 }, (_, i) => rig.put(`c${i % 3}`, `svc-${i}`, `10.0.0.${i}`, '10.1.0.1'));
    const views = [rig.use(scopeIn('c0')), rig.use(scopeIn('c1'))];
    rig.stepMs = 3;
    rig.work();
    for (const view of views) rig.check(view);
    rig.told.length = 0;
    rig.revision = 2;
    for (const i of keys.keys()) rig.put(`c${i % 3}`, `svc-${i}`, `10.0.1.${i}`, '10.1.0.3');
    rig.scopes.update(new Set(keys));
    const late = rig.use(scopeIn('c2'));
    let turns = 0;
    while (rig.told.length === 0) {
      for (const view of views) assert.deepEqual([view.ready, view.revision], [true, 1]);
      assert.equal(late.ready, false);
      rig.jobs.shift()?.turn();
      turns++;
    }
    assert.ok(turns > 3);
    assert.deepEqual(
      rig.told.map(({ view }) => view),
      [views[0]?.base, ...views],
    );
    rig.work();
    for (const view of [...views, late]) rig.check(view);
  });

  it('see what is otherwise for their cluster alone, whichever cluster the base is of', () => {
    const rig = new Rig();
    const key = rig.put('c0', 'svc-0', '10.0.0.1', '10.1.0.1');
    const views = [rig.use(scopeIn('c0')), rig.use(scopeIn('c1'))];
    rig.work();
    const apart = rig.services.get(key);
    rig.put('c0', 'svc-0', '10.0.0.1', '10.1.0.2');
    for (const cluster of ['c0', 'c1']) {
      rig.revision += 1;
      rig.meshes.clear();
      const services = new Map(rig.services);
      if (apart !== undefined) services.set(key, apart);
      rig.meshes.set(cluster, { ...rig.mesh, services });
      rig.scopes.update(
        new Set(cluster === 'c0' ? [key] : []),
        new Map(['c0', 'c1'].map((each) => [each, new Set([key])])),
      );
      for (const view of views) rig.check(view);
    }
    assert.deepEqual(
      views.map((view) => view.own(typeUrl.endpoint).size),
      [0, 1],
    );
  });

  it('come back to a base that moved on without them', () => {
    const rig = new Rig();
    rig.put('c0', 'svc-0', '10.0.0.0', '10.1.0.1');
    rig.put('c1', 'svc-1', '10.0.0.1', '10.1.0.1');
    const [stays, goes] = [rig.use(scopeIn('c0')), rig.use(scopeIn('c1'))];
    rig.work();
    rig.scopes.release(goes);
    rig.revision = 2;
    rig.scopes.update(new Set([rig.put('c1', 'svc-1', '10.0.0.9', '10.1.0.2')]));
    assert.deepEqual([stays.ready, goes.ready], [true, false]);
    rig.check(stays);
    assert.equal(rig.use(goes.scope), goes);
    rig.work();
    rig.check(goes);
    for (const view of [stays, goes]) rig.scopes.release(view);
    rig.revision = 3;
    rig.scopes.update(new Set([rig.put('c0', 'svc-0', '10.0.0.8', '10.1.0.2')]));
    assert.deepEqual([stays.ready, goes.ready, rig.jobs.length], [false, false, 0]);
    rig.use(stays.scope);
    rig.work();
    rig.check(stays);
  });

  it('have a base of their own where most would be otherwise, or where nothing is common', () => {
    const rig = new Rig();
    for (let i = 0; i < 300; i++)
      rig.put(i % 2 === 0 ? 'c0' : 'c1', `svc-${i}`, `10.0.${i >> 8}.${i & 255}`, '10.1.0.1');
    const [one, two] = [rig.use(scopeIn('c0')), rig.use(scopeIn('c1'))];
    assert.notEqual(one.base, two.base);
    const same = rig.use(scopeIn('c0', { inbound: [{ port: 80, targetPort: 80, protocol: 'http' }] }));
    assert.equal(same.base, one.base);
    for (const more of [
      { routes: 'tables' },
      { mode: 'explicit' },
      { egress: 'registered-only' },
      { rejected: ['x'] },
    ] as const)
      assert.notEqual(rig.use(scopeIn('c0', more)).base, one.base);
    rig.work();
    for (const view of [one, two, same]) rig.check(view);
    assert.equal([...rig.scopes.bases()].length, 6);
  });
});
