/** What is said of a Drain: whether every service of its has capacity elsewhere, whether what it names exists, how far it is, who holds it. */

import type { Finding } from '../core/errors.ts';
import { drainOutcome, hasEndpoints } from '../mesh/drain-outcome.ts';
import { type Drain, drainedPlaceName, drainedPlaceWords, drainSteps } from '../model/drain.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import type { ObjectRecord } from '../rules/objects/object-set.ts';
import { invalidVerdict, type Verdict } from '../rules/status/object-status.ts';
import type { DrainState, Drains } from './drains.ts';
import type { Engine } from './engine.ts';
import type { Judgement } from './status/object-stage.ts';

export interface DrainVerdictInputs {
  readonly drains: Drains;
  readonly engine: Engine;
  /** The registered clusters' names. */
  readonly clusters: () => ReadonlySet<string>;
  readonly nowMs: () => number;
}

/** Services that a message names. */
const shownMax = 5;

interface Moved {
  /** Services that keep load in the place, for they have nothing else. */
  readonly kept: readonly ServiceKey[];
  /** By force: services of which some requests have no endpoint. */
  readonly emptied: readonly ServiceKey[];
  readonly total: number;
}

export function judgeDrain(record: ObjectRecord<Drain>, inputs: DrainVerdictInputs): Judgement {
  const { drains, engine, nowMs } = inputs;
  const drain = record.lastGood;
  const loss = drains.loss(record);
  const state = drains.state(record);
  const missing = record.latest === undefined ? [] : missingParts(record.latest, inputs);
  const moved = drain === undefined || state === undefined ? nobody : movedServices(drain, state, engine);
  const findings: Finding[] = [
    ...(loss === undefined ? [] : [duplicate(record, loss)]),
    ...missing.map(({ code, field, message, hint }) => findingOf(record, 'warning', code, field, message, hint)),
    ...(moved.kept.length === 0 ? [] : [noCapacity(record, moved)]),
    ...(drain !== undefined && hasNoStart(drain) ? [noStart(record)] : []),
  ];
  const since = Math.min(state?.since ?? 0, engine.mesh.revision);
  return {
    accepted: invalidVerdict(record) ?? acceptedVerdict(record, loss, moved),
    resolvedRefs: resolvedVerdict(record.latest === undefined, missing),
    ...(drain === undefined || state === undefined ? {} : { drained: drainedVerdict(drain, state, moved, nowMs()) }),
    ...(state === undefined || state.phase === 'waiting' ? {} : { programming: engine.reach.since(since, () => true) }),
    findings,
  };
}

const nobody: Moved = { kept: [], emptied: [], total: 0 };

function movedServices({ place }: Drain, { services }: DrainState, engine: Engine): Moved {
  const name = drainedPlaceName(place);
  const kept: ServiceKey[] = [];
  const emptied: ServiceKey[] = [];
  for (const key of services) {
    const outcomes = [...engine.formsOf(key)].map((form) => drainOutcome(form));
    if (outcomes.some((outcome) => outcome.kept.has(name))) kept.push(key);
    else if (outcomes.some(({ isEmptied }) => isEmptied)) emptied.push(key);
  }
  return { kept: kept.sort(), emptied: emptied.sort(), total: services.size };
}

function acceptedVerdict(
  { findings }: ObjectRecord<Drain>,
  loss: ObjectRecord<Drain> | undefined,
  { kept, emptied, total }: Moved,
): Verdict {
  if (loss !== undefined) {
    const message = `the same object from ${loss.raw.origin} goes before this one`;
    return { status: 'False', reason: 'Conflicted', message };
  }
  if (kept.length > 0) {
    const message = `${kept.length} of ${total} services have requests without a ready endpoint elsewhere, which stay: ${listed(kept)}; the rest is moved`;
    return { status: 'False', reason: 'NoCapacity', message };
  }
  const warnings = findings.map(({ code, message }) => `${code} ${message}`);
  const refused =
    emptied.length > 0 ? [`by force, requests are left without a ready endpoint: ${listed(emptied)}`] : [];
  return { status: 'True', reason: 'Accepted', message: ['the drain is valid', ...refused, ...warnings].join('; ') };
}

function resolvedVerdict(isInvalid: boolean, missing: readonly Missing[]): Verdict {
  if (isInvalid)
    return { status: 'Unknown', reason: 'Invalid', message: 'the references of an invalid object are not looked up' };
  const [first] = missing;
  if (first === undefined) return { status: 'True', reason: 'ResolvedRefs', message: 'all that it names exists' };
  return { status: 'False', reason: first.reason, message: missing.map(({ message }) => message).join('; ') };
}

