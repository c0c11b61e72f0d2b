/**
 * What a valid rule does not do although all that it names exists: destinations of which nothing is ready, and routes on ports that show no
 * requests. In: the rule, its merged service, where its parts stand. Out: warnings.
 */

import type { Finding, Where } from '../core/errors.ts';
import type { MeshSettings } from '../model/mesh.ts';
import { type Destination, destinationName, type RuleBackend, type TrafficRule } from '../model/rule.ts';
import type { CatalogService, Endpoint } from '../model/service.ts';

export interface ChainCount {
  readonly destination: Destination;
  /** Endpoints that no earlier destination of the chain has. */
  readonly ready: number;
  readonly total: number;
}

/** What each destination of a chain adds to those before it. */
export function countChain(chain: RuleBackend['chain'], endpoints: readonly Endpoint[]): readonly ChainCount[] {
  let left = endpoints;
  return chain.map((destination) => {
    const own = left.filter((endpoint) => isOf(destination, endpoint));
    left = left.filter((endpoint) => !own.includes(endpoint));
    return { destination, ready: own.filter(({ ready }) => ready).length, total: own.length };
  });
}

function isOf({ version, cluster, region, zone }: Destination, endpoint: Endpoint): boolean {
  return (
    (version === '' || version === endpoint.version) &&
    (cluster === '' || cluster === endpoint.cluster) &&
    (region === '' || region === endpoint.locality.region) &&
    (zone === '' || zone === endpoint.locality.zone)
  );
}

export function endpointsOf({ shards }: CatalogService): readonly Endpoint[] {
  return [...shards.values()].flatMap(({ endpoints }) => endpoints);
}

/** `where` finds a path of the object that the rule was made from. */
export function ruleFindings(
  rule: TrafficRule,
  service: CatalogService,
  settings: Pick<MeshSettings, 'detectProtocols'>,
  where: (path: readonly (string | number)[]) => Where,
): readonly Finding[] {
  const object = `TrafficRule ${rule.ref.namespace}/${rule.ref.name}`;
  const at = (path: readonly (string | number)[]): Where => ({ ...where(path), object });
  // Hosts outside have no endpoints that somebody counts.
  const idle = service.upstream === undefined ? idleBackends(rule, endpointsOf(service), at) : [];
  return [...idle, ...unseenRequests(rule, service, settings, at)];
}

type At = (path: readonly (string | number)[]) => Where;

function idleBackends(rule: TrafficRule, endpoints: readonly Endpoint[], at: At): Finding[] {
  const found = new Map<string, Finding>();
  for (const [i, { backends }] of rule.routes.entries()) {
    for (const { chain, weight, service, refused } of backends) {
      const isElsewhere = service !== undefined || refused !== undefined;
      const finding =
        weight === 0 || isElsewhere ? undefined : idleBackend(chain, rule, endpoints, at(['spec', 'routes', i]));
      // Two routes with the same backend are one thing to cure.
      if (finding !== undefined && !found.has(finding.message)) found.set(finding.message, finding);
    }
  }
  return [...found.values()];
}

function idleBackend(
  chain: RuleBackend['chain'],
  { service }: TrafficRule,
  endpoints: readonly Endpoint[],
  where: Where,
): Finding | undefined {
  const counts = countChain(chain, endpoints);
  const [wanted] = counts;
  // That there is nothing of it at all is said where references are resolved.
  if (wanted === undefined || wanted.ready > 0 || counts.every(({ total }) => total === 0)) return undefined;
  const heir = counts.find(({ ready }) => ready > 0);
  const name = nameOf(wanted.destination);
  if (heir === undefined) {
    return {
      code: 'FW-MESH-003',
      severity: 'warning',
      message: `no endpoint of ${service} that ${name} may use is ready: its requests are answered with 503`,
      where,
      hint: 'Look at the workloads with `fairway get endpoints`, or give the backend a fallback',
    };
  }
  return {
    code: 'FW-MESH-004',
    severity: 'warning',
    message: `no endpoint of ${service} is ready in ${name}: its fallback ${nameOf(heir.destination)} takes its requests`,
    where,
    hint: 'Look at the workloads with `fairway get endpoints`',
  };
}

function nameOf(destination: Destination): string {
  return destinationName(destination) || 'anywhere';
}

function unseenRequests(
  { routes }: TrafficRule,
  { ports }: CatalogService,
  { detectProtocols }: Pick<MeshSettings, 'detectProtocols'>,
  at: At,
): Finding[] {
  const tcp = ports.filter(({ transport }) => transport === 'TCP');
  const isSeen = tcp.some(({ protocol, undeclared }) => protocol !== 'tcp' || (undeclared && detectProtocols === true));
  const index = routes.findIndex(({ matches }) =>
    matches.some(
      ({ path, method, headers, queryParams }) =>
        path !== undefined || method !== undefined || headers.length > 0 || queryParams.length > 0,
    ),
  );
  if (isSeen || tcp.length === 0 || index < 0) return [];
  const undeclared = tcp.some((port) => port.undeclared === true);
  return [
    {
      code: 'FW-MESH-005',
      severity: 'warning',
      message: `route ${routes[index]?.name ?? index} never matches: no port of the service is known to speak HTTP, and a connection shows no requests`,
      where: at(['spec', 'routes', index]),
      hint: undeclared
        ? 'Give the port appProtocol: http, or a name that begins with http in the Service'
        : 'Remove the matches, or correct the port’s appProtocol in the Service',
    },
  ];
}
