/**
 * A Drain as somebody wrote it in; the drain with its defaults applied, and everything that is wrong with it, out. With a finding of severity
 * error there is no drain; nothing is thrown, whatever the object is.
 */

import type { Drain } from '../../model/drain.ts';
import { contentHash } from '../objects/content-hash.ts';
import { durationMs } from '../objects/duration.ts';
import { type Findings, type Path, show } from '../objects/findings.ts';
import { objectParser } from '../objects/parse-object.ts';
import type { Sound } from '../objects/structure.ts';
import { drainHead } from './head.ts';
import { drainSpecSchema, type RawDrainSpec } from './schema.ts';

const longestMs = 168 * 3_600_000;

export const parseDrain = objectParser<RawDrainSpec, Drain>({
  head: drainHead,
  schema: drainSpecSchema,
  check: checkSpec,
  build(spec, { name, generation, createdAtMs, origin }) {
    const content = build(spec);
    const hash = contentHash([name, createdAtMs, content]);
    return { ref: { name, generation }, createdAtMs, ...content, hash, origin };
  },
});

function checkSpec({ cluster, zone, over, startAt, undrain }: Sound<RawDrainSpec>, findings: Findings): void {
  if (cluster === undefined && zone === undefined) {
    const message = 'the drain names neither a cluster nor a zone';
    findings.error('FW-RULE-210', ['spec', 'cluster'], message, 'Write cluster, zone, or both', ['spec']);
  }
  checkOver(over, ['spec', 'over'], findings);
  checkStart(startAt, ['spec', 'startAt'], findings);
  checkOver(undrain?.over, ['spec', 'undrain', 'over'], findings);
  checkStart(undrain?.startAt, ['spec', 'undrain', 'startAt'], findings);
}

function checkOver(over: string | undefined, at: Path, findings: Findings): void {
  // What the patterns refuse has been told.
  const overMs = over === undefined ? undefined : durationMs(over);
  if (overMs === undefined || overMs <= longestMs) return;
  findings.error('FW-RULE-214', at, `over must be at most 168h; it is ${show(over)}`, 'Take less time');
}

function checkStart(startAt: string | undefined, at: Path, findings: Findings): void {
  if (startAt === undefined || !/^20.*Z$/.test(startAt) || timeMs(startAt) !== undefined) return;
  const message = `startAt must be a time that there is; it is ${show(startAt)}`;
  findings.error('FW-RULE-215', at, message, 'Write it as in 2026-01-31T08:00:00Z');
}

/** undefined for days that no calendar has, which Date.parse may take for others. */
function timeMs(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19) ? ms : undefined;
}

type Content = Pick<Drain, 'place' | 'services' | 'overMs' | 'startAtMs' | 'back' | 'force'>;

function build({ cluster = '', zone = '', services = [], over, startAt, undrain, force }: RawDrainSpec): Content {
  const startAtMs = startAt === undefined ? undefined : timeMs(startAt);
  const backAtMs = undrain === undefined ? undefined : timeMs(undrain.startAt);
  return {
    place: { cluster, zone },
    services: services.toSorted() as Content['services'][number][],
    overMs: msOf(over),
    ...(startAtMs === undefined ? {} : { startAtMs }),
    ...(backAtMs === undefined ? {} : { back: { startAtMs: backAtMs, overMs: msOf(undrain?.over) } }),
    force: force === true,
  };
}

function msOf(text: string | undefined): number {
  return text === undefined ? 0 : (durationMs(text) ?? 0);
}
