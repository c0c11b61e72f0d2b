/** `fairway describe service` for people. */

import type { DescribedRoute, ExpectedFrom, RouteTarget, ServiceDescription } from '../../model/inspection.ts';
import type { ClustersetReport, RuleReport } from '../../model/report.ts';
import { ageOf } from '../duration.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { matchTexts, percentText } from './route-text.ts';
import { conditionOf, formatProgrammed } from './rules.ts';
import { joinNames, orDash } from './view.ts';

/** The service, then its exported part, if that is a service of its own. */
export function printService(service: ServiceDescription, nowMs: number, terminal: Terminal): void {
  const page = new Page(terminal);
  for (const part of [service, service.clusterset]) if (part !== undefined) printPart(part, nowMs, page);
}

function printPart(service: ServiceDescription, nowMs: number, page: Page): void {
  const isExportedPart = service.exported?.names === 'only';
  page.heading(`Service ${isExportedPart ? service.host : `${service.namespace}/${service.name}`}`);
  page.fields([
    ['host', service.host],
    ['rule', service.rule === undefined ? noRuleText(service) : ruleText(service.rule)],
    ...(service.routedBy === undefined ? [] : [['routed by', service.routedBy] as const]),
    ...(service.ownClusterOnly === true ? [['seen', 'by the clients of its own cluster, in each'] as const] : []),
    ...(service.exported?.names === 'also' ? [['also', service.exported.host] as const] : []),
    ...(service.headless ? [['headless', 'its names lead to the workloads’ own addresses'] as const] : []),
  ]);
  for (const rule of [service.rule, ...service.otherRules])
    if (rule !== undefined) printConditions(rule, rule !== service.rule, page);
  printPorts(service, page);
  printClusters(service, nowMs, page);
  if (service.exported !== undefined) printExports(service.exported, nowMs, page);
  printRoutes(service.routes, page);
  if (service.policy !== undefined) {
    page.heading('Policy');
    page.fields(Object.entries(service.policy).map(([name, value]) => [name, policyText(value)]));
  }
  printEndpoints(service, page);
  if (service.findings.length === 0) return;
  page.heading('Findings');
  for (const finding of service.findings) page.finding(finding);
}

function noRuleText({ routedBy }: ServiceDescription): string {
  return routedBy === undefined ? 'none: requests go to any endpoint' : 'none: other objects route its requests';
}

function ruleText(rule: RuleReport): string {
  return `${rule.namespace}/${rule.name} from ${rule.origin}, generation ${rule.generation}`;
}

function printConditions(rule: RuleReport, isLoser: boolean, page: Page): void {
  page.heading(`TrafficRule ${rule.namespace}/${rule.name}${isLoser ? standing(rule) : ''}`);
  page.fields(
    rule.conditions.map(({ type, status, message }) => [
      type,
      `${type === 'Programmed' ? formatProgrammed(rule) : status}${status === 'True' || message === '' ? '' : `: ${message}`}`,
    ]),
  );
  if (conditionOf(rule, 'Accepted') === undefined) page.line('the pilot has not said yet whether it is in force');
}

/** Of a rule that is not the one for all. */
function standing({ holder, origin }: RuleReport): string {
  return holder === undefined ? ` from ${origin}, not in force` : ` of cluster ${holder}, for its own proxies`;
}

function printPorts({ ports }: ServiceDescription, page: Page): void {
  page.heading('Ports');
  if (ports.length === 0) return page.line('none');
  page.table({
    columns: [
      { title: 'PORT', cell: ({ port, transport }) => `${port}/${transport}` },
      { title: 'NAME', cell: ({ name }) => orDash(name) },
      { title: 'PROTOCOL', cell: ({ protocol }) => protocol },
      { title: 'CLUSTERS', cell: ({ clusters }) => joinNames(clusters), shrinkTo: 12 },
    ],
    rows: ports,
  });
}

function printClusters({ clusters }: ServiceDescription, nowMs: number, page: Page): void {
  page.heading('Reported by');
  page.table({
    columns: [
      { title: 'CLUSTER', cell: ({ name }) => name, shrinkTo: 10 },
      {
        title: 'STATE',
        cell: ({ phase }) => (phase === 'stale' ? 'STALE' : phase),
        paint: (text, { phase }) =>
          page.paint(phase === 'fresh' ? 'green' : phase === 'stale' ? 'red' : 'yellow', text),
      },
      { title: 'SINCE', cell: ({ since }) => ageOf(since, nowMs) },
      { title: 'LAST NEWS', cell: ({ lastNews }) => ageOf(lastNews, nowMs), dropOrder: 2 },
      { title: 'READY', cell: ({ ready, total }) => `${ready}/${total}` },
      { title: 'ADDRESSES', cell: ({ addresses }) => joinNames(addresses), dropOrder: 1, shrinkTo: 12 },
    ],
    rows: clusters,
  });
}

