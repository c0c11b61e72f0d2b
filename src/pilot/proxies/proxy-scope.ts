/**
 * The scope of a proxy: what it is given goes by this alone. In: what its node says, what it rejected, and what services, namespaces and rules say
 * of proxies like it. Out: the scope, equal for proxies that are to be given the same.
 */

import type { Answers, ConfigMode, Scope } from '../../model/mesh.ts';
import type { ProxyIdentity } from '../../model/proxy.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import type { ClientHello } from '../../xds/view.ts';
import type { Egress } from '../egress.ts';
import { inboundPorts, type WorkloadIndex } from '../scope/workload-index.ts';
import type { ProxyNode } from './node.ts';

export interface ScopeInputs {
  readonly workloads: WorkloadIndex;
  readonly services: ReadonlyMap<ServiceKey, CatalogService>;
  /** What services ask of the proxy, answered; `rejected`: the forms of rules that are set aside for it. */
  readonly answers: (identity: ProxyIdentity, rejected: readonly string[]) => Answers | undefined;
  /** What its namespace lets out; undefined: what the mesh does. */
  readonly egress: Egress;
}

/**
 * In which form it gets routes. Envoy takes VHDS and on-demand resources over the aggregated delta stream alone; whoever does not declare it gets
 * whole tables. `configMode`: for a proxy that says nothing of it.
 */
export function routesOf(
  { identity, settings }: ProxyNode,
  { transport, onlyType }: Pick<ClientHello, 'transport' | 'onlyType'>,
  configMode: (cluster: string, namespace: string) => ConfigMode,
): Scope['routes'] {
  if (settings.mode === 'grpc' || settings.routes !== 'vhds' || transport !== 'delta' || onlyType !== undefined)
    return 'tables';
  const config = settings.config ?? configMode(identity.cluster, identity.namespace);
  return config === 'on-demand' ? 'on-demand' : 'vhds';
}

/** `rejected`: forms of rules and of ExternalServices that are set aside for it. */
export function scopeOf(
  { identity, settings, routes }: ProxyNode & { readonly routes: Scope['routes'] },
  rejected: readonly string[],
  inputs: ScopeInputs,
): Scope {
  const answers = inputs.answers(identity, rejected);
  if (settings.mode === 'grpc') return grpcScope(identity, answers, rejected);
  const egress = inputs.egress(identity.cluster, identity.namespace);
  return {
    ...(egress === undefined ? {} : { egress }),
    cluster: identity.cluster,
    network: identity.network,
    namespace: identity.namespace,
    mode: settings.mode,
    outbound: settings.outbound,
    inboundAddress: settings.inboundAddress,
    inbound: settings.inbound ?? (settings.mode === 'captured' ? inboundOf(identity, inputs) : []),
    routes,
    ...(answers === undefined ? {} : { answers }),
    rejected,
  };
}

function inboundOf({ cluster, addresses }: ProxyIdentity, { workloads, services }: ScopeInputs): Scope['inbound'] {
  const behind = [...workloads.services(cluster, addresses)].flatMap((key) => services.get(key) ?? []);
  return inboundPorts(behind, cluster, addresses);
}

/** It has no sidecar: nothing listens, and what leaves it unasked is not ours to let out. */
function grpcScope(
  { cluster, network, namespace }: ProxyIdentity,
  answers: Answers | undefined,
  rejected: readonly string[],
): Scope {
  return {
    cluster,
    network,
    namespace,
    mode: 'grpc',
    outbound: { address: '', port: 0 },
    inboundAddress: '',
    inbound: [],
    routes: 'tables',
    ...(answers === undefined ? {} : { answers }),
    rejected,
  };
}
