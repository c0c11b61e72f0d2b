/**
 * `fairway serve` as a process: what it prints, how it ends, what it says to whoever starts it wrongly, and that bad input over the admin API
 * changes nothing.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeUrl } from '../../src/core/type-urls.ts';
import { envoyNode, outbound } from '../support/pilot.ts';
import { ruleText } from '../support/rules.ts';
import { XdsClient } from '../support/xds-client.ts';
import { fairway, mainFile } from './cli-run.ts';

interface Ready {
  readonly ready: boolean;
  readonly xds: string;
  readonly admin: string;
  readonly clusters: Readonly<Record<string, string>>;
}

/** A running `fairway serve`. */
class Serve {
  readonly child: ChildProcess;
  out = '';
  err = '';
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[]) {
    this.child = spawn(
      process.execPath,
      ['--disable-proto=delete', mainFile, 'serve', '--xds', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      assert.equal(this.child.exitCode, null, `it ended: ${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async ready(): Promise<Ready> {
    await this.until(() => this.out.includes('\n'));
    return JSON.parse(this.out) as Ready;
  }

  terminate(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

const manifests = `
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews-1, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
`;

describe('fairway serve, as a process', function () {
  this.timeout(60_000);
  let folder: string;
  const running: Serve[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-serve-'));
    mkdirSync(join(folder, 'clusters/east'), { recursive: true });
    writeFileSync(join(folder, 'clusters/east/cluster.yaml'), 'name: east\n');
    writeFileSync(join(folder, 'clusters/east/reviews.yaml'), manifests);
  });

  afterEach(async () => {
    for (const one of running.splice(0)) {
      one.child.kill('SIGKILL');
      await one.ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  function serve(...args: readonly string[]): Serve {
    const one = new Serve(args);
    running.push(one);
    return one;
  }

  const clusters = (): string[] => ['--clusters', join(folder, 'clusters')];

  it('says once that it is ready; ends on SIGTERM with its streams, exit 0', async () => {
    const pilot = serve(...clusters(), '--rules', join(folder, 'rules'), '--state', join(folder, 'state'));
    const { ready, xds, clusters: phases } = await pilot.ready();
    assert.equal(ready, true);
    assert.deepEqual(phases, { east: 'fresh' });
    const client = XdsClient.open({ port: Number(xds.split(':').at(-1)), transport: 'delta', node: envoyNode() });
    try {
      client.subscribe(typeUrl.cluster);
      await client.untilHolds((held) => held(typeUrl.cluster).has(outbound('reviews')));
      const line = pilot.out;
      assert.equal(await pilot.terminate(), 0, pilot.err);
      const code: number = (await client.ended).code;
      // OK or UNAVAILABLE: an end that clients take for one, not a cut line.
      assert.ok(code === 0 || code === 14, `status ${code}`);
      assert.equal(pilot.out, line);
      assert.equal(line.trim().split('\n').length, 1);
      assert.ok(existsSync(join(folder, 'state')));
    } finally {
      client.close();
    }
  });

  it('ended before it was ready, it never says that it was, answers nobody, exit 0', async () => {
    // An API that takes connections and says nothing.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => silent.once('listening', resolve));
      const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const kubeconfig = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server } }],
        users: [{ name: 'u', user: { token: 'x' } }],
        contexts: [{ name: 'west', context: { cluster: 'c', user: 'u' } }],
      };
      writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
      const pilot = serve(
        ...clusters(),
        '--kubeconfig',
        join(folder, 'kubeconfig'),
        '--context',
        'west',
        '--log-format',
        'json',
      );
      await pilot.until(() => pilot.err.includes('"msg":"listening"'));
      const listening = pilot.err.split('\n').find((line) => line.includes('"msg":"listening"')) ?? '{}';
      const { xds } = JSON.parse(listening) as { xds: string };
      const client = XdsClient.open({ port: Number(xds.split(':').at(-1)), transport: 'delta', node: envoyNode() });
      client.subscribe(typeUrl.cluster);
      const admin = (JSON.parse(listening) as { admin: string }).admin;
      // Once some stream had its turn, this one is open and waits.
      for (let open = false; !open; )
        open = /^fairway_queue_seconds_total 0*[.]?0*[1-9]/m.test(
          await (await fetch(`http://${admin}/metrics`)).text(),
        );
      assert.equal((await fetch(`http://${admin}/readyz`)).status, 503);
      assert.equal(await pilot.terminate(), 0, pilot.err);
      await client.ended;
      client.close();
      assert.equal(client.responses.length, 0);
      assert.equal(pilot.out, '');
    } finally {
      silent.close();
    }
  });

  const refused: readonly (readonly [string, string, () => readonly string[]])[] = [
    ['an xDS address that is taken', 'FW-XDS-013', () => [...clusters(), '--xds', `127.0.0.1:${taken}`]],
    ['an admin address that is taken', 'FW-API-', () => [...clusters(), '--admin', `127.0.0.1:${taken}`]],
    ['an admin address without a credential', 'FW-API-001', () => [...clusters(), '--admin', '0.0.0.0:0']],
    ['a token file that is not there', 'FW-API-002', () => [...clusters(), '--admin-token-file', join(folder, 'none')]],
    [
      'a rules folder that is a file',
      'FW-PILOT-007',
      () => [...clusters(), '--rules', join(folder, 'clusters/east/cluster.yaml')],
    ],
    [
      'a state folder under a file',
      'FW-CLUSTER-016',
      () => [...clusters(), '--state', join(folder, 'clusters/east/cluster.yaml/x')],
    ],
    [
      'a kubeconfig that is not there',
      'FW-PILOT-006',
      () => [...clusters(), '--kubeconfig', join(folder, 'none'), '--context', 'a'],
    ],
    [
      'a kubeconfig that is none',
      'FW-KUBE-001',
      () => [...clusters(), '--kubeconfig', join(folder, 'clusters/east/cluster.yaml'), '--context', 'a'],
    ],
    ['no cluster', 'FW-CLI-050', () => []],
  ];
  let taken = 0;
  for (const [what, code, args] of refused) {
    it(`does not start with ${what}: says so, and ends`, async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      try {
        await new Promise((resolve) => holder.once('listening', resolve));
        taken = (holder.address() as AddressInfo).port;
        const pilot = serve(...args());
        const exit = await pilot.ended;
        assert.ok(exit === 1 || exit === 2, `exit ${exit}: ${pilot.err}`);
        assert.ok(pilot.err.includes(code), pilot.err);
        assert.ok(pilot.err.includes('→'), `no hint: ${pilot.err}`);
        assert.ok(!pilot.err.includes('fault in fairway'), pilot.err);
        assert.equal(pilot.out, '');
      } finally {
        holder.close();
      }
    });
  }

  it('waits for a clusters folder that is not there, and says so', async () => {
    const pilot = serve('--clusters', join(folder, 'later'), '--log-format', 'json');
    await pilot.until(() => pilot.err.includes('FW-FILE-013'));
    assert.equal(pilot.out, '');
    mkdirSync(join(folder, 'later/east'), { recursive: true });
    writeFileSync(join(folder, 'later/east/cluster.yaml'), 'name: east\n');
    assert.deepEqual((await pilot.ready()).clusters, { east: 'fresh' });
    assert.equal(await pilot.terminate(), 0);
  });

  it('takes no bad rule over the admin API: what was in force stays, and the folder as it was', async () => {
    const rules = join(folder, 'rules');
    const pilot = serve(...clusters(), '--rules', rules);
    const { admin } = await pilot.ready();
    const url = ['--admin', `http://${admin}`];
    const good = await fairway(['apply', '-f', '-', ...url], {
      input: ruleText('{service: reviews, routes: [{backends: [{version: v1}]}]}'),
    });
    assert.equal(good.exit, 0, good.err);
    const shown = async (): Promise<string> => {
      const { exit, out, err } = await fairway(['get', 'rules', '-A', '-o', 'json', ...url]);
      assert.equal(exit, 0, err);
      return out;
    };
    const files = (): unknown[] => readdirSync(rules).map((name) => [name, readFileSync(join(rules, name), 'utf8')]);
    const [before, held] = [await shown(), files()];
    assert.ok(before.includes('v1'));
    const next = ruleText('{service: reviews, routes: [{backends: [{version: v2}]}]}');
    const bad: readonly (readonly [string, string])[] = [
      ['YAML that does not parse', 'a: [b'],
      ['an unknown kind', 'apiVersion: fairway.dev/v1alpha1\nkind: Magic\nmetadata: {name: x, namespace: shop}\n'],
      ['an unknown field', ruleText('{service: reviews, routes: [{backendz: []}]}')],
      ['weights that are all zero', ruleText('{service: reviews, routes: [{backends: [{version: v1, weight: 0}]}]}')],
      ['a weight that does not fit', ruleText('{service: reviews, routes: [{backends: [{version: v1, weight: -1}]}]}')],
      [
        'a regex that RE2 refuses',
        ruleText('{service: reviews, routes: [{matches: [{path: {regex: "(?=x)"}}], backends: [{version: v1}]}]}'),
      ],
      [
        'aliases without end',
        `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
          .split('')
          .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join()}]`)
          .join('\n')}\n`,
      ],
      ['a good rule with a bad one', `${next}---\n${ruleText('{service: ratings}', 'ratings')}`],
      ['__proto__', ruleText('{service: reviews, __proto__: {x: 1}, routes: [{backends: [{version: v2}]}]}')],
    ];
    for (const [what, input] of bad) {
      const { exit, err, out } = await fairway(['apply', '-f', '-', ...url], { input });
      assert.notEqual(exit, 0, `${what}: ${out}`);
      assert.match(err, /FW-[A-Z]+-\d+/, what);
      assert.ok(!err.includes('fault in fairway'), `${what}: ${err}`);
    }
    assert.deepEqual(files(), held);
    assert.equal(await shown(), before);
    const { exit, err } = await fairway(['apply', '-f', '-', ...url], { input: next });
    assert.equal(exit, 0, err);
    assert.ok((await shown()).includes('v2'));
    assert.equal(await pilot.terminate(), 0);
  });
});
