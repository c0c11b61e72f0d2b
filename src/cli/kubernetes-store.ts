/**
 * Rules kept in Kubernetes, written by server-side apply as the person whom the kubeconfig names. Loaded only when a kubeconfig or a context
 * is named; all that knows Kubernetes' client is in src/registry/kube.
 *
 * What always holds: everything is tried as a dry run first, so that one object which the API refuses leaves all of them as they were.
 */

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { errorMessage, FairwayError } from '../core/errors.ts';
import { allKinds } from '../kinds/all-kinds.ts';
import type { ObjectReport, RuleReport, WriteReport } from '../model/report.ts';
import type { Condition } from '../model/rule.ts';
import { type Access, contextsOf, readKubeconfig, trustAll } from '../registry/kube/access.ts';
import { type AppliedObject, type KubeObject, KubeObjects } from '../registry/kube/objects.ts';
import { readRevisions, restoreSpec } from '../registry/kube/revision-reader.ts';
import { versionsOf } from '../rules/objects/kind-types.ts';
import { specHash } from '../rules/objects/spec-hash.ts';
import { ownParents, summaryOf } from '../rules/status/parent-status.ts';
import { ruleApiVersion, ruleKind } from '../rules/traffic-rule/head.ts';
import type { KubernetesFlags } from './api-options.ts';
import { CommandFailure, exitCode, usageError } from './failure.ts';
import type { Manifest, RuleStore } from './rule-store.ts';

/** One store per `--context`, in their order; without one, the kubeconfig's current context. */
export function openKubernetesStores(flags: KubernetesFlags, env: NodeJS.ProcessEnv): readonly RuleStore[] {
  const files = kubeconfigFiles(flags.kubeconfig, env);
  const contexts = flags.context ?? [undefined];
  return contexts.map((context) => storeOf(new KubeObjects(openContext(files, context))));
}

/** As kubectl looks for it: --kubeconfig, else the files of $KUBECONFIG, else ~/.kube/config. */
function kubeconfigFiles(given: string | undefined, env: NodeJS.ProcessEnv): readonly string[] {
  if (given !== undefined) return [given];
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  return listed.length > 0
    ? listed.filter((file) => existsSync(file))
    : [join(env.HOME || homedir(), '.kube', 'config')];
}

function openContext(files: readonly string[], context: string | undefined): Access {
  const read = files.map((file) => ({ file, text: readText(file) }));
  const holder =
    context === undefined
      ? read[0]
      : (read.find(({ file, text }) => contextsOf(text, { file }).includes(context)) ?? read[0]);
  if (holder === undefined) {
    throw usageError({
      code: 'FW-CLI-081',
      message: 'none of the files that KUBECONFIG names is there',
      hint: 'Give --kubeconfig FILE',
    });
  }
  const { file, text } = holder;
  const named = context === undefined ? {} : { context };
  return readKubeconfig(text, { ...named, trust: trustAll, baseDir: dirname(file), where: { file } });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(
      {
        code: 'FW-CLI-080',
        message: `the kubeconfig cannot be read: ${errorMessage(error)}`,
        where: { file },
        hint: 'Give another with --kubeconfig FILE or KUBECONFIG',
      },
      { cause: error },
    );
  }
}