function drainedVerdict(
  { place }: Drain,
  { phase, step, startMs, services }: DrainState,
  moved: Moved,
  nowMs: number,
): Verdict {
  if (phase === 'over') {
    const message = `0%: the load of ${moved.total} services came back to ${drainedPlaceWords(place)}; the object may be deleted`;
    return { status: 'False', reason: 'Returned', message };
  }
  if (phase === 'back' && step !== undefined) {
    const message = `${(100 * step) / drainSteps}%, step ${step} of ${drainSteps}: the load of ${moved.total} services comes back to ${drainedPlaceWords(place)}`;
    return { status: 'False', reason: 'Returning', message };
  }
  if (step === undefined) {
    const message = `0%: it begins at ${new Date(startMs).toISOString().slice(0, 19)}Z`;
    return { status: 'False', reason: nowMs < startMs ? 'Waiting' : 'Pending', message };
  }
  const share = `${(100 * step) / drainSteps}%, step ${step} of ${drainSteps}`;
  const count = `${moved.total - moved.kept.length} of ${moved.total} services ${step === drainSteps ? 'moved' : 'move'} out of ${drainedPlaceWords(place)}`;
  if (step < drainSteps) return { status: 'False', reason: 'Progressing', message: `${share}: ${count}` };
  if (moved.kept.length > 0) return { status: 'False', reason: 'NoCapacity', message: `${share}: ${count}` };
  const message =
    services.size === 0 ? `${share}: no service has endpoints in ${drainedPlaceWords(place)}` : `${share}: ${count}`;
  return { status: 'True', reason: 'Drained', message };
}

interface Missing {
  readonly code: 'FW-RULE-218' | 'FW-RULE-219' | 'FW-RULE-220';
  readonly reason: string;
  readonly field: string;
  readonly message: string;
  readonly hint: string;
}

function missingParts({ place, services }: Drain, { engine, clusters }: DrainVerdictInputs): Missing[] {
  const { cluster, zone } = place;
  if (cluster !== '' && !clusters().has(cluster)) {
    const message = `no cluster named ${cluster} is registered`;
    const hint = 'Register the cluster, or correct the name';
    return [{ code: 'FW-RULE-218', reason: 'ClusterNotFound', field: 'cluster', message, hint }];
  }
  const missing: Missing[] = [];
  if (zone !== '' && !someService(engine, (service) => hasEndpoints(service, place))) {
    const message = `no endpoint is in ${drainedPlaceWords(place)}`;
    missing.push({ code: 'FW-RULE-219', reason: 'ZoneNotFound', field: 'zone', message, hint: 'Correct the zone' });
  }
  const unknown = services.filter((key) => !engine.catalog.has(key));
  if (unknown.length > 0) {
    const message = `no cluster has ${listed(unknown)}`;
    const hint = 'Correct the names, or leave services out for all';
    missing.push({ code: 'FW-RULE-220', reason: 'ServiceNotFound', field: 'services', message, hint });
  }
  return missing;
}

function someService(engine: Engine, isWanted: (service: CatalogService) => boolean): boolean {
  return engine.catalog.values().some(isWanted);
}

function hasNoStart({ startAtMs, createdAtMs, overMs }: Drain): boolean {
  return startAtMs === undefined && createdAtMs === 0 && overMs > 0;
}

function noCapacity(record: ObjectRecord<Drain>, { kept }: Moved): Finding {
  const message = `these services have requests without a ready endpoint elsewhere, which stay: ${listed(kept)}`;
  const hint = 'Give them endpoints elsewhere, or write force: true to have these requests refused';
  return findingOf(record, 'error', 'FW-RULE-217', 'cluster', message, hint);
}

function noStart(record: ObjectRecord<Drain>): Finding {
  const message = 'the object says neither startAt nor when it was made: it began when this pilot first read it';
  const hint = 'Write startAt, so that it goes on after a restart';
  return findingOf(record, 'warning', 'FW-RULE-216', 'over', message, hint);
}

function duplicate(record: ObjectRecord<Drain>, by: ObjectRecord<Drain>): Finding {
  return {
    code: 'FW-RULE-041',
    severity: 'error',
    message: `the same object from ${by.raw.origin} goes before this one`,
    where: { ...record.raw.where(['metadata', 'name']), object: `Drain ${record.name}` },
    hint: 'Keep it in one place',
  };
}

function findingOf(
  { name, raw }: ObjectRecord<Drain>,
  severity: Finding['severity'],
  code: Finding['code'],
  field: string,
  message: string,
  hint: string,
): Finding {
  const where = { ...raw.where(['spec', field]), object: `Drain ${name}`, field: `spec.${field}` };
  return { code, severity, message, where, hint };
}

function listed(keys: readonly string[]): string {
  const more = keys.length > shownMax ? ` and ${keys.length - shownMax} more` : '';
  return `${keys.slice(0, shownMax).join(', ')}${more}`;
}
