/** What one connected proxy would use for a request to a host: its view's resources, decoded. For `fairway endpoints`. */

import { isIP } from 'node:net';
import type { ProxyChoice } from '../../api/inspection-source.ts';
import type { EndpointAt } from '../../envoy/path-clusters.ts';
import { requestPath } from '../../envoy/request-path.ts';
import { serviceNamedBy } from '../../mesh/external.ts';
import type { AskedRequest, ProxyRequestPath } from '../../model/inspection.ts';
import { clustersetDomain, type Scope } from '../../model/mesh.ts';
import { type CatalogService, type Endpoint, serviceKey } from '../../model/service.ts';
import type { Proxy } from '../proxies/proxies.ts';
import { proxyReport } from '../reports.ts';
import type { InspectInputs } from './inputs.ts';

export function proxyRequestPath(
  inputs: InspectInputs,
  name: string,
  host: string,
  port: number,
  request?: AskedRequest,
): ProxyRequestPath | ProxyChoice {
  const proxies = proxiesNamed(inputs, name);
  const [proxy] = proxies;
  if (proxy === undefined || proxies.length > 1) {
    return { candidates: proxies.slice(0, 10).map(({ identity }) => identity.nodeId) };
  }
  const { identity, view } = proxy;
  const { nodeId, workload, namespace, cluster } = identity;
  const { scope } = view;
  const path = requestPath(view, {
    host,
    port,
    addresses: addressesOf(host, scope, inputs),
    endpointAt: endpointsByAddress(inputs),
    ...(request === undefined ? {} : { request }),
  });
  return {
    proxy: {
      nodeId,
      workload,
      namespace,
      cluster,
      config: scope.routes === 'on-demand' ? 'on-demand' : 'eager',
      interception: scope.mode,
    },
    types: proxyReport(proxy, inputs.streamStatus).types,
    ...path,
  };
}

/** A node id is one proxy: of its streams with other settings, the newest counts. */
function proxiesNamed({ engine }: InspectInputs, name: string): readonly Proxy[] {
  const byNode = engine.proxies.ofNode(name);
  if (byNode !== undefined) return [byNode];
  return [...engine.proxies.all()].filter(
    ({ identity: { namespace, workload } }) =>
      name === `${namespace}/${workload}` || name === `${workload}.${namespace}`,
  );
}

/** Where the name leads in the proxy's cluster, as its DNS says. */
function addressesOf(host: string, scope: Scope, { engine }: InspectInputs): readonly string[] {
  if (isIP(host) !== 0) return [host];
  const service = serviceOf(host, scope, engine);
  if (service === undefined) return [];
  const imported = host.endsWith(`.${clustersetDomain}`) ? service.clusterset?.vips.get(scope.cluster) : undefined;
  if (imported !== undefined) return imported;
  const shard = service.shards.get(scope.cluster);
  const addresses = service.addresses ?? shard?.vips ?? [];
  return addresses.length > 0 ? addresses : (shard?.endpoints ?? []).map(({ address }) => address);
}

/** All of the mesh are gone through at the first question, which is put where no access log is written. */
function endpointsByAddress({ engine }: InspectInputs): EndpointAt {
  let known: Map<string, Endpoint> | undefined;
  return (address, port) => {
    if (known === undefined) {
      known = new Map();
      for (const { shards } of engine.catalog.values())
        for (const { endpoints } of shards.values())
          for (const endpoint of endpoints)
            for (const number of endpoint.ports.values()) known.set(`${endpoint.address} ${number}`, endpoint);
    }
    const found = known.get(`${address} ${port}`);
    return found && { version: found.version, cluster: found.cluster, workload: found.workload };
  };
}

function serviceOf(host: string, scope: Scope, engine: InspectInputs['engine']): CatalogService | undefined {
  const { settings, services } = engine.mesh;
  const external = [...services.values()].find(({ catalog }) => catalog.host === host)?.catalog;
  if (external !== undefined) return external;
  const key = host.includes('.') ? serviceNamedBy(host, settings.clusterDomain) : serviceKey(scope.namespace, host);
  return key === undefined ? undefined : services.get(key)?.catalog;
}
