import assert from 'node:assert/strict';
import { Command } from 'commander';
import { readServeOptions, type ServeFlags } from '../../../src/cli/commands/serve.ts';
import { createProgram } from '../../../src/cli/program.ts';

/** Flags as the real command line reads them. */
function flagsOf(...args: string[]): ServeFlags {
  const program = createProgram({
    name: 'fairway',
    version: '0',
    context: () => assert.fail('nothing runs here'),
    done: () => {},
  });
  const serve = program.commands.find((command) => command.name() === 'serve');
  assert.ok(serve instanceof Command);
  serve.exitOverride().parseOptions(args);
  return serve.opts<ServeFlags>();
}

describe('fairway serve options', () => {
  it('have the defaults that the help names', () => {
    const options = readServeOptions(flagsOf('--clusters', 'clusters'));
    assert.deepEqual(options, {
      clustersDir: 'clusters',
      contexts: [],
      inCluster: false,
      inClusterName: 'primary',
      allowExecCredentials: false,
      xds: { host: '127.0.0.1', port: 15_010 },
      admin: { host: '127.0.0.1', port: 15_014 },
      namespace: 'fairway-system',
      outbound: 'allow-any',
      mode: 'eager',
      services: 'all',
      standards: ['gateway-api'],
      clusterDomain: 'cluster.local',
      accessLog: true,
      logLevel: 'info',
      logFormat: 'auto',
      syncWaitMs: 30_000,
      drainMs: 5000,
    });
  });

  it('take contexts with and without another name', () => {
    const { contexts, primary } = readServeOptions(
      flagsOf('--context', 'kind-east', '--context', 'west=gke_p_r_w', '--primary', 'west'),
    );
    assert.deepEqual(contexts, [
      { cluster: 'kind-east', context: 'kind-east' },
      { cluster: 'west', context: 'gke_p_r_w' },
    ]);
    assert.equal(primary, 'west');
  });

  it('refuse what cannot be meant', () => {
    const refused: [string, ...string[]][] = [
      ['FW-CLI-050'],
      ['FW-CLI-050', '--rules', 'rules'],
      ['FW-CLI-051', '--kubeconfig', 'k'],
      ['FW-CLI-052', '--context', 'arn:aws:eks:x/y'],
      ['FW-CLI-052', '--context', '=x'],
      ['FW-CLI-053', '--context', 'a', '--context', 'a=b'],
      ['FW-CLI-053', '--context', 'primary', '--in-cluster'],
      ['FW-CLI-054', '--context', 'a', '--primary', 'b'],
      ['FW-CLI-003', '--clusters', 'c', '--xds', '::1'],
      ['FW-CLI-003', '--clusters', 'c', '--admin', 'localhost'],
      ['FW-CLI-004', '--clusters', 'c', '--sync-wait', '5'],
    ];
    for (const [code, ...args] of refused) {
      assert.throws(() => readServeOptions(flagsOf(...args)), { code, exit: 2 }, args.join(' '));
    }
  });
});
