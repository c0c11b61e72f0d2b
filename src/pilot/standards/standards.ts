/**
 * The kinds that others define, at work: their objects are kept, judged and reported like our own. A standard that is switched off is not read from
 * Kubernetes, and an object of it in a rules folder is told so; but for kinds that Fairway's own rules go by (`forOwnRules`), which always count.
 */

import type { Clock } from '../../core/clock.ts';
import type { Finding } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { foreignKinds } from '../../kinds/all-kinds.ts';
import type { KindReport } from '../../model/report.ts';
import type { KindReading } from '../../registry/kube/kind-reading.ts';
import type { ForeignKind, Standard } from '../../rules/objects/kind-types.ts';
import { groupOf } from '../../rules/objects/kind-types.ts';
import { type ObjectRecord, ObjectSet } from '../../rules/objects/object-set.ts';
import { invalidVerdict } from '../../rules/status/object-status.ts';
import type { Verdict } from '../../rules/status/verdicts.ts';
import type { FleetProgress } from '../status/fleet-progress.ts';
import { type Judgement, KindStage, type LinksOf, type ObjectStage } from '../status/object-stage.ts';

export const defaultStandards: readonly Standard[] = ['gateway-api'];

/** Objects of one kind above this are not taken, which is logged and counted. */
const maxObjects = 10_000;

export interface StandardStageInputs {
  readonly standards: readonly Standard[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly fleet: FleetProgress;
}

/** What an object of a kind means, while its standard is on; its form is valid, or was. */
export type Meaning<T> = (record: ObjectRecord<T>) => Judgement;

/** `links`: what `meaning` goes by besides the object; default: nothing. */
export function standardStage<T>(
  row: ForeignKind<T>,
  meaning: Meaning<T>,
  { standards, logger, clock, fleet }: StandardStageInputs,
  links: LinksOf<T> = () => [],
): KindStage<T> {
  const isOn = isRead(row, standards);
  const parse = isOn ? row.parse : withoutValue(row.parse);
  const objects = new ObjectSet<T>({ head: row, parse, logger, maxObjects, defaultNamespace: 'default' });
  return new KindStage(objects, isOn ? meaning : (record) => switchedOff(record, row), clock, fleet, links);
}

/** Nobody can go by what is not there, whoever else looks at the objects. */
function withoutValue<T>(parse: ForeignKind<T>['parse']): ForeignKind<T>['parse'] {
  return (raw, options) => {
    const { value: _, ...rest } = parse(raw, options);
    return rest;
  };
}

/** Of the kinds for which `stages` has none yet: they are read and shown, and nothing comes of them. */
export function otherStandardStages(
  stages: readonly ObjectStage[],
  inputs: StandardStageInputs,
): readonly ObjectStage[] {
  const given = new Set(stages.map(({ head }) => head.kind));
  return foreignKinds.filter(({ kind }) => !given.has(kind)).map((row) => standardStage(row, readOnly, inputs));
}

/** Kinds that the primary's API is asked for. */
export function kindsRead(standards: readonly Standard[]): readonly ForeignKind[] {
  return foreignKinds.filter((row) => isRead(row, standards));
}

function isRead(
  { standard, forOwnRules }: Pick<ForeignKind, 'standard' | 'forOwnRules'>,
  on: readonly Standard[],
): boolean {
  return forOwnRules === true || on.includes(standard);
}

function readOnly<T>(record: ObjectRecord<T>): Judgement {
  const message = 'the object is valid, and nothing goes by it';
  const accepted = invalidVerdict(record) ?? { status: 'Unknown', reason: 'NotUsed', message };
  return { accepted, isForProxies: false, findings: [] };
}

function switchedOff<T>({ raw, namespace, name }: ObjectRecord<T>, { kind, standard }: ForeignKind<T>): Judgement {
  const finding: Finding = {
    code: 'FW-PILOT-040',
    severity: 'warning',
    message: `the pilot does not read ${kind}s: ${standard} is not among its --standards`,
    where: { ...raw.where(['kind']), object: `${kind} ${namespace}/${name}` },
    hint: `Start the pilot with ${standard} among --standards, or remove the object`,
  };
  const accepted: Verdict = { status: 'False', reason: 'StandardOff', message: finding.message };
  return { accepted, isForProxies: false, findings: [finding] };
}

/** How each kind that others define fares, for people. `readings`: of the primary's API; undefined where there is none. */
export function kindReports(
  stages: readonly ObjectStage[],
  standards: readonly Standard[],
  readings: readonly KindReading[] | undefined,
): readonly KindReport[] {
  return foreignKinds.map((row) => {
    const { kind, plural, standard } = row;
    const isOn = isRead(row, standards);
    const reading = readings?.find((each) => each.kind === kind);
    const objects = stages.find(({ head }) => head.kind === kind)?.objects.size ?? 0;
    const state = !isOn
      ? 'off'
      : reading === undefined
        ? 'read'
        : reading.state === 'missing'
          ? 'absent'
          : reading.state;
    return {
      kind,
      plural,
      group: groupOf(row),
      standard,
      version: reading?.apiVersion?.split('/')[1] ?? '',
      state,
      objects,
      message: isOn ? readingMessage(reading, readings === undefined) : `${standard} is not among --standards`,
    };
  });
}

function readingMessage(reading: KindReading | undefined, isFolderAlone: boolean): string {
  if (isFolderAlone || reading === undefined) return 'from the rules folder alone';
  const { state, otherVersions, error } = reading;
  switch (state) {
    case 'read':
      return '';
    case 'waiting':
      return 'the primary has not answered yet';
    case 'absent':
    case 'missing':
      return otherVersions.length > 0
        ? `it is served as ${otherVersions.join(', ')} alone, which is not read`
        : 'it is not installed in the primary';
    case 'refused':
    case 'failing':
      return error?.message ?? '';
  }
}
