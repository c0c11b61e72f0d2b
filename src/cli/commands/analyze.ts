/**
 * `fairway analyze`: all that is wrong, as coded findings by object. Without -f and --clusters it asks the pilot; with them it reads files
 * alone, and needs neither a pilot nor a network.
 *
 * Exit code 0 where nothing is as grave as --fail-on says, else 1.
 */

import { statSync } from 'node:fs';
import type { Finding } from '../../core/errors.ts';
import type { Merging } from '../../model/clusterset.ts';
import { defaultMeshSettings } from '../../model/mesh.ts';
import type { RawObject } from '../../model/object.ts';
import { type AdminFlags, openAdminClient } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { type DataFormat, printData } from '../data-output.ts';
import { readSources } from '../documents.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { defaultNamespace } from '../manifests.ts';
import { printAnalysis } from '../views/analysis.ts';

export interface AnalyzeFlags extends AdminFlags {
  readonly filename?: readonly string[];
  readonly clusters?: string;
  readonly services?: Merging;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly severity: 'warning' | 'error';
  readonly failOn: 'warning' | 'error' | 'never';
  readonly output?: DataFormat;
}

/** What was looked at, for people: `3 objects and 2 clusters`. */
interface Analysis {
  readonly findings: readonly Finding[];
  readonly scope: string;
}

export async function runAnalyze(flags: AnalyzeFlags, context: CommandContext): Promise<ExitCode> {
  const isOffline = flags.filename !== undefined || flags.clusters !== undefined;
  if (isOffline) refuseLiveFlags(flags);
  const { findings: all, scope } = isOffline ? await analyzeFiles(flags) : await analyzeLive(flags, context);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  const warnings = all.length - errors;
  const findings = flags.severity === 'error' ? all.filter(({ severity }) => severity === 'error') : all;
  const isBad = flags.failOn === 'never' ? false : errors > 0 || (flags.failOn === 'warning' && warnings > 0);
  if (flags.output === undefined) printAnalysis({ findings, errors, warnings, scope }, context.terminal);
  else printData({ ok: !isBad, errors, warnings, scope, findings }, flags.output, context.terminal);
  return isBad ? exitCode.failed : exitCode.ok;
}

function refuseLiveFlags({ admin, cluster }: AnalyzeFlags): void {
  if (admin === undefined && cluster === undefined) return;
  throw usageError({
    code: 'FW-CLI-090',
    message: `${admin === undefined ? '--cluster' : '--admin'} asks a pilot, and -f and --clusters read files alone`,
    hint: 'Leave out one of them; `fairway apply --dry-run` checks files against a running pilot',
  });
}

async function analyzeLive(flags: AnalyzeFlags, { env }: CommandContext): Promise<Analysis> {
  const client = openAdminClient(flags, env);
  const { namespace, cluster } = flags;
  const findings = await client.findings({
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
  });
  const where = [
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(cluster === undefined ? [] : [`cluster ${cluster}`]),
  ].join(', ');
  return { findings, scope: `the mesh at ${client.url}${where === '' ? '' : ` (${where})`}` };
}

async function analyzeFiles(flags: AnalyzeFlags): Promise<Analysis> {
  const { filename = [], clusters, namespace = defaultNamespace } = flags;
  const { objects, findings: unread } = readSources(filename);
  const { analyzeObjects } = await import('../../preview/analyze.ts');
  const own = [...unread, ...analyzeObjects(objects, namespace)];
  const looked = filename.length === 0 ? [] : [count(objects.length, 'object')];
  if (clusters === undefined) return { findings: own, scope: looked.join() };
  const mesh = await analyzeMesh(clusters, objects, namespace, flags.services ?? 'all');
  // What is wrong with an object by itself is found both ways.
  const findings = [...new Map([...own, ...mesh.findings].map((one) => [JSON.stringify(one), one])).values()];
  return { findings, scope: [...looked, mesh.scope].join(' against ') };
}

/** What a pilot would find that reads these clusters and objects. */
async function analyzeMesh(
  folder: string,
  objects: readonly RawObject[],
  namespace: string,
  services: Merging,
): Promise<Analysis> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const hint = 'Give a folder with one sub-folder of manifests per cluster';
    throw usageError({ code: 'FW-CLI-094', message: 'there is no such folder', where: { file: folder }, hint });
  }
  const { openOffline } = await import('../offline.ts');
  const pilot = await openOffline({
    clusterFolders: [folder],
    clusters: [],
    objects,
    defaultNamespace: namespace,
    outbound: defaultMeshSettings.outbound,
    mode: 'eager',
    clusterDomain: defaultMeshSettings.clusterDomain,
    detectProtocols: false,
    services,
  });
  try {
    const clusters = [...pilot.inventory.clusters().values()];
    const known = new Set(clusters.flatMap((cluster) => [...cluster.services.keys()]));
    const scope = `${count(clusters.length, 'cluster')} with ${count(known.size, 'service')}`;
    return { findings: pilot.findings(), scope };
  } finally {
    await pilot.close();
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
