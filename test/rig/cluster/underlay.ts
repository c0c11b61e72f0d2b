/**
 * The wire between the rig's nodes: one bridge in this process' own network, where APIs and pilots listen, and a network namespace per node.
 *
 * What always holds: nodes and pods of all clusters reach each other by their own addresses (no address translation between clusters), and
 * this process reaches them all. Must run inside `runIsolated` after `prepareInside`; all of it vanishes with that.
 */

import { writeFileSync } from 'node:fs';
import { findProgram, runSync } from '../process.ts';

const bridge = 'rig0';

export interface NodeWire {
  readonly name: string;
  /** The node's own addresses: of IPv4, and of IPv6 where its pods have both. */
  readonly addresses: readonly string[];
  /** Put before a command, it runs it in the node's network. */
  readonly enter: readonly string[];
  remove(): void;
}

export interface Underlay {
  /** Where nodes and pods reach what listens in this process' network. */
  readonly gateway: string;
  /** A node whose pods have addresses in these: one of IPv4, and maybe one of IPv6. */
  addNode(name: string, podCidrs: readonly string[]): NodeWire;
  removeAll(): void;
}

/** The gateway is 10.0.0.1 and fd00::1, nodes are 10.0.0.11, fd00::11 and on; pods must be elsewhere. */
export function createUnderlay(): Underlay {
  const gateways = ['10.0.0.1', 'fd00::1'] as const;
  const ip = findProgram('ip') ?? 'ip';
  const nsenter = findProgram('nsenter') ?? 'nsenter';
  const nodes = new Map<string, { readonly wire: NodeWire; readonly podCidrs: readonly string[] }>();
  let made = 0;
  const setUp = [`link add ${bridge} type bridge`, `addr add ${gateways[0]}/24 dev ${bridge}`];
  setUp.push(`addr add ${gateways[1]}/64 dev ${bridge} nodad`, `link set ${bridge} up`);
  runSync(ip, ['-batch', '-'], lines(setUp));
  for (const [file, value] of routing) writeFileSync(file, value);

  return {
    gateway: gateways[0],
    addNode(name, podCidrs) {
      const number = 11 + made;
      const addresses = [`10.0.0.${number}`, `fd00::${number}`].slice(0, podCidrs.length);
      const link = `node${made++}`;
      const into = `--net=/run/netns/${name}`;
      runSync(ip, ['netns', 'add', name]);
      runSync(ip, ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
      runSync(ip, ['link', 'set', link, 'master', bridge, 'up']);
      const inside = ['link set lo up', 'link set eth0 up'];
      for (const [family, address] of addresses.entries()) {
        inside.push(`addr add ${address}/${family === 0 ? '24' : '64 nodad'} dev eth0`);
        inside.push(`route add default via ${gateways[family]}`);
      }
      for (const other of nodes.values()) {
        inside.push(...routesTo(other.podCidrs, other.wire.addresses));
        runSync(ip, ['-n', other.wire.name, '-batch', '-'], lines(routesTo(podCidrs, addresses)));
      }
      runSync(ip, ['-n', name, '-batch', '-'], lines(inside));
      runSync(ip, ['-batch', '-'], lines(routesTo(podCidrs, addresses)));
      const settings = routing.map(([file, value]) => `echo ${value} >${file}`).join('; ');
      runSync(nsenter, [into, 'sh', '-c', settings]);
      const wire: NodeWire = {
        name,
        addresses,
        enter: [nsenter, into],
        remove() {
          if (!nodes.delete(name)) return;
          const gone = lines(podCidrs.map((cidr) => `route del ${cidr}`));
          for (const other of nodes.values()) runSync(ip, ['-n', other.wire.name, '-batch', '-'], gone);
          runSync(ip, ['-batch', '-'], gone);
          runSync(ip, ['link', 'del', link]);
          runSync(ip, ['netns', 'del', name]);
        },
      };
      nodes.set(name, { wire, podCidrs });
      return wire;
    },
    removeAll() {
      for (const { wire } of [...nodes.values()]) wire.remove();
      runSync(ip, ['link', 'del', bridge]);
    },
  };
}

/** Packets between clusters may come by one way and go by another. */
const routing = [
  ['/proc/sys/net/ipv4/ip_forward', '1'],
  ['/proc/sys/net/ipv6/conf/all/forwarding', '1'],
  ['/proc/sys/net/ipv4/conf/all/rp_filter', '0'],
] as const;

/** A family that either side lacks has none. */
function routesTo(podCidrs: readonly string[], addresses: readonly string[]): readonly string[] {
  return podCidrs.map((cidr, family) => `route add ${cidr} via ${addresses[family]}`);
}

function lines(commands: readonly string[]): string {
  return `${commands.join('\n')}\n`;
}
