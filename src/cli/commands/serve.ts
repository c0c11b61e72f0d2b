/** `fairway serve`: flags as commander read them go in; checked ServeOptions go to src/cli/serve.ts, which runs the pilot. */

import type { LogLevel } from '../../core/logger.ts';
import { clusterNamePattern } from '../../model/cluster.ts';
import type { Merging } from '../../model/clusterset.ts';
import { type Standard, standards } from '../../rules/objects/kind-types.ts';
import { parseDuration } from '../duration.ts';
import { usageError } from '../failure.ts';
import { parseHostPort } from '../host-port.ts';
import type { ContextOption, ServeOptions } from '../serve-options.ts';

/** As commander hands them over: text, before any check but the choices. */
export interface ServeFlags {
  readonly clusters?: string;
  readonly kubeconfig?: string;
  readonly context?: readonly string[];
  readonly primary?: string;
  readonly inCluster?: boolean;
  readonly inClusterName: string;
  readonly allowExecCredentials?: boolean;
  readonly clusterProfiles?: string;
  readonly publishClusters?: boolean;
  readonly rules?: string;
  readonly xds: string;
  readonly admin: string;
  readonly adminTokenFile?: string;
  readonly state?: string;
  readonly staleKeep?: string;
  readonly namespace: string;
  readonly outbound: 'allow-any' | 'registered-only';
  readonly mode: 'eager' | 'on-demand';
  readonly clusterDomain: string;
  readonly mcs?: boolean;
  readonly services: Merging;
  readonly detectProtocols?: boolean;
  readonly proxyMark?: string;
  readonly systemCa?: string;
  readonly standards: string;
  readonly accessLog: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'text';
  readonly syncWait: string;
  readonly drain: string;
}

/** @throws CommandFailure FW-CLI-003, 004, 050 to 054, 056 and 057: each names its flag. */
export function readServeOptions(flags: ServeFlags): ServeOptions {
  const contexts = readContexts(flags.context ?? []);
  const inCluster = flags.inCluster === true;
  if (flags.kubeconfig !== undefined && contexts.length === 0) {
    throw usageError({
      code: 'FW-CLI-051',
      message: '--kubeconfig was given without a --context',
      hint: 'Name each context to register, as in --context kind-east --context west=kind-west',
    });
  }
  if (flags.clusters === undefined && contexts.length === 0 && !inCluster) {
    throw usageError({
      code: 'FW-CLI-050',
      message: 'no cluster was named',
      hint: 'Give --clusters DIR, --kubeconfig FILE with --context NAME, or --in-cluster',
    });
  }
  const names = [...contexts.map(({ cluster }) => cluster), ...(inCluster ? [flags.inClusterName] : [])];
  checkNames(names);
  checkPrimary(flags.primary, names);
  return {
    ...optional('clustersDir', flags.clusters),
    ...optional('kubeconfig', flags.kubeconfig),
    contexts,
    ...optional('primary', flags.primary),
    inCluster,
    inClusterName: flags.inClusterName,
    allowExecCredentials: flags.allowExecCredentials === true,
    ...optional('clusterProfiles', flags.clusterProfiles),
    ...optional('publishClusters', flags.publishClusters),
    ...optional('rulesDir', flags.rules),
    xds: parseHostPort(flags.xds, '--xds'),
    admin: parseHostPort(flags.admin, '--admin'),
    ...optional('adminTokenFile', flags.adminTokenFile),
    ...optional('stateDir', flags.state),
    ...optional(
      'staleKeepMs',
      flags.staleKeep === undefined ? undefined : parseDuration(flags.staleKeep, '--stale-keep'),
    ),
    namespace: flags.namespace,
    outbound: flags.outbound,
    mode: flags.mode,
    clusterDomain: flags.clusterDomain,
    ...optional('mcs', flags.mcs),
    services: flags.services,
    ...optional('detectProtocols', flags.detectProtocols),
    ...optional('systemCaFile', flags.systemCa),
    ...optional('proxyMark', flags.proxyMark === undefined ? undefined : readMark(flags.proxyMark)),
    standards: readStandards(flags.standards),
    accessLog: flags.accessLog,
    logLevel: flags.logLevel,
    logFormat: flags.logFormat,
    syncWaitMs: parseDuration(flags.syncWait, '--sync-wait'),
    drainMs: parseDuration(flags.drain, '--drain'),
  };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]: Value });
}

/** `1337`, `0x539`. */
function readMark(text: string): number {
  const mark = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number(text) : Number.NaN;
  if (mark > 0 && mark <= 0xffff_ffff) return mark;
  throw usageError({
    code: 'FW-CLI-057',
    message: `--proxy-mark must be a number from 1 to 0xffffffff; it is ${JSON.stringify(text)}`,
    hint: 'Give the mark that fairway-iptables.sh was given, as in --proxy-mark 1337',
  });
}

/** `gateway-api,istio`, or `none`. */
function readStandards(text: string): readonly Standard[] {
  if (text === 'none') return [];
  const named = text.split(',').map((word) => word.trim());
  const wrong = named.find((word) => !(standards as readonly string[]).includes(word));
  if (wrong === undefined) return standards.filter((standard) => named.includes(standard));
  throw usageError({
    code: 'FW-CLI-056',
    message: `--standards names ${JSON.stringify(wrong)}, which is none`,
    hint: `Give one or more of ${standards.join(', ')}, with commas between them, or none`,
  });
}

/** `kind-east`, or with the name under which its cluster is registered `east=kind-east`. */
function readContexts(given: readonly string[]): readonly ContextOption[] {
  return given.map((text) => {
    const alias = /^([^=]*)=(.+)$/.exec(text);
    return alias === null ? { cluster: text, context: text } : { cluster: alias[1] ?? '', context: alias[2] ?? '' };
  });
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!clusterNamePattern.test(name)) {
      throw usageError({
        code: 'FW-CLI-052',
        message: `${JSON.stringify(name)} cannot be a cluster's name`,
        hint: 'Use letters, digits, "-" and "_", at most 63; give a context another name as in --context east=CONTEXT',
      });
    }
    if (seen.has(name)) {
      throw usageError({
        code: 'FW-CLI-053',
        message: `two clusters would be named ${name}`,
        hint: 'Give one of them another name, as in --context east=CONTEXT',
      });
    }
    seen.add(name);
  }
}

function checkPrimary(primary: string | undefined, names: readonly string[]): void {
  if (primary === undefined || names.includes(primary)) return;
  throw usageError({
    code: 'FW-CLI-054',
    message: `--primary ${primary} names none of the Kubernetes clusters given`,
    hint: names.length === 0 ? 'Give --context or --in-cluster too' : `Use one of ${names.join(', ')}`,
  });
}
