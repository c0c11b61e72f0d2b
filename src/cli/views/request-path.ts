/** `fairway endpoints` for people: the way of a request, then the endpoints of each Envoy cluster on it, by level. */

import type { PathCluster, PathEndpoint, PathRoute, ProxyRequestPath, RequestWay } from '../../model/inspection.ts';
import { ageOf } from '../duration.ts';
import { formatHostPort } from '../host-port.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { percentText } from './route-text.ts';
import { formatLocality, orDash } from './view.ts';

export function printRequestPath(path: ProxyRequestPath, nowMs: number, terminal: Terminal): void {
  const page = new Page(terminal);
  const { proxy, types, listener, ways, clusters } = path;
  page.heading(
    `${formatHostPort(path)} as ${proxy.workload === '' ? proxy.nodeId : `${proxy.workload}.${proxy.namespace}`} sees it`,
  );
  page.fields([
    ['proxy', `${proxy.nodeId} in cluster ${orDash(proxy.cluster)}`],
    ['mode', `${proxy.config}, ${proxy.interception}`],
    ['listener', listener],
    ...behind(types, nowMs),
  ]);
  if (proxy.config === 'on-demand')
    page.line('It fetches hosts and Envoy clusters at their first request; this is what it gets then.');
  for (const way of ways) printWay(way, page);
  if (ways.length === 0) page.line('nothing listens there: connections are refused');
  for (const cluster of clusters) printCluster(cluster, page);
}

/** What is shown is what it is given: where it does not hold that yet, it does as before. */
function behind(types: ProxyRequestPath['types'], nowMs: number): readonly (readonly [string, string])[] {
  return Object.entries(types).flatMap(([type, { state, since, error }]): (readonly [string, string])[] => {
    if (state === 'pending') return [[type, `pending for ${ageOf(since, nowMs)}: it goes by what it had before`]];
    if (state !== 'rejected') return [];
    return [[type, `REJECTED ${ageOf(since, nowMs)} ago, it goes by what it had before: ${error}`]];
  });
}

function printWay({ traffic, table, virtualHost, routes, taken }: RequestWay, page: Page): void {
  page.heading(traffic);
  page.fields([
    ...(table === undefined ? [] : [['route table', table] as const]),
    ...(virtualHost === undefined ? [] : [['virtual host', virtualHost.name] as const]),
  ]);
  if (virtualHost?.isCatchAll === true)
    page.line('No service has this host: this is what is done with all such requests.', '  ‼ ');
  if (taken !== undefined) {
    if (taken.position === 0)
      page.line(`none of ${taken.of} routes takes such a request: it is answered with 404`, '  × ');
    else page.line(`of ${taken.of} routes this one takes such a request:`);
  }
  for (const [index, route] of routes.entries()) {
    page.line(routeText(route), `  ${taken?.position ?? index + 1}. `);
    for (const { name, percent } of route.clusters) page.line(name, `     ${percentText(percent).padStart(6)}  `);
  }
}

function routeText({ name, rule, match, action }: PathRoute): string {
  const from = rule === '' ? '' : ` of ${rule}`;
  return `${name === '' ? 'connections' : name}${from}: ${match === '' ? 'all' : match}${action === 'forward' ? '' : ` → ${action}`}`;
}

function printCluster({ name, type, balancing, endpoints, omitted }: PathCluster, page: Page): void {
  page.heading(name);
  if (type === '')
    return page.line('the proxy is given no such Envoy cluster: requests to it are answered with 503', '  × ');
  if (type !== 'EDS' && endpoints.length === 0) return page.line(`${type}: ${typeText(type)}`);
  if (endpoints.length === 0) return page.line('no endpoint: requests to it are answered with 503', '  × ');
  page.line(`${type}, ${balancing}`);
  page.table({
    columns: [
      { title: 'LEVEL', cell: ({ priority }) => String(priority) },
      { title: 'ENDPOINT', cell: (row) => formatHostPort({ host: row.address, port: row.port }) },
      {
        title: 'HEALTH',
        cell: ({ health }) => (health === 'UNKNOWN' ? 'HEALTHY' : health),
        paint: (text) => page.paint(text.startsWith('HEALTHY') ? 'green' : 'red', text),
      },
      { title: 'VERSION', cell: ({ version }) => orDash(version), shrinkTo: 7 },
      { title: 'CLUSTER', cell: ({ cluster }) => orDash(cluster), shrinkTo: 7 },
      { title: 'LOCALITY', cell: ({ locality }) => formatLocality(locality), dropOrder: 2, shrinkTo: 9 },
      ...(isWeighted(endpoints)
        ? [{ title: 'WEIGHT', cell: (row: PathEndpoint) => weightText(row), dropOrder: 3 }]
        : []),
      { title: 'WORKLOAD', cell: ({ workload }) => orDash(workload), dropOrder: 1, shrinkTo: 10 },
    ],
    rows: endpoints,
  });
  if (omitted > 0) page.line(`and ${omitted} more`);
}

/** A locality's weight is the number of its endpoints, mostly, and then it says nothing. */
function isWeighted(endpoints: readonly PathEndpoint[]): boolean {
  const counts = Map.groupBy(endpoints, ({ priority, locality }) => JSON.stringify([priority, locality]));
  return [...counts.values()].some((group) =>
    group.some(({ weight = 1, localityWeight = group.length }) => weight !== 1 || localityWeight !== group.length),
  );
}

function weightText({ weight = 1, localityWeight }: PathEndpoint): string {
  return localityWeight === undefined ? String(weight) : `${weight} of locality ${localityWeight}`;
}

function typeText(type: string): string {
  if (type === 'ORIGINAL_DST') return 'on to the address that the application connects to';
  if (type.includes('dynamic_forward_proxy')) return 'on to the host that the request names';
  return 'it has no endpoints: connections are refused';
}
