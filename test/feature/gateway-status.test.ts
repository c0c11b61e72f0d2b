/** What is said of routes of the Gateway API, by a whole pilot, as clients over gRPC take or refuse what they are given. */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decodeMessage } from '../../src/envoy/proto/decode.ts';
import type { ParentStatus } from '../../src/model/parent-status.ts';
import { waitFor } from '../rig/wait.ts';
import { port } from '../support/fixtures.ts';
import { EnvoyLike, envoyNode, type Judge } from '../support/pilot.ts';
import { XdsClient } from '../support/xds-client.ts';
import type { ReceivedResource } from '../support/xds-response.ts';
import { GatewayRig } from './gateway-rig.ts';

const route = (name: string, spec: string): string =>
  `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
const reviews = '{group: "", kind: Service, name: reviews}';

/** The routes of a client in explicit mode. */
function tableOf(client: EnvoyLike): string {
  return JSON.stringify(client.get(typeUrl.route, 'http_proxy')) ?? '';
}

/** A route table in which the virtual host of `other` has the header. */
function isRefused({ name, body }: ReceivedResource): boolean {
  if (name !== 'http_proxy' || body === undefined) return false;
  const { virtual_hosts: hosts = [] } = decodeMessage(typeUrl.route.slice(typeUrl.route.indexOf('/') + 1), body) as {
    readonly virtual_hosts?: readonly object[];
  };
  return hosts.map((one) => JSON.stringify(one)).some((one) => /other\.shop.*x-two/.test(one));
}

/** Of a route of `httproute/shop/one/0`. */
const leads = '"name":"httproute/shop/one/0"';

describe('the status of routes of the Gateway API', function () {
  this.timeout(30_000);
  let rig: GatewayRig;
  const clients: XdsClient[] = [];
  /** By route: what was told of its parents last. */
  const told = new Map<string, readonly ParentStatus[] | undefined>();

  beforeEach(async () => {
    rig = await GatewayRig.start();
    told.clear();
    for (const stage of rig.assembly.stages) stage.listen(({ name }, { parents }) => told.set(name, parents));
    rig.service('reviews', [], { ports: [port(80), port(6379, 'tcp', 'redis')] });
    rig.service('v1', []);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await rig.stop();
  });

  function connect(name: string, judge?: Judge): EnvoyLike {
    const client = XdsClient.open({ port: rig.port, transport: 'delta', node: envoyNode({ name }), autoAck: false });
    clients.push(client);
    return new EnvoyLike(client, 'delta', judge);
  }

  function conditions(name: string): unknown {
    return told
      .get(name)
      ?.map((parent) => [
        parent.parentRef,
        parent.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
      ]);
  }

  const said = (name: string, wanted: unknown): Promise<unknown> =>
    waitFor(
      `the status of ${name}`,
      () => JSON.stringify(conditions(name)) === JSON.stringify(wanted),
      {},
      () => JSON.stringify(conditions(name)),
    );

  const held = ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs', 'fairway.dev/Programmed True Programmed'];

  it('has an entry for each parent that is a Service, as it was written, and none for others', async () => {
    connect('one');
    rig.apply(
      route(
        'both',
        `{parentRefs: [{name: edge}, ${reviews}, {group: "", kind: Service, name: gone, port: 1}], rules: [{backendRefs: [{name: v1, port: 80}]}]}`,
      ),
    );
    await said('both', [
      [{ group: '', kind: 'Service', name: 'reviews' }, held],
      [
        { group: '', kind: 'Service', name: 'gone', port: 1 },
        ['Accepted False NoMatchingParent', 'ResolvedRefs True ResolvedRefs'],
      ],
    ]);
    const before = told.get('both')?.[0]?.conditions.map(({ lastTransitionTime }) => lastTransitionTime);
    rig.removeService('v1');
    const ref = { group: '', kind: 'Service', name: 'reviews' };
    const unresolved = [held[0], 'ResolvedRefs False BackendNotFound', held[2]];
    await waitFor('v1 to be missed', () =>
      JSON.stringify(conditions('both')).includes(JSON.stringify([ref, unresolved])),
    );
    const after = told.get('both')?.[0]?.conditions.map(({ lastTransitionTime }) => lastTransitionTime);
    assert.equal(after?.[0], before?.[0]);
    rig.apply(route('gateway', '{parentRefs: [{name: edge}], rules: [{backendRefs: [{name: v1, port: 80}]}]}'));
    await said('gateway', []);
  });

  it('says which rules are dropped, and that all are', async () => {
    rig.apply(
      route(
        'half',
        `{parentRefs: [${reviews}], rules: [{matches: [{path: {value: /x}}], filters: [{type: ExternalAuth, externalAuth: {}}]}, {backendRefs: [{name: v1, port: 80}]}]}`,
      ),
    );
    const ref = { group: '', kind: 'Service', name: 'reviews' };
    await said('half', [
      [
        ref,
        [
          'Accepted True Accepted',
          'ResolvedRefs True ResolvedRefs',
          'PartiallyInvalid True UnsupportedValue',
          'fairway.dev/Programmed Unknown NoProxies',
        ],
      ],
    ]);
    assert.match(told.get('half')?.[0]?.conditions[2]?.message ?? '', /^Dropped Rule 0,/);
    rig.apply(
      route('half', `{parentRefs: [${reviews}], rules: [{filters: [{type: ExternalAuth, externalAuth: {}}]}]}`),
    );
    await said('half', [
      [
        ref,
        [
          'Accepted False UnsupportedValue',
          'ResolvedRefs True ResolvedRefs',
          'fairway.dev/Programmed Unknown NoProxies',
        ],
      ],
    ]);
  });

  it('shows Envoy’s words when a proxy refuses what a route comes to, and the proxy goes on with its last form', async () => {
    const good = connect('good');
    const words = 'this cannot be';
    const picky = connect('picky', ({ resources }) =>
      resources.some(({ body }) => body?.includes('x-refused') === true) ? words : undefined,
    );
    const spec = (header: string): string =>
      `{parentRefs: [${reviews}], rules: [{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: ${header}, value: a}]}}], backendRefs: [{name: v1, port: 80}]}]}`;
    rig.apply(route('one', spec('x-first')));
    const ref = { group: '', kind: 'Service', name: 'reviews' };
    await said('one', [[ref, held]]);
    rig.apply(route('one', spec('x-refused')));
    await said('one', [[ref, [held[0], held[1], 'fairway.dev/Programmed False Rejected']]]);
    assert.match(told.get('one')?.[0]?.conditions[2]?.message ?? '', new RegExp(`picky.*${words}`));
    await waitFor('the good one to have it', () => tableOf(good).includes('x-refused'));
    await waitFor('the other to go on', () => tableOf(picky).includes('x-first'));
    assert.ok(!tableOf(picky).includes('x-refused'));
  });

  it('says of each parent how many proxies hold what the route says there', async () => {
    connect('good');
    connect('picky', ({ typeUrl: url, resources }) =>
      url === typeUrl.route && resources.some(isRefused) ? 'not for this one' : undefined,
    );
    rig.service('other', []);
    const filter = '{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-two, value: a}]}}';
    const parents = `${reviews}, {group: "", kind: Service, name: other}`;
    rig.apply(
      route('two', `{parentRefs: [${parents}], rules: [{filters: [${filter}], backendRefs: [{name: v1, port: 80}]}]}`),
    );
    await said('two', [
      [{ group: '', kind: 'Service', name: 'reviews' }, held],
      [{ group: '', kind: 'Service', name: 'other' }, [held[0], held[1], 'fairway.dev/Programmed False Rejected']],
    ]);
    const [first, second] = told.get('two') ?? [];
    assert.match(first?.conditions[2]?.message ?? '', /2 of 2 proxies acknowledged/);
    assert.match(second?.conditions[2]?.message ?? '', /picky.*not for this one/);
    // Of the route as a whole the least is said.
    const whole = rig.report('HTTPRoute', 'two').conditions.find(({ type }) => type === 'Programmed');
    assert.equal(whole?.reason, 'Rejected');
  });

  it('says of a TLSRoute that proxies which do not look into tunnels go by none of it', async () => {
    rig.apply(
      route(
        'tls',
        `{parentRefs: [${reviews}], hostnames: [a.example], rules: [{backendRefs: [{name: v1, port: 80}]}]}`,
      ).replace('HTTPRoute', 'TLSRoute'),
    );
    const message = (): string => told.get('tls')?.[0]?.conditions[0]?.message ?? '';
    const words = 'proxies in explicit mode do not look into tunnels (CONNECT), and go by none of it';
    await waitFor('the verdict', () => message() === 'the route is in force');
    const client = connect('one');
    await waitFor('the note', () => message() === `the route is in force; ${words}`, {}, message);
    const [view] = rig.assembly.engine.views();
    assert.deepEqual(
      view?.findings().map(({ code, where }) => `${code} ${where.object}`),
      ['FW-ENVOY-008 Service shop/reviews'],
    );
    client.client.close();
    await waitFor('the note to go', () => message() === 'the route is in force', {}, message);
  });

  it('keeps the last good form of a route in force', async () => {
    const one = connect('one');
    rig.apply(route('one', `{parentRefs: [${reviews}], rules: [{backendRefs: [{name: v1, port: 80}]}]}`));
    await waitFor('the route', () => tableOf(one).includes(leads));
    rig.apply(route('one', `{parentRefs: [${reviews}], rules: [{backendRefs: [{name: v1}]}]}`));
    await waitFor('the verdict', () => JSON.stringify(conditions('one')).includes('Accepted False Invalid'));
    assert.match(
      rig.report('HTTPRoute', 'one').conditions[0]?.message ?? '',
      /FW-GWAPI-013.*its last good form counts/,
    );
    await rig.settled();
    assert.ok(tableOf(one).includes(leads));
  });

  it('makes nothing anew when endpoints alone change', async () => {
    rig.apply(route('one', `{parentRefs: [${reviews}], rules: [{backendRefs: [{name: v1, port: 80}]}]}`));
    const rule = (): unknown => rig.assembly.inForce.table.get('shop/reviews');
    await waitFor('the rule', () => rule() !== undefined);
    const before = rule();
    rig.service('v1', [{ name: 'w', port: 1234, stop: async () => {} }]);
    await waitFor('the endpoint', () =>
      [...(rig.assembly.engine.catalog.get('shop/v1')?.shards.values() ?? [])].some(
        ({ endpoints }) => endpoints.length > 0,
      ),
    );
    await rig.settled();
    assert.equal(rule(), before);
  });
});
