/** What is said of an object of Istio's: whether it is in force here, what of it has no equal, who holds it. None of it is written into the object. */

import type { Finding } from '../../core/errors.ts';
import { Notes } from '../../istio/notes.ts';
import type { IstioObject } from '../../istio/parts.ts';
import type { IstioTable } from '../../istio/table.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import type { ServiceKey } from '../../model/service.ts';
import type { ObjectRecord } from '../../rules/objects/object-set.ts';
import { invalidVerdict, type Verdict } from '../../rules/status/object-status.ts';
import type { Programming } from '../../rules/status/programming.ts';
import type { Judgement } from '../status/object-stage.ts';

export interface IstioVerdictInputs {
  readonly table: IstioTable;
  /** What goes before Istio's objects, the strongest first. */
  readonly before: readonly Pick<ReadonlyMap<ServiceKey, TrafficRule>, 'get'>[];
  readonly progress: (rule: TrafficRule) => Programming;
}

export function judgeIstioRule(record: ObjectRecord<IstioObject>, inputs: IstioVerdictInputs): Judgement {
  const { table, before, progress } = inputs;
  const { lastGood } = record;
  const invalid = invalidVerdict(record);
  if (lastGood === undefined) return { accepted: invalid ?? nothingValid, findings: [] };
  const object = { ...lastGood, key: record.key };
  const findings = table.findings(object);
  const rules = table.outcomes(object).flatMap(({ service, rule }) => (rule === undefined ? [] : [{ service, rule }]));
  const isBefore = (other: TrafficRule): boolean =>
    lastGood.kind === 'DestinationRule' ? other.policy !== undefined : other.policyOnly !== true;
  const overruled = rules.flatMap(({ service }): readonly { service: ServiceKey; by: TrafficRule }[] => {
    const by = before.flatMap((layer) => layer.get(service) ?? []).find(isBefore);
    return by === undefined ? [] : [{ service, by }];
  });
  const programming = sumOf(
    rules.filter(({ service }) => !overruled.some((one) => one.service === service)).map(({ rule }) => progress(rule)),
  );
  return {
    accepted: invalid ?? acceptedVerdict(object, [...record.findings, ...findings], rules.length, overruled),
    ...(programming === undefined ? { isForProxies: false as const } : { programming }),
    findings,
  };
}

const nothingValid: Verdict = { status: 'False', reason: 'Invalid', message: 'no form of it is valid' };

function acceptedVerdict(
  { kind }: IstioObject,
  findings: readonly Finding[],
  rules: number,
  overruled: readonly { readonly service: ServiceKey; readonly by: TrafficRule }[],
): Verdict {
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined) {
    const message = `${error.code} ${error.message}`;
    return { status: 'False', reason: rules > 0 ? 'PartlyTranslated' : 'NotTranslated', message };
  }
  const [first] = overruled;
  if (first !== undefined) {
    const message = `for ${first.service} ${ruleId(first.by.ref)} goes before it`;
    return { status: 'False', reason: 'Overruled', message };
  }
  const said = findings.length === 0 ? '' : `; ${findings.length} of its fields differ: see the findings`;
  if (rules === 0) {
    const message =
      kind === 'DestinationRule' ? 'it says nothing by itself; routes may name its subsets' : 'nothing goes by it';
    return { status: 'True', reason: 'Accepted', message: `${message}${said}` };
  }
  return { status: 'True', reason: 'Accepted', message: `it is in force${said}` };
}

/** A proxy counts when it holds the rules of all services, as far as can be told from the least of them. */
function sumOf(all: readonly Programming[]): Programming | undefined {
  const [first, ...rest] = all;
  if (first === undefined) return undefined;
  return rest.reduce(
    (sum, one) => ({
      acknowledged: Math.min(sum.acknowledged, one.acknowledged),
      total: Math.max(sum.total, one.total),
      rejections: [
        ...sum.rejections,
        ...one.rejections.filter(({ node }) => !sum.rejections.some((other) => other.node === node)),
      ],
    }),
    first,
  );
}

/** What is said of the ExternalService that a ServiceEntry becomes. */
export type EntryVerdict = Pick<Judgement, 'accepted' | 'programming' | 'findings'>;

export interface EntryVerdictInputs {
  readonly table: IstioTable;
  readonly external: (entry: { readonly key: string; readonly object: IstioObject }) => EntryVerdict | undefined;
}

export function judgeEntry(record: ObjectRecord<IstioObject>, inputs: EntryVerdictInputs): Judgement {
  const { table, external } = inputs;
  const { lastGood } = record;
  const invalid = invalidVerdict(record);
  if (lastGood === undefined) return { accepted: invalid ?? nothingValid, findings: [] };
  const object = { ...lastGood, key: record.key };
  const notes = new Notes();
  table.external(object, notes);
  const findings = [...notes.of(object), ...table.findings(object)];
  const verdict = external({ key: record.key, object: lastGood });
  const said = [...record.findings, ...findings];
  const accepted = invalid ?? (verdict === undefined ? acceptedVerdict(object, said, 0, []) : verdict.accepted);
  return {
    accepted,
    ...(verdict?.programming === undefined ? { isForProxies: false as const } : { programming: verdict.programming }),
    findings: [...findings, ...(verdict?.findings ?? [])],
  };
}
