/**
 * `fairway diff -f …`: what applying rules would do, asked of the running pilot, or worked out of files. Nothing is changed.
 *
 * Exit codes as those of `kubectl diff`: 0 nothing would change, 1 something would, more than 1 when that could not be found out.
 */

import { stringify } from 'yaml';
import type { Finding } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import type { PreviewReport } from '../../model/preview.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { printData } from '../data-output.ts';
import { type ExitCode, exitCode, FindingsFailure, usageError } from '../failure.ts';
import { defaultNamespace, locate } from '../manifests.ts';
import { type ProxyFlags, readObjects } from '../offline-input.ts';
import { printFailure, printFinding } from '../print-findings.ts';
import { printPreview } from '../views/preview.ts';

export interface DiffFlags extends AdminFlags, ProxyFlags {
  readonly filename: readonly string[];
  readonly namespace?: string;
  readonly clusters?: string;
  readonly rules?: string;
  readonly as?: readonly string[];
  readonly output: 'table' | 'wide' | 'json';
}

/** With --clusters: proxies that are played, at most. */
const playedMax = 500;

export async function runDiff(flags: DiffFlags, context: CommandContext): Promise<ExitCode> {
  try {
    const report = await compare(flags, context);
    if (flags.output === 'json') printData(report, 'json', context.terminal);
    else printPreview(report, flags.output === 'wide', context.terminal);
    return report.changed ? exitCode.failed : exitCode.ok;
  } catch (error) {
    const exit = printFailure(context.terminal, error);
    // 1 would say that something differs.
    return exit === exitCode.failed ? exitCode.usage : exit;
  }
}

/** @throws FindingsFailure when an object is wrong. */
async function compare(flags: DiffFlags, context: CommandContext): Promise<PreviewReport> {
  const isOffline = flags.clusters !== undefined;
  if (!isOffline && (flags.rules !== undefined || flags.as !== undefined)) {
    throw usageError({
      code: 'FW-CLI-092',
      message: `${flags.rules === undefined ? '--as' : '--rules'} counts with --clusters alone: a pilot has rules and proxies of its own`,
      hint: 'Give --clusters DIR too, or leave it out',
    });
  }
  const { objects, findings } = readObjects(flags.filename, flags.namespace);
  refuseErrors(findings);
  if (objects.length === 0) {
    throw usageError({
      code: 'FW-CLI-025',
      message: `there is no object in ${flags.filename.join(', ')}`,
      hint: 'Give a file with at least one TrafficRule',
    });
  }
  for (const finding of findings) printFinding(context.terminal, finding);
  const report = isOffline ? await compareFiles(flags, objects, context) : await comparePilot(flags, objects, context);
  const known = new Set(findings.map(({ code, message }) => `${code} ${message}`));
  const news = report.findings.filter(({ code, message }) => !known.has(`${code} ${message}`));
  if (report.objects.some(({ action }) => action === 'invalid')) refuseErrors(news);
  for (const finding of news) printFinding(context.terminal, finding);
  return report;
}

function refuseErrors(findings: readonly Finding[]): void {
  if (findings.some(({ severity }) => severity === 'error'))
    throw new FindingsFailure(findings, 'Nothing was compared.');
}

async function comparePilot(
  flags: DiffFlags,
  objects: readonly RawObject[],
  { env }: CommandContext,
): Promise<PreviewReport> {
  const client = openAdminClient(flags, env);
  const report = await client.preview(objects.map(({ object }) => stringify(object)).join('---\n'));
  return { ...report, findings: report.findings.map((finding) => located(finding, objects)) };
}

/** The pilot knows the object and the field, not the file. */
function located(finding: Finding, objects: readonly RawObject[]): Finding {
  const named = finding.where.object;
  const raw = objects.find(({ object }) => named !== undefined && named === titleOf(object));
  return raw === undefined ? finding : locate(finding, raw);
}

function titleOf(object: unknown): string {
  const { kind, metadata } = object as { kind: string; metadata: { name: string; namespace?: string } };
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

async function compareFiles(
  flags: DiffFlags,
  objects: readonly RawObject[],
  { terminal }: CommandContext,
): Promise<PreviewReport> {
  const { openOffline, proxyNode, everyProxy } = await import('../offline.ts');
  const current = readObjects(flags.rules === undefined ? [] : [flags.rules], undefined);
  const { mode, outbound, clusterDomain, detectProtocols = false, services = 'all' } = flags;
  const pilot = await openOffline({
    clusterFolders: [flags.clusters ?? ''],
    clusters: [],
    objects: current.objects,
    defaultNamespace,
    outbound,
    mode: 'eager',
    clusterDomain,
    detectProtocols,
    services,
  });
  try {
    // What is in force is judged as it is; what is wrong with it is said, and the rest compared.
    for (const finding of [...current.findings, ...pilot.findings()]) printFinding(terminal, finding);
    const options = { mode, routes: 'vhds', clusterDomain } as const;
    const all = everyProxy(pilot.inventory, options);
    const nodes = flags.as?.map((words) => proxyNode(words, pilot.inventory, options)) ?? all.slice(0, playedMax);
    if (flags.as === undefined && all.length > playedMax) {
      terminal.err(`Only the first ${playedMax} of ${all.length} pods are compared; name others with --as.`);
    }
    return await pilot.preview(nodes, objects, flags.namespace ?? defaultNamespace);
  } finally {
    await pilot.close();
  }
}
