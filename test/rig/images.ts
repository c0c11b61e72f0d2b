/**
 * The images that the rig's clusters know. In: nothing is pulled; out: a table, from an image's name to programs and files of this machine.
 *
 * A container sees this machine's root file system below a layer of its own, so whatever Debian has installed is there (`sh`, `curl`, `socat`,
 * `dig`, `nc`); an entry adds what an image has beyond that. Add one here, or give it to `startRig({ images })`; docs/rig.md says more.
 */

import { join } from 'node:path';
import { echoImage } from './echo/image.ts';
import { goPrograms } from './go-programs.ts';
import { envoyBinary } from './hosts/envoy.ts';

export interface RigImage {
  /** Without tag and digest, and without Docker's `docker.io/library/`; a `*` at its end stands for any rest. */
  readonly name: string;
  /** What runs when a container names no command; its `args` come after it. */
  readonly entrypoint?: readonly string[];
  /** Arguments when a container names none. */
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  /** Ids; default root. A pod's securityContext goes before them. */
  readonly user?: number;
  readonly group?: number;
  /** Files and folders of this machine, read-only, by their path in the container. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Debian's package by program: what the nodes need, and what images of tools are known for. */
export const toolPrograms = {
  nft: 'nftables',
  socat: 'socat',
  dig: 'bind9-dnsutils',
  nslookup: 'bind9-dnsutils',
  host: 'bind9-host',
  nc: 'netcat-openbsd',
  curl: 'curl',
} as const;

const root = join(import.meta.dirname, '../..');
const sidecarScript = (name: string): string => join(import.meta.dirname, 'sidecar', name);

/** Names that the rig's own manifests use. */
export const proxyImage = 'fairway/proxy';
export const captureImage = 'fairway/capture';
export const dnsImage = 'registry.k8s.io/coredns/coredns';

/** Builds what has to be built. Call it before isolation, where nothing can be fetched any more. */
export async function rigImages(say: (line: string) => void): Promise<readonly RigImage[]> {
  const coredns = await goPrograms(
    {
      name: 'coredns',
      module: join(import.meta.dirname, 'coredns'),
      programs: { coredns: 'github.com/coredns/coredns' },
    },
    say,
  );
  const echoBasic = await goPrograms(
    {
      name: 'echo-basic',
      module: join(import.meta.dirname, 'echo'),
      programs: { 'echo-basic': 'sigs.k8s.io/gateway-api/conformance/echo-basic' },
    },
    say,
  );
  const envoy = await envoyBinary(say);
  // Ends when it is told to; `sleep` as the first process of a container would not.
  const sleep = ['sh', '-c', 'trap "exit 0" TERM; sleep infinity & wait'];
  return [
    { name: dnsImage, entrypoint: ['/coredns'], files: { '/coredns': join(coredns, 'coredns') } },
    await echoImage(say),
    {
      name: 'registry.k8s.io/gateway-api/echo-basic',
      entrypoint: ['/echo-basic'],
      files: { '/echo-basic': join(echoBasic, 'echo-basic') },
    },
    {
      name: proxyImage,
      entrypoint: ['/proxy.sh'],
      user: 1337,
      group: 1337,
      env: { NODE: '/usr/local/bin/fairway-node' },
      files: {
        '/proxy.sh': sidecarScript('proxy.sh'),
        '/fairway': root,
        '/usr/local/bin/envoy': envoy,
        '/usr/local/bin/fairway-node': process.execPath,
      },
    },
    { name: captureImage, entrypoint: ['sh', '/fairway-iptables.sh'], files: captureFiles() },
    { name: 'alpine/socat', entrypoint: ['socat'] },
    { name: 'curlimages/curl', entrypoint: ['curl'] },
    { name: 'nicolaka/netshoot', cmd: sleep },
    { name: 'registry.k8s.io/pause', cmd: sleep },
    ...['busybox', 'debian', 'ubuntu', 'alpine'].map((name) => ({ name, cmd: ['sh'] })),
  ];
}

function captureFiles(): Readonly<Record<string, string>> {
  return { '/fairway-iptables.sh': join(root, 'deploy/iptables/fairway-iptables.sh') };
}
