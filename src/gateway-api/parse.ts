/**
 * Objects of the Gateway API as somebody wrote them, made into routes and grants. What their CRDs would refuse is refused here too, so that files
 * and objects from an API server mean the same; what is not supported is kept, with the reason, for the status to tell.
 */

import { isIP } from 'node:net';
import type { Path } from '../rules/objects/findings.ts';
import { type ForeignObject, foreignParser } from '../rules/objects/foreign-object.ts';
import type { KindHead } from '../rules/objects/kind-types.ts';
import type { Schema } from '../rules/objects/schema-types.ts';
import { checkShape, type Sound, schemaCheck } from '../rules/objects/structure.ts';
import { noHeaderChange } from './build-filters.ts';
import type { GatewayCode } from './codes.ts';
import { buildGrpcRule, checkGrpcRoute } from './parse-grpc.ts';
import { buildHttpRule, checkHttpRoute } from './parse-http.ts';
import { regexBudget } from './parse-matches.ts';
import {
  buildBackend,
  buildGrant,
  buildParents,
  checkBackend,
  checkParents,
  type RouteFindings,
  warnOfHostnames,
} from './parse-references.ts';
import type { GatewayRoute, Grant, RouteKind, RouteRule } from './route.ts';
import { grantSpec, type RawGrant } from './schema-grants.ts';
import {
  grpcRouteSpec,
  httpRouteSpec,
  type RawGrpcRoute,
  type RawHttpRoute,
  type RawParentRef,
  type RawTcpRoute,
  type RawTlsRoute,
  tcpRouteAlphaSpec,
  tcpRouteSpec,
  tlsRouteAlphaSpec,
  tlsRouteSpec,
} from './schema-routes.ts';

interface RawRoute {
  readonly parentRefs?: readonly RawParentRef[];
}

interface RouteParts<Raw extends RawRoute> {
  readonly kind: RouteKind;
  readonly schema: Schema;
  /** Of v1alpha2, where that takes more. */
  readonly alpha?: Schema;
  check(spec: Sound<Raw>, findings: RouteFindings): void;
  rules(spec: Raw, namespace: string, findings: RouteFindings): readonly RouteRule[];
  readonly hostnames?: (spec: Raw) => readonly string[];
}

function routeParser<Raw extends RawRoute>(head: KindHead, parts: RouteParts<Raw>) {
  const newest = schemaCheck(parts.schema);
  const alpha = parts.alpha === undefined ? newest : schemaCheck(parts.alpha);
  return foreignParser<GatewayRoute, GatewayCode>(head, (object, findings) => {
    const structure = object.apiVersion.endsWith('/v1alpha2') ? alpha : newest;
    const given = withoutNulls(object.spec);
    const parents = checkShape<Raw>(given, findings, structure()) as Sound<RawRoute>;
    checkParents(parents.parentRefs, findings);
    parts.check(parents as Sound<Raw>, findings);
    const isSound = !findings.hasErrors;
    const spec = given as Raw;
    return {
      kind: parts.kind,
      ...named(object),
      createdAtMs: object.createdAtMs,
      parents: isSound ? buildParents(spec.parentRefs, object.namespace) : [],
      hostnames: isSound ? (parts.hostnames?.(spec) ?? []) : [],
      rules: isSound ? parts.rules(spec, object.namespace, findings) : [],
    };
  });
}

