/**
 * Which rules would be in force, and what services would be, if some objects were applied. In: the rule set as it is, and the objects. Out: by service the rule in force now
 * and then, what would become of each object, and what is wrong with it.
 *
 * What always holds: the set is only read. The judgement is that of a set of its own, which holds the objects for the services in question and
 * is given the new ones; so precedence, duplicates and last good forms count as they do in the pilot.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { allKinds } from '../../kinds/all-kinds.ts';
import type { RawObject } from '../../model/object.ts';
import type { PreviewReport } from '../../model/preview.ts';
import type { TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import { ruleObjectId } from '../../registry/rule-sink.ts';
import type { RuleRecord } from '../../rules/traffic-rule/rule-record.ts';
import { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import { isCompared, noOthers, type OtherSets, type OtherTrial, recordsNamed, tryOthers } from './trial-kinds.ts';
import { type GivenObject, type TrialOptions, withAge } from './trial-options.ts';

export interface Trial {
  readonly objects: PreviewReport['objects'];
  readonly findings: readonly Finding[];
  /** Services whose rule in force would be another; none if an object is invalid. */
  readonly services: ReadonlyMap<ServiceKey, TrafficRule | undefined>;
  /** What objects of other kinds would make of it. */
  readonly others: OtherTrial;
  /** The objects that would be in the set, and the rules made of them. */
  readonly records: readonly RuleRecord[];
}

const ruleKind = 'TrafficRule';

export function tryObjects(rules: RuleSet, sets: OtherSets, raws: readonly RawObject[], options: TrialOptions): Trial {
  const given = raws.map((raw): GivenObject => {
    const parsed = allKinds.parse(raw, { defaultNamespace: options.defaultNamespace });
    return { raw, kind: kindOf(raw), parsed };
  });
  const findings = [
    ...given.flatMap(({ parsed }) => parsed.findings),
    ...given.flatMap((each) => notCompared(sets, each)),
  ];
  const invalid = given.some(({ parsed }) => parsed.value === undefined);
  const objects = given.map((each) => ({
    kind: each.kind,
    namespace: each.parsed.namespace,
    name: each.parsed.name,
    action: actionOf(rules, sets, each),
  }));
  if (invalid) return { objects, findings, services: new Map(), records: [], others: noOthers };
  const others = tryOthers(sets, given, options);
  const trial = new RuleSet(silentLogger);
  const touched = copyConcerned(rules, given, trial);
  const keys = given.filter(({ kind }) => kind === ruleKind).map((each) => put(rules, each, trial, options));
  const records = keys.flatMap((key) => trial.record(key) ?? []);
  const own = new Set(findings.map((finding) => JSON.stringify(finding)));
  const losses = records.flatMap((record) => record.findings).filter((finding) => !own.has(JSON.stringify(finding)));
  const services = new Map<ServiceKey, TrafficRule | undefined>();
  for (const { lastGood } of records) if (lastGood !== undefined) touched.add(lastGood.service);
  for (const service of touched) {
    const after = trial.winners.get(service);
    if (!isSameForm(rules.winners.get(service), after)) services.set(service, after);
  }
  return { objects, findings: [...findings, ...losses, ...others.findings], services, records, others };
}

function kindOf({ object }: RawObject): string {
  const kind = (object as { readonly kind?: unknown } | null | undefined)?.kind;
  return typeof kind === 'string' ? kind : '';
}

function notCompared(sets: OtherSets, { raw, kind, parsed }: GivenObject): Finding[] {
  if (kind === ruleKind || isCompared(sets, kind) || parsed.value === undefined) return [];
  return [
    {
      code: 'FW-PREVIEW-001',
      severity: 'warning',
      message: `what the ${kind} would change is not compared: the pilot does not go by its kind`,
      where: { ...raw.where(['kind']), object: `${kind} ${parsed.name}` },
      hint: 'Start the pilot with its standard among --standards, or compare with files: --clusters',
    },
  ];
}

type Action = PreviewReport['objects'][number]['action'];

function actionOf(rules: RuleSet, sets: OtherSets, given: GivenObject): Action {
  const { kind, parsed } = given;
  if (parsed.value === undefined) return 'invalid';
  if (kind !== ruleKind && !isCompared(sets, kind)) return 'not-compared';
  const copies = kind === ruleKind ? rules.recordsNamed(parsed.namespace, parsed.name) : recordsNamed(sets, given);
  if (copies.length === 0) return 'created';
  return copies.some(({ spec }) => isDeepStrictEqual(spec, parsed.spec)) ? 'unchanged' : 'configured';
}

/** All records that may have a say in the services of the objects, as they are and as they were. Returns these services. */
function copyConcerned(rules: RuleSet, given: readonly GivenObject[], trial: RuleSet): Set<ServiceKey> {
  const services = new Set<ServiceKey>();
  for (const { kind, parsed } of given) {
    if (kind !== ruleKind) continue;
    for (const { lastGood } of rules.recordsNamed(parsed.namespace, parsed.name)) {
      if (lastGood !== undefined) services.add(lastGood.service);
    }
    services.add((parsed.value as TrafficRule).service);
  }
  const records = new Set<RuleRecord>();
  for (const service of services) {
    for (const { namespace, name } of rules.recordsOf(service)) {
      for (const record of rules.recordsNamed(namespace, name)) records.add(record);
    }
  }
  for (const { source, key, raw, lastGoodRaw } of records) {
    const id = key.slice(source.length + 1);
    if (lastGoodRaw !== undefined && lastGoodRaw !== raw) trial.source(source).put(lastGoodRaw, id);
    trial.source(source).put(raw, id);
  }
  return services;
}

/** As whoever applies it would: in the place of the object that is there, with its age. Returns the record's key. */
function put(rules: RuleSet, { raw, parsed }: GivenObject, trial: RuleSet, options: TrialOptions): string {
  const { namespace, name } = parsed;
  const copies = rules.recordsNamed(namespace, name);
  const before = copies.find(({ loss }) => loss?.kind !== 'duplicate') ?? copies[0];
  const source = before?.source ?? options.source;
  const id = before === undefined ? ruleObjectId(ruleKind, namespace, name) : before.key.slice(source.length + 1);
  const createdAtMs = before === undefined ? options.nowMs : before.createdAtMs;
  const aged = { ...raw, object: withAge(raw.object, namespace, createdAtMs), where: raw.where.bind(raw) };
  trial.source(source).put(aged, id);
  return `${source}#${id}`;
}

function isSameForm(a: TrafficRule | undefined, b: TrafficRule | undefined): boolean {
  return a?.hash === b?.hash && a?.ref.namespace === b?.ref.namespace && a?.ref.name === b?.ref.name;
}
