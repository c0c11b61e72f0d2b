/**
 * `fairway apply -f …`: reads and checks every file first, with line and column; then sends all of it, or nothing if anything is wrong.
 * With --wait it ends when every proxy holds what was applied.
 */

import { stringify } from 'yaml';
import type { Finding } from '../../core/errors.ts';
import type { WriteReport } from '../../model/report.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { readSources } from '../documents.ts';
import { parseDuration } from '../duration.ts';
import { type ExitCode, exitCode, FindingsFailure, usageError } from '../failure.ts';
import { resourceName } from '../kind-names.ts';
import { checkManifests, locate, type ReadManifest } from '../manifests.ts';
import { printFinding } from '../print-findings.ts';
import { openRuleStores, type RuleStore } from '../rule-store.ts';
import { waitUntilProgrammed } from '../wait.ts';

export interface ApplyFlags extends AdminFlags, KubernetesFlags {
  readonly filename: readonly string[];
  readonly namespace?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
  readonly output?: 'json' | 'yaml' | 'name';
}

const nothing = 'Nothing was applied.';

export async function runApply(flags: ApplyFlags, context: CommandContext): Promise<ExitCode> {
  const timeoutMs = parseDuration(flags.timeout, '--timeout');
  const manifests = readAndCheck(flags, context);
  const stores = await openRuleStores(flags, context.env);
  const dryRun = flags.dryRun === true;
  // In turn: the second cluster is not touched when the first refuses.
  try {
    for (const store of stores) {
      const report = await store.apply(
        manifests.map(({ manifest }) => manifest),
        { dryRun, force: flags.force === true },
      );
      printReport(report, store, flags, context);
      reportFindings(report, manifests, store, context);
      if (flags.wait === true && !dryRun) await waitUntilProgrammed(store, report, timeoutMs, context);
    }
  } finally {
    for (const store of stores) store.close();
  }
  return exitCode.ok;
}

function readAndCheck(flags: ApplyFlags, { terminal }: CommandContext): readonly ReadManifest[] {
  const { objects, findings: unreadable } = readSources(flags.filename);
  const { manifests, findings: wrong } = checkManifests(objects, flags.namespace);
  const findings = [...unreadable, ...wrong].sort(byPlace);
  if (findings.some((finding) => finding.severity === 'error')) throw new FindingsFailure(findings, nothing);
  for (const finding of findings) printFinding(terminal, finding);
  if (manifests.length === 0) {
    throw usageError({
      code: 'FW-CLI-025',
      message: `there is no object in ${flags.filename.join(', ')}`,
      hint: 'Give a file with at least one TrafficRule',
    });
  }
  return manifests;
}

/** In the order in which they stand in the files. */
function byPlace({ where: a }: Finding, { where: b }: Finding): number {
  const byFile = (a.file ?? '').localeCompare(b.file ?? '');
  return byFile || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** As kubectl prints it, with the namespace, and a mark on what did not happen. */
function printReport(report: WriteReport, store: RuleStore, flags: ApplyFlags, { terminal }: CommandContext): void {
  if (flags.output === 'json') terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else if (flags.output === 'yaml') terminal.out(stringify(report, { lineWidth: 0 }));
  if (flags.output === 'json' || flags.output === 'yaml') return;
  const isRejected = report.results.some((result) => result.action === 'invalid');
  if (isRejected) return; // nothing happened; stderr says why
  const suffix = `${flags.dryRun === true ? ' (dry run)' : ''}${store.label === '' ? '' : ` in ${store.label}`}`;
  for (const { kind, namespace, name, action } of report.results) {
    const resource = resourceName(kind, name);
    const space = namespace === '' ? '' : ` (namespace ${namespace})`;
    terminal.out(flags.output === 'name' ? `${resource}\n` : `${resource} ${action}${space}${suffix}\n`);
  }
}

/** @throws FindingsFailure when the API refused something. */
function reportFindings(
  report: WriteReport,
  manifests: readonly ReadManifest[],
  store: RuleStore,
  { terminal }: CommandContext,
): void {
  const findings: Finding[] = report.results.flatMap((result, index) => {
    const raw = manifests[index]?.raw;
    return result.findings.map((finding) => (raw === undefined ? finding : locate(finding, raw)));
  });
  if (report.results.some((result) => result.action === 'invalid')) {
    throw new FindingsFailure(findings, store.label === '' ? nothing : `Nothing was applied to ${store.label}.`);
  }
  for (const finding of findings) printFinding(terminal, finding);
}
