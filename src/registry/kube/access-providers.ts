/**
 * From a ClusterProfile to a cluster's API: which of its access providers this pilot has a program for, and how that is called (KEP-5339).
 *
 * In: the operator's file of providers, and what a ClusterProfile says of access. Out: an access, or a coded error. What always holds: the
 * programs and their arguments are the operator's; a profile adds to them only what the operator's policy lets it, and it chooses none.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-multicluster/5339-clusterprofile-plugin-credentials
 */

import { parse } from 'yaml';
import { errorMessage, FairwayError, type Where } from '../../core/errors.ts';
import { type Fields, fields, list, text } from '../object-fields.ts';
import { type Access, readKubeconfig, trustAll } from './access.ts';

interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** One entry of the operator's file. */
export interface AccessProvider {
  readonly name: string;
  readonly exec: {
    readonly apiVersion: string;
    readonly command: string;
    readonly args: readonly string[];
    readonly env: readonly NamedValue[];
    readonly provideClusterInfo: boolean;
  };
  /** What becomes of arguments that a profile brings. */
  readonly args: 'Ignore' | 'Append';
  /** What becomes of environment variables that a profile brings. */
  readonly env: 'Ignore' | 'AppendIfNotExists' | 'Replace';
}

/** What `status.accessProviders[]` of a ClusterProfile says of one way in. */
export interface ProfileAccess {
  readonly name: string;
  /** `{server, certificate-authority-data, proxy-url, …}`, as in a kubeconfig. */
  readonly cluster: Fields;
}

const execExtension = 'client.authentication.k8s.io/exec';
const argsExtension = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-args';
const envExtension = 'clusterprofiles.multicluster.x-k8s.io/exec/additional-envs';
const apiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** `{providers: [{name, execConfig: {apiVersion, command, args, env, provideClusterInfo}, …policies}]}`, JSON or YAML. Throws FW-KUBE-025. */
export function readProviders(file: string, where: Where): readonly AccessProvider[] {
  let document: unknown;
  try {
    document = parse(file, { maxAliasCount: 0, prettyErrors: false });
  } catch (error) {
    throw badProviders(errorMessage(error), where);
  }
  const { providers } = fields(document);
  if (!Array.isArray(providers)) throw badProviders('it has no list of providers', where);
  const read = providers.map((each, index) => readProvider(fields(each), index, where));
  const twice = read.find(({ name }, index) => read.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw badProviders(`provider ${twice.name} stands there twice`, where);
  return read;
}

function readProvider(raw: Fields, index: number, where: Where): AccessProvider {
  const name = text(raw['name']);
  const exec = fields(raw['execConfig']);
  const command = text(exec['command']);
  const apiVersion = text(exec['apiVersion']);
  const at = { ...where, field: `providers[${index}]` };
  if (name === '') throw badProviders('a provider has no name', at);
  if (command === '') throw badProviders(`provider ${name} names no command to run`, at);
  if (!apiVersions.includes(apiVersion))
    throw badProviders(`provider ${name} speaks ${apiVersion || 'no version'}, which is none of ${apiVersions}`, at);
  return {
    name,
    exec: {
      apiVersion,
      command,
      args: list(exec['args']).map(text),
      env: list(exec['env'])
        .map(fields)
        .map((each) => ({ name: text(each['name']), value: text(each['value']) })),
      provideClusterInfo: exec['provideClusterInfo'] === true,
    },
    args: policy(raw['profileSourcedCLIArgsPolicy'], ['Ignore', 'Append'], at),
    env: policy(raw['profileSourcedEnvVarsPolicy'], ['Ignore', 'AppendIfNotExists', 'Replace'], at),
  };
}

function policy<P extends string>(given: unknown, known: readonly [P, ...P[]], where: Where): P {
  if (given === undefined || given === null || given === '') return known[0];
  const found = known.find((each) => each === given);
  if (found === undefined) throw badProviders(`a policy is none of ${known}: ${text(given) || typeof given}`, where);
  return found;
}

function badProviders(message: string, where: Where): FairwayError {
  return new FairwayError({
    code: 'FW-KUBE-025',
    message: `the file of access providers cannot be used: ${message}`,
    where,
    hint: 'Write {"providers": [{"name": …, "execConfig": {"apiVersion": "client.authentication.k8s.io/v1", "command": …}}]}.',
  });
}

/** The first provider of the file that the profile offers. Throws FW-KUBE-026 where there is none, and what a kubeconfig's reader throws. */
export function accessOfProfile(
  offered: readonly ProfileAccess[],
  providers: readonly AccessProvider[],
  where: Where,
): Access {
  for (const provider of providers) {
    const access = offered.find(({ name }) => name === provider.name);
    if (access !== undefined) return accessBy(provider, access, where);
  }
  const names = (of: readonly { readonly name: string }[]): string => of.map(({ name }) => name).join(', ') || 'none';
  throw new FairwayError({
    code: 'FW-KUBE-026',
    message: `no access provider of the ClusterProfile is known here: it has ${names(offered)}, known are ${names(providers)}`,
    where,
    hint: 'Name one of them in the file that --cluster-profiles gives, or have the cluster manager offer one of those.',
  });
}

function accessBy({ name, exec, args, env }: AccessProvider, { cluster }: ProfileAccess, where: Where): Access {
  const extensions = new Map(
    list(cluster['extensions'])
      .map(fields)
      .map((each) => [text(each['name']), each['extension']]),
  );
  const { extensions: _, ...reached } = cluster;
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { cluster: { ...reached, config: extensions.get(execExtension) }, interactive: false },
  };
  const user = {
    exec: {
      apiVersion: exec.apiVersion,
      command: exec.command,
      args: args === 'Append' ? [...exec.args, ...list(extensions.get(argsExtension)).map(text)] : exec.args,
      env: [
        ...environment(exec.env, fields(extensions.get(envExtension)), env),
        // The Kubernetes client says nothing of the cluster by itself.
        ...(exec.provideClusterInfo ? [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] : []),
      ],
      interactiveMode: 'Never',
    },
  };
  const kubeconfig = JSON.stringify({
    clusters: [{ name, cluster: reached }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
  // The program is the operator's. What the profile says of the cluster is somebody else's: no files, and no connection that is not checked.
  return readKubeconfig(kubeconfig, { trust: { ...trustAll, files: false, insecure: false }, where });
}

/** Sorted by name where the profile adds some. */
function environment(own: readonly NamedValue[], brought: Fields, how: AccessProvider['env']): readonly NamedValue[] {
  const more = Object.entries(brought).map(([name, value]) => ({ name, value: text(value) }));
  if (how === 'Ignore' || more.length === 0) return own;
  const [weak, strong] = how === 'Replace' ? [own, more] : [more, own];
  const merged = new Map([...weak, ...strong].map((each) => [each.name, each]));
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
