/**
 * ClusterProfile, in which an inventory of clusters says what it knows of each. It says most in its status, which is read with it.
 * https://github.com/kubernetes-sigs/cluster-inventory-api
 */

import { type ForeignObject, foreignParser } from '../rules/foreign-object.ts';
import type { ForeignKind, KindHead } from '../rules/kind-types.ts';
import { field } from '../rules/raw-fields.ts';

const head: KindHead = {
  apiVersion: 'multicluster.x-k8s.io/v1alpha1',
  kind: 'ClusterProfile',
  plural: 'clusterprofiles',
  shortNames: [],
  namespaced: true,
  specFields: ['displayName', 'clusterManager'],
};

export const clusterProfileKind: ForeignKind<ForeignObject> = {
  ...head,
  foreign: true,
  standard: 'cluster-inventory',
  statusShape: 'none',
  readsStatus: true,
  shown: [
    { title: 'DISPLAY NAME', of: (spec) => text(field(spec, 'displayName')) },
    { title: 'MANAGER', of: (spec) => text(field(field(spec, 'clusterManager'), 'name')) },
  ],
  parse: foreignParser(head, (object) => object),
};

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
