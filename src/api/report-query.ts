/**
 * The lists of the admin API: filters and pages. A query and all reports of a kind go in, `{items, continue?}` comes out.
 * What always holds: items are sorted by their key, and a page starts after the key at which the last one ended, so that a list that changes
 * between two pages repeats nothing and loses nothing that was there all the time.
 */

import type {
  EndpointReport,
  KindReport,
  ObjectReport,
  ProxyReport,
  RuleReport,
  ServiceReport,
} from '../model/report.ts';
import type { AdminSource, ReportFilter } from './admin-source.ts';
import { HttpError } from './http-error.ts';

export interface ReportQuery extends ReportFilter {
  readonly limit: number;
  /** The key of the last item of the page before. */
  readonly after?: string;
}

export interface ReportPage {
  readonly items: readonly unknown[];
  /** Give it back as `?continue=` for the next page; absent on the last. */
  readonly continue?: string;
}

export const pageLimits = { defaultItems: 5000, maxItems: 10_000 } as const;

export const reportKinds = ['clusters', 'services', 'endpoints', 'rules', 'proxies', 'kinds'] as const;
export type ReportKind = (typeof reportKinds)[number];

const known: ReadonlySet<string> = new Set(['namespace', 'name', 'cluster', 'limit', 'continue']);

/** `also`: parameters that the caller reads itself. @throws HttpError 400 FW-API-006 or FW-API-007 */
export function readQuery(query: URLSearchParams, also: readonly string[] = []): ReportQuery {
  for (const key of query.keys()) {
    if (!known.has(key) && !also.includes(key)) {
      throw new HttpError(
        400,
        'FW-API-006',
        `unknown query parameter ${JSON.stringify(key)}`,
        `Use ${[...known, ...also].join(', ')}`,
      );
    }
  }
  const limitText = query.get('limit') ?? String(pageLimits.defaultItems);
  const limit = /^\d{1,6}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > pageLimits.maxItems) {
    throw new HttpError(
      400,
      'FW-API-007',
      `limit ${JSON.stringify(limitText)} is out of range`,
      `Give a number from 1 to ${pageLimits.maxItems}`,
    );
  }
  const namespace = query.get('namespace');
  const name = query.get('name');
  const cluster = query.get('cluster');
  const after = query.get('continue');
  return {
    limit,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(cluster ? { cluster } : {}),
    ...(after ? { after } : {}),
  };
}

interface PageOf<T> extends ReportPage {
  readonly items: readonly T[];
}

interface Keyed<T> {
  readonly items: readonly T[];
  readonly key: (item: T) => string;
  readonly matches: (item: T) => boolean;
}

export function listReports(source: AdminSource, kind: ReportKind, query: ReportQuery): ReportPage {
  switch (kind) {
    case 'clusters':
      return page(query, {
        items: source.clusters(),
        key: (cluster) => cluster.name,
        matches: (cluster) => wants(query.name, cluster.name) && wants(query.cluster, cluster.name),
      });
    case 'services':
      return page<ServiceReport>(query, {
        items: source.services(query),
        key: ({ namespace, name, clusterset }) =>
          `${namespace}/${name}${clusterset?.names === 'only' ? '/clusterset' : ''}`,
        matches: (service) =>
          wants(query.namespace, service.namespace) &&
          wants(query.name, service.name) &&
          (query.cluster === undefined || service.clusters.includes(query.cluster)),
      });
    case 'endpoints':
      return page<EndpointReport>(query, {
        items: source.endpoints(query),
        key: endpointKey,
        matches: (endpoint) =>
          wants(query.namespace, endpoint.namespace) &&
          wants(query.name, endpoint.service) &&
          wants(query.cluster, endpoint.cluster),
      });
    case 'rules':
      // The primary's rules are for every cluster.
      return page<RuleReport>(query, {
        items: source.rules(query),
        key: (rule) => `${rule.namespace}/${rule.name}/${rule.holder ?? ''}`,
        matches: (rule) =>
          wants(query.namespace, rule.namespace) &&
          wants(query.name, rule.name) &&
          (rule.holder === undefined || wants(query.cluster, rule.holder)),
      });
    case 'kinds':
      return page<KindReport>(query, {
        items: source.kindReports(),
        key: ({ plural, group }) => `${plural}.${group}`,
        matches: ({ kind, plural }) =>
          wants(query.name, plural) || wants(query.name, kind) || wants(query.name, kind.toLowerCase()),
      });
    case 'proxies':
      return page<ProxyReport>(query, {
        items: source.proxies(query),
        key: (proxy) => `${proxy.identity.namespace}/${proxy.identity.nodeId}/${proxy.peer}`,
        matches: ({ identity }) =>
          wants(query.namespace, identity.namespace) &&
          (wants(query.name, identity.workload) || query.name === identity.nodeId) &&
          wants(query.cluster, identity.cluster),
      });
  }
}

/** The objects of one of the source's kinds; like rules, they are for every cluster. */
export function listObjects(source: AdminSource, kind: string, query: ReportQuery): ReportPage {
  return page<ObjectReport>(query, {
    items: source.objects(kind, query),
    key: ({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`),
    matches: ({ namespace, name }) => wants(query.namespace, namespace) && wants(query.name, name),
  });
}

function endpointKey(endpoint: EndpointReport): string {
  const { namespace, service, cluster, address, workload } = endpoint;
  // Two endpoints of one service can share an address and differ in their ports (two workloads on one host).
  const part = endpoint.clusterset === true ? '/clusterset' : '';
  return `${namespace}/${service}${part}/${cluster}/${address}/${workload}/${Object.values(endpoint.ports).join(',')}`;
}

function wants(filter: string | undefined, value: string): boolean {
  return filter === undefined || filter === value;
}

export function page<T>(query: Pick<ReportQuery, 'limit' | 'after'>, { items, key, matches }: Keyed<T>): PageOf<T> {
  const keyed = items.filter(matches).map((item) => ({ key: key(item), item }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const { after } = query;
  const start = after === undefined ? 0 : keyed.findIndex((entry) => entry.key > after);
  if (start === -1) return { items: [] };
  let end = Math.min(start + query.limit, keyed.length);
  // Items of one key stay on one page, or the next page would skip the rest of them.
  while (end < keyed.length && keyed[end]?.key === keyed[end - 1]?.key) end += 1;
  const taken = keyed.slice(start, end);
  const last = taken.at(-1);
  const chosen = taken.map((entry) => entry.item);
  return end < keyed.length && last !== undefined ? { items: chosen, continue: last.key } : { items: chosen };
}
