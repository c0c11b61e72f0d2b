/**
 * Real Kubernetes clusters on one machine, in which any image of the rig's table runs as pods: real APIs, controllers, schedulers, kubelets,
 * kube-proxies and DNS servers, and in place of containers processes in namespaces. In: which clusters, and how the pilot runs; out: handles.
 *
 * `prepareRig` finds or builds all programs and must be called outside, where there is a way to the registries; `startRig` inside `runIsolated`,
 * after `prepareInside`. docs/rig.md tells people how to use it.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RigCluster, startCluster } from './cluster/cluster.ts';
import { pilotToken } from './cluster/pilot-user.ts';
import { createUnderlay, type Underlay } from './cluster/underlay.ts';
import { goPrograms } from './go-programs.ts';
import { type RigImage, rigImages } from './images.ts';
import { findKubernetes, findNodeBinaries, type NodeBinaries } from './kubernetes/binaries.ts';
import { type KubeconfigUser, writeKubeconfig } from './kubernetes/kubectl.ts';
import { type Pilot, startPilot } from './pilot.ts';

const root = join(import.meta.dirname, '../..');
const xdsPort = 15_010;
const adminAddress = '127.0.0.1:15014';

export interface RigPrograms {
  readonly node: NodeBinaries;
  readonly runtime: string;
  readonly images: readonly RigImage[];
}

/** Finds or builds everything, saying what takes long. Found again in a moment once it is built. */
export async function prepareRig(say: (line: string) => void): Promise<RigPrograms> {
  await findKubernetes(say);
  const node = await findNodeBinaries(say);
  const built = await goPrograms(
    { name: 'rig-node', module: join(import.meta.dirname, 'node'), programs: { 'rig-node': '.' } },
    say,
  );
  return { node, runtime: join(built, 'rig-node'), images: await rigImages(say) };
}

export interface RigPilotOptions {
  /** More options of `fairway serve`. */
  readonly args?: readonly string[];
  /** As whom it reads the clusters: `deployed` (the default) has the rights that deploy/ gives a pilot, `admin` may do everything. */
  readonly user?: 'deployed' | 'admin';
  /** Of `deployed`: more of deploy/ for members, as in `remote/member-rules.yaml`. */
  readonly memberRoles?: readonly string[];
}

export interface RigOptions {
  /** An existing folder for logs and settings; removed by the caller. */
  readonly dir: string;
  /** Default `east` and `west`; the first is the pilot's primary cluster. */
  readonly clusters?: readonly string[];
  readonly programs: RigPrograms;
  /** Beside the table's own, and before them. */
  readonly images?: readonly RigImage[];
  /** CRDs and such: files or folders (also of kustomize), applied to every cluster first. Fairway's own CRDs are always there. */
  readonly manifests?: readonly string[];
  /** Names in `clusterset.local`; needs the ServiceImports' CRD among the manifests. Default false. */
  readonly clusterSetDns?: boolean;
  /** Pods have IPv6 addresses too, and Services may. Default false. */
  readonly dualStack?: boolean;
  /** false: no pilot and no sidecars. */
  readonly pilot?: RigPilotOptions | false;
}

export interface Rig {
  readonly clusters: readonly RigCluster[];
  /** A cluster by its name; throws when there is none. */
  cluster(name: string): RigCluster;
  /** One file with a context per cluster, of its administrator. */
  readonly kubeconfig: string;
  /** `host:port` of the pilot's xDS, as pods reach it. */
  readonly xds: string;
  /** As this process reaches it. */
  readonly admin: string;
  /** The pilot of now; undefined when none is wanted. */
  pilot(): Pilot | undefined;
  /** Ends the pilot that runs, if any, and starts one. */
  restartPilot(options?: RigPilotOptions): Promise<Pilot>;
  stop(): Promise<void>;
}

/** About half a minute on two cores. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const names = options.clusters ?? ['east', 'west'];
  const underlay = createUnderlay();
  const images = join(options.dir, 'images.json');
  mkdirSync(options.dir, { recursive: true });
  writeFileSync(images, JSON.stringify([...(options.images ?? []), ...options.programs.images], null, 2));
  const xds = `${underlay.gateway}:${xdsPort}`;
  const started = await Promise.allSettled(
    names.map((name, index) => startOne(options, underlay, images, { name, index, xds })),
  );
  const clusters = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  let pilot: Pilot | undefined;
  const stop = async (): Promise<void> => {
    await pilot?.stop();
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    underlay.removeAll();
  };
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    const kubeconfig = join(options.dir, 'kubeconfig');
    writeKubeconfig(kubeconfig, ...clusters.map(adminOf));
    const launch = async (wanted: RigPilotOptions = {}): Promise<Pilot> => {
      await pilot?.stop();
      pilot = await startRigPilot(options.dir, clusters, xds, wanted);
      return pilot;
    };
    if (options.pilot !== false) await launch(options.pilot);
    return {
      clusters,
      cluster(name) {
        const found = clusters.find((cluster) => cluster.name === name);
        if (found === undefined) throw new Error(`the rig has no cluster ${name}: it has ${names.join(', ')}`);
        return found;
      },
      kubeconfig,
      xds,
      admin: adminAddress,
      pilot: () => pilot,
      restartPilot: launch,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startOne(
  options: RigOptions,
  underlay: Underlay,
  images: string,
  { name, index, xds }: { readonly name: string; readonly index: number; readonly xds: string },
): Promise<RigCluster> {
  const sixth = (cidr: string): readonly string[] => (options.dualStack === true ? [cidr] : []);
  return startCluster({
    name,
    podCidrs: [`10.${10 * (index + 1)}.0.0/16`, ...sixth(`fd00:10:${index + 1}::/64`)],
    serviceCidrs: [`10.${200 + index}.0.0/16`, ...sixth(`fd00:200:${index}::/112`)],
    region: `eu-${name}`,
    zone: `eu-${name}-a`,
    underlay,
    dir: options.dir,
    binaries: options.programs.node,
    runtime: options.programs.runtime,
    images,
    manifests: [join(root, 'deploy/crds'), ...(options.manifests ?? [])],
    clusterSetDns: options.clusterSetDns ?? false,
    ...(options.pilot === false ? {} : { pilot: xds }),
  });
}

function adminOf({ name, api }: RigCluster): KubeconfigUser {
  return { context: name, url: api.url, certificateAuthority: api.certificateAuthority, token: api.token };
}

async function startRigPilot(
  dir: string,
  clusters: readonly RigCluster[],
  xds: string,
  { args = [], user = 'deployed', memberRoles = [] }: RigPilotOptions,
): Promise<Pilot> {
  const kubeconfig = join(dir, 'pilot.kubeconfig');
  const users = clusters.map(async (cluster, index) => {
    const primary = index === 0;
    if (user === 'admin') return adminOf(cluster);
    return {
      ...adminOf(cluster),
      token: await pilotToken(cluster.api, { primary, roles: primary ? [] : memberRoles }),
    };
  });
  writeKubeconfig(kubeconfig, ...(await Promise.all(users)));
  const contexts = clusters.flatMap(({ name }) => ['--context', name]);
  const common = ['--kubeconfig', kubeconfig, ...contexts, '--namespace', 'fairway-system'];
  return startPilot({
    xds,
    admin: adminAddress,
    args: [...common, '--state', join(dir, 'pilot-state'), ...args],
    logFile: join(dir, 'pilot.log'),
  });
}
