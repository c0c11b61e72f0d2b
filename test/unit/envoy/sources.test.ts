/** Which routes are left for whom. */

import assert from 'node:assert/strict';
import { mergeService } from '../../../src/catalog/merge.ts';
import { connectionShares } from '../../../src/envoy/routes.ts';
import { fittingSources, seenFrom } from '../../../src/envoy/sources.ts';
import { compileService } from '../../../src/mesh/compile.ts';
import { defaultMeshSettings, noAnswers, type Scope } from '../../../src/model/mesh.ts';
import { type RouteMatch, type RuleRoute, type SourceMatch, toDestination } from '../../../src/model/rule.ts';
import { route, shard, trafficRule } from '../../support/fixtures.ts';

const scope: Scope = {
  cluster: 'east',
  network: '',
  namespace: 'shop',
  mode: 'captured',
  outbound: { address: '127.0.0.1', port: 15001 },
  inboundAddress: '0.0.0.0',
  inbound: [],
  routes: 'tables',
  rejected: [],
};
const web: Scope = { ...scope, answers: { ...noAnswers, selectors: ['app=web', 'app=web,tier=front'] } };

const from = (source: Partial<SourceMatch>, match: Partial<RouteMatch> = {}): RouteMatch => ({
  source: { cluster: '', namespace: '', labels: {}, ...source },
  headers: [],
  queryParams: [],
  ...match,
});
const to = (version: string, matches: readonly RouteMatch[] = []): RuleRoute =>
  route(version, [{ weight: 1, chain: [toDestination({ version })] }], { matches });

function service(...routes: RuleRoute[]) {
  return compileService(mergeService([shard('east', 'reviews')]), {
    ...trafficRule({ hash: '', backends: [] }),
    routes,
  });
}

function seen(given: ReturnType<typeof service>, by: Scope): string[] {
  return seenFrom(given, fittingSources(given, by)).routes.map(({ name, matches }) => `${name}:${matches.length}`);
}

describe('sources', () => {
  it('leave a proxy the routes and matches that fit it', () => {
    const given = service(
      to('a', [from({ cluster: 'west' }), from({ namespace: 'shop', labels: { tier: 'front', app: 'web' } })]),
      to('b', [from({ cluster: 'east', namespace: 'other' })]),
      to('c', [from({ cluster: 'east' }, { method: 'GET' }), { headers: [], queryParams: [], method: 'PUT' }]),
      to('d'),
    );
    assert.deepEqual(seen(given, scope), ['c:2', 'd:0']);
    assert.deepEqual(seen(given, web), ['a:1', 'c:2', 'd:0']);
    assert.deepEqual(seen(given, { ...scope, cluster: 'west' }), ['a:1', 'c:1', 'd:0']);
    assert.deepEqual(seen(given, { ...scope, namespace: 'other' }), ['b:1', 'c:2', 'd:0']);
  });

  it('are no input of a service that names none', () => {
    const plain = service(to('a', [{ headers: [], queryParams: [], method: 'GET' }]), to('b'));
    assert.equal(plain.asks, undefined);
    assert.equal(fittingSources(plain, web), '');
    assert.equal(seenFrom(plain, ''), plain);
  });

  it('give a plain connection the first route that takes everything from there', () => {
    const given = service(
      to('a', [from({ cluster: 'west' })]),
      to('b', [from({ namespace: 'shop' }, { method: 'GET' })]),
      to('c', [from({ labels: { app: 'web' } }, { path: { kind: 'prefix', value: '/' } })]),
      to('d'),
    );
    const connection = (by: Scope): string[] =>
      connectionShares(seenFrom(given, fittingSources(given, by)), 80, defaultMeshSettings).map(
        ({ name }) => name.split('|')[2] ?? '',
      );
    assert.deepEqual(connection(scope), ['d']);
    assert.deepEqual(connection(web), ['c']);
    assert.deepEqual(connection({ ...scope, cluster: 'west' }), ['a']);
  });

  it('leave nothing but 404 where no route is left', () => {
    assert.deepEqual(seen(service(to('a', [from({ cluster: 'west' })])), scope), []);
  });
});
