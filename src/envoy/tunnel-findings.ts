/**
 * What of the rules in force sidecars in explicit mode do not do: their clients say in the open which host and port they want (`CONNECT`), and what
 * is in the tunnel is not looked into, so no route by server name (SNI) takes it. In: the services that such sidecars see. Out: findings.
 */

import type { Finding } from '../core/errors.ts';
import type { MeshService } from '../model/mesh.ts';
import type { ServiceKey } from '../model/service.ts';

export function tunnelFindings(
  services: Iterable<readonly [ServiceKey, Pick<MeshService, 'routes'>]>,
  cluster: string,
): Finding[] {
  return [...services]
    .map(([key, { routes }]) => ({ key, names: routes.flatMap(({ name, sni = [] }) => (sni.length > 0 ? name : [])) }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, names }) => ({
      code: 'FW-ENVOY-008' as const,
      severity: 'warning' as const,
      message: `proxies in explicit mode do not look into tunnels (CONNECT): connections to ${key} go as without its routes by server name (${names.join(', ')})`,
      where: { cluster, object: `Service ${key}` },
      hint: 'let such clients name the service that they want, or capture their traffic',
    }));
}
