/**
 * Test hosts: network namespaces with one address each, on one bridge. In: addresses; out: hosts that processes can be started in.
 *
 * The process itself is the bridge's host (`gateway`), where APIs and the pilot run. Every host reaches every other and the gateway, as pods
 * of clusters on one flat network do. Must run inside `runIsolated` after `prepareInside`; names and links vanish with it.
 */

import { join } from 'node:path';
import { findProgram, runSync } from '../process.ts';
import { isolation } from './isolation.ts';

const captureScript = join(import.meta.dirname, '../../../deploy/iptables/fairway-iptables.sh');
/** Istio's convention for a sidecar's group. */
const proxyGroup = 1337;
export const proxyPacketMark = 1337;

export interface Host {
  readonly name: string;
  readonly address: string;
  /** Put before a command, it runs it in this host's network. */
  readonly enter: readonly string[];
  /** The same, as the sidecar: its connections are not captured. */
  readonly enterAsProxy: readonly string[];
  /** Captures TCP as deploy/iptables/fairway-iptables.sh does in a pod. */
  capture(): void;
  /** Cuts the host's line, or mends it. */
  setLink(state: 'up' | 'down'): void;
  remove(): void;
}

export interface Network {
  /** Where things that listen in this process' own network are reached by hosts. */
  readonly gateway: string;
  addHost(name: string, address: string): Host;
  removeAll(): void;
}

/** Makes the bridge; all addresses are in 10.0.0.0/8, the gateway is 10.0.0.1. */
export function createNetwork(): Network {
  const bridge = 'fairway0';
  const gateway = '10.0.0.1';
  const ip = findProgram('ip') ?? 'ip';
  const hosts = new Set<Host>();
  let made = 0;
  runSync(ip, ['link', 'add', bridge, 'type', 'bridge']);
  runSync(ip, ['addr', 'add', `${gateway}/8`, 'dev', bridge]);
  runSync(ip, ['link', 'set', bridge, 'up']);

  return {
    gateway,
    addHost(name, address) {
      const link = `fw${made++}`;
      runSync(ip, ['netns', 'add', name]);
      runSync(ip, ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
      runSync(ip, ['link', 'set', link, 'master', bridge, 'up']);
      const inside = [
        `addr add ${address}/8 dev eth0`,
        'link set lo up',
        'link set eth0 up',
        `route add default via ${gateway}`,
      ];
      runSync(ip, ['-n', name, '-batch', '-'], `${inside.join('\n')}\n`);
      const enter = [findProgram('nsenter') ?? 'nsenter', `--net=/run/netns/${name}`];
      const host: Host = {
        name,
        address,
        enter,
        enterAsProxy: [...enter, ...asProxy()],
        capture: () => captureHost(enter),
        setLink: (state) => {
          runSync(ip, ['link', 'set', link, state]);
        },
        remove() {
          if (!hosts.delete(host)) return;
          runSync(ip, ['link', 'del', link]);
          runSync(ip, ['netns', 'del', name]);
        },
      };
      hosts.add(host);
      return host;
    },
    removeAll() {
      for (const host of [...hosts]) host.remove();
      runSync(ip, ['link', 'del', bridge]);
    },
  };
}

/** A change of group clears the signal on the parent's death, so it is asked for again. */
function asProxy(): readonly string[] {
  if (isolation() !== 'group') return [];
  return [
    findProgram('setpriv') ?? 'setpriv',
    '--regid',
    String(proxyGroup),
    '--clear-groups',
    '--pdeathsig',
    'KILL',
    '--',
  ];
}

function captureHost(enter: readonly string[]): void {
  const marking =
    isolation() === 'packet-mark'
      ? ['--proxy-uid', '', '--proxy-gid', '', '--proxy-mark', String(proxyPacketMark)]
      : [];
  const [command = '', ...args] = [...enter, 'sh', captureScript, ...marking];
  runSync(command, args);
}
