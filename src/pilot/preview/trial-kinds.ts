/**
 * What services would be, and which rules of members would hold, if ExternalServices, Drains, ClusterPolicies and objects of the Gateway API or of Istio were applied. In: the sets as they
 * are, and the objects. Out: what would become of each object, the services that would be others, and the members' rules as they would hold.
 *
 * What always holds: the sets are only read. The judgement is that of sets of their own, which hold all objects of the kind and are given the new
 * ones; so age, duplicates and last good forms count as they do in the pilot. Drains are looked at as they end, all of them, before and after: so
 * that one that goes on by itself is no difference.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { externalLossFinding } from '../../mesh/external-findings.ts';
import type { MemberRuleTable } from '../../mesh/member-meshes.ts';
import type { ClusterPolicy } from '../../model/cluster-policy.ts';
import type { Drain } from '../../model/drain.ts';
import type { ExternalService } from '../../model/external.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import { ruleObjectId } from '../../registry/rule-sink.ts';
import { Grants } from '../../rules/cluster-policy/grants.ts';
import type { ObjectRecord, ObjectSet } from '../../rules/objects/object-set.ts';
import { Drains } from '../drains.ts';
import { Externals } from '../externals.ts';
import type { MemberRules } from '../members/member-rules.ts';
import { policiesThatCount, policyObjects } from '../members/policies.ts';
import type { PermittedRules } from '../rules/permitted-rules.ts';
import type { GatewayRoutes } from '../standards/gateway-routes.ts';
import { entrySource, type IstioRules } from '../standards/istio-rules.ts';
import { comparedIstioKinds, type IstioTrial, noIstio, tryIstio } from './trial-istio.ts';
import { type GivenObject, type TrialOptions, withAge } from './trial-options.ts';
import { comparedRouteKinds, type RouteTrial, tryRoutes } from './trial-routes.ts';

/** All that other kinds' objects are kept in. */
export interface OtherSets {
  readonly externals: ObjectSet<ExternalService>;
  readonly drains: ObjectSet<Drain>;
  readonly policies: ObjectSet<ClusterPolicy>;
  readonly memberRules: MemberRules;
  readonly gateway: GatewayRoutes;
  readonly istio: IstioRules;
  readonly permitted: PermittedRules;
  readonly clusterDomain: string;
  /** Of clusters. */
  readonly catalog: ReadonlyMap<ServiceKey, CatalogService>;
  /** The exported parts of services, where these alone merge. */
  readonly exported: ReadonlyMap<ServiceKey, CatalogService>;
}

/** A service as it is and as it would be; left out: it is not there. */
export interface ServiceChange {
  readonly before?: CatalogService;
  readonly after?: CatalogService;
}

export interface OtherTrial {
  readonly services: ReadonlyMap<ServiceKey, ServiceChange>;
  /** `primary`: the rule of the primary that would be in force for a service. undefined: no policy decides members otherwise. */
  readonly members?: (primary: (key: ServiceKey) => TrafficRule | undefined) => MemberRuleTable;
  /** Of the Gateway API: the rules that routes would come to, where they would be others. */
  readonly routes: RouteTrial['rules'];
  /** The same of Istio's objects. */
  readonly istio: IstioTrial['rules'];
  /** As in `RouteTrial`. */
  readonly grants?: RouteTrial['grants'];
  readonly findings: readonly Finding[];
}

export const noOthers: OtherTrial = { services: new Map(), routes: new Map(), istio: noIstio.rules, findings: [] };

const comparedKinds: ReadonlySet<string> = new Set([
  ...['ExternalService', 'Drain', 'ClusterPolicy'],
  ...comparedRouteKinds,
]);

/** Istio's, where the standard is on. */
export function isCompared({ istio }: OtherSets, kind: string): boolean {
  return comparedKinds.has(kind) || (istio.isOn && comparedIstioKinds.includes(kind));
}

/** The records of an object with this kind, namespace and name. */
export function recordsNamed(sets: OtherSets, { kind, parsed }: GivenObject): readonly ObjectRecord<unknown>[] {
  const own = { ExternalService: sets.externals, Drain: sets.drains, ClusterPolicy: sets.policies }[kind];
  const set = own ?? sets.gateway.objects(kind) ?? sets.istio.objects(kind);
  return (set?.records() ?? []).filter(({ namespace, name }) => namespace === parsed.namespace && name === parsed.name);
}

