/**
 * Endpoint assignments (EDS): one per TCP port and chain, with the chain's destinations as priority levels.
 *
 * What always holds: an endpoint stands in the first level that names it and in no other; levels without endpoints are left out and the
 * others numbered from 0, so that a wanted destination with nothing to offer costs no request; the order depends on names and addresses only.
 * Who is in: ready endpoints. When the whole chain has none, those that terminate but still serve (as kube-proxy does), so that a drained
 * chain goes on until its last endpoint has ended. Those that are neither are left out.
 */

import type { MeshService, MeshSettings } from '../model/mesh.ts';
import type { Destination, RuleBackend } from '../model/rule.ts';
import type { CatalogPort, CatalogService, Endpoint } from '../model/service.ts';
import { fairwayMetadata, socketAddress } from './common.ts';
import { outboundCluster, serviceHost } from './names.ts';
import type { Plain } from './proto/encode.ts';

interface Target {
  readonly endpoint: Endpoint;
  readonly port: number;
}

export function serviceAssignments(
  service: MeshService,
  settings: MeshSettings,
): readonly { readonly name: string; readonly value: Plain }[] {
  const { catalog, chains } = service;
  const host = serviceHost(catalog, settings.clusterDomain);
  return catalog.ports
    .filter(({ transport }) => transport === 'TCP')
    .flatMap((port) => {
      const targets = targetsOf(catalog, port);
      const made = new Map<string, Plain>();
      return chains.map((chain) => {
        const name = outboundCluster(port.port, chain, host);
        return {
          name,
          value: {
            cluster_name: name,
            endpoints: levelsOf(chain, targets).flatMap((level, priority) => localities(level, priority, made)),
          },
        };
      });
    });
}

/** All endpoints behind a port, sorted. One address and port reported twice is one target: the first cluster by name keeps it. */
function targetsOf(catalog: CatalogService, port: CatalogPort): readonly Target[] {
  const seen = new Set<string>();
  const targets: Target[] = [];
  for (const cluster of port.clusters) {
    const name = port.otherNames.get(cluster) ?? port.name;
    for (const endpoint of catalog.shards.get(cluster)?.endpoints ?? []) {
      const number = endpoint.ports.get(name);
      if (number === undefined) continue;
      const id = `${endpoint.address} ${number}`;
      if (seen.has(id)) continue;
      seen.add(id);
      targets.push({ endpoint, port: number });
    }
  }
  return targets.sort((a, b) => compareTargets(a, b));
}

function levelsOf(chain: RuleBackend['chain'], targets: readonly Target[]): Target[][] {
  const ready = spread(
    chain,
    targets.filter(({ endpoint }) => endpoint.ready),
  );
  return ready.length > 0
    ? ready
    : spread(
        chain,
        targets.filter(({ endpoint }) => endpoint.serving && endpoint.terminating),
      );
}

/** Each target to the first destination that names it; empty levels left out. */
function spread(chain: RuleBackend['chain'], targets: readonly Target[]): Target[][] {
  const levels: Target[][] = chain.map(() => []);
  for (const target of targets) {
    const level = chain.findIndex((destination) => matches(destination, target.endpoint));
    levels[level]?.push(target);
  }
  return levels.filter((level) => level.length > 0);
}

function matches({ version, cluster }: Destination, endpoint: Endpoint): boolean {
  return (version === '' || version === endpoint.version) && (cluster === '' || cluster === endpoint.cluster);
}

function localities(level: readonly Target[], priority: number, made: Map<string, Plain>): Plain[] {
  const groups = new Map<string, Target[]>();
  for (const target of level) {
    const { region, zone, subzone } = target.endpoint.locality;
    const id = JSON.stringify([region, zone, subzone]);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [target]);
    else group.push(target);
  }
  return [...groups.values()].map((group) => ({
    locality: localityOf(group),
    lb_endpoints: group.map((target) => lbEndpoint(target, made)),
    // Envoy spreads over a level's endpoints without regard to localities; clients that weigh localities first (gRPC's own) need this to do the same.
    load_balancing_weight: group.length,
    priority,
  }));
}

function localityOf([first]: readonly Target[]): Plain | undefined {
  const { region, zone, subzone } = first?.endpoint.locality ?? { region: '', zone: '', subzone: '' };
  return region === '' && zone === '' && subzone === '' ? undefined : { region, zone, sub_zone: subzone };
}

/** The same target stands in several chains' assignments: its plain form is made once. */
function lbEndpoint({ endpoint, port }: Target, made: Map<string, Plain>): Plain {
  const id = `${endpoint.address} ${port}`;
  let value = made.get(id);
  if (value === undefined) {
    const { address, cluster, version, workload } = endpoint;
    value = {
      endpoint: { address: socketAddress(address, port) },
      health_status: 'HEALTHY',
      metadata: fairwayMetadata({ cluster, version, workload }),
    };
    made.set(id, value);
  }
  return value;
}

function compareTargets(a: Target, b: Target): number {
  const one = a.endpoint;
  const two = b.endpoint;
  return (
    compare(one.locality.region, two.locality.region) ||
    compare(one.locality.zone, two.locality.zone) ||
    compare(one.locality.subzone, two.locality.subzone) ||
    compare(one.cluster, two.cluster) ||
    compare(one.address, two.address) ||
    a.port - b.port
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
