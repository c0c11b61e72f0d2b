/**
 * Another kind than TrafficRule, all the way: over the command line into the rules folder, judged, given to proxies, shown, there again after a
 * restart, and deleted.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import { type Pilot, startPilot } from '../rig/pilot.ts';
import { freePort } from '../rig/ports.ts';
import { externalText } from '../support/bad-externals.ts';
import { envoyNode } from '../support/pilot.ts';
import { XdsClient } from '../support/xds-client.ts';
import { fairway, type Run } from './cli-run.ts';

const spec = (host: string, more = ''): string =>
  `{hosts: [${host}], ports: [{number: 443, protocol: tls}], resolution: static, endpoints: [{address: 192.0.2.1}]${more}}`;
const cluster = (host: string): string => `outbound|443||${host}`;
const namespace = (outbound: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {fairway.dev/outbound: ${outbound}}}\n`;

describe('a kind besides TrafficRule, from the command line to the proxies', function () {
  this.timeout(90_000);
  let folder: string;
  let pilot: Pilot;
  let ports: { readonly xds: number; readonly admin: number };
  const clients: XdsClient[] = [];

  const start = async (): Promise<void> => {
    pilot = await startPilot({
      xds: `127.0.0.1:${ports.xds}`,
      admin: `127.0.0.1:${ports.admin}`,
      args: [
        '--clusters',
        join(folder, 'clusters'),
        '--rules',
        join(folder, 'rules'),
        '--state',
        join(folder, 'state'),
      ],
      logFile: join(folder, 'pilot.log'),
    });
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-kinds-'));
    for (const name of ['east', 'west']) {
      mkdirSync(join(folder, 'clusters', name), { recursive: true });
      writeFileSync(join(folder, 'clusters', name, 'cluster.yaml'), `name: ${name}\n`);
    }
    ports = { xds: await freePort(), admin: await freePort() };
    await start();
  });

  after(async () => {
    for (const client of clients) client.close();
    await pilot?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], input = ''): Promise<Run> =>
    fairway([...args, '--admin', `http://127.0.0.1:${ports.admin}`], { input });

  const connect = (name: string, of: string): XdsClient => {
    const node = envoyNode({ name, cluster: of });
    const client = XdsClient.open({ port: ports.xds, transport: 'delta', node });
    clients.push(client);
    client.subscribe(typeUrl.cluster);
    return client;
  };

  it('is applied, reaches the proxies that it is for, and says so', async () => {
    const [east, west] = [connect('a', 'east'), connect('b', 'west')];
    const applied = await run(
      ['apply', '-f', '-', '--wait', '--timeout', '20s'],
      externalText(spec('api.example.com', ', from: {clusters: [east]}')),
    );
    assert.equal(applied.exit, 0, applied.err);
    assert.equal(applied.out, 'externalservice.fairway.dev/api created (namespace shop)\n');
    assert.deepEqual(readdirSync(join(folder, 'rules')), ['shop.api.externalservice.yaml']);
    await east.untilHolds((held) => held(typeUrl.cluster).has(cluster('api.example.com')));
    assert.ok(!west.held(typeUrl.cluster).has(cluster('api.example.com')));
    const shown = await run(['get', 'es']);
    assert.match(shown.out, /NAMESPACE +NAME +HOSTS +RESOLUTION +FROM +ACCEPTED +PROGRAMMED +AGE/);
    assert.match(shown.out, /shop +api +api\.example\.com +static +east +True +True 1\/1/);
    assert.equal((await run(['get', 'externalservices', '-o', 'name'])).out, 'externalservice.fairway.dev/api\n');
  });

  it('is refused whole where it is wrong, with the place', async () => {
    const refused = await run(['apply', '-f', '-'], externalText('{hosts: [api], ports: [], resolution: dns}', 'bad'));
    assert.notEqual(refused.exit, 0);
    assert.match(refused.err, /FW-RULE-151/);
    assert.match(refused.err, /Nothing was applied/);
  });

  it('says which of two has a host, and lets the other have it when that is gone', async () => {
    const second = await run(['apply', '-f', '-'], externalText(spec('api.example.com'), 'second'));
    assert.equal(second.exit, 0, second.err);
    const lost = await run(['get', 'es', 'shop/second', '-o', 'json']);
    const report = JSON.parse(lost.out) as { conditions: { type: string; status: string; reason: string }[] };
    const accepted = report.conditions.find(({ type }) => type === 'Accepted');
    assert.deepEqual([accepted?.status, accepted?.reason], ['False', 'Conflicted']);
    assert.match(lost.out, /FW-RULE-170/);
    const deleted = await run(['delete', 'es', 'api', '-n', 'shop']);
    assert.equal(deleted.out, 'externalservice.fairway.dev/api deleted (namespace shop)\n');
    const west = connect('c', 'west');
    await west.untilHolds((held) => held(typeUrl.cluster).has(cluster('api.example.com')));
  });

  it('is there again after a restart, and goes when it is deleted', async () => {
    await pilot.stop();
    await start();
    const again = connect('d', 'west');
    await again.untilHolds((held) => held(typeUrl.cluster).has(cluster('api.example.com')));
    assert.equal((await run(['delete', 'externalservice/second', '-n', 'shop'])).exit, 0);
    await again.untilHolds((held) => !held(typeUrl.cluster).has(cluster('api.example.com')));
  });

  it('follows what a namespace lets out, at once', async () => {
    const client = connect('e', 'east');
    await client.untilHolds((held) => held(typeUrl.cluster).has('PassthroughCluster'));
    writeFileSync(join(folder, 'clusters/east/namespace.yaml'), namespace('registered-only'));
    await client.untilHolds((held) => !held(typeUrl.cluster).has('PassthroughCluster'));
    writeFileSync(join(folder, 'clusters/east/namespace.yaml'), namespace('allow-any'));
    await client.untilHolds((held) => held(typeUrl.cluster).has('PassthroughCluster'));
  });
});