/** An API server takes a field with nothing behind it for one that is left out. In a list nothing is wrong there too. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(fields.map(([key, field]) => [key, withoutNulls(field)]));
}

function named({ namespace, name, hash, origin }: ForeignObject) {
  return { namespace, name, hash, origin };
}

export function httpRouteParser(head: KindHead) {
  return routeParser<RawHttpRoute>(head, {
    kind: 'HTTPRoute',
    schema: httpRouteSpec,
    check: checkHttpRoute,
    rules(spec, namespace, findings) {
      warnOfHostnames(spec.hostnames, buildParents(spec.parentRefs, namespace), findings);
      const shared = { findings, budget: regexBudget() };
      // Without rules there is one, which matches everything and leads nowhere.
      return (spec.rules ?? [{}]).map((rule, i, all) =>
        buildHttpRule(rule, nameOf(all, i), ['spec', 'rules', i], namespace, shared),
      );
    },
  });
}

export function grpcRouteParser(head: KindHead) {
  return routeParser<RawGrpcRoute>(head, {
    kind: 'GRPCRoute',
    schema: grpcRouteSpec,
    check: checkGrpcRoute,
    rules(spec, namespace, findings) {
      warnOfHostnames(spec.hostnames, buildParents(spec.parentRefs, namespace), findings);
      const shared = { findings, budget: regexBudget() };
      return (spec.rules ?? []).map((rule, i, all) =>
        buildGrpcRule(rule, nameOf(all, i), ['spec', 'rules', i], namespace, shared),
      );
    },
  });
}

export function tcpRouteParser(head: KindHead) {
  return routeParser<RawTcpRoute>(head, {
    kind: 'TCPRoute',
    schema: tcpRouteSpec,
    alpha: tcpRouteAlphaSpec,
    check: checkConnections,
    rules: connectionRules,
  });
}

export function tlsRouteParser(head: KindHead) {
  return routeParser<RawTlsRoute>(head, {
    kind: 'TLSRoute',
    schema: tlsRouteSpec,
    alpha: tlsRouteAlphaSpec,
    check(spec, findings) {
      checkConnections(spec, findings);
      for (const [i, name] of (spec.hostnames ?? []).entries()) {
        if (name === undefined || isIP(name) === 0) continue;
        findings.error(
          'FW-GWAPI-012',
          ['spec', 'hostnames', i],
          `${name} is an IP address`,
          'Give a name: clients ask for names in TLS',
        );
      }
    },
    rules: connectionRules,
    hostnames: ({ hostnames }) => [...new Set(hostnames)],
  });
}

function checkConnections({ rules }: Sound<Pick<RawTcpRoute, 'rules'>>, findings: RouteFindings): void {
  for (const [i, rule] of (rules ?? []).entries()) {
    for (const [j, backend] of (rule?.backendRefs ?? []).entries())
      checkBackend(backend, ['spec', 'rules', i, 'backendRefs', j], findings);
  }
}

function connectionRules(
  { rules }: Pick<RawTlsRoute, 'rules'>,
  namespace: string,
  findings: RouteFindings,
): readonly RouteRule[] {
  if (rules.length > 1) {
    const message = 'nothing in a connection tells the rules of a route apart, so the first takes all of them';
    findings.warn('FW-GWAPI-029', ['spec', 'rules', 1], message, 'Make a route of each rule');
  }
  return rules.slice(0, 1).map(
    (rule, i, all): RouteRule => ({
      name: nameOf(all, i),
      matches: [],
      backends: rule.backendRefs.map((backend, j) => ({
        ...buildBackend(backend, namespace, ['spec', 'rules', i, 'backendRefs', j]),
        weight: backend.weight ?? 1,
      })),
      mirrors: [],
      actions: { requestHeaders: noHeaderChange, responseHeaders: noHeaderChange },
      unsupported: [],
    }),
  );
}

/** Its own, if no rule before it has it; else its index, which no name of another can be, for two never share it. */
function nameOf(rules: readonly { readonly name?: string }[], index: number): string {
  const name = rules[index]?.name;
  const isTaken = rules.some((rule, i) => i !== index && (rule.name === name || name === String(i)));
  return name === undefined || isTaken ? String(index) : name;
}

const grantPath: Path = ['spec'];

export function grantParser(head: KindHead) {
  const structure = schemaCheck(grantSpec);
  return foreignParser<Grant, GatewayCode>(head, (object, findings) => {
    const spec = withoutNulls(object.spec);
    checkShape<RawGrant>(spec, findings, structure());
    if (findings.hasErrors) return { ...named(object), from: [], to: [] };
    const { from, to } = buildGrant(spec as RawGrant);
    const isSelf = from.every(({ namespace }) => namespace === object.namespace);
    if (isSelf) {
      const message = 'the grant is for its own namespace, from which everything may be referred to without one';
      findings.warn('FW-GWAPI-021', grantPath, message, 'Remove it, or name another namespace');
    }
    return { ...named(object), from, to };
  });
}
