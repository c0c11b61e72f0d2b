/** The `fairway` command as a person runs it, a child process: the connection to a pilot, mistakes on the command line, and the small commands. */

import assert from 'node:assert/strict';
import { chmodSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ownVersion } from '../../src/cli/commands/version.ts';
import { fairway, mainFile } from './cli-run.ts';
import { cliScene, ruleText } from './cli-scene.ts';

/** Commands are processes: two at a time, as cores go. */
async function mapTwoByTwo<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += 2) await Promise.all(all.slice(at, at + 2).map(run));
}

describe('the fairway command', function () {
  // Each test starts several processes; a busy machine takes its time with them.
  this.timeout(60_000);
  const scene = cliScene();
  const { file } = scene;

  describe('the connection', () => {
    it('is said to be missing with exit code 3, whatever the command', async () => {
      const nowhere = { env: { ...scene.env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' }, input: ruleText('r') };
      for (const args of [['get', 'rules'], ['apply', '-f', '-'], ['delete', 'rule', 'a'], ['config']]) {
        const run = await fairway(args, nowhere);
        assert.deepEqual([run.exit, run.out], [3, ''], args.join(' '));
        assert.match(
          run.err,
          /^error FW-CLI-010 the admin API at http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
        );
      }
    });

    it('is given up after --request-timeout, and not mistaken for another server', async () => {
      const silent = createServer(() => {});
      const other = createServer((_request, response) => response.end('<html>hello</html>'));
      for (const server of [silent, other])
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = (server: typeof silent): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        const late = await fairway(['get', 'rules', '--admin', url(silent), '--request-timeout', '200ms'], {
          env: scene.env,
        });
        assert.equal(late.exit, 3);
        assert.match(late.err, /did not answer in time/);
        for (const none of ['0', '0s']) {
          const { exit, err } = await fairway(['get', 'rules', '--request-timeout', none], { env: scene.env });
          assert.equal(exit, 0, err);
        }
        const wrong = await fairway(['get', 'rules', '--admin', url(other)], { env: scene.env });
        assert.equal(wrong.exit, 3);
        assert.match(wrong.err, /FW-CLI-011 .* is not Fairway's admin API/);
      } finally {
        for (const server of [silent, other]) {
          server.closeAllConnections();
          server.close();
        }
      }
    });

    it('carries a token from a file or the environment', async () => {
      const token = 'a-token-of-the-right-length';
      await scene.restart({ token: () => token });
      const url = scene.env;
      const none = await fairway(['get', 'clusters'], { env: url });
      assert.equal(none.exit, 1);
      assert.match(none.err, /FW-API-005/);
      assert.equal((await fairway(['get', 'clusters'], { env: { ...url, FAIRWAY_ADMIN_TOKEN: token } })).exit, 0);
      const args = ['get', 'clusters', '--admin-token-file', file('token', `${token}\n`)];
      assert.equal((await fairway(args, { env: url })).exit, 0);
    });
  });

  it('refuses flags and arguments that make no sense with exit code 2', async () => {
    const refused = [
      ['FW-CLI-001', 'gett'],
      ['FW-CLI-001', 'get'],
      ['FW-CLI-001', 'get', 'rules', '--nope'],
      ['FW-CLI-001', 'get', 'rules', '-o', 'xml'],
      ['FW-CLI-001', 'apply'],
      ['FW-CLI-030', 'get', 'pods'],
      ['FW-CLI-031', 'get', 'rules', '-A', '-n', 'shop'],
      ['FW-CLI-005', 'get', 'rules', '--admin', 'ftp://x'],
      ['FW-CLI-004', 'cluster', 'drain', 'west', '--over', 'soon'],
      ['FW-CLI-006', 'get', 'rules', '--admin-token-file', '/nope'],
      ['FW-CLI-007', 'get', 'rules', '--admin', 'http://x', '--context', 'y'],
      ['FW-CLI-033', 'get', 'services', '--context', 'y'],
      ['FW-CLI-080', 'get', 'rules', '--kubeconfig', '/nope'],
      ['FW-CLI-004', 'get', 'rules', '--request-timeout', 'soon'],
      ['FW-CLI-050', 'serve'],
      ['FW-CLI-070', 'bootstrap', '--cluster', 'east', '--workload', 'web', '--inbound', 'x'],
    ] as const;
    await mapTwoByTwo(refused, async ([code, ...args]) => {
      const run = await fairway(args, { env: scene.env });
      assert.deepEqual([run.exit, run.out], [2, ''], args.join(' '));
      assert.ok(run.err.startsWith(`error ${code} `), `${args.join(' ')}: ${run.err}`);
      assert.match(run.err, /\n {2}→ /, 'every error says what to do');
    });
  });

  it('prints help for people and completes for shells', async () => {
    const help = await fairway(['--help'], { env: scene.env });
    assert.equal(help.exit, 0);
    for (const name of [
      'serve',
      'apply',
      'delete',
      'get',
      'bootstrap',
      'check',
      'demo',
      'envoy',
      'version',
      'completion',
    ]) {
      assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
    }
    for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
      assert.match((await fairway(['completion', shell], { env: scene.env })).out, /fairway/, shell);
    }
    assert.match((await fairway(['complete', '--', 'get', '--out'], { env: scene.env })).out, /^--output\t/m);
    assert.match(
      (await fairway(['complete', '--', 'get', ''], { env: scene.env })).out,
      /^clusters\t\n(.*\n)*proxies\t$/m,
    );
  });

  it('answers to kubectl as a plugin', async () => {
    const plugin = join(scene.folder, 'kubectl-fairway');
    symlinkSync(mainFile, plugin);
    const run = await fairway(['--help'], { env: scene.env, program: plugin });
    assert.match(run.out, /^Usage: kubectl fairway /);
  });

  it('tells versions, with or without a pilot', async () => {
    const both = await fairway(['version'], { env: scene.env });
    assert.match(both.out, /^fairway \d+\.\d+\.\d+ .*\npilot {3}\d+\.\d+\.\d+ /);
    const alone = await fairway(['version'], { env: { ...scene.env, FAIRWAY_ADMIN: 'http://127.0.0.1:1' } });
    assert.equal(alone.exit, 0);
    assert.match(alone.err, /FW-CLI-010/);
    const own = await fairway(['version', '--client', '-o', 'json'], { env: scene.env });
    assert.equal((JSON.parse(own.out) as { client: { version: string } }).client.version, ownVersion());
  });

  it('prints a bootstrap in YAML and JSON', async () => {
    const args = ['bootstrap', '--cluster', 'east', '--workload', 'web', '-n', 'shop', '--label', 'version=v1'];
    assert.match(
      (await fairway(args, { env: scene.env })).out,
      /^ {2}id: sidecar~127\.0\.0\.1~web\.shop~shop\.svc\.cluster\.local$/m,
    );
    const json = JSON.parse((await fairway([...args, '-o', 'json'], { env: scene.env })).out) as {
      node: { metadata: object };
    };
    assert.equal((json.node.metadata as { CLUSTER_ID: string }).CLUSTER_ID, 'east');
    const grpc = JSON.parse((await fairway([...args, '--grpc'], { env: scene.env })).out) as { xds_servers: object[] };
    assert.equal(grpc.xds_servers.length, 1);
    assert.match(
      (await fairway([...args, '--grpc', '--config', 'eager'], { env: scene.env })).err,
      /FW-CLI-070 --config/,
    );
  });

  it('prints where Envoy is, and runs it with its exit code', async () => {
    const envoy = file('my-envoy', '#!/bin/sh\necho "args: $*"\nexit 7\n');
    chmodSync(envoy, 0o755);
    const withEnvoy = { env: { ...scene.env, ENVOY_BIN: envoy } };
    assert.deepEqual(await fairway(['envoy'], withEnvoy), { exit: 0, out: `${envoy}\n`, err: '' });
    const run = await fairway(['envoy', '--', '--version', '-c', 'x'], withEnvoy);
    assert.deepEqual(run, { exit: 7, out: 'args: --version -c x\n', err: '' });
    const none = await fairway(['envoy', '--no-install'], { env: { ...scene.env, PATH: '' } });
    assert.equal(none.exit, 1);
    assert.match(none.err, /FW-CLI-060 .*\n.*ENVOY_BIN/);
  });
});
