/**
 * What a route refers to: parents and backends, with their defaults, and the checks of them that a schema cannot say (in the CRDs: CEL).
 */

import { type Findings, formatPath, type Path } from '../rules/objects/findings.ts';
import type { Sound } from '../rules/objects/structure.ts';
import type { GatewayCode } from './codes.ts';
import { type BackendRef, type Grant, gatewayGroup, importGroup, type ParentRef } from './route.ts';
import type { RawGrant } from './schema-grants.ts';
import type { RawParentRef } from './schema-routes.ts';

export type RouteFindings = Findings<GatewayCode>;

interface RawReference {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
}

export function checkParents(parents: Sound<readonly RawParentRef[]> | undefined, findings: RouteFindings): void {
  if (parents === undefined || parents.length === 0) {
    const hint = 'Add a parent, for instance {group: "", kind: Service, name: reviews}';
    findings.warn('FW-GWAPI-021', ['spec'], 'the route names no parent, so it is for nothing', hint);
    return;
  }
  const seen = new Map<string, number>();
  for (const [i, parent] of parents.entries()) {
    if (parent === undefined) continue;
    const { group = gatewayGroup, kind = 'Gateway', namespace = '', name, sectionName = '', port = 0 } = parent;
    if (name !== undefined) warnOfGroup(groupOf(group), kind, ['spec', 'parentRefs', i], findings);
    const id = JSON.stringify([group, kind, namespace, name, sectionName, port]);
    const first = seen.get(id);
    if (first === undefined) seen.set(id, i);
    else {
      const path = ['spec', 'parentRefs', i];
      const message = `${formatPath(path)} is the same as spec.parentRefs[${first}]`;
      findings.error('FW-GWAPI-002', path, message, 'Remove it, or name another port or sectionName');
    }
  }
}

/** Kubernetes' documentation calls the group "" so, Linkerd's tells people to write it, and no group of that name can be. */
function groupOf(written: string): string {
  return written === 'core' ? '' : written;
}

/** The group that is left out is that of Gateways: whoever forgets it means a Service, and gets nothing. */
function warnOfGroup(group: string, kind: string, path: Path, findings: RouteFindings): void {
  const wanted = new Map([
    ['Service', ''],
    ['ServiceImport', importGroup],
  ]).get(kind);
  if (wanted === undefined || wanted === group || !mistakenGroups.has(group)) return;
  const message = `${formatPath(path)} is a ${kind} of the group ${JSON.stringify(group)}, which has none, so the route is not for it`;
  findings.warn('FW-GWAPI-021', path, message, `Write group: ${JSON.stringify(wanted)}`);
}

const mistakenGroups: ReadonlySet<string> = new Set(['', gatewayGroup, 'v1']);

export function buildGrant({ from, to }: RawGrant): Pick<Grant, 'from' | 'to'> {
  return { from, to: to.map((each) => ({ ...each, group: groupOf(each.group) })) };
}

export function buildParents(parents: readonly RawParentRef[] | undefined, ownNamespace: string): readonly ParentRef[] {
  return (parents ?? []).map((given) => ({
    given,
    group: groupOf(given.group ?? gatewayGroup),
    kind: given.kind ?? 'Gateway',
    namespace: given.namespace ?? ownNamespace,
    name: given.name,
    ...(given.port === undefined ? {} : { port: given.port }),
    ...(given.sectionName === undefined ? {} : { sectionName: given.sectionName }),
  }));
}

/** `hostnames` of routes that are for the mesh. */
export function warnOfHostnames(
  hostnames: readonly unknown[] | undefined,
  parents: readonly ParentRef[],
  findings: RouteFindings,
): void {
  if (hostnames === undefined || hostnames.length === 0 || !parents.some(({ kind }) => kind !== 'Gateway')) return;
  const message =
    'a route that is for a Service takes its requests whatever host they name; hostnames is not looked at';
  findings.warn('FW-GWAPI-020', ['spec', 'hostnames'], message, 'Remove hostnames, or match the header Host');
}

export function checkBackend(backend: RawReference | undefined, path: Path, findings: RouteFindings): void {
  if (backend === undefined || backend.port !== undefined) return;
  if ((backend.group ?? '') !== '' || (backend.kind ?? 'Service') !== 'Service') return;
  const message = `${formatPath(path)} names a Service without a port`;
  findings.error('FW-GWAPI-013', [...path, 'port'], message, 'Add port', path);
}

export function buildBackend(
  { group = '', kind = 'Service', namespace, name = '', port }: RawReference,
  ownNamespace: string,
  path: Path,
): BackendRef {
  return {
    group: groupOf(group),
    kind,
    namespace: namespace ?? ownNamespace,
    name,
    ...(port === undefined ? {} : { port }),
    path,
  };
}

/** Names that lists with keys, and sets, have once. */
export function checkDistinct(
  names: readonly (string | undefined)[] | undefined,
  path: Path,
  findings: RouteFindings,
): void {
  const seen = new Set<string>();
  for (const [i, name] of (names ?? []).entries()) {
    if (name === undefined) continue;
    if (seen.has(name))
      findings.error('FW-GWAPI-010', [...path, i], `${name} stands there twice`, 'Remove one of them');
    seen.add(name);
  }
}
