/**
 * The TrafficRule that Istio's objects come to for one service. In: the service and all objects. Out: the rule as an object that could be applied,
 * and parsed; undefined where nothing is said of the service. What has no equal is noted.
 *
 * What always holds: the outcome depends on the objects alone; a VirtualService that cannot be said wholly gives no routes at all, for the rest
 * would send requests elsewhere; a policy that cannot be said costs no routes.
 */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import type { TrafficRule } from '../model/rule.ts';
import { parseTrafficRule } from '../rules/traffic-rule/parse.ts';
import type { RawSpec } from '../rules/traffic-rule/schema/spec.ts';
import { translatedConnectionRoutes } from './connection-routes.ts';
import { httpRoutesOf } from './delegates.ts';
import type { DestinationContext } from './destinations.ts';
import { keyOf, type ServiceName } from './hosts.ts';
import { type TranslatedRoute, translatedHttpRoutes } from './http-routes.ts';
import type { Notes } from './notes.ts';
import type { IstioObjects } from './objects.ts';
import { child, type IstioObject, itemsOf, type Part, specOf } from './parts.ts';
import type { PolicySpec } from './policy.ts';
import { policyFor } from './policy-choice.ts';
import { namedRoutes } from './route-names.ts';
import { subsetsOf } from './subsets.ts';
import { audienceRoutes, type Claim, claimsOf } from './visibility.ts';

export interface TranslationContext {
  readonly clusterDomain: string;
  /** A service's ports, where they are known. */
  readonly ports: (service: ServiceName) => readonly number[] | undefined;
}

export interface TranslatedRule {
  readonly service: ServiceName;
  /** Those that it comes from; the first gives it its name and age. */
  readonly sources: readonly IstioObject[];
  readonly spec: RawSpec;
  /** What is made of it; its name is that of the first source. */
  readonly rule: TrafficRule;
}

export function translateService(
  service: ServiceName,
  objects: IstioObjects,
  context: TranslationContext,
  notes: Notes,
): TranslatedRule | undefined {
  const routes = routesFor(service, objects, context, notes);
  const policies = objects.policies(service);
  const policy = policyFor(service, policies, objects.outsideHosts(service).length > 0, notes);
  // What is wrong with subsets is told also where no route names them.
  subsetsOf(service, policies, notes);
  if (routes.routes.length === 0 && policy === undefined) return undefined;
  const both = judged(service, routes, policy, notes);
  if (both !== undefined || policy === undefined || routes.routes.length === 0) return both;
  // What is wrong is in one of the two, and has been noted: the other may stand.
  return judged(service, routes, undefined, notes) ?? judged(service, noRoutes, policy, notes);
}

/** A TrafficRule takes 32 routes: far more need not be translated first. */
const maxRoutes = 256;

interface Routes {
  readonly routes: readonly TranslatedRoute[];
  readonly sources: readonly IstioObject[];
}

const noRoutes: Routes = { routes: [], sources: [] };

interface Policy {
  readonly source: IstioObject;
  readonly at: Part;
  readonly spec: PolicySpec;
}

function judged(
  service: ServiceName,
  { routes, sources }: Routes,
  policy: Policy | undefined,
  notes: Notes,
): TranslatedRule | undefined {
  const all = [...sources, ...(policy === undefined ? [] : [policy.source])];
  const [first] = all;
  if (first === undefined) return undefined;
  const spec: RawSpec = {
    service: service.name,
    ...(routes.length === 0 ? {} : { routes: namedRoutes(routes) }),
    ...policy?.spec,
  };
  const partAt = (path: readonly (string | number)[]): Part => {
    const route = path[1] === 'routes' && typeof path[2] === 'number' ? routes[path[2]] : undefined;
    return route?.at ?? (path[1] === 'routes' ? routes[0]?.at : policy?.at) ?? specOf(first);
  };
  const raw: RawObject = {
    object: ruleObject(service, first.name, spec, first),
    origin: [...new Set(all.map(({ origin }) => origin))].join(', '),
    where: (path) => {
      const part = partAt(path);
      return {
        ...part.object.where(part.path),
        object: `${part.object.kind} ${part.object.namespace}/${part.object.name}`,
      };
    },
  };
  const { rule, findings } = parseTrafficRule(raw, { defaultNamespace: service.namespace });
  if (rule !== undefined) return { service, sources: all, spec, rule };
  for (const finding of findings) if (finding.severity === 'error') sayRefused(finding, partAt, notes);
  return undefined;
}

