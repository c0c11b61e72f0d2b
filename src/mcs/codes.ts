/** Findings about exports and imports of services. docs/errors.md is generated from this table; a code is never reused for another meaning. */

import type { ErrorCode, Finding, Where } from '../core/errors.ts';

export const mcsCodes = {
  'FW-MCS-001': {
    title: 'An exported service differs between clusters',
    cure: 'Give the Service and its ServiceExport the same properties in every cluster that exports it.',
  },
  'FW-MCS-002': {
    title: 'A ServiceExport of something that cannot be exported',
    cure: 'Export a Service with a cluster IP or a headless one; a DNS alias (ExternalName) has no endpoints to export.',
  },
  'FW-MCS-003': {
    title: 'A ServiceExport without a Service',
    cure: 'Create the Service of the same name in the namespace, or delete the ServiceExport.',
  },
  'FW-MCS-004': {
    title: 'A service is exported, and a cluster lacks its namespace',
    cure: 'Create the namespace in the clusters that are to reach the service; the rest need nothing.',
  },
  'FW-MCS-005': {
    title: 'A ServiceExport says that it was made at a time that cannot be',
    cure: 'Delete the ServiceExport and make it again; until then it counts as the youngest of all.',
  },
  'FW-MCS-006': {
    title: 'Two clusters claim one cluster id',
    cure: 'Give each cluster a ClusterProperty cluster.clusterset.k8s.io of its own; until then their registered names count.',
  },
  'FW-MCS-007': {
    title: 'A cluster id that is no DNS label',
    cure: 'Write up to 63 lower-case letters, digits and "-" into the ClusterProperty cluster.clusterset.k8s.io, or register the cluster under such a name.',
  },
  'FW-MCS-008': {
    title: 'An object of somebody else’s has the name of an import',
    cure: 'Delete or rename the object; nothing of it is overwritten.',
  },
  'FW-MCS-009': {
    title: 'What is imported cannot be written into a cluster',
    cure: 'Apply deploy/remote/mcs.yaml and the CRDs of the Multi-Cluster Services API there; it is tried again all the time.',
  },
  'FW-MCS-010': {
    title: 'A cluster has ServiceExports that may not be read',
    cure: 'Apply deploy/remote/mcs.yaml in that cluster; without it the cluster exports nothing.',
  },
  'FW-MCS-011': {
    title: 'An imported service’s IP family is not to be had in a cluster',
    cure: 'Export the service with an IP family that the importing cluster has too.',
  },
  'FW-MCS-012': {
    title: 'Exported labels or annotations that no object may have',
    cure: 'Write keys and values as Kubernetes takes them on objects, at most 128 KiB of annotations.',
  },
  'FW-MCS-013': {
    title: 'Imports are switched on, and a cluster lacks their API',
    cure: 'Install the CRDs of the Multi-Cluster Services API there; they are found without a restart.',
  },
  'FW-MCS-014': {
    title: 'Imports keep what came from clusters of which nothing is known',
    cure: 'Bring back the clusters that were not read since the pilot started, or unregister them; `fairway get clusters` shows them.',
  },
  'FW-MCS-015': {
    title: 'A cluster’s CRDs of the Multi-Cluster Services API lack fields',
    cure: 'Install the CRDs of v0.5 or later there; nothing has to be restarted.',
  },
  'FW-MCS-016': {
    title: 'The id of a registered cluster has changed',
    cure: 'Put the former value back into the ClusterProperty cluster.clusterset.k8s.io; the standard lets no id change while a cluster is a member.',
  },
  'FW-MCS-017': {
    title: 'Zones of several regions have one name',
    cure: 'Give zones names that are their own in the whole mesh (topology.kubernetes.io/zone), as clouds do.',
  },
} as const satisfies Readonly<Record<ErrorCode, { readonly title: string; readonly cure: string }>>;

export type McsCode = keyof typeof mcsCodes;

export function mcsFinding(code: McsCode, message: string, where: Where): Finding {
  return { code, severity: 'warning', message, where, hint: mcsCodes[code].cure };
}
