/**
 * Equal values, kept once: what is read from a cluster says the same again and again (names of nodes and zones, labels of a deployment's pods),
 * and every answer and event brings copies of its own.
 *
 * What always holds: a pool is bounded. One that is full begins anew, which costs memory and nothing else.
 */

import type { Locality } from '../model/cluster.ts';
import type { ClusterObject, PodObject, SliceEndpointObject } from './cluster-objects.ts';

const entriesMax = 50_000;

export class Pool {
  readonly #strings = new Map<string, string>();
  readonly #localities = new Map<string, Locality>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();

  string(text: string): string {
    return kept(this.#strings, text, text);
  }

  locality(value: Locality): Locality {
    return kept(this.#localities, `${value.region}\n${value.zone}\n${value.subzone}`, value);
  }

  /** Of one pod. Labels in another order are other labels here. */
  labels(value: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return kept(this.#labels, JSON.stringify(value), value);
  }
}

function kept<T>(known: Map<string, T>, key: string, value: T): T {
  const held = known.get(key);
  if (held !== undefined) return held;
  if (known.size >= entriesMax) known.clear();
  known.set(key, value);
  return value;
}

/** The same object, with what others say too as the very same values. */
export function shareParts(
  object: ClusterObject,
  pool: Pool,
  podOf: (namespace: string, name: string) => PodObject | undefined,
): ClusterObject {
  if (object.kind === 'Pod') return sharePod(object, pool);
  if (object.kind !== 'EndpointSlice') return object;
  const endpoints = object.endpoints.map((endpoint): SliceEndpointObject => {
    const node = pool.string(endpoint.node);
    const zone = pool.string(endpoint.zone);
    const pod = endpoint.pod === '' ? undefined : podOf(object.namespace, endpoint.pod);
    if (pod === undefined) return { ...endpoint, node, zone };
    return { ...endpoint, node, zone, pod: pod.name, podUid: pod.uid === endpoint.podUid ? pod.uid : endpoint.podUid };
  });
  return Object.freeze({ ...object, endpoints });
}

function sharePod(pod: PodObject, pool: Pool): PodObject {
  return Object.freeze({
    ...pod,
    namespace: pool.string(pod.namespace),
    labels: pool.labels(pod.labels),
    node: pool.string(pod.node),
    serviceAccount: pool.string(pod.serviceAccount),
  });
}
