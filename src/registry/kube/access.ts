/**
 * How one Kubernetes API is reached and with what credential, out of a kubeconfig that may come from somebody else.
 *
 * In: the text of a kubeconfig and what its giver is trusted with. Out: one context's cluster and user, and nothing else of it, or a coded
 * error. What always holds: nothing is executed, and no file is opened, while a kubeconfig is read; a kubeconfig from a Secret that asks
 * for either later is refused unless the operator has allowed it.
 */

import { createHash } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import { errorMessage, FairwayError, type Where } from '../../core/errors.ts';

/** What a kubeconfig may make the pilot do. */
export interface Trust {
  /** Run its `exec` credential plugin, or an `auth-provider`. */
  readonly exec: boolean;
  /** Read files that it names: certificates, keys, tokens. */
  readonly files: boolean;
  /** Skip TLS verification, or use plain HTTP. */
  readonly insecure: boolean;
}

/** The operator's own file: it may do what it may do with kubectl. */
export const trustAll: Trust = { exec: true, files: true, insecure: true };
/** Somebody else's: only what is in it. */
export const trustNothing: Trust = { exec: false, files: false, insecure: false };

export interface Access {
  /** `https://host:port`, without a slash at its end. */
  readonly server: string;
  /** The context's name, for people. */
  readonly context: string;
  /** A kubeconfig (JSON) with this one context; holds secrets. '' means: the service account that the pilot itself runs as. */
  readonly kubeconfig: string;
  /** Equal content, equal fingerprint. */
  readonly fingerprint: string;
}

export interface ReadOptions {
  readonly trust: Trust;
  /** The context to take; the file's current one by default (or its only one). */
  readonly context?: string;
  /** What relative file names are relative to. */
  readonly baseDir?: string;
  readonly where: Where;
}

/** Kubeconfigs are a few kilobytes; a file of fifty clusters with embedded certificates is some hundred. */
const maxBytes = 4 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Contexts by name, in the file's order. Throws FW-KUBE-001. */
export function contextsOf(kubeconfig: string, where: Where): readonly string[] {
  return namedList(parseKubeconfig(kubeconfig, where), 'contexts').map((item) => text(item['name']));
}

/** Throws FW-KUBE-001 (not a kubeconfig), FW-KUBE-002 (no such context, or an incomplete one), FW-KUBE-003 (asks for more than allowed). */
export function readKubeconfig(kubeconfig: string, options: ReadOptions): Access {
  const { where, trust } = options;
  const document = parseKubeconfig(kubeconfig, where);
  const contexts = namedList(document, 'contexts');
  const only = contexts.length === 1 ? text(contexts[0]?.['name']) : '';
  const name = options.context ?? (text(document['current-context']) || only);
  const context = find(contexts, name, 'context');
  if (context === undefined) {
    const known = contexts.map((item) => text(item['name'])).join(', ');
    if (name === '') throw incomplete('no context is chosen', where);
    throw incomplete(`there is no context ${name} (there are: ${known || 'none'})`, where);
  }
  const clusterName = text(context['cluster']);
  const cluster = find(namedList(document, 'clusters'), clusterName, 'cluster');
  const userName = text(context['user']);
  const user = userName === '' ? {} : find(namedList(document, 'users'), userName, 'user');
  if (cluster === undefined)
    throw incomplete(`context ${name} names the cluster ${clusterName || '(none)'}, which is not there`, where);
  if (user === undefined) throw incomplete(`context ${name} names the user ${userName}, which is not there`, where);
  const server = checkServer(text(cluster['server']), where);
  refuseUntrusted(cluster, user, server, trust, where);
  return accessOf(server, name, withAbsolutePaths(cluster, options.baseDir), withAbsolutePaths(user, options.baseDir));
}

function incomplete(message: string, where: Where): FairwayError {
  const file = where.file === undefined ? '' : ` --kubeconfig ${where.file}`;
  return new FairwayError({
    code: 'FW-KUBE-002',
    message,
    where,
    hint: `See what the file holds: kubectl config get-contexts${file}.`,
  });
}

/** The service account that the pod runs as. The credential itself is read when it is used, and again when it is rotated. */
export function inClusterAccess(): Access {
  return { server: '', context: 'in-cluster', kubeconfig: '', fingerprint: 'in-cluster' };
}

