/**
 * What a proxy does by itself about silence, where a fallback stands in, leaves in peace who is slow: who answers late, and who reads an upload
 * slowly (docs/decisions/010-an-endpoint-that-takes-no-connections-is-left.md).
 */

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createH2cServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { pause } from '../rig/wait.ts';
import { noEnvoy, skip } from '../support/skips.ts';
import { type PolicyRig, startPolicyRig } from './policy-rig.ts';

/** Longer than silence is borne over shared connections, and shorter than over others. */
const slowMs = 2000;

const uploadBytes = 20_000_000;

describe('a proxy with a fallback, and one that is slow', function () {
  this.timeout(60_000);
  let rig: PolicyRig;
  const stops: (() => void)[] = [];

  before(async function () {
    const started = await startPolicyRig();
    if (started === undefined) return skip(this, noEnvoy);
    rig = started;
  });

  after(async () => {
    for (const stop of stops) stop();
    await rig?.envoy.stop();
  });

  /** Reads nothing of a request's body, and answers nothing, for a while; then says how much there was. */
  async function startSlow(kind: 'http' | 'h2c'): Promise<number> {
    const take = async (
      incoming: IncomingMessage | Http2ServerRequest,
      outgoing: ServerResponse | Http2ServerResponse,
    ): Promise<void> => {
      await pause(slowMs);
      let bytes = 0;
      for await (const chunk of incoming) bytes += (chunk as Buffer).length;
      outgoing.end(JSON.stringify({ name: `slow, ${bytes} bytes` }));
    };
    const server =
      kind === 'http'
        ? createServer((incoming, outgoing) => void take(incoming, outgoing))
        : createH2cServer((incoming, outgoing) => void take(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  function send(method: string, body: Buffer): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: rig.envoy.proxyPort, path: 'http://reviews/', method, agent: false };
      const outgoing = request(options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  const endpoints = (east: number, west: number): { name: string; port: number; cluster: string }[] => [
    { name: 'east', port: east, cluster: 'east' },
    { name: 'west', port: west, cluster: 'west' },
  ];
  const routes = [{ backends: [{ cluster: 'east', fallback: [{ cluster: 'west' }] }] }];

  for (const kind of ['http', 'h2c'] as const) {
    it(`waits for an answer, and for an upload to be read, over ${kind}`, async () => {
      const east = await startSlow(kind);
      const west = await startSlow(kind);
      await rig.apply({ routes }, endpoints(east, west), kind === 'h2c' ? 'grpc' : 'http');
      const asked = await Promise.all([
        send('GET', Buffer.alloc(0)),
        send('POST', Buffer.alloc(10)),
        send('PUT', Buffer.alloc(uploadBytes)),
      ]);
      assert.deepEqual(
        asked.map(({ status, text }) => [status, text]),
        [0, 10, uploadBytes].map((bytes) => [200, JSON.stringify({ name: `slow, ${bytes} bytes` })]),
      );
      assert.equal(await rig.stat('upstream_rq_retry'), 0);
      assert.deepEqual(await rig.unhealthy(), []);
    });
  }

  it('ends a connection on which an upload is not read, where the rule says so', async () => {
    const spec = { routes, connections: { unacknowledged: '300ms' } };
    await rig.apply(spec, endpoints(await startSlow('http'), await startSlow('http')));
    assert.equal((await send('PUT', Buffer.alloc(uploadBytes))).status, 503);
    assert.equal((await send('GET', Buffer.alloc(0))).status, 200);
  });
});