function storeOf(objects: KubeObjects): RuleStore {
  const label = `context ${objects.context}`;
  return {
    label,
    async apply(manifests, { dryRun, force }) {
      return toExitCode(async () => {
        const judged = await applyAll(objects, manifests, { dryRun: true, force });
        const isRejected = judged.results.some(({ action }) => action === 'invalid');
        if (dryRun || isRejected) return judged;
        return applyAll(objects, manifests, { dryRun: false, force });
      });
    },
    async delete({ kind, namespace, name }, options) {
      return toExitCode(async () => {
        const apiVersion = await versionIn(objects, kind);
        const action = await objects.delete({ apiVersion, kind, namespace, name }, options);
        return { results: [{ kind, namespace, name, action, findings: [] }] };
      });
    },
    async rules({ namespace, name }) {
      return toExitCode(async () => {
        const list = await objects.list(ruleApiVersion, ruleKind, namespace ?? '');
        const wanted = name === undefined ? list : list.filter(({ metadata }) => metadata.name === name);
        return wanted.map((object) => toReport(object, label));
      });
    },
    async objects({ kind }, { namespace, name }) {
      return toExitCode(async () => {
        const list = await objects.list(await versionIn(objects, kind), kind, namespace ?? '');
        const wanted = name === undefined ? list : list.filter(({ metadata }) => metadata.name === name);
        return wanted.map((object): ObjectReport => {
          const { service: _service, ...report } = toReport(object, label);
          return { ...report, kind };
        });
      });
    },
    async history({ kind, namespace, name }) {
      return toExitCode(async () => {
        const ref = { apiVersion: await versionIn(objects, kind), kind, namespace, name };
        const entries = await readRevisions(objects, ref, (spec) => specHash(spec) ?? '');
        return entries === undefined ? undefined : { kind, namespace, name, entries, durable: true, deleted: false };
      });
    },
    async restore({ kind, namespace, name }, { spec }, options) {
      return toExitCode(async () => {
        const ref = { apiVersion: await versionIn(objects, kind), kind, namespace, name };
        const { action, object } = await restoreSpec(objects, ref, spec, options);
        const generation = options.dryRun ? undefined : positive(object.metadata['generation']);
        const known = generation === undefined ? {} : { generation };
        return { results: [{ kind, namespace, name, action, ...known, findings: [] }] };
      });
    },
    close: () => objects.close(),
  };
}

/** Of a kind that others define, the newest version that this API serves. */
async function versionIn(objects: KubeObjects, kind: string): Promise<string> {
  const row = allKinds.named(kind);
  if (row?.foreign !== true) return row?.apiVersion ?? ruleApiVersion;
  return objects.servedVersion(versionsOf(row), kind);
}

/** Codes of src/registry/kube for an API that gave no answer, and for an object that it refused. */
const unreachableCodes: ReadonlySet<string> = new Set(['FW-KUBE-007', 'FW-KUBE-016']);
const refusedCodes: ReadonlySet<string> = new Set(['FW-KUBE-021', 'FW-KUBE-022', 'FW-KUBE-023']);

async function toExitCode<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof FairwayError) || !unreachableCodes.has(error.code)) throw error;
    const { code, message, where, hint } = error;
    throw new CommandFailure(exitCode.unreachable, { code, message, where, hint }, { cause: error });
  }
}

async function applyAll(
  objects: KubeObjects,
  manifests: readonly Manifest[],
  options: { readonly dryRun: boolean; readonly force: boolean },
): Promise<WriteReport> {
  const results: WriteReport['results'][number][] = [];
  for (const manifest of manifests) {
    const { kind, metadata } = manifest;
    const named = { kind, namespace: metadata.namespace ?? '', name: metadata.name };
    try {
      const applied: AppliedObject = await objects.apply(manifest, options);
      const generation = options.dryRun ? undefined : positive(applied.object.metadata['generation']);
      results.push({
        ...named,
        action: applied.action,
        ...(generation === undefined ? {} : { generation }),
        findings: [],
      });
    } catch (error) {
      if (!(error instanceof FairwayError) || !refusedCodes.has(error.code)) throw error;
      const { code, message, where, hint } = error;
      results.push({ ...named, action: 'invalid', findings: [{ code, severity: 'error', message, where, hint }] });
    }
  }
  return { results };
}

/** What the object and its status say, in the words of the admin API. A status that is not there yet is no condition. */
function toReport({ metadata, ...object }: KubeObject, label: string): RuleReport {
  const namespace = metadata.namespace ?? '';
  const spec = object['spec'] as { readonly service?: string } | undefined;
  const status = object['status'] as
    | { readonly conditions?: readonly Condition[]; readonly proxies?: { acknowledged?: number; total?: number } }
    | undefined;
  return {
    namespace,
    name: metadata.name,
    generation: positive(metadata['generation']) ?? 0,
    service: typeof spec?.service === 'string' ? `${namespace}/${spec.service}` : '',
    origin: label,
    createdAt: typeof metadata['creationTimestamp'] === 'string' ? metadata['creationTimestamp'] : '',
    conditions: conditionsOf(status),
    programmed: { acknowledged: status?.proxies?.acknowledged ?? 0, total: status?.proxies?.total ?? 0 },
    findings: [],
    spec,
  };
}

function conditionsOf(status: { readonly conditions?: readonly Condition[] } | undefined): readonly Condition[] {
  const ofParents = summaryOf(ownParents(status));
  return ofParents.length > 0 ? ofParents : (status?.conditions ?? []);
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
