/**
 * The ClusterProfile of the cluster inventory API, as far as clusters are registered by it and told of in it.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-multicluster/4322-cluster-inventory
 */

import { clusterNamePattern, type Locality } from '../../model/cluster.ts';
import type { ClusterProfileReport } from '../../model/report.ts';
import { fields, list, text } from '../object-fields.ts';
import type { ProfileAccess } from './access-providers.ts';
import type { RegisteredPlace } from './registrar.ts';

export const profileApi = 'multicluster.x-k8s.io/v1alpha1';
/** Who keeps a profile; its value is `spec.clusterManager.name`. */
export const managerLabel = 'x-k8s.io/cluster-manager';
/** Fairway's own name among cluster managers. */
export const ownManager = 'fairway';
/** The cluster's id in its clusterset (KEP-2149). */
export const clusterIdProperty = 'cluster.clusterset.k8s.io';

export function profilesPath(namespace: string): string {
  return `/apis/${profileApi}/namespaces/${encodeURIComponent(namespace)}/clusterprofiles`;
}

export interface ClusterProfile {
  /** The object's. */
  readonly name: string;
  /** What the cluster is called: its id, where its properties give one that can be a name; else the object's name. */
  readonly cluster: string;
  readonly manager: string;
  readonly access: readonly ProfileAccess[];
  readonly place: RegisteredPlace;
  /** For people. */
  readonly said: ClusterProfileReport;
}

/** Of properties and conditions, and of the characters of each. */
const shownMax = 256;

/** Whatever the object is; what is not there is ''. */
export function readProfile(raw: unknown): ClusterProfile {
  const metadata = fields(fields(raw)['metadata']);
  const spec = fields(fields(raw)['spec']);
  const status = fields(fields(raw)['status']);
  const properties = list(status['properties'])
    .map(fields)
    .map((each) => [text(each['name']), text(each['value'])] as const);
  const said = new Map([
    ...Object.entries(fields(metadata['labels'])).map(([key, value]) => [key, text(value)] as const),
    ...properties,
  ]);
  const name = text(metadata['name']);
  const id = new Map(properties).get(clusterIdProperty) ?? '';
  return {
    name,
    cluster: clusterNamePattern.test(id) ? id : name,
    manager: text(fields(spec['clusterManager'])['name']),
    // The older name of the field counts where the newer does not have a provider of the name.
    access: [...list(status['accessProviders']), ...list(status['credentialProviders'])].map(fields).map((each) => ({
      name: text(each['name']),
      cluster: fields(each['cluster']),
    })),
    said: {
      manager: text(fields(spec['clusterManager'])['name']),
      displayName: text(spec['displayName']).slice(0, shownMax),
      properties: properties.slice(0, shownMax).map(([key, value]) => ({ name: key, value: value.slice(0, shownMax) })),
      conditions: list(status['conditions'])
        .slice(0, shownMax)
        .map(fields)
        .map((each) => ({
          type: text(each['type']),
          status: text(each['status']),
          reason: text(each['reason']),
          message: text(each['message']).slice(0, shownMax),
        })),
    },
    place: { network: said.get('topology.istio.io/network') ?? '', locality: localityOf(said) },
  };
}

function localityOf(said: ReadonlyMap<string, string>): Locality {
  return {
    region: said.get('topology.kubernetes.io/region') ?? '',
    zone: said.get('topology.kubernetes.io/zone') ?? '',
    subzone: said.get('topology.istio.io/subzone') ?? '',
  };
}
