/**
 * Rules and other objects that are applied over the admin API: judged whole before anything is written, then kept in the rules folder, from
 * which they are read as any other.
 */

import { isDeepStrictEqual } from 'node:util';
import type { RuleWriter, WriteOptions } from '../../api/admin-source.ts';
import { FairwayError } from '../../core/errors.ts';
import { allKinds } from '../../kinds/all-kinds.ts';
import { readYaml } from '../../manifest/yaml-documents.ts';
import type { RawObject } from '../../model/object.ts';
import type { WriteReport } from '../../model/report.ts';
import type { RulesFolder } from '../../registry/file/rules-folder.ts';
import { RulesWriter } from '../../registry/file/rules-writer.ts';
import { ruleObjectId } from '../../registry/rule-sink.ts';
import type { ParsedObject } from '../../rules/objects/kind-types.ts';
import type { ObjectForms } from './object-router.ts';

type Result = WriteReport['results'][number];

const parseOptions = { defaultNamespace: 'default' };

/** Finds an object that the folder holds now, by kind, namespace and name. */
export type FindRule = (kind: string, namespace: string, name: string) => ObjectForms | undefined;

/** Whose the forms are that the source finds of these objects (`Kind/namespace/name`), until what it returns is called. */
export type ClaimForms = (ids: readonly string[]) => () => void;

/** `folder` and its `source` belong together: after a write the folder is read at once. */
export function folderRuleWriter(
  folder: string,
  source: Pick<RulesFolder, 'rescan'>,
  find: FindRule,
  now: () => number,
  claim: ClaimForms = () => () => {},
): RuleWriter {
  const writer = new RulesWriter(folder, allKinds.clusterScoped());
  return {
    async apply(text, origin, { dryRun }) {
      const { objects, findings } = readYaml(text, origin);
      const parsed = objects.map((raw) => {
        const rule = allKinds.parse(raw, parseOptions);
        const before = find(kindOf(raw), rule.namespace, rule.name);
        return { raw, rule, before, stored: storedForm(raw.object, rule, before, now()) };
      });
      const judged = parsed.map(({ raw, rule, before, stored }) => result(raw, rule, actionOf(rule, before, stored)));
      if (findings.length > 0) judged.push({ kind: '', namespace: '', name: '', action: 'invalid', findings });
      if (dryRun || judged.some(({ action }) => action === 'invalid')) return { results: judged };
      const written: Result[] = [];
      const end = claim(parsed.map(({ raw, rule }) => ruleObjectId(kindOf(raw), rule.namespace, rule.name)));
      try {
        for (const { raw, rule, stored } of parsed) {
          const { action } = await writer.apply(stored);
          written.push(result(raw, rule, action));
        }
        await source.rescan();
      } finally {
        end();
      }
      return { results: written.map((one) => ({ ...one, ...generationOf(find(one.kind, one.namespace, one.name)) })) };
    },
    async delete(kind, namespace, name, { dryRun }: WriteOptions) {
      const answer = (action: Result['action']): WriteReport => ({
        results: [{ kind, namespace, name, action, findings: [] }],
      });
      if (dryRun) return answer(find(kind, namespace, name) === undefined ? 'not-found' : 'deleted');
      const { action } = await writer.delete(kind, namespace, name);
      await source.rescan();
      return answer(action);
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

function kindOf({ object }: RawObject): string {
  const kind = (object as { readonly kind?: unknown } | null)?.kind;
  return typeof kind === 'string' ? kind : '';
}

function result(raw: RawObject, rule: ParsedObject, action: Result['action']): Result {
  return { kind: kindOf(raw), namespace: rule.namespace, name: rule.name, action, findings: rule.findings };
}

function actionOf(rule: ParsedObject, before: ObjectForms | undefined, stored: unknown): Result['action'] {
  if (rule.value === undefined) return 'invalid';
  if (before === undefined) return 'created';
  return isDeepStrictEqual(before.raw.object, stored) ? 'unchanged' : 'configured';
}

function generationOf(record: ObjectForms | undefined): { readonly generation?: number } {
  return record === undefined ? {} : { generation: record.generation };
}

/** As the folder keeps it: with the namespace that the request left to the default, and with the time of its creation, as Kubernetes would. */
function storedForm(object: unknown, rule: ParsedObject, before: ObjectForms | undefined, nowMs: number): unknown {
  if (rule.value === undefined) return object;
  const { metadata, ...rest } = object as { readonly metadata: Readonly<Record<string, unknown>> };
  const { creationTimestamp: _given, ...own } = metadata;
  const known = (before?.raw.object as { readonly metadata?: Readonly<Record<string, unknown>> } | undefined)?.metadata;
  const created = before === undefined ? new Date(nowMs).toISOString() : known?.['creationTimestamp'];
  const stamped = {
    ...own,
    ...(rule.namespace === '' ? {} : { namespace: rule.namespace }),
    ...(created === undefined ? {} : { creationTimestamp: created }),
  };
  const { apiVersion, kind, ...others } = rest as { readonly apiVersion?: unknown; readonly kind?: unknown };
  return { apiVersion, kind, metadata: stamped, ...others };
}
