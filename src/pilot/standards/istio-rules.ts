/**
 * Istio's rules at work: the objects that sources put and the ports that there are go in; a rule per service, ExternalServices, and the verdict on
 * each object, come out.
 *
 * What always holds: rules follow the objects and the catalog within the batch in which these change; a service that no object names costs nothing;
 * nothing is ever written into an object of Istio's.
 */

import { destinationRuleKind, serviceEntryKind, virtualServiceKind } from '../../istio/kinds.ts';
import { Notes } from '../../istio/notes.ts';
import type { IstioObject } from '../../istio/parts.ts';
import { type FindPorts, IstioTable } from '../../istio/table.ts';
import type { ExternalService } from '../../model/external.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { ruleObjectId } from '../../registry/rule-sink.ts';
import { externalHead } from '../../rules/external/head.ts';
import type { ObjectRecord, ObjectSet } from '../../rules/objects/object-set.ts';
import type { Programming } from '../../rules/status/programming.ts';
import type { KindStage, LinksOf, ObjectStage } from '../status/object-stage.ts';
import { type EntryVerdict, judgeEntry, judgeIstioRule } from './istio-verdicts.ts';
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

/** Where ExternalServices go that are made of ServiceEntries. */
export const entrySource = 'istio';

export class IstioRules {
  readonly stages: readonly ObjectStage[];
  /** The standard is among those that are read. */
  readonly isOn: boolean;
  readonly #table: IstioTable;
  readonly #inputs: IstioInputs;
  readonly #objects: ReadonlyMap<string, ObjectSet<IstioObject>>;

  constructor(inputs: IstioInputs) {
    const { ports, clusterDomain, stages, before, progress } = inputs;
    this.#inputs = inputs;
    this.isOn = stages.standards.includes('istio');
    this.#table = new IstioTable(clusterDomain, ports);
    const sink = inputs.externals.source(entrySource);
    const putExternal = (key: string, entry: IstioObject): void => {
      const raw = this.#table.external(entry, new Notes());
      if (raw !== undefined) sink.put(raw, externalId(key, entry));
    };
    const verdicts = { table: this.#table, before, progress };
    const links: LinksOf<IstioObject> = ({ key, lastGood }) =>
      lastGood === undefined ? [] : [externalKeyOf(key, lastGood), ...this.#table.names({ ...lastGood, key })];
    const rules = [virtualServiceKind, destinationRuleKind].map((row) => {
      const stage = standardStage(row, (record) => judgeIstioRule(record, verdicts), stages, links);
      // What they say of TLS to hosts outside is said in the ExternalServices that are made of these.
      this.#follow(stage, (_key, before, after) => {
        const touched = [before, after].flatMap((object) =>
          object === undefined ? [] : this.#table.entriesFor(object),
        );
        for (const entry of new Set(touched)) putExternal(entry.key, entry);
      });
      return stage;
    });
    const entries = standardStage(
      serviceEntryKind,
      (record) => judgeEntry(record, { table: this.#table, external: (id) => this.#externalVerdict(id) }),
      stages,
      links,
    );
    this.#follow(entries, (key, before, after) => {
      if (before !== undefined) sink.remove(externalId(key, before));
      if (after !== undefined) putExternal(key, after);
    });
    this.stages = [...rules, entries];
    this.#objects = new Map([...rules, entries].map(({ head, objects }) => [head.kind, objects]));
  }

  /** Of one kind; undefined: it is none of these. */
  objects(kind: string): ObjectSet<IstioObject> | undefined {
    return this.#objects.get(kind);
  }

  /** A table of its own with all that is in force, for trials; not translated yet. */
  copy(): IstioTable {
    const table = new IstioTable(this.#inputs.clusterDomain, this.#inputs.ports);
    for (const objects of this.#objects.values())
      for (const { key, lastGood } of objects.records()) table.set(key, lastGood);
    return table;
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

  /** Names of what may fare otherwise than before. */
  takeMoved(): ReadonlySet<string> {
    return this.#table.takeMoved();
  }

  #externalVerdict({ key, object }: { readonly key: string; readonly object: IstioObject }): EntryVerdict | undefined {
    const record = this.#inputs.externals.record(externalKeyOf(key, object));
    return record === undefined ? undefined : this.#inputs.judgeExternal(record);
  }

  /** An object counts in its last good form. */
  #follow(
    { objects }: KindStage<IstioObject>,
    told: (key: string, before: IstioObject | undefined, after: IstioObject | undefined) => void,
  ): void {
    if (!this.isOn) return;
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

/** Of the record of the ExternalService that is made of a ServiceEntry. */
function externalKeyOf(key: string, entry: IstioObject): string {
  return `${entrySource}#${externalId(key, entry)}`;
}

/** One for each copy of the object. `key`: of the ServiceEntry's record. */
export function externalId(key: string, { namespace, name }: IstioObject): string {
  return `${ruleObjectId(externalHead.kind, namespace, name)}@${key}`;
}
