/**
 * `fairway translate`: clusters and rules out of files go in, and the configuration that one proxy would get comes out, as a person reads it.
 * It is what a pilot would serve that reads the same files; what is wrong with some of them does not keep the rest from being in force.
 */

import type { CommandContext } from '../command-context.ts';
import { printData } from '../data-output.ts';
import { type ExitCode, exitCode, usageError } from '../failure.ts';
import { defaultNamespace } from '../manifests.ts';
import { type ProxyFlags, readObjects, sortPaths } from '../offline-input.ts';
import { printFinding } from '../print-findings.ts';

export interface TranslateFlags extends ProxyFlags {
  readonly filename: readonly string[];
  readonly as: string;
  readonly namespace?: string;
  readonly type?: string;
  readonly routes: 'vhds' | 'tables';
  readonly output: 'yaml' | 'json';
}

const types = ['CDS', 'EDS', 'LDS', 'RDS', 'VHDS'];

export async function runTranslate(flags: TranslateFlags, { terminal }: CommandContext): Promise<ExitCode> {
  const wanted = readTypes(flags.type);
  const { documents, ...folders } = sortPaths(flags.filename);
  const { objects, findings: wrong } = readObjects(documents, flags.namespace);
  const { openOffline, proxyNode } = await import('../offline.ts');
  const { mode, routes, outbound, clusterDomain, detectProtocols = false, services = 'all' } = flags;
  const pilot = await openOffline({
    ...folders,
    objects,
    defaultNamespace: flags.namespace ?? defaultNamespace,
    outbound,
    mode: 'eager',
    clusterDomain,
    detectProtocols,
    services,
  });
  try {
    const node = proxyNode(flags.as, pilot.inventory, { mode, routes, clusterDomain });
    const { scope, resources, findings: ofProxy } = await pilot.resourcesOf(node, wanted);
    const all = [...wrong, ...pilot.findings(), ...ofProxy].map(
      (finding) => [JSON.stringify(finding), finding] as const,
    );
    const findings = [...new Map(all).values()];
    printData({ node: node.node.id, scope, resources }, flags.output, terminal);
    for (const finding of findings) printFinding(terminal, finding);
    return findings.some(({ severity }) => severity === 'error') ? exitCode.failed : exitCode.ok;
  } finally {
    await pilot.close();
  }
}

function readTypes(given: string | undefined): readonly string[] {
  if (given === undefined) return types;
  const wanted = given.split(',').map((type) => type.trim().toUpperCase());
  const unknown = wanted.find((type) => !types.includes(type));
  if (unknown === undefined) return wanted;
  throw usageError({
    code: 'FW-CLI-091',
    message: `--type ${JSON.stringify(given)} names ${unknown === '' ? 'an empty type' : unknown.toLowerCase()}`,
    hint: `Use some of ${types.join(',').toLowerCase()}`,
  });
}