function printExports({ exportedBy, virtualIps, conflicts }: ClustersetReport, nowMs: number, page: Page): void {
  page.heading('Exported by');
  page.table({
    columns: [
      { title: 'CLUSTER', cell: ({ cluster }) => cluster, shrinkTo: 10 },
      { title: 'ID', cell: ({ id }) => id, shrinkTo: 10 },
      { title: 'SINCE', cell: ({ since }) => ageOf(since, nowMs) },
      { title: 'COUNTS', cell: ({ counts }) => (counts === true ? 'where exports differ' : '-'), dropOrder: 1 },
    ],
    rows: exportedBy,
  });
  for (const { reason, message } of conflicts) page.line(`${reason}: ${message}`);
  if (virtualIps.length === 0) return;
  page.heading('Imported at');
  page.table({
    columns: [
      { title: 'CLUSTER', cell: ({ cluster }) => cluster, shrinkTo: 10 },
      { title: 'ADDRESSES', cell: ({ addresses }) => joinNames(addresses), shrinkTo: 12 },
    ],
    rows: virtualIps,
  });
}

/** Long rules are cut here; all routes are in the data. */
const routesShown = 50;

function printRoutes(routes: readonly DescribedRoute[], page: Page): void {
  page.heading('Requests go, by the first route that matches');
  for (const [index, { name, matches, answers, targets, expected }] of routes.slice(0, routesShown).entries()) {
    const [first = '', ...others] = matchTexts(matches);
    page.line(`${name}: ${first}`, `  ${index + 1}. `);
    for (const other of others) page.line(`or ${other}`, '     ');
    if (answers !== undefined) page.line(`the proxy itself: ${answers}`, '     ');
    for (const target of targets) page.line(targetText(target), `     ${percentText(target.percent).padStart(6)}  `);
    for (const one of expected)
      page.line(expectedText(one), `     ${expected.length > 1 ? `from ${one.from.join(', ')}` : 'expected'}: `);
  }
  if (routes.length > routesShown) page.line(`and ${routes.length - routesShown} more routes; they are in -o json`);
}

/** `v1 in east 90%, v3 in west 10%`. */
function expectedText({ shares, unserved }: ExpectedFrom): string {
  const byPlace = new Map<string, number>();
  for (const { version, cluster, share } of shares) {
    const place = `${version === '' ? '' : `${version} in `}${cluster}`;
    byPlace.set(place, (byPlace.get(place) ?? 0) + share);
  }
  return [
    ...[...byPlace].map(([place, share]) => `${place} ${percentText(100 * share)}`),
    ...unserved.map(({ reason, share }) => `${unservedText[reason]} ${percentText(100 * share)}`),
  ].join(', ');
}

const unservedText: Readonly<Record<ExpectedFrom['unserved'][number]['reason'], string>> = {
  'answered-by-proxy': 'answered by the proxy',
  'no-backend': '500 (no backend takes requests)',
  'no-endpoints': '503 (there is no endpoint)',
  'nothing-within': '503 (there is no endpoint where traffic must stay)',
  'other-service': 'to another service',
  outside: 'outside of the mesh',
  refused: '500 (the backend may not be used)',
};

/** `v2.west (3 ready), else v2 (5 of 6 ready)`. */
function targetText({ service, chain, refused }: RouteTarget): string {
  if (refused !== undefined) return `answered with an error: ${refused}`;
  if (service !== undefined) return service;
  return chain
    .map(({ destination, ready, total }) => {
      const count = total === 0 ? 'no endpoint' : ready === total ? `${ready} ready` : `${ready} of ${total} ready`;
      return `${destination === '' ? 'anywhere' : destination} (${count})`;
    })
    .join(', else ');
}

function printEndpoints({ endpoints }: ServiceDescription, page: Page): void {
  page.heading('Endpoints');
  if (endpoints.length === 0) return page.line('none');
  page.table({
    columns: [
      { title: 'VERSION', cell: ({ version }) => orDash(version), shrinkTo: 8 },
      { title: 'CLUSTER', cell: ({ cluster }) => cluster, shrinkTo: 8 },
      { title: 'REGION', cell: ({ region }) => orDash(region), shrinkTo: 7, dropOrder: 2 },
      { title: 'ZONE', cell: ({ zone }) => orDash(zone), shrinkTo: 7, dropOrder: 1 },
      { title: 'READY', cell: ({ ready }) => String(ready) },
      { title: 'NOT READY', cell: ({ notReady }) => String(notReady) },
      { title: 'DRAINING', cell: ({ draining }) => String(draining) },
      { title: 'ENDING', cell: ({ terminating }) => String(terminating), dropOrder: 3 },
    ],
    rows: endpoints,
  });
}

/** `{"kind":"least-request"}` reads as `kind least-request`. */
function policyText(value: unknown): string {
  if (Array.isArray(value)) return value.map(policyText).join('; ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .filter(([, inner]) => inner !== '')
    .map(([name, inner]) =>
      typeof inner === 'object' && inner !== null ? `${name} (${policyText(inner)})` : `${name} ${String(inner)}`,
    )
    .join(', ');
}
