/** What a host of Istio's names: a service of the mesh, or something that no rule is for. */

import { type ServiceKey, serviceKey } from '../model/service.ts';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

export type Host =
  | ({ readonly kind: 'service' } & ServiceName)
  /** `*`, `*.shop.svc.cluster.local`. */
  | { readonly kind: 'wildcard' }
  /** One workload of a service: `db-0.db.shop.svc.cluster.local`. */
  | { readonly kind: 'workload' }
  /** All that is no name of a service as Istio writes it: `api.example.com`, and `reviews.shop` too. */
  | { readonly kind: 'outside' };

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `namespace`: of the object in which it stands. A name without a dot is a service there; https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService */
export function hostOf(host: string, namespace: string, clusterDomain: string): Host {
  if (host.startsWith('*')) return { kind: 'wildcard' };
  if (!host.includes('.')) return label.test(host) ? { kind: 'service', namespace, name: host } : { kind: 'outside' };
  const bare = host.endsWith('.') ? host.slice(0, -1) : host;
  const suffix = [`.svc.${clusterDomain}`, '.svc.clusterset.local', '.svc'].find((end) => bare.endsWith(end));
  if (suffix === undefined) return { kind: 'outside' };
  const [name = '', own = '', ...more] = bare.slice(0, -suffix.length).split('.');
  if (more.length > 0) return { kind: 'workload' };
  return label.test(name) && label.test(own) ? { kind: 'service', namespace: own, name } : { kind: 'outside' };
}

export function keyOf({ namespace, name }: ServiceName): ServiceKey {
  return serviceKey(namespace, name);
}
