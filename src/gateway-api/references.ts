/**
 * Are a rule's backends there, and may the route refer to them? Out: for each backend either where its share goes or why it goes nowhere, and the
 * problems in the standard's words (`ResolvedRefs`).
 */

import type { Merging } from '../model/clusterset.ts';
import { anywhere, type RuleBackend } from '../model/rule.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Path } from '../rules/objects/findings.ts';
import { type BackendRef, type GatewayRoute, type Grant, gatewayGroup, type RouteBackend } from './route.ts';
import { type FindTarget, serviceKind, serviceOf } from './targets.ts';

export interface RefProblem {
  readonly reason: 'InvalidKind' | 'BackendNotFound' | 'RefNotPermitted' | 'UnsupportedProtocol';
  readonly message: string;
  readonly path: Path;
}

export interface References {
  readonly find: FindTarget;
  readonly merging: Merging;
  /** The grants of a namespace. */
  readonly grants: (namespace: string) => Iterable<Grant>;
}

export function backendKey({ namespace, name }: Pick<BackendRef, 'namespace' | 'name'>): ServiceKey {
  return serviceKey(namespace, name);
}

/** Why a backend cannot be used; undefined: it can. `parent`: a route may always lead to the very service that it is for. */
export function refProblem(
  route: GatewayRoute,
  ref: BackendRef,
  parent: ServiceKey,
  { find, grants }: References,
): RefProblem | undefined {
  const problem = (reason: RefProblem['reason'], message: string): RefProblem => ({ reason, message, path: ref.path });
  const kind = serviceKind(ref);
  const id = `${ref.namespace}/${ref.name}`;
  if (kind === undefined) {
    const what = ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`;
    return problem('InvalidKind', `${what} ${id} is no backend here; a Service (group: "") or a ServiceImport is`);
  }
  const key = backendKey(ref);
  if (ref.namespace !== route.namespace && key !== parent && !isGranted(route, ref, grants(ref.namespace))) {
    const words = `no ReferenceGrant in ${ref.namespace} lets ${route.kind}s of ${route.namespace} refer to ${kind} ${ref.name}`;
    return problem('RefNotPermitted', words);
  }
  const target = find(key);
  if (target === undefined) return problem('BackendNotFound', `no cluster has a Service ${id}`);
  if (kind === 'ServiceImport' && !target.isImported) return problem('BackendNotFound', `no cluster exports ${id}`);
  if (target.isAlias)
    return problem('InvalidKind', `Service ${id} is of type ExternalName, through which a route could reach anything`);
  if (ref.port === undefined) return problem('BackendNotFound', `${kind} ${id} is named without a port`);
  const port = target.ports.find((each) => each.port === ref.port && each.transport === 'TCP');
  if (port === undefined) {
    const other = target.ports.find((each) => each.port === ref.port);
    return other === undefined
      ? problem('BackendNotFound', `${kind} ${id} has no port ${ref.port}`)
      : problem('UnsupportedProtocol', `port ${ref.port} of ${id} is ${other.transport}`);
  }
  const takesRequests = route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute';
  if (takesRequests && port.tls) {
    const words = `port ${ref.port} of ${id} speaks TLS, which a sidecar does not begin by itself`;
    return problem('UnsupportedProtocol', words);
  }
  return undefined;
}

/** `group`: of the object that refers. */
export function isGranted(
  { kind, namespace }: { readonly kind: string; readonly namespace: string },
  ref: Pick<BackendRef, 'group' | 'kind' | 'name'>,
  grants: Iterable<Grant>,
  group = gatewayGroup,
): boolean {
  for (const { from, to } of grants) {
    const isFrom = from.some((each) => each.group === group && each.kind === kind && each.namespace === namespace);
    const isTo = to.some(
      (each) =>
        each.group === ref.group && each.kind === ref.kind && (each.name === undefined || each.name === ref.name),
    );
    if (isFrom && isTo) return true;
  }
  return false;
}

export function ruleBackend(backend: RouteBackend, problem: RefProblem | undefined, merging: Merging): RuleBackend {
  const { weight, requestHeaders, responseHeaders } = backend;
  return {
    weight,
    chain: [anywhere],
    ...(problem === undefined ? { service: serviceOf(backend, merging) } : { refused: problem.message }),
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
  };
}
