/**
 * Rules that are applied over the admin API: judged whole before anything is written, then kept in the rules folder, from which they are read
 * as any other rule.
 */

import type { RuleWriter, WriteOptions } from '../api/admin-source.ts';
import { FairwayError, type Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import type { WriteReport } from '../model/report.ts';
import type { RulesFolder } from '../registry/file/rules-folder.ts';
import { RulesWriter } from '../registry/file/rules-writer.ts';
import { readYaml } from '../registry/file/yaml-documents.ts';
import { type ParsedRule, parseTrafficRule } from '../rules/parse.ts';

type Result = WriteReport['results'][number];

const parseOptions = { defaultNamespace: 'default' };

/** `folder` and its `source` belong together: after a write the folder is read at once. */
export function folderRuleWriter(folder: string, source: Pick<RulesFolder, 'rescan'>): RuleWriter {
  const writer = new RulesWriter(folder);
  return {
    async apply(text, origin, { dryRun }) {
      const { objects, findings } = readYaml(text, origin);
      const parsed = objects.map((raw) => ({ raw, rule: parseTrafficRule(raw, parseOptions) }));
      const results = parsed.map(({ raw, rule }) => result(raw, rule, 'unchanged'));
      if (findings.length > 0) results.push({ kind: '', namespace: '', name: '', action: 'invalid', findings });
      if (dryRun || results.length === 0 || results.some(hasError)) return { results: results.map(asJudged) };
      const written: Result[] = [];
      for (const { raw, rule } of parsed) {
        const { action } = await writer.apply(withNamespace(raw.object, rule.namespace));
        written.push(result(raw, rule, action));
      }
      await source.rescan();
      return { results: written };
    },
    async delete(kind, namespace, name, { dryRun }: WriteOptions) {
      if (dryRun) return { results: [{ kind, namespace, name, action: 'unchanged', findings: [] }] };
      const { action } = await writer.delete(kind, namespace, name);
      await source.rescan();
      return { results: [{ kind, namespace, name, action, findings: [] }] };
    },
  };
}

/** For a pilot without a rules folder: says where rules go instead. */
export function noRuleWriter(hasPrimary: boolean): RuleWriter {
  const refuse = async (): Promise<WriteReport> => {
    throw new FairwayError({
      code: 'FW-PILOT-003',
      message: 'this pilot keeps no rules of its own',
      where: {},
      hint: hasPrimary
        ? 'Apply rules to the primary cluster: fairway apply --kubeconfig FILE --context PRIMARY -f …, or kubectl apply'
        : 'Start the pilot with --rules DIR',
    });
  };
  return { apply: refuse, delete: refuse };
}

function result(raw: RawObject, rule: ParsedRule, action: Result['action']): Result {
  const kind = (raw.object as { kind?: unknown } | null)?.kind;
  return {
    kind: typeof kind === 'string' ? kind : '',
    namespace: rule.namespace,
    name: rule.name,
    action,
    findings: rule.findings,
  };
}

function hasError({ findings }: { readonly findings: readonly Finding[] }): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

function asJudged(one: Result): Result {
  return hasError(one) ? { ...one, action: 'invalid' } : one;
}

/** The file says what the request left to the default. */
function withNamespace(object: unknown, namespace: string): unknown {
  const given = object as { readonly metadata?: Readonly<Record<string, unknown>> };
  return { ...given, metadata: { ...given.metadata, namespace } };
}
