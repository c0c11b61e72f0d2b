/**
 * Clusters from the contexts of a kubeconfig file that the operator names.
 *
 * In: the file and `--context` arguments. Out: registrations. The file is watched: a context whose credential or address has changed is
 * registered anew (it takes over once it has synced); one that cannot be read any more is shown and changes nothing.
 */

import { watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, sleep } from '../../core/clock.ts';
import { errorMessage, FairwayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { clusterNamePattern, unknownLocality } from '../../model/cluster.ts';
import type { OpenMember } from '../member-host.ts';
import { type Access, readKubeconfig, trustAll } from './access.ts';
import { type KubeSourceOptions, type KubeSourceSettings, kubeSource } from './cluster-source.ts';
import type { ClusterRegistrar, Discovery, RegisteredPlace } from './registrar.ts';

export interface NamedContext {
  /** The cluster's name in Fairway. */
  readonly name: string;
  /** '' is the file's current context. */
  readonly context: string;
}

/**
 * `east` or `east=context-name`. Throws FW-KUBE-017 for a name that cannot be a cluster's, or is given twice. Context names may hold `=`
 * themselves only behind an alias.
 */
export function parseContexts(given: readonly string[]): readonly NamedContext[] {
  const contexts: NamedContext[] = [];
  for (const text of given) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const context = equals < 0 ? text : text.slice(equals + 1);
    if (!clusterNamePattern.test(name)) {
      const cleaned = name.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^[-_]+|[-_]+$/g, '');
      const alias = cleaned.slice(-63).replaceAll(/^[-_]+/g, '') || 'east';
      throw badContext(
        text,
        `${JSON.stringify(name)} cannot be a cluster's name (letters, digits, - and _, at most 63)`,
        `Give it a name of its own: --context ${alias}=${context}.`,
      );
    }
    if (context === '') throw badContext(text, 'the context is missing', `Write --context ${name}=CONTEXT.`);
    if (contexts.some((other) => other.name === name)) {
      throw badContext(
        text,
        `the name ${name} is given twice`,
        'Give each cluster a name of its own: --context NAME=CONTEXT.',
      );
    }
    contexts.push({ name, context });
  }
  return contexts;
}

function badContext(given: string, message: string, hint: string): FairwayError {
  return new FairwayError({ code: 'FW-KUBE-017', message, where: { field: `--context ${given}` }, hint });
}

export interface ContextDiscoveryOptions {
  readonly file: string;
  readonly contexts: readonly NamedContext[];
  readonly registrar: ClusterRegistrar;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: KubeSourceSettings;
  readonly place?: (name: string) => RegisteredPlace;
  readonly observe?: (name: string, stats: Parameters<NonNullable<KubeSourceOptions['observe']>>[0]) => void;
  /** Takes the rules that clusters hold of their own. */
  readonly openMember?: OpenMember;
  /** The file is looked at this often even without a sign of change (links into other folders give none). */
  readonly lookMs?: number;
}

export function contextOrigin(context: string): string {
  return `kubeconfig context ${context}`;
}

export function discoverContexts(options: ContextDiscoveryOptions): Discovery {
  const { registrar, clock, logger } = options;
  const stop = new AbortController();
  const found = registrar.beginDiscovery(`contexts in ${options.file}`);
  /** What is registered, by name; '' after a refusal, so that the next good one is registered again and takes the refusal back. */
  const fingerprints = new Map<string, string>();
  let lastText: string | undefined;
  let wake = new AbortController();

  function register(named: NamedContext, access: Access): void {
    if (fingerprints.get(named.name) === access.fingerprint) return;
    fingerprints.set(named.name, access.fingerprint);
    const { network, locality } = options.place?.(named.name) ?? { network: '', locality: unknownLocality };
    const origin = contextOrigin(named.context);
    registrar.add(
      named.name,
      origin,
      kubeSource({
        access,
        ...(options.openMember === undefined ? {} : { openMember: options.openMember }),
        place: { name: named.name, network, locality, origin },
        clock,
        logger,
        ...(options.settings === undefined ? {} : { settings: options.settings }),
        ...(options.observe === undefined ? {} : { observe: (stats) => options.observe?.(named.name, stats) }),
      }),
    );
  }

  function refuse(named: NamedContext, error: unknown): void {
    fingerprints.set(named.name, '');
    const problem =
      error instanceof FairwayError
        ? error
        : new FairwayError({
            code: 'FW-KUBE-001',
            message: `the kubeconfig cannot be read: ${errorMessage(error)}`,
            where: { file: options.file },
            hint: 'Check that the file is there and readable for the pilot.',
          });
    registrar.refuse(named.name, contextOrigin(named.context), {
      code: problem.code,
      message: problem.message,
      hint: problem.hint,
    });
  }

  async function look(): Promise<void> {
    let text: string;
    try {
      text = await readFile(options.file, 'utf8');
    } catch (error) {
      // Said again when it goes on in another way: refusals that are the same are kept as one.
      if (!stop.signal.aborted) for (const named of options.contexts) refuse(named, error);
      lastText = undefined;
      return;
    }
    if (text === lastText || stop.signal.aborted) return;
    lastText = text;
    for (const named of options.contexts) {
      try {
        const where = { file: options.file, cluster: named.name };
        register(
          named,
          readKubeconfig(text, { trust: trustAll, context: named.context, baseDir: dirname(options.file), where }),
        );
      } catch (error) {
        refuse(named, error);
      }
    }
  }

  async function run(): Promise<void> {
    const folder = dirname(await realpath(options.file).catch(() => options.file));
    const watcher = watchFolder(folder, basename(options.file), () => wake.abort(), logger);
    for (;;) {
      wake = new AbortController();
      await look();
      found();
      await sleep(clock, options.lookMs ?? 10_000, AbortSignal.any([stop.signal, wake.signal]));
      if (stop.signal.aborted) break;
      // A file that is being written is read once it is quiet.
      await sleep(clock, 50, stop.signal);
    }
    watcher?.close();
  }

  const done = run();
  return {
    async stop() {
      stop.abort();
      await done;
    },
  };
}

function watchFolder(folder: string, file: string, changed: () => void, logger: Logger): { close(): void } | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', (error) =>
      logger.debug('a folder is not watched any more', { file, err: errorMessage(error) }),
    );
    return watcher;
  } catch (error) {
    logger.debug('a folder cannot be watched; its file is looked at from time to time', {
      file,
      err: errorMessage(error),
    });
    return undefined;
  }
}
