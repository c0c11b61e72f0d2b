/**
 * What tests of the protocol's rules play on: a server for each test and real gRPC clients. That nothing is sent is seen by a fence: a request
 * for one more virtual host, whose answer comes after whatever else was due.
 */

import assert from 'node:assert/strict';
import { typeUrl } from '../../src/core/type-urls.ts';
import type { XdsClient, XdsClientOptions } from '../support/xds-client.ts';
import type { XdsResponse } from '../support/xds-response.ts';
import { XdsRig } from '../support/xds-rig.ts';
import { TestView } from '../support/xds-views.ts';

const { virtualHost } = typeUrl;

export type Transport = 'sotw' | 'delta';

/** To be called in a `describe`; `rig` is the one of the test that runs. */
export function rulesScene() {
  let rig: XdsRig;
  let fences = 0;

  beforeEach(async () => {
    const view = new TestView();
    view.set(virtualHost, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`fence/${i}`, '1'])));
    rig = await XdsRig.start({ removalLingerMs: 60_000, warmingWaitMaxMs: 60_000 }, view);
    fences = 0;
  });
  afterEach(() => rig.stop());

  /** Another server, with other limits and without resources. */
  async function restart(...limits: Parameters<typeof XdsRig.start>): Promise<void> {
    await rig.stop();
    rig = await XdsRig.start(...limits);
  }
  const open = (transport: Transport, options: Partial<XdsClientOptions> = {}): XdsClient =>
    rig.open({ transport, autoAck: false, ...options });
  const change = (...args: Parameters<TestView['set']>): void => rig.server.changed(rig.view, rig.view.set(...args));
  const namesOf = (response: XdsResponse): string[] => response.resources.map(({ name }) => name).sort();

  /** Everything that came up to the answer to a new request. */
  async function untilFence(client: XdsClient): Promise<XdsResponse[]> {
    const name = `fence/${fences++}`;
    client.subscribe(virtualHost, [name]);
    const seen: XdsResponse[] = [];
    for (;;) {
      const response = await client.next();
      if (response.typeUrl === virtualHost && namesOf(response).includes(name)) {
        client.ack(response);
        return seen;
      }
      seen.push(response);
    }
  }
  async function assertSilent(client: XdsClient): Promise<void> {
    const seen = await untilFence(client);
    assert.deepEqual(
      seen.map((response) => [response.typeUrl, namesOf(response), response.removed]),
      [],
    );
  }
  async function take(client: XdsClient, type: string, names: readonly string[]): Promise<XdsResponse> {
    const response = await client.next();
    assert.equal(response.typeUrl, type);
    assert.deepEqual(namesOf(response), [...names].sort());
    return response;
  }
  async function takeAndAck(client: XdsClient, type: string, names: readonly string[]): Promise<XdsResponse> {
    const response = await take(client, type, names);
    client.ack(response);
    return response;
  }

  return {
    get rig() {
      return rig;
    },
    restart,
    open,
    change,
    namesOf,
    untilFence,
    assertSilent,
    take,
    takeAndAck,
  };
}
