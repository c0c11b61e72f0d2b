/**
 * The admin API's closer looks: `GET /debug/findings`, `/debug/services/NAMESPACE/NAME`, `/debug/pods/NAMESPACE/NAME`,
 * `/debug/rules/NAMESPACE/NAME` and `/debug/endpoints`. Reads only; lists come in pages as those of /api/v1 do.
 */

import type { FastifyInstance } from 'fastify';
import type { Finding } from '../core/errors.ts';
import type { AskedRequest, HoldingState, RuleHolding } from '../model/inspection.ts';
import { HttpError } from './http-error.ts';
import type { InspectionSource, ProxyChoice } from './inspection-source.ts';
import { page, readQuery } from './report-query.ts';
import { queryOf } from './request-url.ts';

interface Named {
  readonly Params: { readonly namespace: string; readonly name: string };
}

export function serveInspection(app: FastifyInstance, source: InspectionSource): void {
  app.get('/debug/findings', async (request) => {
    const parameters = queryOf(request);
    const query = readQuery(parameters, ['severity']);
    const isWanted = readSeverity(parameters.get('severity'));
    return page<Finding>(query, {
      items: source.findings(),
      key: findingKey,
      matches: (finding) => isWanted(finding) && isAbout(finding, query.namespace, query.cluster),
    });
  });
  app.get<Named>('/debug/services/:namespace/:name', async ({ params: { namespace, name } }) => {
    return source.service(namespace, name) ?? missing('service', namespace, name);
  });
  app.get<Named>('/debug/pods/:namespace/:name', async ({ params: { namespace, name } }) => {
    return source.pod(namespace, name) ?? missing('pod', namespace, name);
  });
  app.get<Named>('/debug/rules/:namespace/:name', async (request) => {
    const { namespace, name } = request.params;
    const parameters = queryOf(request);
    const query = readQuery(parameters, ['holder']);
    const rule = source.rule(namespace, name, parameters.get('holder') ?? undefined);
    if (rule === undefined) return missing('rule', namespace, name);
    const matches = ({ cluster }: RuleHolding): boolean => query.cluster === undefined || query.cluster === cluster;
    return { ...rule, ...page<RuleHolding>(query, { items: rule.items, key: holdingKey, matches }) };
  });
  app.get('/debug/endpoints', async (request) => {
    const parameters = queryOf(request);
    const { proxy, host, port } = readPathQuery(parameters);
    const found = source.requestPath(proxy, host, port, readAsked(parameters));
    return 'candidates' in found ? noSingleProxy(proxy, found) : found;
  });
}

/** What belongs together stands together: by object or cluster, the gravest first. */
function findingKey({ severity, code, where, message }: Finding): string {
  const { object = '', cluster = '', file = '', line = 0, column = 0 } = where;
  const place = [file, String(line).padStart(7, '0'), String(column).padStart(5, '0')];
  return JSON.stringify([object || `cluster ${cluster}`, severity, code, ...place, message]);
}

function isAbout({ where }: Finding, namespace: string | undefined, cluster: string | undefined): boolean {
  if (cluster !== undefined && where.cluster !== cluster) return false;
  return namespace === undefined || where.object?.includes(` ${namespace}/`) === true;
}

/** @throws HttpError 400 FW-API-021 */
function readSeverity(text: string | null): (finding: Finding) => boolean {
  if (text === null || text === 'warning') return () => true;
  if (text === 'error') return ({ severity }) => severity === 'error';
  throw new HttpError(400, 'FW-API-021', `severity ${JSON.stringify(text)} is not known`, 'Give error or warning');
}

const order: readonly HoldingState[] = ['rejected', 'in-doubt', 'pending', 'holds'];

function holdingKey({ state, cluster, namespace, nodeId }: RuleHolding): string {
  return JSON.stringify([order.indexOf(state), cluster, namespace, nodeId]);
}

function readPathQuery(query: URLSearchParams): { proxy: string; host: string; port: number } {
  const [proxy, host, port] = [query.get('as') ?? '', query.get('host') ?? '', Number(query.get('port') ?? '')];
  if (proxy !== '' && host !== '' && Number.isInteger(port) && port > 0 && port < 65_536) return { proxy, host, port };
  throw new HttpError(
    400,
    'FW-API-022',
    'a proxy, a host and a port are needed',
    'Give ?as=PROXY&host=HOST&port=PORT; a proxy is a node id, NAMESPACE/POD or POD.NAMESPACE',
  );
}

const askedMax = { path: 8192, headers: 64 } as const;

/** `path`, `method` and any number of `header` (`name: value`). @throws HttpError 400 FW-API-026 */
function readAsked(query: URLSearchParams): AskedRequest | undefined {
  const headers = query.getAll('header');
  if (!query.has('path') && !query.has('method') && headers.length === 0) return undefined;
  const [path, method] = [query.get('path') ?? '/', (query.get('method') ?? 'GET').toUpperCase()];
  const pairs = headers.map((text) => /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/s.exec(text));
  const isGood =
    path.startsWith('/') &&
    path.length <= askedMax.path &&
    /^[A-Z][A-Z0-9_-]{0,31}$/.test(method) &&
    headers.length <= askedMax.headers &&
    pairs.every((pair) => pair !== null);
  if (!isGood) {
    throw new HttpError(
      400,
      'FW-API-026',
      'the request cannot be read',
      "Give path=/x (with a query, if need be), method=GET and header='name: value' (at most 64)",
    );
  }
  return { method, path, headers: pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''] as const) };
}

function missing(kind: 'service' | 'pod' | 'rule', namespace: string, name: string): never {
  throw new HttpError(
    404,
    'FW-API-023',
    `no ${kind} ${namespace}/${name} is known`,
    kind === 'pod'
      ? 'Take one from `fairway get endpoints`: known are pods behind a service, and those with a connected proxy'
      : `Take one from \`fairway get ${kind}s\``,
  );
}

function noSingleProxy(proxy: string, { candidates }: ProxyChoice): never {
  const name = JSON.stringify(proxy.slice(0, 300));
  if (candidates.length === 0) {
    throw new HttpError(
      404,
      'FW-API-024',
      `no proxy ${name} is connected`,
      'Take one from `fairway get proxies`; another replica of the pilot may hold its stream',
    );
  }
  const ids = candidates.join(' ');
  throw new HttpError(
    409,
    'FW-API-025',
    `${name} is the name of several proxies`,
    `Give one of their node ids: ${ids}`,
  );
}
