/**
 * Images of the names that the compose project uses, made from the programs at hand: for machines that reach no image registry.
 *
 * Each is a root file system with the programs, the libraries that they are linked with, and busybox for a shell, imported under the
 * official image's name. What the project relies on in the official images (a program on PATH, bash and grep in Envoy's) is here as there.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubernetesBinaries } from '../rig/kubernetes/binaries.ts';
import { findProgram } from '../rig/process.ts';
import type { DockerDaemon } from './docker-daemon.ts';

export interface LocalPrograms {
  readonly kubernetes: KubernetesBinaries;
  readonly envoy: string;
}

interface LocalImage {
  /** Program on the machine → path in the image. */
  readonly programs: ReadonlyMap<string, string>;
  /** Folder on the machine → path in the image. */
  readonly folders?: ReadonlyMap<string, string>;
  readonly shell: boolean;
}

/** What this machine trusts, a proxy of its network's included. */
const authoritiesFile = '/etc/ssl/certs/ca-certificates.crt';

/** `names`: the variables of compose/.env. */
export function makeLocalImages(
  docker: DockerDaemon,
  names: ReadonlyMap<string, string>,
  programs: LocalPrograms,
): void {
  const bin = '/usr/local/bin';
  const images = new Map<string, LocalImage>([
    [
      'ETCD_IMAGE',
      {
        programs: new Map([
          ['/usr/bin/etcd', `${bin}/etcd`],
          ['/usr/bin/etcdctl', `${bin}/etcdctl`],
        ]),
        shell: false,
      },
    ],
    [
      'KUBE_APISERVER_IMAGE',
      { programs: new Map([[programs.kubernetes.apiserver, `${bin}/kube-apiserver`]]), shell: false },
    ],
    ['KUBECTL_IMAGE', { programs: new Map([[programs.kubernetes.kubectl, '/bin/kubectl']]), shell: false }],
    [
      'ENVOY_IMAGE',
      {
        programs: new Map([
          [programs.envoy, `${bin}/envoy`],
          ['/bin/bash', '/bin/bash'],
          ['/bin/grep', '/bin/grep'],
        ]),
        shell: true,
      },
    ],
    ['NODE_IMAGE', nodeImage(bin)],
  ]);
  for (const [variable, image] of images) {
    const name = names.get(variable);
    if (name === undefined) throw new Error(`compose/.env names no ${variable}`);
    importImage(docker, name, image);
  }
}

/** Node with npm, as the official image has them; npm keeps this machine's settings, so that `docker build` reaches what the machine reaches. */
function nodeImage(bin: string): LocalImage {
  const npm = join(realpathSync(findProgram('npm') ?? ''), '../..');
  const folders = new Map([
    [npm, '/usr/local/lib/node_modules/npm'],
    ['/etc/ssl/certs', '/etc/ssl/certs'],
    ['/usr/share/ca-certificates', '/usr/share/ca-certificates'],
  ]);
  return { programs: new Map([[process.execPath, `${bin}/node`]]), folders, shell: true };
}

function importImage(docker: DockerDaemon, name: string, image: LocalImage): void {
  const root = mkdtempSync(join(tmpdir(), 'fairway-image-'));
  try {
    for (const [from, to] of image.programs) addProgram(root, from, to);
    for (const [from, to] of image.folders ?? []) addFolder(root, from, to);
    for (const folder of ['tmp', 'etc', 'root', 'proc', 'sys', 'dev'])
      mkdirSync(join(root, folder), { recursive: true });
    execFileSync('chmod', ['1777', join(root, 'tmp')]);
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
    writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
    if (image.shell) addShell(root);
    if (image.folders !== undefined) addNpm(root);
    const tar = join(root, '..', `${root.split('/').at(-1)}.tar`);
    execFileSync('tar', ['-C', root, '-cf', tar, '.']);
    try {
      const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
      const authorities = `ENV NODE_EXTRA_CA_CERTS=${authoritiesFile}`;
      docker.run('docker', [
        'import',
        '--change',
        path,
        ...(image.folders === undefined ? [] : ['--change', authorities]),
        tar,
        name,
      ]);
    } finally {
      rmSync(tar);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** With the shared libraries that it names, at the paths where its loader looks for them. */
function addProgram(root: string, from: string, to: string): void {
  copyInto(root, realpathSync(from), to);
  for (const library of librariesOf(from)) copyInto(root, realpathSync(library), library);
}

/** [] for a static program. glibc looks names up in libraries that no program names. */
function librariesOf(program: string): readonly string[] {
  let output: string;
  try {
    output = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return [];
  }
  const named = [...output.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  const libc = named.find((path) => path.endsWith('/libc.so.6'));
  const lookups =
    libc === undefined
      ? []
      : ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'].map((name) => join(dirname(libc), name));
  return [...named, ...lookups.filter((path) => existsSync(path))];
}

function addShell(root: string): void {
  copyInto(root, '/bin/busybox', '/bin/busybox');
  for (const applet of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    for (const place of [`bin/${applet}`, `usr/bin/${applet}`]) {
      mkdirSync(join(root, dirname(place)), { recursive: true });
      if (!existsSync(join(root, place))) symlinkSync('/bin/busybox', join(root, place));
    }
  }
}

function addNpm(root: string): void {
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  symlinkSync('../lib/node_modules/npm/bin/npx-cli.js', join(root, 'usr/local/bin/npx'));
  const registry = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  writeFileSync(join(root, 'root/.npmrc'), `registry=${registry}\n`);
}

function addFolder(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  execFileSync('cp', ['-aL', from, join(root, to)]);
}

function copyInto(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  copyFileSync(from, join(root, to));
}