/** What the parser of rules says, at the part that it comes from. */
function sayRefused(finding: Finding, partAt: (path: readonly (string | number)[]) => Part, notes: Notes): void {
  const [, index] = /^spec\.routes\[(\d+)\]/.exec(finding.where.field ?? '') ?? [];
  const isRoutes = finding.where.field?.startsWith('spec.routes') ?? false;
  const part = partAt(
    index === undefined ? ['spec', isRoutes ? 'routes' : 'policy'] : ['spec', 'routes', Number(index)],
  );
  const field = finding.where.field === undefined ? '' : ` (${finding.where.field} of the rule)`;
  notes.error('FW-ISTIO-017', part, `cannot be said in a TrafficRule: ${finding.message}${field}`, finding.hint);
}

/** As it could be applied. */
export function ruleObject(
  service: ServiceName,
  name: string,
  spec: RawSpec,
  { createdAtMs, generation }: IstioObject,
): unknown {
  return {
    apiVersion: 'fairway.dev/v1alpha1',
    kind: 'TrafficRule',
    metadata: {
      name,
      namespace: service.namespace,
      generation,
      ...(createdAtMs === 0 ? {} : { creationTimestamp: new Date(createdAtMs).toISOString() }),
    },
    spec,
  };
}

function routesFor(service: ServiceName, objects: IstioObjects, context: TranslationContext, notes: Notes): Routes {
  const claims = claimsOf(service, objects.claims(service), context.clusterDomain, notes);
  const subsets = new Map<string, ReturnType<typeof subsetsOf>>();
  const destinations: DestinationContext = {
    own: service,
    ownHosts: objects.outsideHosts(service),
    clusterDomain: context.clusterDomain,
    ports: context.ports,
    notes,
    subset(target, name) {
      const key = keyOf(target);
      const known = subsets.get(key) ?? subsetsOf(target, objects.policies(target), notes);
      subsets.set(key, known);
      return known.get(name) ?? 'missing';
    },
  };
  const found = claims.map((claim) => ({ claim, routes: routesOf(claim, objects, destinations) }));
  const sound = found.flatMap(({ claim, routes }) => (routes === undefined ? [] : [{ claim, routes }]));
  return { routes: audienceRoutes(sound), sources: sound.map(({ claim }) => claim.object) };
}

/** Undefined where one of them cannot be said. */
function routesOf(
  { object }: Claim,
  objects: IstioObjects,
  destinations: DestinationContext,
): readonly TranslatedRoute[] | undefined {
  const { notes } = destinations;
  const before = notes.errors;
  const spec = specOf(object);
  const http = httpRoutesOf(object, (namespace, name) => objects.virtualService(namespace, name), notes);
  if (http.length > maxRoutes) {
    const message = `its ${http.length} routes are more than a TrafficRule takes`;
    notes.error(
      'FW-ISTIO-017',
      child(spec, 'http') ?? spec,
      message,
      'Use fewer: a prefix or an expression can stand for many',
    );
    return undefined;
  }
  const routes = [
    ...http.flatMap((parts) => translatedHttpRoutes(parts, destinations)),
    ...itemsOf(child(spec, 'tls')).flatMap((part) => translatedConnectionRoutes(part, 'tls', destinations)),
    ...itemsOf(child(spec, 'tcp')).flatMap((part) => translatedConnectionRoutes(part, 'tcp', destinations)),
  ];
  return notes.errors > before ? undefined : routes;
}
