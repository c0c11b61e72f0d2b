/**
 * The ports of a clusterset service: the union of its exports' ports, merged by name first and then by protocol and number (KEP-1645, "Service
 * Port"). In: the exports, the one that wins first. Out: the ports, and what is to be said of disagreements.
 *
 * What always holds: no two ports have one name, or one protocol and number; a cluster that exposes a port in another way does not serve it;
 * every port set that differs from the winner's is reported, as the standard asks.
 */

import type { TransportProtocol } from '../model/service.ts';
import { type AppProtocol } from '../model/service.ts';
import { compare, type ExportedShard } from './order.ts';

export interface ClustersetPort {
  /** '' for the only, unnamed port. */
  readonly name: string;
  readonly port: number;
  readonly transport: TransportProtocol;
  /** As the Service says it; '' for none. */
  readonly appProtocol: string;
  readonly protocol: AppProtocol;
  readonly tls?: true;
  readonly undeclared?: true;
  /** The clusters whose endpoints serve it, sorted. */
  readonly clusters: readonly string[];
  /** Those among them in which it has another name, with that name; sorted. */
  readonly otherNames: ReadonlyMap<string, string>;
}

/** What a cluster does otherwise than the winner. */
export interface Disagreement {
  readonly cluster: string;
  readonly text: string;
}

/** A Service takes more, but nothing that anybody would look at. */
export const clustersetPortsMax = 100;

interface Merging extends Omit<ClustersetPort, 'clusters' | 'otherNames'> {
  readonly clusters: string[];
  readonly otherNames: Map<string, string>;
}

export function mergePorts(exports: readonly ExportedShard[]): {
  readonly ports: readonly ClustersetPort[];
  readonly disagreements: readonly Disagreement[];
} {
  const byName = new Map<string, Merging>();
  const byNumber = new Map<string, Merging>();
  const disagreements: Disagreement[] = [];
  for (const { cluster, ports, export: exported } of exports) {
    const say = (text: string): void => void disagreements.push({ cluster, text });
    for (const [index, port] of ports.entries()) {
      const appProtocol = exported.appProtocols[index] ?? '';
      const number = numberOf(port);
      const words = `${portWords(port)}${appProtocol === '' ? '' : ` (${appProtocol})`}`;
      const same = byName.get(port.name) ?? byNumber.get(number);
      if (same === undefined) {
        if (byName.size >= clustersetPortsMax) {
          say(`${words} is over the limit of ${clustersetPortsMax} ports`);
          continue;
        }
        const merging: Merging = { ...port, appProtocol, clusters: [cluster], otherNames: new Map() };
        byName.set(port.name, merging);
        byNumber.set(number, merging);
      } else if (same.clusters.at(-1) === cluster) {
        say(`${words} is there twice`);
      } else if (numberOf(same) !== number || same.appProtocol !== appProtocol || same.protocol !== port.protocol) {
        say(`${words} is not the port ${portWords(same)}`);
      } else {
        same.clusters.push(cluster);
        if (same.name === port.name) continue;
        same.otherNames.set(cluster, port.name);
        say(`${words} is called ${quoted(same.name)} by the oldest`);
      }
    }
  }
  const merged = [...byName.values()];
  for (const { cluster } of exports) {
    const missing = merged.filter(({ clusters }) => !clusters.includes(cluster));
    if (missing.length > 0 && !disagreements.some((one) => one.cluster === cluster))
      disagreements.push({ cluster, text: `it has no ${missing.map(portWords).join(', ')}` });
  }
  return { ports: named(merged), disagreements };
}

/** A Service with several ports needs a name for each. */
function named(merged: readonly Merging[]): ClustersetPort[] {
  const taken = new Set(merged.map(({ name }) => name));
  const ports = merged.map(({ clusters, otherNames, ...port }): ClustersetPort => {
    const rest = { clusters: clusters.toSorted(compare), otherNames };
    if (port.name !== '' || merged.length === 1) return { ...port, ...rest };
    let name = `port-${port.port}`;
    for (let count = 1; taken.has(name); count++) name = `port-${port.port}-${count}`;
    const unnamed = clusters.filter((cluster) => !otherNames.has(cluster)).map((cluster) => [cluster, ''] as const);
    return { ...port, name, ...rest, otherNames: new Map([...otherNames, ...unnamed]) };
  });
  return ports
    .map((port) => ({ ...port, otherNames: new Map([...port.otherNames].sort(([a], [b]) => compare(a, b))) }))
    .sort((a, b) => a.port - b.port || compare(a.transport, b.transport));
}

function numberOf({ port, transport }: { readonly port: number; readonly transport: string }): string {
  return `${port}/${transport}`;
}

function portWords(port: { readonly name: string; readonly port: number; readonly transport: string }): string {
  return `port ${numberOf(port)}${port.name === '' ? '' : ` ${quoted(port.name)}`}`;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
