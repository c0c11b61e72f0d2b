/** `fairway get rules`: whether a rule was accepted, and how many proxies hold it. */

import { formatWhere } from '../../core/errors.ts';
import type { RuleReport } from '../../model/report.ts';
import type { Condition } from '../../model/rule.ts';
import { ageOf } from '../duration.ts';
import { type View, type ViewContext, within } from './view.ts';

type ConditionType = Condition['type'];

export function conditionOf(rule: Pick<RuleReport, 'conditions'>, type: ConditionType): Condition | undefined {
  return rule.conditions.find((condition) => condition.type === type);
}

export function rulesView({ nowMs, paint }: ViewContext): View<RuleReport> {
  const status = (rule: RuleReport, type: ConditionType): string => conditionOf(rule, type)?.status ?? 'Unknown';
  const colour = (text: string, rule: RuleReport, type: ConditionType): string => {
    const value = status(rule, type);
    return paint(value === 'True' ? 'green' : value === 'False' ? 'red' : 'yellow', text);
  };
  return {
    columns: [
      { title: 'NAMESPACE', cell: (row) => row.namespace, shrinkTo: 9 },
      { title: 'NAME', cell: (row) => row.name, shrinkTo: 20 },
      { title: 'SERVICE', cell: (row) => within(row.namespace, row.service), dropOrder: 1, shrinkTo: 8 },
      { title: 'HOLDER', cell: (row) => row.holder ?? 'primary', dropOrder: 3, shrinkTo: 7 },
      {
        title: 'ACCEPTED',
        cell: (row) => status(row, 'Accepted'),
        paint: (text, row) => colour(text, row, 'Accepted'),
      },
      {
        title: 'RESOLVED',
        cell: (row) => status(row, 'ResolvedRefs'),
        paint: (text, row) => colour(text, row, 'ResolvedRefs'),
        dropOrder: 2,
      },
      {
        title: 'PROGRAMMED',
        cell: (row) => formatProgrammed(row),
        paint: (text, row) => colour(text, row, 'Programmed'),
      },
      { title: 'AGE', cell: (row) => ageOf(row.createdAt, nowMs), dropOrder: 4 },
      { title: 'ORIGIN', cell: (row) => row.origin, dropOrder: 5, shrinkTo: 14 },
      { title: 'GENERATION', cell: (row) => String(row.generation), priority: 1 },
    ],
    notes: (row) => [...conditionNotes(row), ...findingNotes(row)],
    resourceName: (row) => `trafficrule.fairway.dev/${row.name}`,
  };
}

/** `True 20/20`, `False 3/20`. */
export function formatProgrammed(row: Pick<RuleReport, 'conditions' | 'programmed'>): string {
  const { acknowledged, total } = row.programmed;
  return `${conditionOf(row, 'Programmed')?.status ?? 'Unknown'} ${acknowledged}/${total}`;
}

/** Why what should be so is not; what only follows from a form that was not accepted is not said again. */
export function conditionNotes(row: Pick<RuleReport, 'conditions'>): string[] {
  const accepted = conditionOf(row, 'Accepted');
  const follows = ({ type, reason }: Condition): boolean =>
    accepted?.status === 'False' &&
    (reason === 'NotAccepted' || (type === 'ResolvedRefs' && reason === 'Invalid' && accepted.reason === 'Invalid'));
  return row.conditions
    .filter((condition) => condition.status !== 'True' && !follows(condition))
    .map(({ type, status, reason, message }) => {
      const verb = status === 'False' ? 'not' : 'not known to be';
      return `${verb} ${type} (${reason})${message === '' ? '' : `: ${message}`}`;
    });
}

/** Findings that no condition's message repeats. */
export function findingNotes(row: Pick<RuleReport, 'conditions' | 'findings'>): string[] {
  const said = row.conditions.map((condition) => condition.message).join('\n');
  return row.findings
    .filter((finding) => !said.includes(finding.message))
    .map((finding) => {
      const where = formatWhere(finding.where);
      return `${finding.code} ${where === '' ? '' : `${where}: `}${finding.message} → ${finding.hint}`;
    });
}
