/** `fairway analyze` for people: findings by object, the gravest objects first, and a count. */

import type { Finding } from '../../core/errors.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';

export interface AnalysisPage {
  readonly findings: readonly Finding[];
  /** Of all, those that are not shown among them. */
  readonly errors: number;
  readonly warnings: number;
  readonly scope: string;
}

export function printAnalysis({ findings, errors, warnings, scope }: AnalysisPage, terminal: Terminal): void {
  const page = new Page(terminal);
  const groups = [...Map.groupBy(findings, subjectOf)].sort(
    ([a, one], [b, two]) => gravity(one) - gravity(two) || (a < b ? -1 : a > b ? 1 : 0),
  );
  for (const [subject, group] of groups) {
    page.heading(subject);
    for (const finding of group.toSorted(byPlace)) page.finding(finding);
  }
  if (groups.length > 0) terminal.out('\n');
  if (errors + warnings === 0) {
    page.line(`No problems found in ${scope}.`, '');
    return;
  }
  const hidden = errors + warnings - findings.length;
  const shown = hidden === 0 ? '' : `, ${hidden} of them not shown (--severity warning)`;
  page.line(`${counted(errors, 'error')} and ${counted(warnings, 'warning')} in ${scope}${shown}.`, '');
}

/** What a finding is about: an object, else a cluster, else a file. */
function subjectOf({ where: { object, cluster, file } }: Finding): string {
  if (object !== undefined) return cluster === undefined ? object : `${object} in cluster ${cluster}`;
  return cluster === undefined ? (file ?? 'the mesh') : `Cluster ${cluster}`;
}

function gravity(findings: readonly Finding[]): number {
  return findings.some(({ severity }) => severity === 'error') ? 0 : 1;
}

function byPlace(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return a.severity === 'error' ? -1 : 1;
  const byLine = (a.where.line ?? 0) - (b.where.line ?? 0) || (a.where.column ?? 0) - (b.where.column ?? 0);
  return byLine || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
