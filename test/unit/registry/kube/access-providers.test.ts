import assert from 'node:assert/strict';
import { type Access } from '../../../../src/registry/kube/access.ts';
import { accessOfProfile, type ProfileAccess, readProviders } from '../../../../src/registry/kube/access-providers.ts';
import { readProfile } from '../../../../src/registry/kube/cluster-profile.ts';

const where = { file: 'providers.json' };
const at = { object: 'clusterprofile fairway-system/west' };
const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'get-token', args: ['--quiet'] };

function providers(...given: readonly object[]): ReturnType<typeof readProviders> {
  return readProviders(JSON.stringify({ providers: given }), where);
}

function offered(name: string, more: object = {}): ProfileAccess {
  return { name, cluster: { server: 'https://west.example:6443', 'certificate-authority-data': 'Q0E=', ...more } };
}

/** What the one user of the access runs. */
function execOf({ kubeconfig }: Access): { command: string; args: string[]; env: { name: string; value: string }[] } {
  const { users } = JSON.parse(kubeconfig) as { users: [{ user: { exec: never } }] };
  return users[0].user.exec;
}

describe('access providers', () => {
  it('lead to the cluster by the first provider of the file that the profile offers', () => {
    const known = providers({ name: 'a', execConfig: exec }, { name: 'b', execConfig: { ...exec, command: 'other' } });
    const access = accessOfProfile([offered('b'), offered('c')], known, at);
    assert.equal(access.server, 'https://west.example:6443');
    assert.equal(execOf(access).command, 'other');
    assert.deepEqual(execOf(access).args, ['--quiet']);
    assert.throws(() => accessOfProfile([offered('c')], known, at), {
      code: 'FW-KUBE-026',
      message: /it has c, known are a, b/,
    });
  });

  it('run what the operator says, with no more of the profile’s than a policy lets in', () => {
    const extensions = [
      { name: 'clusterprofiles.multicluster.x-k8s.io/exec/additional-args', extension: ['--name', 'west'] },
      {
        name: 'clusterprofiles.multicluster.x-k8s.io/exec/additional-envs',
        extension: { PLACE: 'west', OWN: 'theirs' },
      },
    ];
    const own = { ...exec, env: [{ name: 'OWN', value: 'ours' }] };
    const env = (how: string): Record<string, string> => {
      const known = providers({ name: 'a', execConfig: own, profileSourcedEnvVarsPolicy: how });
      const all = execOf(accessOfProfile([offered('a', { extensions })], known, at)).env;
      return Object.fromEntries(all.map(({ name, value }) => [name, value]));
    };
    assert.deepEqual(env(''), { OWN: 'ours' });
    assert.deepEqual(env('AppendIfNotExists'), { OWN: 'ours', PLACE: 'west' });
    assert.deepEqual(env('Replace'), { OWN: 'theirs', PLACE: 'west' });
    const args = (how: string): string[] => {
      const known = providers({ name: 'a', execConfig: own, profileSourcedCLIArgsPolicy: how });
      return execOf(accessOfProfile([offered('a', { extensions })], known, at)).args;
    };
    assert.deepEqual(args('Ignore'), ['--quiet']);
    assert.deepEqual(args('Append'), ['--quiet', '--name', 'west']);
  });

  it('tell the program of the cluster, if it wants to know', () => {
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { clusterName: 'west' } }];
    const known = providers({ name: 'a', execConfig: { ...exec, provideClusterInfo: true } });
    const [info] = execOf(accessOfProfile([offered('a', { extensions })], known, at)).env;
    assert.equal(info?.name, 'KUBERNETES_EXEC_INFO');
    assert.deepEqual(JSON.parse(info?.value ?? ''), {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {
        cluster: {
          server: 'https://west.example:6443',
          'certificate-authority-data': 'Q0E=',
          config: { clusterName: 'west' },
        },
        interactive: false,
      },
    });
  });

  it('open no file and no unchecked connection for a profile', () => {
    const known = providers({ name: 'a', execConfig: exec });
    for (const more of [{ 'certificate-authority': '/etc/passwd' }, { 'insecure-skip-tls-verify': true }]) {
      assert.throws(() => accessOfProfile([offered('a', more)], known, at), { code: 'FW-KUBE-003' });
    }
    assert.throws(() => accessOfProfile([offered('a', { server: 'http://west' })], known, at), { code: 'FW-KUBE-003' });
    assert.throws(() => accessOfProfile([offered('a', { server: '' })], known, at), { code: 'FW-KUBE-002' });
  });

  for (const [what, text, message] of [
    ['no JSON', '{', /providers cannot be used/],
    ['no list', '{"providers": {}}', /it has no list of providers/],
    ['no name', '{"providers": [{"execConfig": {"command": "x"}}]}', /a provider has no name/],
    ['no command', '{"providers": [{"name": "a"}]}', /provider a names no command/],
    ['an unknown version', '{"providers": [{"name": "a", "execConfig": {"command": "x"}}]}', /speaks no version/],
  ] as const) {
    it(`are refused as a file with ${what}`, () => {
      assert.throws(() => readProviders(text, where), { code: 'FW-KUBE-025', message });
    });
  }

  it('are refused with a policy that does not exist, and a name that stands there twice', () => {
    const twice = { name: 'a', execConfig: exec };
    assert.throws(() => providers(twice, twice), { message: /provider a stands there twice/ });
    assert.throws(() => providers({ ...twice, profileSourcedCLIArgsPolicy: 'Prepend' }), { message: /Prepend/ });
  });
});

describe('a ClusterProfile', () => {
  it('is read for its name, its manager, its place and its ways in, whichever field has them', () => {
    const profile = readProfile({
      metadata: { name: 'fleet-west', labels: { 'topology.istio.io/network': 'net-2' } },
      spec: { clusterManager: { name: 'fleet' } },
      status: {
        properties: [
          { name: 'cluster.clusterset.k8s.io', value: 'west' },
          { name: 'topology.kubernetes.io/region', value: 'eu' },
        ],
        credentialProviders: [{ name: 'old', cluster: {} }],
        accessProviders: [{ name: 'new', cluster: {} }],
      },
    });
    assert.equal(profile.cluster, 'west');
    assert.equal(profile.manager, 'fleet');
    assert.deepEqual(
      profile.access.map(({ name }) => name),
      ['new', 'old'],
    );
    assert.deepEqual(profile.place, { network: 'net-2', locality: { region: 'eu', zone: '', subzone: '' } });
  });

  it('is named as its object where its id cannot be a cluster’s name, and is nothing where it is nothing', () => {
    const properties = [{ name: 'cluster.clusterset.k8s.io', value: 'a.b/c' }];
    assert.equal(readProfile({ metadata: { name: 'west' }, status: { properties } }).cluster, 'west');
    for (const raw of [null, 7, {}, { metadata: [], spec: 'x', status: { properties: {}, accessProviders: 'x' } }]) {
      const { name, cluster, access } = readProfile(raw);
      assert.deepEqual({ name, cluster, access }, { name: '', cluster: '', access: [] });
    }
  });
});
