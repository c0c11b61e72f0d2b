/** What is asked of a way through a proxy, and of what: a host and port, and the resources that the proxy's view holds. */

import type { EncodedResource } from '../core/resource.ts';
import type { AskedRequest } from '../model/inspection.ts';
import type { Scope } from '../model/mesh.ts';
import type { EndpointAt } from './path-clusters.ts';
import type { VirtualHostPart } from './virtual-hosts.ts';

/** A view's resources, for reading. */
export interface HeldResources {
  readonly scope: Scope;
  resources(url: string): ReadonlyMap<string, EncodedResource>;
  /** A route table's virtual hosts, in whichever form they go out; the last one is the catch-all. Undefined: there is no such table. */
  hostsOfTable(table: string): Iterable<VirtualHostPart> | undefined;
}

export interface PathQuestion {
  /** A name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Where a connection to the host goes: cluster IPs, or workloads of a headless service; [] where nobody knows. */
  readonly addresses: readonly string[];
  /** Only the route that it takes is shown. */
  readonly request?: AskedRequest;
  readonly endpointAt?: EndpointAt;
}
