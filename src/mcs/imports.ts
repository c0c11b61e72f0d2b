/**
 * What a member cluster is to hold of a clusterset service: the ServiceImport, the derived Service that gives it a virtual IP there, and the
 * imported EndpointSlices. In: the clusterset service, the importing cluster, all clusters' ids. Out: the objects, but for what only the cluster itself
 * can say (virtual IPs, uids).
 *
 * What always holds: pure; equal inputs give equal objects; a derived Service has no selector, and a headless import has none.
 */

import {
  importManager,
  importOfLabel,
  managedByLabel,
  sliceManagerLabel,
  sourcesAnnotation,
} from '../model/import-labels.ts';
import type { IpFamily } from '../model/service.ts';
import type { ClustersetService } from './clusterset.ts';
import { derivedServiceName } from './derived-name.ts';
import type { ClustersetPort } from './merge-ports.ts';
import { type ImportedSlice, slicesFrom } from './slices.ts';
import { usableAnnotations, usableLabels } from './usable-metadata.ts';

/** Kubernetes' own, by which kube-proxy finds a Service's slices. */
const kubeServiceLabel = 'kubernetes.io/service-name';

export interface DesiredImport {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Without `ips` and `ipFamilies`, which the derived Service tells. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Of a headless import, which has no Service that could tell. */
  readonly ipFamilies: readonly IpFamily[];
  /** Ids of the exporting clusters, sorted. */
  readonly clusters: readonly string[];
  /** undefined: headless. */
  readonly derived: DesiredService | undefined;
  readonly slices: readonly ImportedSlice[];
  /** Endpoints that are not imported, for there are too many. */
  readonly dropped: number;
}

export interface DesiredService {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Stands for clusters of which nothing is known but what was imported of them; no registered cluster's name. */
export const heldCluster = '';

/** `ids`: by cluster. `held`: the clusters for which `heldCluster` stands: their names by id. */
export function desiredImport(
  service: ClustersetService,
  cluster: string,
  ids: ReadonlyMap<string, string>,
  held: ReadonlyMap<string, string> = new Map(),
): DesiredImport {
  const { namespace, name, type } = service;
  const headless = type === 'Headless';
  const derived = headless ? undefined : desiredService(service);
  const idOf = (source: string): string => ids.get(source) ?? source;
  const known = [...service.exports.keys()].filter((source) => source !== heldCluster);
  const names = new Map([...held, ...known.map((source) => [idOf(source), source] as const)]);
  const sources = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = known.map((source) => slicesFrom(service, source, idOf(source), source === cluster));
  return {
    namespace,
    name,
    labels: { ...usableLabels(service.labels), [managedByLabel]: importManager },
    annotations: {
      ...usableAnnotations(service.annotations),
      [sourcesAnnotation]: JSON.stringify(Object.fromEntries(sources)),
    },
    spec: {
      type,
      ports: service.ports.map(importPort),
      sessionAffinity: service.sessionAffinity,
      ...affinityConfig(service),
      ...traffic(service),
    },
    ipFamilies: headless ? service.ipFamilies : [],
    clusters: sources.map(([id]) => id),
    derived,
    slices: parts.flatMap(({ slices }) => slices).map((slice) => managedSlice(slice, derived)),
    dropped: parts.reduce((sum, part) => sum + part.dropped, 0),
  };
}

/** Families are asked for only where one alone is exported: which ones a cluster has, it says itself. */
function desiredService(service: ClustersetService): DesiredService {
  const { name, ipFamilies } = service;
  const families =
    ipFamilies.length === 1
      ? { ipFamilyPolicy: 'SingleStack', ipFamilies }
      : { ipFamilyPolicy: ipFamilies.length > 1 ? 'PreferDualStack' : 'SingleStack' };
  return {
    name: derivedServiceName(name),
    labels: { [managedByLabel]: importManager, [importOfLabel]: name },
    spec: {
      type: 'ClusterIP',
      ...families,
      ports: service.ports.map((port) => ({ ...importPort(port), targetPort: port.port })),
      sessionAffinity: service.sessionAffinity,
      ...affinityConfig(service),
      ...traffic(service),
    },
  };
}

function importPort({ name, transport, port, appProtocol }: ClustersetPort): Readonly<Record<string, unknown>> {
  return {
    ...(name === '' ? {} : { name }),
    protocol: transport,
    ...(appProtocol === '' ? {} : { appProtocol }),
    port,
  };
}

function affinityConfig({ sessionAffinity, affinitySeconds }: ClustersetService): Readonly<Record<string, unknown>> {
  if (sessionAffinity === 'None' || affinitySeconds === undefined) return {};
  return { sessionAffinityConfig: { clientIP: { timeoutSeconds: affinitySeconds } } };
}

function traffic({ internalTrafficPolicy, trafficDistribution }: ClustersetService): Readonly<Record<string, unknown>> {
  return {
    ...(internalTrafficPolicy === undefined ? {} : { internalTrafficPolicy }),
    ...(trafficDistribution === undefined ? {} : { trafficDistribution }),
  };
}

/** kube-proxy finds it by the derived Service's name; controllers see whose it is. */
function managedSlice(slice: ImportedSlice, derived: DesiredService | undefined): ImportedSlice {
  const link = derived === undefined ? {} : { [kubeServiceLabel]: derived.name };
  return { ...slice, labels: { ...slice.labels, [sliceManagerLabel]: importManager, ...link } };
}
