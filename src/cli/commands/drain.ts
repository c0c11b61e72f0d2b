/**
 * `fairway cluster drain`: asks the pilot who would take the load, shows it, refuses what leaves services with nothing, and applies a Drain to
 * wherever objects are kept.
 *
 * What always holds: nothing is written before it was shown and judged; a drain that goes on already keeps its start, whatever else of it is
 * given anew.
 */

import { type Drain, drainedPlaceWords } from '../../model/drain.ts';
import type { DrainPlan, ServicePlan } from '../../model/drain-plan.ts';
import { drainHead } from '../../rules/drain/head.ts';
import { parseDrain } from '../../rules/drain/parse.ts';
import { type AdminFlags, type KubernetesFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { drainNameOf, openDrainStores, readPlace } from '../drain-place.ts';
import { waitUntilDrained } from '../drain-wait.ts';
import { parseDuration } from '../duration.ts';
import { type ExitCode, exitCode, FindingsFailure, failed } from '../failure.ts';
import { printFinding } from '../print-findings.ts';
import type { Manifest, RuleStore } from '../rule-store.ts';
import { printDrainPlan, strained } from '../views/drain-plan.ts';

export interface DrainFlags extends AdminFlags, KubernetesFlags {
  readonly zone?: string;
  readonly over?: string;
  readonly service?: readonly string[];
  readonly name?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly output: 'table' | 'json';
}

/** What a person waits on top of the steps themselves, ms. */
const patienceMs = 60_000;

export async function runDrain(
  cluster: string | undefined,
  flags: DrainFlags,
  context: CommandContext,
): Promise<ExitCode> {
  const place = readPlace(cluster, flags.zone);
  if (flags.over !== undefined) parseDuration(flags.over, '--over');
  const name = flags.name ?? drainNameOf(place);
  const manifest = manifestOf(name, place, flags);
  const drain = check(manifest);
  const timeoutMs = flags.timeout === undefined ? drain.overMs + patienceMs : parseDuration(flags.timeout, '--timeout');
  // The pilot knows the mesh; where objects are kept may be elsewhere.
  const plan = await openAdminClient(flags, context.env).drainPlan({
    ...place,
    services: drain.services,
    force: drain.force,
  });
  printDrainPlan(plan, flags.output, context.terminal);
  judge(plan, flags, context);
  if (flags.dryRun === true) return exitCode.ok;
  const stores = await openDrainStores(flags, context.env);
  try {
    for (const store of stores) await applyTo(store, manifest, drain, flags, context, timeoutMs);
  } finally {
    for (const store of stores) store.close();
  }
  return exitCode.ok;
}

function manifestOf(name: string, place: { cluster: string; zone: string }, flags: DrainFlags): Manifest {
  return {
    apiVersion: drainHead.apiVersion,
    kind: drainHead.kind,
    metadata: { name },
    spec: {
      ...(place.cluster === '' ? {} : { cluster: place.cluster }),
      ...(place.zone === '' ? {} : { zone: place.zone }),
      ...(flags.service === undefined ? {} : { services: flags.service }),
      ...(flags.over === undefined ? {} : { over: flags.over }),
      ...(flags.force === true ? { force: true } : {}),
    },
  };
}

/** @throws FindingsFailure as `apply` would. */
function check(manifest: Manifest): Drain {
  const raw = { object: manifest, origin: 'the command line', where: () => ({}) };
  const { value, findings } = parseDrain(raw, { defaultNamespace: 'default' });
  if (value === undefined) throw new FindingsFailure(findings, 'Nothing was changed.');
  return value;
}

/** @throws CommandFailure FW-CLI-112 … 114 */
function judge(plan: DrainPlan, flags: DrainFlags, { terminal }: CommandContext): void {
  const left = plan.services.filter(({ outcome }) => outcome !== 'moves');
  if (flags.force !== true) refuseWithoutForce(plan, left);
  if (left.length > 0) {
    printFinding(terminal, {
      code: 'FW-CLI-111',
      severity: 'warning',
      message: `requests that nothing else can answer are refused: ${listed(left)}`,
      where: {},
      hint: 'This is what --force is for; `fairway cluster undrain` takes it back',
    });
  }
  const heavy = strained(plan);
  if (heavy.length > 0) {
    printFinding(terminal, {
      code: 'FW-CLI-115',
      severity: 'warning',
      message: `endpoints elsewhere take more than twice their present load for ${listed(heavy)}`,
      where: {},
      hint: 'Scale them up first, or drain slowly and watch: --over 10m, and `fairway cluster undrain` takes it back',
    });
  }
}

function refuseWithoutForce(plan: DrainPlan, left: readonly ServicePlan[]): void {
  if (!plan.isRegistered) {
    throw failed({
      code: 'FW-CLI-112',
      message: `no cluster named ${plan.place.cluster} is registered`,
      hint: 'See `fairway get clusters`; --force applies the drain for when it appears',
    });
  }
  if (plan.unknown.length > 0) {
    throw failed({
      code: 'FW-CLI-112',
      message: `no cluster has ${plan.unknown.join(', ')}`,
      hint: 'See `fairway get services`; --force applies the drain for when they appear',
    });
  }
  if (plan.services.length === 0) {
    throw failed({
      code: 'FW-CLI-113',
      message: `nothing is there to drain: no service that is meant has endpoints in ${drainedPlaceWords(plan.place)}`,
      hint: 'See `fairway get endpoints`; --force applies the drain for what appears',
    });
  }
  if (left.length > 0) {
    throw failed({
      code: 'FW-CLI-114',
      message: `${left.length} of ${plan.services.length} services have requests that nothing else could answer: ${listed(left)}`,
      hint: 'Give them ready endpoints elsewhere, drain the others with --service, or add --force to have these requests refused',
    });
  }
}

const shownMax = 5;

function listed(services: readonly ServicePlan[]): string {
  const names = services.slice(0, shownMax).map(({ namespace, name }) => `${namespace}/${name}`);
  return `${names.join(', ')}${services.length > shownMax ? ` and ${services.length - shownMax} more` : ''}`;
}

async function applyTo(
  store: RuleStore,
  manifest: Manifest,
  drain: Drain,
  flags: DrainFlags,
  context: CommandContext,
  timeoutMs: number,
): Promise<void> {
  const { terminal } = context;
  const [known] = await store.objects(drainHead, { name: manifest.metadata.name });
  const spec = known?.spec as
    | { readonly cluster?: string; readonly zone?: string; readonly startAt?: string; readonly undrain?: unknown }
    | undefined;
  const { cluster, zone } = drain.place;
  if (spec !== undefined && ((spec.cluster ?? '') !== cluster || (spec.zone ?? '') !== zone)) {
    throw failed({
      code: 'FW-CLI-116',
      message: `there is a Drain ${manifest.metadata.name} already, of another place`,
      hint: 'Give this one a name of its own with --name',
    });
  }
  const now = `${new Date(context.clock.now()).toISOString().slice(0, 19)}Z`;
  // A drain on its way back, or through with it, begins anew.
  const startAt = spec?.undrain === undefined ? spec?.startAt : now;
  const kept = startAt === undefined ? {} : { startAt };
  const whole = { ...manifest, spec: { ...(manifest['spec'] as object), ...kept } };
  const report = await store.apply([whole], { dryRun: false, force: false });
  const [result] = report.results;
  if (result === undefined || result.action === 'invalid')
    throw new FindingsFailure(result?.findings ?? [], 'Nothing was changed.');
  const suffix = store.label === '' ? '' : ` in ${store.label}`;
  const line = `drain.fairway.dev/${result.name} ${result.action}${suffix}\n`;
  if (flags.output === 'table') terminal.out(line);
  else terminal.err(line.trimEnd());
  if (flags.wait === true) await waitUntilDrained(store, result, timeoutMs, context);
}
