/** `fairway diff` for people: how requests would move, one table per service and view of it; then which proxies would be sent what. */

import type {
  ExpectedShares,
  PreviewedProxies,
  PreviewReport,
  RouteMove,
  RouteShares,
  ServiceMove,
  Unserved,
} from '../../model/preview.ts';
import { type Column, renderTable, wrap } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { matchTexts } from './route-text.ts';
import { joinNames, orDash } from './view.ts';

/** Of the resources of one set of proxies, with -o wide all that the report has. */
const resourcesShown = 6;

export function printPreview(report: PreviewReport, wide: boolean, terminal: Terminal): void {
  for (const service of report.services) printService(service, wide, terminal);
  if (report.proxies.length > 0) printProxies(report.proxies, wide, terminal);
  const { proxies, changed, bytes } = report.totals;
  const said = !report.changed
    ? 'Nothing would change.'
    : report.services.length === 0
      ? 'The rule would wait for its service, which no cluster has.'
      : proxies === 0
        ? 'No proxy is connected.'
        : `${changed} of ${count(proxies, 'proxy', 'proxies')} would be sent ${sizeText(bytes)} in all.`;
  terminal.out(`${said}\n`);
  if (report.proxiesOmitted > 0) {
    terminal.err(`${report.proxiesOmitted} more sets of proxies were not looked at: the largest were.`);
  }
}

function printService({ service, ruleBefore, ruleAfter, views }: ServiceMove, wide: boolean, terminal: Terminal): void {
  const [before, after] = [ruleBefore ?? 'no rule', ruleAfter ?? 'no rule'];
  terminal.out(`${terminal.paint('bold', service)}: ${before === after ? `rule ${before}` : `${before} → ${after}`}\n`);
  for (const { from: clusters, proxies, routes } of views) {
    const from = `from ${clusters.length === 0 ? 'anywhere' : clusters.join(', ')}`;
    const who =
      proxies > 0 ? from : clusters.length === 0 ? 'no proxy is connected' : `${from} (no proxy is connected)`;
    const rows = routes.filter(isMoved).flatMap((route) => rowsOf(route, wide));
    const same = routes.filter((route) => !isMoved(route)).length;
    const stay = same === 0 ? '' : `; ${count(same, 'route stays as it is', 'routes stay as they are')}`;
    const head = `Requests ${who}${proxies === 0 ? '' : ` (${count(proxies, 'proxy', 'proxies')})`}${stay}`;
    for (const line of wrap(head, terminal.columns)) terminal.out(`${line}\n`);
    if (rows.length > 0) print(moveColumns(terminal), rows, wide, terminal, () => []);
    terminal.out('\n');
  }
}

function isMoved({ before, after }: RouteMove): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

interface Row {
  readonly route: string;
  readonly ports: readonly number[];
  readonly match: string;
  readonly version: string;
  readonly cluster: string;
  readonly place: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

const unservedText: Readonly<Record<Unserved['reason'], string>> = {
  'answered-by-proxy': '(answered by the proxy)',
  'no-backend': '(500: no backend)',
  'no-endpoints': '(503: no endpoint)',
  'nothing-within': '(503: none within its place)',
  'other-service': '(to another service)',
  outside: '(outside of the mesh)',
  refused: '(500: backend refused)',
};

/** By version and cluster; `wide`: by zone too. */
function rowsOf({ route, ports, before, after }: RouteMove, wide: boolean): readonly Row[] {
  const [was, is] = [sums(before, wide), sums(after, wide)];
  const match = matchTexts((after ?? before)?.matches ?? []).join(' or ');
  return [...new Set([...was.keys(), ...is.keys()])].sort().map((id) => {
    const [kind = '', version = '', cluster = '', place = ''] = JSON.parse(id) as string[];
    const isUnserved = kind === 'unserved';
    return {
      route,
      ports,
      match,
      version: isUnserved ? unservedText[version as Unserved['reason']] : version,
      cluster,
      place,
      before: before === undefined ? undefined : (was.get(id) ?? 0),
      after: after === undefined ? undefined : (is.get(id) ?? 0),
    };
  });
}

function sums(shares: RouteShares | undefined, wide: boolean): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const add = (key: readonly string[], share: number): void => {
    const id = JSON.stringify(key);
    found.set(id, (found.get(id) ?? 0) + share);
  };
  const { shares: served, unserved }: ExpectedShares = shares ?? { shares: [], unserved: [] };
  for (const { version, cluster, region, zone, share } of served) {
    add(['served', version, cluster, wide ? [region, zone].filter((part) => part !== '').join('/') : ''], share);
  }
  for (const { reason, share } of unserved) add(['unserved', reason, '', ''], share);
  return found;
}

