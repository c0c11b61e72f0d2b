import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../../../deploy/iptables/fairway-iptables.sh');

/** Nothing is changed: the rules are printed, and any program stands in for iptables. */
function print(...args: readonly string[]): { status: number | null; rules: readonly string[]; stderr: string } {
  const result = spawnSync('sh', [script, '--print', '--ipv6', 'off', ...args], {
    encoding: 'utf8',
    env: { ...process.env, IPTABLES: 'true' },
  });
  return { status: result.status, rules: result.stdout.trimEnd().split('\n'), stderr: result.stderr };
}

describe('deploy/iptables/fairway-iptables.sh', () => {
  it('captures outbound and inbound, and leaves Envoy, loopback and its own ports alone', () => {
    assert.deepEqual(print().rules, [
      '*nat',
      ':FAIRWAY_OUTPUT - [0:0]',
      ':FAIRWAY_INBOUND - [0:0]',
      '-A FAIRWAY_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN',
      '-A FAIRWAY_OUTPUT -o lo ! -d 127.0.0.0/8 -m owner --uid-owner 1337 -p tcp -j FAIRWAY_INBOUND',
      '-A FAIRWAY_OUTPUT -m owner --uid-owner 1337 -j RETURN',
      '-A FAIRWAY_OUTPUT -o lo ! -d 127.0.0.0/8 -m owner --gid-owner 1337 -p tcp -j FAIRWAY_INBOUND',
      '-A FAIRWAY_OUTPUT -m owner --gid-owner 1337 -j RETURN',
      '-A FAIRWAY_OUTPUT -o lo -j RETURN',
      '-A FAIRWAY_OUTPUT -d 127.0.0.0/8 -j RETURN',
      '-A FAIRWAY_OUTPUT -p tcp -d 0.0.0.0/0 -j REDIRECT --to-ports 15001',
      '-A FAIRWAY_INBOUND -p tcp --dport 22 -j RETURN',
      '-A FAIRWAY_INBOUND -p tcp --dport 15000:15090 -j RETURN',
      '-A FAIRWAY_INBOUND -p tcp -j REDIRECT --to-ports 15006',
      'COMMIT',
    ]);
  });

  it('excludes what it is told to, each family its own addresses', () => {
    const { rules } = print(
      '--exclude-cidrs',
      '10.1.0.0/16,fd00::/8',
      '--exclude-outbound',
      '5432,8000:8010',
      '--ipv6',
      'on',
    );
    const second = rules.lastIndexOf('*nat');
    const [v4, v6] = [rules.slice(0, second), rules.slice(second)];
    assert.ok(v4.includes('-A FAIRWAY_OUTPUT -d 10.1.0.0/16 -j RETURN'));
    assert.ok(v6.includes('-A FAIRWAY_OUTPUT -d fd00::/8 -j RETURN'));
    assert.ok(!v4.some((rule) => rule.includes('fd00')) && !v6.some((rule) => rule.includes('10.1')));
    for (const family of [v4, v6]) {
      assert.ok(family.includes('-A FAIRWAY_OUTPUT -p tcp --dport 5432 -j RETURN'));
      assert.ok(family.includes('-A FAIRWAY_OUTPUT -p tcp --dport 8000:8010 -j RETURN'));
    }
  });

  it('tells Envoy by a packet mark alone where ids cannot', () => {
    const { rules } = print('--proxy-uid', '', '--proxy-gid', '', '--proxy-mark', '1337');
    assert.ok(rules.includes('-A FAIRWAY_OUTPUT -m mark --mark 1337 -j RETURN'));
    assert.ok(!rules.some((rule) => rule.includes('owner')));
  });

  it('leaves inbound alone when told to', () => {
    assert.ok(
      !print('--no-inbound').rules.some(
        (rule) => rule.startsWith('-A FAIRWAY_INBOUND') || rule.endsWith('-j FAIRWAY_INBOUND'),
      ),
    );
  });

  for (const [what, args, words] of [
    ['a value that is no number, range or address', ['--proxy-uid', '1;reboot'], /neither a number/],
    ['an unknown option', ['--outbond-port', '1'], /unknown option --outbond-port/],
    ['an option without its value', ['--inbound-port'], /needs a value/],
    ['nothing that tells Envoy apart', ['--proxy-uid', '', '--proxy-gid', ''], /they loop/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { status, stderr } = print(...args);
      assert.equal(status, 2);
      assert.match(stderr, words);
    });
  }
});
