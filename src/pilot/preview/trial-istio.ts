/**
 * Which rules Istio's objects would come to, and which ExternalServices, if some of them were applied. In: what is in force, and the objects. Out: by
 * service the rules that would be others, the ExternalServices that come of ServiceEntries, and what would be wrong. What is in force is only read.
 */

import type { Finding } from '../../core/errors.ts';
import { istioKinds, serviceEntryKind } from '../../istio/kinds.ts';
import { Notes } from '../../istio/notes.ts';
import type { IstioObject } from '../../istio/parts.ts';
import type { RawObject } from '../../model/object.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { externalId, type IstioRules } from '../standards/istio-rules.ts';
import type { GivenObject, TrialOptions } from './trial-options.ts';

export interface IstioTrial {
  /** undefined: there would be none. */
  readonly rules: ReadonlyMap<ServiceKey, TrafficRule | undefined>;
  readonly findings: readonly Finding[];
  /** By their ids in the source of those that are made of ServiceEntries; undefined: none would be made. */
  readonly externals: ReadonlyMap<string, RawObject | undefined>;
}

export const comparedIstioKinds: readonly string[] = istioKinds.map(({ kind }) => kind);

export const noIstio: IstioTrial = { rules: new Map(), findings: [], externals: new Map() };

export function tryIstio(istio: IstioRules, all: readonly GivenObject[], options: TrialOptions): IstioTrial {
  const given = all.filter(({ kind }) => comparedIstioKinds.includes(kind));
  if (given.length === 0 || !istio.isOn) return noIstio;
  const table = istio.copy();
  const externals = new Map<string, RawObject | undefined>();
  const notes = new Notes();
  const objects = given.map(({ kind, parsed }): IstioObject => {
    const { namespace, name } = parsed;
    const records = istio.objects(kind)?.records() ?? [];
    const before = records.find((record) => record.namespace === namespace && record.name === name);
    // In the place of the object that is there, with its age.
    const key = before?.key ?? `${options.source}#${kind}/${namespace}/${name}`;
    const object = { ...(parsed.value as IstioObject), key, createdAtMs: before?.createdAtMs ?? options.nowMs };
    table.set(key, object);
    return object;
  });
  for (const object of objects)
    for (const entry of object.kind === serviceEntryKind.kind ? [object] : table.entriesFor(object))
      externals.set(externalId(entry.key, entry), table.external(entry, notes));
  table.update();
  const current = istio.rules;
  const others = [...new Set([...current.keys(), ...table.rules.keys()])].filter(
    (key) => current.get(key)?.hash !== table.rules.get(key)?.hash,
  );
  const findings = objects.flatMap((object) => [...notes.of(object), ...table.findings(object)]);
  return { rules: new Map(others.map((key) => [key, table.rules.get(key)] as const)), findings, externals };
}
