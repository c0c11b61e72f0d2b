/**
 * What a pilot says to a proxyless client over SotW, name by name: what is there, what is not, what a client refused, and that a rule change is
 * one message.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import { decodeResource } from '../../src/envoy/proto/decode.ts';
import { port, shard } from '../support/fixtures.ts';
import { decode, endpointOf, host, levelsOf, outbound, PilotRig } from '../support/pilot.ts';
import type { XdsClient } from '../support/xds-client.ts';
import type { XdsResponse } from '../support/xds-response.ts';

const listener = 'reviews.shop:9080';
const table = `${host('reviews')}:9080`;

describe('what proxyless clients are told', () => {
  let rig: PilotRig;
  let client: XdsClient;

  beforeEach(async () => {
    rig = await PilotRig.start();
    put(['10.0.0.1@v1', '10.0.0.2@v2']);
    await rig.until(() => rig.engine.mesh.services.size === 1);
    client = open();
  });
  afterEach(() => rig.stop());

  function put(endpoints: readonly string[], name = 'reviews'): void {
    rig.cluster('east').putService(
      shard('east', name, {
        ports: [port(9080, 'grpc')],
        endpoints: endpoints.map((text) => ({ ...endpointOf('east', text), ports: new Map([['grpc', 9080]]) })),
      }),
    );
  }

  function open(autoAck = true, name = 'client'): XdsClient {
    return rig.open({ transport: 'sotw', metadata: { GENERATOR: 'grpc' }, autoAck, name });
  }

  const namesIn = ({ resources }: XdsResponse): string[] => resources.map(({ name }) => name);

  /** The clusters that its table leads to, by weight. */
  function leads(): readonly string[] {
    const resource = client.held(typeUrl.route).get(table);
    assert.ok(resource !== undefined);
    const text = JSON.stringify(decode(typeUrl.route, resource));
    return [...text.matchAll(/"(?:cluster|name)":"(outbound[^"]+)"/g)].map(([, name]) => name as string);
  }

  it('a listener by its target, with its routes’ name; one that leads nowhere for what is not there; nothing without a name', async () => {
    client.subscribe(typeUrl.listener, [listener, 'nobody.shop:9080', 'strange']);
    const response = await client.next();
    // What is not there leads nowhere, so that a client need not wait for it.
    assert.deepEqual(namesIn(response).sort(), ['nobody.shop:9080', listener, 'strange'].sort());
    const resource = response.resources.find(({ name }) => name === listener);
    const others = response.resources.filter((each) => each !== resource);
    for (const each of others)
      assert.match(JSON.stringify(decode(typeUrl.listener, each)), /"cluster":"outbound\|(9080|0)\|\|/);
    assert.match(
      JSON.stringify(decode(typeUrl.listener, resource ?? { body: undefined })),
      new RegExp(`"route_config_name":"${table}"`),
    );
    const other = open();
    other.subscribe(typeUrl.cluster);
    other.subscribe(typeUrl.endpoint, [outbound('reviews', '', 9080)]);
    await other.untilHolds((held) => held(typeUrl.endpoint).size === 1);
    await rig.quiet();
    assert.equal(other.held(typeUrl.cluster).size, 0);
  });

  it('a cluster that is not there is one without endpoints, at once, and becomes what it is when it comes', async () => {
    const name = outbound('late', '', 9080);
    client.subscribe(typeUrl.cluster, [name]);
    assert.deepEqual(namesIn(await client.next()), [name]);
    client.subscribe(typeUrl.endpoint, [name]);
    const { resources } = await client.next();
    assert.deepEqual(levelsOf(decode(typeUrl.endpoint, resources[0] ?? { body: undefined })), []);
    put(['10.0.0.9@v1'], 'late');
    await client.untilHolds((held) => {
      const assignment = held(typeUrl.endpoint).get(name);
      return assignment !== undefined && levelsOf(decode(typeUrl.endpoint, assignment)).length === 1;
    });
  });

  it('a change of a rule is one message, and the rule is acknowledged', async () => {
    client.subscribe(typeUrl.listener, [listener]);
    await client.next();
    client.subscribe(typeUrl.route, [table]);
    await client.next();
    for (const url of [typeUrl.cluster, typeUrl.endpoint]) {
      client.subscribe(url, [outbound('reviews', '', 9080)]);
      await client.next();
    }
    await rig.quiet();
    const before = client.responses.length;
    rig.rule('{service: reviews, routes: [{backends: [{weight: 1}], timeouts: {request: 3s}}]}');
    await rig.until(() => rig.condition('Programmed').status === 'True');
    assert.deepEqual(
      client.responses.slice(before).map((response) => response.typeUrl),
      [typeUrl.route],
    );
  });

  it('of what a changed table leads to a client is told before, where no call goes', async () => {
    client.subscribe(typeUrl.listener, [listener]);
    client.subscribe(typeUrl.route, [table]);
    for (const url of [typeUrl.cluster, typeUrl.endpoint]) client.subscribe(url, [outbound('reviews', '', 9080)]);
    await client.untilHolds((held) => held(typeUrl.endpoint).size === 1 && held(typeUrl.route).size === 1);
    await rig.quiet();
    rig.rule('{service: reviews, routes: [{backends: [{version: v2}]}]}');
    const wanted = outbound('reviews', 'v2', 9080);
    await client.untilHolds(() => leads().includes(wanted));
    assert.deepEqual(leads(), [outbound('reviews', '', 9080), wanted]);
    for (const url of [typeUrl.cluster, typeUrl.endpoint])
      client.subscribe(url, [outbound('reviews', '', 9080), wanted]);
    await client.untilHolds(() => leads().length === 1);
    assert.deepEqual(leads(), [wanted]);
    assert.equal(client.held(typeUrl.endpoint).has(wanted), true);
  });

  it('what a client refuses is set aside for it alone, and it goes on with what was', async () => {
    rig.rule('{service: reviews, routes: [{backends: [{version: v1}]}]}');
    await rig.until(() => rig.condition('Accepted').status === 'True');
    client = open(false);
    const other = open(true, 'other');
    other.subscribe(typeUrl.route, [table]);
    await other.next();
    client.subscribe(typeUrl.route, [table]);
    client.ack(await client.next());
    assert.deepEqual(leads(), [outbound('reviews', 'v1', 9080)]);
    rig.rule('{service: reviews, routes: [{backends: [{version: v2}]}]}');
    const refused = await client.next();
    client.nack(refused, `RouteConfiguration ${table}: not to my taste`);
    await rig.until(() => rig.condition('Programmed').message.includes('not to my taste'));
    await other.untilHolds((held) =>
      JSON.stringify(decode(typeUrl.route, held(typeUrl.route).get(table) ?? { body: undefined })).includes('|v2|'),
    );
    const ofClient = [...rig.engine.proxies.all()].find(({ quarantine }) => !quarantine.isEmpty());
    await rig.until(() => ofClient?.next === undefined);
    const held = ofClient?.view.resources(typeUrl.route).get(table);
    assert.ok(held !== undefined);
    assert.match(JSON.stringify(decodeResource(held)), /\|v1\|/);
    assert.deepEqual(leads(), [outbound('reviews', 'v1', 9080)]);
  });

  it('services that nobody asks for any more are let go', async () => {
    client.subscribe(typeUrl.listener, [listener]);
    await client.next();
    const [view] = rig.engine.views();
    assert.ok((view?.resources(typeUrl.route).size ?? 0) > 0);
    client.subscribe(typeUrl.listener, ['other.shop:9080']);
    await rig.until(() => view?.resources(typeUrl.route).size === 0);
    client.close();
    await rig.until(() => rig.engine.proxies.size === 0);
  });

  it('a rule’s words that gRPC has none for are a finding', async () => {
    rig.rule('{service: reviews, routes: [{name: copied, backends: [{version: v1}], mirrors: [{version: v2}]}]}');
    client.subscribe(typeUrl.listener, [listener]);
    await client.next();
    const [view] = rig.engine.views();
    assert.deepEqual(
      view?.findings().map(({ code, message }) => [code, message.split(': ')[1]]),
      [['FW-ENVOY-007', 'mirrors (copied)']],
    );
  });
});
