/**
 * Istio's rules at work: the objects that sources put and the ports that there are go in; a rule per service, ExternalServices, and the verdict on
 * each object, come out.
 *
 * What always holds: rules follow the objects and the catalog within the batch in which these change; a service that no object names costs nothing;
 * nothing is ever written into an object of Istio's.
 */

import { destinationRuleKind, serviceEntryKind, virtualServiceKind } from '../istio/kinds.ts';
import { Notes } from '../istio/notes.ts';
import type { IstioObject } from '../istio/parts.ts';
import { externalObjectOf } from '../istio/service-entry.ts';
import { type FindPorts, IstioTable } from '../istio/table.ts';
import type { ExternalService } from '../model/external.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { ServiceKey } from '../model/service.ts';
import { ruleObjectId } from '../registry/rule-sink.ts';
import { externalHead } from '../rules/external/head.ts';
import type { ObjectRecord, ObjectSet } from '../rules/object-set.ts';
import type { Programming } from '../rules/programming.ts';
import { type EntryVerdict, judgeEntry, judgeIstioRule } from './istio-verdicts.ts';
import type { KindStage, ObjectStage } from './object-stage.ts';
import { type StandardStageInputs, standardStage } from './standards.ts';

export interface IstioInputs {
  readonly ports: FindPorts;
  readonly clusterDomain: string;
  readonly stages: StandardStageInputs;
  /** In force per service, and before these; live. */
  readonly before: readonly Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>[];
  readonly progress: (rule: TrafficRule) => Programming;
  /** Where ExternalServices are kept, and what is said of one. */
  readonly externals: Pick<ObjectSet<ExternalService>, 'source' | 'record'>;
  readonly judgeExternal: (record: ObjectRecord<ExternalService>) => EntryVerdict;
  /** `update` is due. */
  readonly changed: () => void;
}

const source = 'istio';

export class IstioRules {
  readonly stages: readonly ObjectStage[];
  readonly #table: IstioTable;
  readonly #inputs: IstioInputs;
  readonly #isOn: boolean;

  constructor(inputs: IstioInputs) {
    const { ports, clusterDomain, stages, before, progress } = inputs;
    this.#inputs = inputs;
    this.#isOn = stages.standards.includes('istio');
    this.#table = new IstioTable(clusterDomain, ports);
    const verdicts = { table: this.#table, before, progress };
    const rules = [virtualServiceKind, destinationRuleKind].map((row) => {
      const stage = standardStage(row, (record) => judgeIstioRule(record, verdicts), stages);
      this.#follow(stage, () => {});
      return stage;
    });
    const entries = standardStage(
      serviceEntryKind,
      (record) =>
        judgeEntry(record, { table: this.#table, external: (id) => this.#externalVerdict(id), clusterDomain }),
      stages,
    );
    const sink = inputs.externals.source(source);
    this.#follow(entries, (key, before, after) => {
      if (before !== undefined) sink.remove(externalId(key, before));
      const raw = after === undefined ? undefined : externalObjectOf(after, clusterDomain, new Notes());
      if (after !== undefined && raw !== undefined) sink.put(raw, externalId(key, after));
    });
    this.stages = [...rules, entries];
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

  #externalVerdict({ key, object }: { readonly key: string; readonly object: IstioObject }): EntryVerdict | undefined {
    const record = this.#inputs.externals.record(`${source}#${externalId(key, object)}`);
    return record === undefined ? undefined : this.#inputs.judgeExternal(record);
  }

  /** An object counts in its last good form. */
  #follow(
    { objects }: KindStage<IstioObject>,
    told: (key: string, before: IstioObject | undefined, after: IstioObject | undefined) => void,
  ): void {
    if (!this.#isOn) return;
    const held = new Map<string, IstioObject>();
    objects.onChange((key) => {
      const before = held.get(key);
      const after = objects.record(key)?.lastGood;
      if (before === after) return;
      if (after === undefined) held.delete(key);
      else held.set(key, after);
      this.#table.set(key, after);
      told(key, before, after);
      this.#inputs.changed();
    });
  }
}

/** One for each copy of the object. */
function externalId(key: string, { namespace, name }: IstioObject): string {
  return `${ruleObjectId(externalHead.kind, namespace, name)}@${key}`;
}