export function tryOthers(sets: OtherSets, given: readonly GivenObject[], options: TrialOptions): OtherTrial {
  const of = (kind: string): readonly GivenObject[] => given.filter((each) => each.kind === kind);
  const services = new Map<ServiceKey, ServiceChange>();
  const { rules: routes, findings: ofRoutes, grants: references } = tryRoutes(sets.gateway, given, options);
  const istio = tryIstio(sets.istio, given, options);
  const ofExternals = tryExternals(sets, of('ExternalService'), istio.externals, options, services);
  const findings = [...ofRoutes, ...istio.findings, ...ofExternals];
  tryDrains(sets, of('Drain'), options, services);
  const policies = of('ClusterPolicy');
  const known = {
    services,
    routes,
    istio: istio.rules,
    findings,
    ...(references === undefined ? {} : { grants: references }),
  };
  if (policies.length === 0) return known;
  const trial = policyObjects(silentLogger);
  fill(trial, sets.policies, policies, options);
  const grants = new Grants(policiesThatCount(trial));
  return { ...known, members: (primary) => sets.memberRules.tableWith(grants, primary, references?.permits) };
}

function tryExternals(
  sets: OtherSets,
  given: readonly GivenObject[],
  entries: IstioTrial['externals'],
  options: TrialOptions,
  services: Map<ServiceKey, ServiceChange>,
): readonly Finding[] {
  if (given.length + entries.size === 0) return [];
  const settle = (more: readonly GivenObject[], made: IstioTrial['externals']) => {
    const all = new Externals({ logger: silentLogger, clusterDomain: sets.clusterDomain });
    const keys = fill(all.objects, sets.externals, more, options);
    const sink = all.objects.source(entrySource);
    for (const [id, raw] of made) {
      if (raw === undefined) sink.remove(id);
      else sink.put(raw, id);
    }
    all.update(sets.catalog, new Set(), 1);
    return { all, keys: [...keys, ...[...made.keys()].map((id) => `${entrySource}#${id}`)] };
  };
  const before = settle([], noIstio.externals).all.services;
  const { all, keys } = settle(given, entries);
  for (const key of new Set([...before.keys(), ...all.services.keys()])) {
    const [was, is] = [before.get(key), all.services.get(key)];
    if (!isDeepStrictEqual(was, is)) services.set(key, change(was, is));
  }
  return keys.flatMap((key) => {
    const record = all.objects.record(key);
    const loss = record === undefined ? undefined : all.loss(record);
    return record === undefined || loss === undefined ? [] : [externalLossFinding(record, loss)];
  });
}

/** Later than any drain takes: 168 h, and a start that somebody set. */
const inTheEndMs = 10 * 365 * 24 * 3_600_000;

function tryDrains(
  sets: OtherSets,
  given: readonly GivenObject[],
  options: TrialOptions,
  services: Map<ServiceKey, ServiceChange>,
): void {
  if (given.length === 0) return;
  const nowMs = options.nowMs + inTheEndMs;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, after: () => ({ cancel() {} }) };
  const settle = (more: readonly GivenObject[]): Drains => {
    const all = new Drains({ logger: silentLogger, clock, due() {} });
    fill(all.objects, sets.drains, more, options);
    all.update(sets.catalog, new Set(), 1);
    return all;
  };
  const [before, after] = [settle([]), settle(given)];
  for (const service of [...sets.catalog.values(), ...sets.exported.values()]) {
    const [was, is] = [before.applied(service), after.applied(service)];
    if (was.drain?.id !== is.drain?.id) services.set(service.key, change(was, is));
  }
}

function change(before: CatalogService | undefined, after: CatalogService | undefined): ServiceChange {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Puts all of a set into another, then the objects, each in the place of the one that is there. Returns the keys of their records. */
function fill<T>(
  target: ObjectSet<T>,
  live: ObjectSet<T>,
  given: readonly GivenObject[],
  options: TrialOptions,
): readonly string[] {
  const records = live.records();
  for (const { key, source, raw, lastGoodRaw } of records) {
    const id = key.slice(source.length + 1);
    if (lastGoodRaw !== undefined && lastGoodRaw !== raw) target.source(source).put(lastGoodRaw, id);
    target.source(source).put(raw, id);
  }
  return given.map(({ raw, kind, parsed: { namespace, name } }) => {
    const before = records.find(
      (record) => record.namespace === namespace && record.name === name && record.source !== entrySource,
    );
    const source = before?.source ?? options.source;
    const id = before === undefined ? ruleObjectId(kind, namespace, name) : before.key.slice(source.length + 1);
    const createdAtMs = before === undefined ? options.nowMs : before.createdAtMs;
    const aged = { ...raw, object: withAge(raw.object, namespace, createdAtMs), where: raw.where.bind(raw) };
    target.source(source).put(aged, id);
    return `${source}#${id}`;
  });
}
