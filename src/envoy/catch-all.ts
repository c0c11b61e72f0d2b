/** What a route table does with a host that no service has. */

import type { MeshSettings, Scope } from '../model/mesh.ts';
import { passthroughCluster } from './names.ts';
import type { Plain } from './proto/encode.ts';
import { connectUpgrade, type VirtualHostPart, virtualHostPart } from './virtual-hosts.ts';

export function catchAll(table: string, mode: Scope['mode'], settings: MeshSettings): VirtualHostPart {
  const passes = settings.outbound === 'allow-any';
  const requests: Plain = passes ? passOn : refuse;
  const routes =
    mode === 'captured'
      ? [requests]
      : [{ ...requests, match: { connect_matcher: {} }, ...(passes ? connect : {}) }, requests];
  return virtualHostPart(table, { name: passes ? 'allow_any' : 'block_all', domains: ['*'], routes });
}

const passOn: Plain = {
  name: 'allow_any',
  match: { prefix: '/' },
  route: { cluster: passthroughCluster, timeout: '0s' },
};

const connect: Plain = { route: { cluster: passthroughCluster, timeout: '0s', ...connectUpgrade } };

const refuse: Plain = {
  name: 'block_all',
  match: { prefix: '/' },
  direct_response: {
    status: 502,
    body: {
      inline_string:
        'fairway: no service has the host that this request names, and the mesh lets requests to registered services only (outbound: registered-only)\n',
    },
  },
};