function moveColumns(terminal: Terminal): readonly Column<Row>[] {
  return [
    { title: 'ROUTE', cell: ({ route }) => route, shrinkTo: 8 },
    { title: 'PORT', cell: ({ ports }) => ports.join(), dropOrder: 1, shrinkTo: 4 },
    { title: 'MATCH', cell: ({ match }) => match, priority: 1 },
    { title: 'VERSION', cell: ({ version }) => orDash(version), shrinkTo: 12 },
    { title: 'CLUSTER', cell: ({ cluster }) => orDash(cluster), shrinkTo: 8 },
    { title: 'ZONE', cell: ({ place }) => orDash(place), priority: 1 },
    { title: 'BEFORE', cell: ({ before }) => percentText(before) },
    { title: 'AFTER', cell: ({ after }) => percentText(after) },
    {
      title: 'MOVE',
      cell: ({ before, after }) => moveText((after ?? 0) - (before ?? 0)),
      paint: (text, { before, after }) => {
        const move = (after ?? 0) - (before ?? 0);
        return Math.abs(move) < 0.0005 ? text : terminal.paint(move > 0 ? 'green' : 'yellow', text);
      },
    },
  ];
}

/** `-`: there is no such route. */
function percentText(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(1)}%`;
}

function moveText(move: number): string {
  const text = (Math.abs(move) * 100).toFixed(1);
  return text === '0.0' ? '=' : `${move > 0 ? '+' : '-'}${text}`;
}

function printProxies(sets: readonly PreviewedProxies[], wide: boolean, terminal: Terminal): void {
  const columns: readonly Column<PreviewedProxies>[] = [
    { title: 'PROXIES', cell: ({ proxies }) => String(proxies) },
    { title: 'CLUSTER', cell: ({ cluster }) => orDash(cluster), shrinkTo: 8 },
    { title: 'NAMESPACE', cell: ({ namespace }) => namespace, shrinkTo: 9 },
    { title: 'MODE', cell: ({ mode }) => mode, dropOrder: 2 },
    { title: 'ROUTES', cell: ({ config }) => config, dropOrder: 1 },
    { title: 'TRANSPORT', cell: ({ transport }) => transport, priority: 1 },
    { title: 'ADDED', cell: ({ counts }) => String(counts.added) },
    { title: 'CHANGED', cell: ({ counts }) => String(counts.changed) },
    { title: 'REMOVED', cell: ({ counts }) => String(counts.removed) },
    {
      title: 'BYTES EACH',
      cell: ({ bytes, config }) => `${config === 'on-demand' ? '≤ ' : ''}${sizeText(bytes)}`,
    },
    { title: 'NAMES', cell: ({ names }) => joinNames(names), priority: 1 },
  ];
  print(columns, sets, wide, terminal, (set) => resourceNotes(set, wide));
  terminal.out('\n');
}

const marks = { added: '+', changed: '~', removed: '-' } as const;

function resourceNotes({ resources, virtualHosts, omitted }: PreviewedProxies, wide: boolean): readonly string[] {
  const clusters = resources.filter(({ type }) => type === 'CDS').map((one) => ({ ...one, what: 'Envoy cluster' }));
  const hosts = virtualHosts.map((one) => ({ ...one, what: 'virtual host' }));
  const others = resources
    .filter(({ type }) => type !== 'CDS' && type !== 'VHDS')
    .map((one) => ({ ...one, what: one.type }));
  const all = [...hosts, ...clusters, ...(wide ? others : [])];
  const shown = wide ? all : all.slice(0, resourcesShown);
  const left = all.length - shown.length + (wide ? omitted : 0);
  return [
    ...shown.map(({ change, what, name }) => `${marks[change]} ${what} ${name}`),
    ...(left === 0 ? [] : [`and ${left} more${wide ? '' : ' (-o wide)'}`]),
  ];
}

function print<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  wide: boolean,
  terminal: Terminal,
  notes: (row: T) => readonly string[],
): void {
  const paintTitle = (text: string): string => terminal.paint('dim', text);
  const { text, hidden } = renderTable({ columns, rows, width: terminal.columns, wide, notes, paintTitle });
  terminal.out(text);
  if (hidden.length > 0) terminal.err(`Left out for want of room: ${hidden.join(', ')} (-o wide shows all)`);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function sizeText(bytes: number): string {
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
      ? `${(bytes / 1024).toFixed(1)} KiB`
      : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
