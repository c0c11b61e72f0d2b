/** `fairway delete KIND NAME…` and `fairway delete -f …`: takes rules away; what they shaped falls back to its default. */

import type { WriteReport } from '../../model/report.ts';
import type { AdminFlags, KubernetesFlags } from '../api-options.ts';
import type { CommandContext } from '../command-context.ts';
import { readSources } from '../documents.ts';
import { type ExitCode, exitCode, FindingsFailure, failed, usageError } from '../failure.ts';
import { readObjectKind, resourceName } from '../kind-names.ts';
import { defaultNamespace, readManifests } from '../manifests.ts';
import { printFinding } from '../print-findings.ts';
import { type ObjectRef, openRuleStores } from '../rule-store.ts';

export interface DeleteFlags extends AdminFlags, KubernetesFlags {
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly dryRun?: boolean;
  readonly ignoreNotFound?: boolean;
  readonly output?: 'name';
}

export async function runDelete(
  args: readonly string[],
  flags: DeleteFlags,
  { terminal, env }: CommandContext,
): Promise<ExitCode> {
  const refs = flags.filename === undefined ? readRefs(args, flags.namespace) : readFiles(args, flags.filename, flags);
  const stores = await openRuleStores(flags, env);
  const missing: string[] = [];
  try {
    for (const store of stores) {
      for (const ref of refs) {
        const report = await store.delete(ref, { dryRun: flags.dryRun === true });
        const place = store.label === '' ? '' : ` in ${store.label}`;
        if (report.results.every((result) => result.action === 'not-found')) {
          missing.push(`${titleOf(ref)}${place}`);
          continue;
        }
        const suffix = `${flags.dryRun === true ? ' (dry run)' : ''}${place}`;
        printReport(report, ref, suffix, flags, terminal);
      }
    }
  } finally {
    for (const store of stores) store.close();
  }
  if (missing.length === 0 || flags.ignoreNotFound === true) return exitCode.ok;
  throw failed({
    code: 'FW-CLI-041',
    message: `there is no rule ${missing.join(', ')}`,
    hint: 'List the rules with `fairway get rules`; name another namespace with -n',
  });
}

/**
 * What the report says became of it: in a dry run, what would.
 * @throws FindingsFailure when it was refused.
 */
function printReport(
  report: WriteReport,
  ref: ObjectRef,
  suffix: string,
  { output }: DeleteFlags,
  terminal: CommandContext['terminal'],
): void {
  const findings = report.results.flatMap((result) => result.findings);
  if (report.results.some(({ action }) => action === 'invalid')) {
    throw new FindingsFailure(findings, `${titleOf(ref)} was not deleted.`);
  }
  const resource = resourceName(ref.kind, ref.name);
  for (const { action, namespace } of report.results) {
    const space = namespace === '' ? '' : ` (namespace ${namespace})`;
    terminal.out(output === 'name' ? `${resource}\n` : `${resource} ${action}${space}${suffix}\n`);
  }
  for (const finding of findings) printFinding(terminal, finding);
}

/** `rule reviews ratings`, `rule/reviews`, `rule shop/reviews`. */
function readRefs(args: readonly string[], namespace: string | undefined): readonly ObjectRef[] {
  const [first = '', ...rest] = args;
  const slash = first.indexOf('/');
  const kind = slash === -1 ? first : first.slice(0, slash);
  const names = slash === -1 ? rest : [first.slice(slash + 1), ...rest];
  if (kind === '' || names.length === 0) {
    throw usageError({
      code: 'FW-CLI-040',
      message: 'what to delete was not said',
      hint: 'Give a kind and names, as in `fairway delete rule reviews -n shop`, or files with -f',
    });
  }
  const { kind: kindName, namespaced } = readObjectKind(kind);
  return names.map((text) => {
    const at = text.indexOf('/');
    const own = at === -1 ? namespace : text.slice(0, at);
    if (at !== -1 && namespace !== undefined && own !== namespace) {
      throw usageError({
        code: 'FW-CLI-042',
        message: `${text} names a namespace other than --namespace ${namespace}`,
        hint: 'Give one of them',
      });
    }
    return { kind: kindName, namespace: namespaced ? (own ?? defaultNamespace) : '', name: text.slice(at + 1) };
  });
}

function titleOf({ namespace, name }: ObjectRef): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function readFiles(args: readonly string[], filename: readonly string[], flags: DeleteFlags): readonly ObjectRef[] {
  if (args.length > 0) {
    throw usageError({
      code: 'FW-CLI-040',
      message: 'both names and files were given',
      hint: 'Give either KIND NAME or -f FILE',
    });
  }
  const { objects, findings } = readSources(filename);
  const { manifests, findings: malformed } = readManifests(objects, flags.namespace);
  const all = [...findings, ...malformed];
  if (all.length > 0) throw new FindingsFailure(all, 'Nothing was deleted.');
  if (manifests.length === 0) {
    throw usageError({
      code: 'FW-CLI-025',
      message: `there is no object in ${filename.join(', ')}`,
      hint: 'Give a file with at least one TrafficRule',
    });
  }
  for (const { manifest } of manifests) readObjectKind(manifest.kind);
  return manifests.map(({ manifest: { kind, metadata } }) => ({
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
  }));
}
