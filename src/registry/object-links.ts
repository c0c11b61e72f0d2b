/**
 * Which services an object of a cluster touches. In: objects as they come and go, in any order. Out: the services to be derived again for it,
 * and the slices of a service.
 *
 * What always holds: a slice, a pod or a node touches the services whose endpoints point at it and no others, whether it came before them or
 * after; an endpoint that names no node is on its pod's. All that came and went leaves nothing behind.
 */

import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { ClusterObject, NamespaceObject, PodObject, SliceObject } from './cluster-objects.ts';
import { Users } from './users.ts';

export class ObjectLinks {
  readonly #pod: (key: string) => PodObject | undefined;
  /** Slice keys by service. */
  readonly #slicesOf = new Map<ServiceKey, Set<string>>();
  /** Services whose endpoints point at a pod, and at a node. Counted by slice, since two slices may point at one. */
  readonly #podUsers = new Users();
  readonly #nodeUsers = new Users();

  /** `pod`: the one that is held under a key now. */
  constructor(pod: (key: string) => PodObject | undefined) {
    this.#pod = pod;
  }

  slicesOf(service: ServiceKey): Iterable<string> {
    return this.#slicesOf.get(service) ?? [];
  }

  /** The object comes (1) or goes (-1): adds the services that it touches to `touched`. */
  touch(key: string, object: Exclude<ClusterObject, NamespaceObject>, by: 1 | -1, touched: Set<ServiceKey>): void {
    switch (object.kind) {
      case 'Service':
      case 'ServiceExport':
        touched.add(serviceKey(object.namespace, object.name));
        break;
      case 'EndpointSlice':
        if (object.service !== '') this.#slice(key, object, by, touched);
        break;
      case 'Pod':
        for (const user of this.#podUsers.of(key)) touched.add(user);
        this.#nodeOfPod(key, object, by);
        break;
      case 'Node':
        for (const user of this.#nodeUsers.of(key)) touched.add(user);
        break;
    }
  }

  #slice(key: string, slice: SliceObject, by: 1 | -1, touched: Set<ServiceKey>): void {
    const service = serviceKey(slice.namespace, slice.service);
    touched.add(service);
    const slices = this.#slicesOf.get(service) ?? new Set();
    if (by === 1) slices.add(key);
    else slices.delete(key);
    if (slices.size === 0) this.#slicesOf.delete(service);
    else this.#slicesOf.set(service, slices);
    for (const endpoint of slice.endpoints) {
      if (endpoint.pod !== '') {
        const podKey = `${slice.namespace}/${endpoint.pod}`;
        this.#podUsers.count(podKey, service, by);
        // An endpoint that names no node takes its pod's.
        const pod = this.#pod(podKey);
        if (pod !== undefined && pod.node !== '') this.#nodeUsers.count(pod.node, service, by);
      }
      if (endpoint.node !== '') this.#nodeUsers.count(endpoint.node, service, by);
    }
  }

  /** A pod's node matters to the services that use the pod, once per use. */
  #nodeOfPod(key: string, pod: PodObject, by: 1 | -1): void {
    if (pod.node === '') return;
    for (const [service, uses] of this.#podUsers.uses(key)) this.#nodeUsers.count(pod.node, service, by * uses);
  }
}