function accessOf(server: string, context: string, cluster: Fields, user: Fields): Access {
  const { tokenFile, ...rest } = user;
  // client-node knows kubeconfig's tokenFile only in the form of an auth provider.
  const tokenProvider = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { ...cluster, server } }],
    users: [
      {
        name: 'user',
        user: text(tokenFile) === '' || text(rest['token']) !== '' ? rest : { ...rest, ...tokenProvider },
      },
    ],
    contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
    'current-context': 'context',
  });
  return { server, context, kubeconfig, fingerprint: createHash('sha256').update(kubeconfig).digest('hex') };
}

function parseKubeconfig(kubeconfig: string, where: Where): Fields {
  const bad = (message: string): FairwayError =>
    new FairwayError({
      code: 'FW-KUBE-001',
      message,
      where,
      hint: 'Give a kubeconfig, as kubectl config view --raw prints it.',
    });
  if (Buffer.byteLength(kubeconfig) > maxBytes) throw bad(`this is no kubeconfig: it is larger than ${maxBytes} bytes`);
  let document: unknown;
  try {
    document = parse(kubeconfig, { maxAliasCount: 20, prettyErrors: false, uniqueKeys: true });
  } catch (error) {
    throw bad(`this is no kubeconfig: ${errorMessage(error)}`);
  }
  if (!Array.isArray(fields(document)['clusters'])) throw bad('this is no kubeconfig: it has no list of clusters');
  return fields(document);
}

function namedList(document: Fields, key: string): readonly Fields[] {
  const list = document[key];
  return Array.isArray(list) ? list.map(fields) : [];
}

function find(list: readonly Fields[], name: string, key: string): Fields | undefined {
  const item = list.find((candidate) => text(candidate['name']) === name);
  return item === undefined ? undefined : fields(item[key]);
}

function checkServer(server: string, where: Where): string {
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    throw incomplete(`the server ${JSON.stringify(server.slice(0, 200))} is not a URL`, where);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw incomplete(`the server ${server} is not an https URL`, where);
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw incomplete(`the server ${url.origin}… holds more than a host, a port and a path`, where);
  }
  return server.replace(/\/+$/, '');
}

function refuseUntrusted(cluster: Fields, user: Fields, server: string, trust: Trust, where: Where): void {
  const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '';
  const at = (field: string): Where => ({ ...where, field });
  if (!trust.exec) {
    const field = ['exec', 'auth-provider'].find((name) => given(user[name]));
    if (field !== undefined) {
      throw refused(
        'a credential that comes from running something is not allowed in this kubeconfig',
        'Give a token or a client certificate, or allow it for clusters that you trust with running programs here.',
        at(`users[].user.${field}`),
      );
    }
  }
  if (!trust.files) {
    const inUser = ['tokenFile', 'token-file', 'client-certificate', 'client-key'].find((name) => given(user[name]));
    const inCluster = given(cluster['certificate-authority']) ? 'certificate-authority' : undefined;
    if (inUser !== undefined || inCluster !== undefined) {
      throw refused(
        'the name of a file is not allowed in this kubeconfig',
        'Embed the content (kubectl config view --raw --flatten), or allow files.',
        at(inUser !== undefined ? `users[].user.${inUser}` : `clusters[].cluster.${inCluster}`),
      );
    }
  }
  if (!trust.insecure) {
    const hint = 'Give the certificate authority (certificate-authority-data), or allow insecure connections.';
    if (cluster['insecure-skip-tls-verify'] === true) {
      throw refused(
        'a connection whose other end is not checked is not allowed in this kubeconfig',
        hint,
        at('clusters[].cluster.insecure-skip-tls-verify'),
      );
    }
    if (server.startsWith('http:')) {
      throw refused(
        'a connection that is not encrypted is not allowed in this kubeconfig',
        hint,
        at('clusters[].cluster.server'),
      );
    }
  }
}

function refused(message: string, hint: string, where: Where): FairwayError {
  return new FairwayError({ code: 'FW-KUBE-003', message, where, hint });
}

const fileFields = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'token-file'];

function withAbsolutePaths(record: Fields, baseDir: string | undefined): Fields {
  if (baseDir === undefined) return record;
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) =>
      fileFields.includes(key) && typeof value === 'string' && value !== '' && !isAbsolute(value)
        ? [key, resolve(baseDir, value)]
        : [key, value],
    ),
  );
}
