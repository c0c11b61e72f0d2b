/**
 * Who an endpoint is, as one text in its assignment: `west/reviews-6c9f/v2`, its cluster, workload and version. The access log prints it, and
 * whoever inspects an assignment reads it back.
 *
 * What always holds: a cluster's name and a workload's hold no `/`, and a part that is not known is empty; so the text has all three in it.
 *
 * Why metadata, and not the shorter `Endpoint.hostname`: Envoy changes the metadata of an endpoint in place. For another hostname at the same
 * address, Envoy 1.40 makes the endpoint anew: it closes its connections, and its health has to be checked again, in every proxy, whenever a
 * pilot that says it follows one that does not. Envoys before that ignore the new name, and would log the old one.
 * https://github.com/envoyproxy/envoy/pull/45867
 */

import type { Endpoint } from '../model/service.ts';

export type Who = Pick<Endpoint, 'cluster' | 'workload' | 'version'>;

/** `filter_metadata: {f: {w: west/reviews-6c9f/v2}}`. In a mesh of a million endpoints, each letter of these names is a megabyte. */
export const whoFilter = 'f';
export const whoField = 'w';

export function whoText({ cluster, workload, version }: Who): string {
  return `${cluster}/${workload}/${version}`;
}

/** Of what `whoText` made. */
export function readWho(text: string): Who {
  const [cluster = '', workload = '', ...version] = text.split('/');
  return { cluster, workload, version: version.join('/') };
}
