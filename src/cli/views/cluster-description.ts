/** `fairway describe cluster` for people. */

import type { ClusterProfileReport, ClusterReport } from '../../model/report.ts';
import { ageOf } from '../duration.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { formatLocality, orDash } from './view.ts';

export function printCluster(cluster: ClusterReport, nowMs: number, terminal: Terminal): void {
  const page = new Page(terminal);
  const { phase, since, lastNews, problem, rotation, dropped, profile } = cluster;
  page.heading(`Cluster ${cluster.name}`);
  page.fields([
    ['state', `${phase} since ${ageOf(since, nowMs)}`],
    ...(lastNews === undefined ? [] : [['last news', `${ageOf(lastNews, nowMs)} ago`] as const]),
    ...(problem === undefined ? [] : [['problem', `${problem.code} ${problem.message} → ${problem.hint}`] as const]),
    ...(rotation === undefined
      ? []
      : [['new registration', `${rotation.phase} since ${ageOf(rotation.since, nowMs)}`] as const]),
    ['registered by', cluster.origin],
    ['API', orDash(cluster.version)],
    ['uid', orDash(cluster.uid)],
    ['network', orDash(cluster.network)],
    ['locality', formatLocality(cluster.locality)],
    ['services', String(cluster.services)],
    ['endpoints', `${cluster.endpoints}${dropped > 0 ? ` (${dropped} foreign or excess ones left out)` : ''}`],
    ['proxies', String(cluster.proxies)],
  ]);
  if (profile !== undefined) printProfile(profile, page);
  if (cluster.findings.length === 0) return;
  page.heading('Findings');
  for (const finding of cluster.findings) page.finding(finding);
}

function printProfile({ manager, displayName, properties, conditions }: ClusterProfileReport, page: Page): void {
  page.heading('Its ClusterProfile');
  page.fields([
    ['cluster manager', orDash(manager)],
    ['display name', orDash(displayName)],
    ...conditions.map(
      ({ type, status, reason, message }) =>
        [type, `${status}${reason === '' ? '' : ` (${reason})`}${message === '' ? '' : `: ${message}`}`] as const,
    ),
  ]);
  if (properties.length === 0) return;
  page.heading('Its properties');
  page.fields(properties.map(({ name, value }) => [name, orDash(value)]));
}
