/**
 * Routes of the Gateway API at work: the objects that sources put and the services that there are go in; a rule per service, and the verdict on
 * each object, come out.
 *
 * What always holds: rules follow the objects and the catalog within the batch in which these change; a service that no route names costs nothing.
 * Grants count for TrafficRules too, so they do whether the standard is on or not.
 */

import {
  grpcRouteKind,
  httpRouteKind,
  referenceGrantKind,
  tcpRouteKind,
  tlsRouteKind,
} from '../../gateway-api/kinds.ts';
import { isGranted } from '../../gateway-api/references.ts';
import type { GatewayRoute, Grant } from '../../gateway-api/route.ts';
import { backendsOf, parentsOf, RouteTable } from '../../gateway-api/route-table.ts';
import { type TargetSettings, targetOf } from '../../gateway-api/targets.ts';
import type { OtherService, TrafficRule } from '../../model/rule.ts';
import type { CatalogService, ServiceKey } from '../../model/service.ts';
import type { ForeignKind } from '../../rules/objects/kind-types.ts';
import type { ObjectSet } from '../../rules/objects/object-set.ts';
import type { Programming } from '../../rules/status/programming.ts';
import type { Permits } from '../../rules/traffic-rule/cross-namespace.ts';
import { trafficRuleHead } from '../../rules/traffic-rule/head.ts';
import type { KindStage, ObjectStage } from '../status/object-stage.ts';
import { judgeGrant, judgeRoute } from './gateway-verdicts.ts';
import { type StandardStageInputs, standardStage } from './standards.ts';

export interface GatewayInputs {
  /** What clusters have. */
  readonly find: (key: ServiceKey) => CatalogService | undefined;
  readonly settings: TargetSettings;
  readonly stages: StandardStageInputs;
  /** In force per service, and before these; live. */
  readonly trafficRules: Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>;
  readonly progress: (rule: TrafficRule) => Programming;
  /** Proxies in explicit mode are connected. */
  readonly hasExplicit: () => boolean;
  /** `update` is due. */
  readonly changed: () => void;
  /** What this namespace lets others refer to may be other. */
  readonly granted: (namespace: string) => void;
}

/** Whether the grants of a table let TrafficRules of a namespace refer to a Service of another. */
export function permitsIn(table: Pick<RouteTable, 'grants'>, from: string, { namespace, name }: OtherService): boolean {
  const to = { group: '', kind: 'Service', name };
  const { kind } = trafficRuleHead;
  return isGranted({ kind, namespace: from }, to, table.grants(namespace), 'fairway.dev');
}

export class GatewayRoutes {
  readonly #table: RouteTable;
  readonly #inputs: GatewayInputs;
  /** Routes are read. */
  readonly isOn: boolean;
  readonly #routes: ReadonlyMap<string, ObjectSet<GatewayRoute>>;
  readonly #grants: ObjectSet<Grant>;
  readonly stages: readonly ObjectStage[];

  constructor(inputs: GatewayInputs) {
    const { stages } = inputs;
    this.#inputs = inputs;
    this.isOn = stages.standards.includes('gateway-api');
    this.#table = this.#newTable();
    const table = this.#table;
    const grants = standardStage(referenceGrantKind, judgeGrant, stages);
    this.#count(grants.objects, (key, before, after) => {
      table.setGrant(key, before, after);
      for (const grant of [before, after]) if (grant !== undefined) inputs.granted(grant.namespace);
    });
    this.#grants = grants.objects;
    const routes = [httpRouteKind, grpcRouteKind, tlsRouteKind, tcpRouteKind].map((row) => this.#routeStage(row));
    this.#routes = new Map(routes.map(({ head, objects }) => [head.kind, objects]));
    this.stages = [...routes, grants];
  }

  /** By service; live. */
  get rules(): ReadonlyMap<ServiceKey, TrafficRule> {
    return this.#table.rules;
  }

  /** `services`: of the catalog, that changed. Returns those whose rule is another. */
  update(services: ReadonlySet<ServiceKey>): ReadonlySet<ServiceKey> {
    this.#table.servicesChanged(services);
    return this.#table.update();
  }

  /** Services whose routes may fare otherwise than before. */
  takeCompiled(): ReadonlySet<ServiceKey> {
    return this.#table.takeCompiled();
  }

  /** Whether a namespace lets TrafficRules of another refer to a Service of its. */
  readonly permits: Permits = (from, to) => permitsIn(this.#table, from, to);

  /** Of one kind; undefined: it is none of these. */
  objects(kind: string): ObjectSet<GatewayRoute> | ObjectSet<Grant> | undefined {
    return kind === this.#grants.head.kind ? this.#grants : this.#routes.get(kind);
  }

  /** A table of its own with all that is in force, for trials; not compiled yet. */
  copy(): RouteTable {
    const table = this.#newTable();
    for (const { key, lastGood } of this.#grants.records()) table.setGrant(key, undefined, lastGood);
    if (!this.isOn) return table;
    for (const objects of this.#routes.values())
      for (const { key, lastGood } of objects.records()) table.setRoute(key, undefined, lastGood);
    return table;
  }

  #newTable(): RouteTable {
    const { find, settings } = this.#inputs;
    return new RouteTable((key) => {
      const service = find(key);
      return service === undefined ? undefined : targetOf(service, settings);
    }, settings.merging);
  }

  #routeStage(row: ForeignKind<GatewayRoute>): KindStage<GatewayRoute> {
    const table = this.#table;
    const { trafficRules, progress, hasExplicit, stages } = this.#inputs;
    const stage = standardStage(
      row,
      (record) => judgeRoute(record, { table, trafficRules, progress, hasExplicit }),
      stages,
      ({ lastGood }) => (lastGood === undefined ? [] : parentsOf(lastGood).union(backendsOf(lastGood))),
    );
    if (this.isOn) this.#count(stage.objects, (key, before, after) => table.setRoute(key, before, after));
    return stage;
  }

  /** An object counts in its last good form. */
  #count<T>(objects: ObjectSet<T>, set: (key: string, before: T | undefined, after: T | undefined) => void): void {
    const held = new Map<string, T>();
    objects.onChange((key) => {
      const before = held.get(key);
      const after = objects.record(key)?.lastGood;
      if (before === after) return;
      if (after === undefined) held.delete(key);
      else held.set(key, after);
      set(key, before, after);
      this.#inputs.changed();
    });
  }
}
