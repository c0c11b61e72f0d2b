/**
 * The admin API's client: a URL and maybe a token in, typed reports out. An API that does not answer is a CommandFailure with exit code 3 that
 * says what was tried; an error that the API answers keeps its own code, words and hint.
 */

import { readFileSync } from 'node:fs';
import { errorMessage, type Finding } from '../core/errors.ts';
import type { DrainedPlace } from '../model/drain.ts';
import type { DrainPlan } from '../model/drain-plan.ts';
import type { ObjectHistory } from '../model/history.ts';
import type {
  AskedRequest,
  PodDescription,
  ProxyRequestPath,
  RuleHolding,
  RuleInspection,
  ServiceDescription,
} from '../model/inspection.ts';
import type { PreviewReport } from '../model/preview.ts';
import type {
  ClusterReport,
  EndpointReport,
  KindReport,
  ObjectReport,
  ProxyReport,
  RuleReport,
  ServiceReport,
  VersionReport,
  WriteReport,
} from '../model/report.ts';
import { type Answer, exchange, readJson, refusal } from './admin-exchange.ts';
import { usageError } from './failure.ts';

export interface ReportByKind {
  readonly clusters: ClusterReport;
  readonly services: ServiceReport;
  readonly endpoints: EndpointReport;
  readonly rules: RuleReport;
  readonly proxies: ProxyReport;
  readonly kinds: KindReport;
}

export interface ListFilter {
  readonly namespace?: string;
  readonly name?: string;
  readonly cluster?: string;
}

export interface HealthAnswer {
  readonly ok: boolean;
  /** `[+]name ok` lines. */
  readonly text: string;
}

export interface AdminClient {
  readonly url: string;
  /** Every page of the list. */
  list<Kind extends keyof ReportByKind>(kind: Kind, filter: ListFilter): Promise<readonly ReportByKind[Kind][]>;
  /** The objects of a kind besides rules, by its plural. */
  objects(plural: string, filter: ListFilter): Promise<readonly ObjectReport[]>;
  /** What a drain would do. */
  drainPlan(wish: DrainedPlace & { readonly services: readonly string[]; readonly force: boolean }): Promise<DrainPlan>;
  version(): Promise<VersionReport>;
  /** All that is wrong in the mesh. */
  findings(filter: ListFilter & { readonly severity?: string }): Promise<readonly Finding[]>;
  describeService(namespace: string, name: string): Promise<ServiceDescription>;
  describePod(namespace: string, name: string): Promise<PodDescription>;
  /** `limit`: this many proxies at most; undefined: all. */
  inspectRule(
    namespace: string,
    name: string,
    filter: ListFilter & { readonly holder?: string },
    limit?: number,
  ): Promise<RuleInspection>;
  requestPath(proxy: string, host: string, port: number, request?: AskedRequest): Promise<ProxyRequestPath>;
  settings(): Promise<Readonly<Record<string, unknown>>>;
  ready(): Promise<HealthAnswer>;
  /** The forms that an object had; undefined where nothing is known of it. */
  history(kind: string, namespace: string, name: string): Promise<ObjectHistory | undefined>;
  /** `yaml`: documents; a rejection is in the report, not thrown. */
  apply(yaml: string, options: { readonly dryRun: boolean }): Promise<WriteReport>;
  /** What applying the documents would do; what is wrong with them is in the report, not thrown. */
  preview(yaml: string): Promise<PreviewReport>;
  /** `plural`: `rules`, or a kind's. `namespace`: '' for kinds without one. */
  delete(plural: string, namespace: string, name: string, options: { readonly dryRun: boolean }): Promise<WriteReport>;
}

export interface AdminClientOptions {
  /** `http://127.0.0.1:15014`; a bare HOST:PORT is taken as http. */
  readonly url: string;
  readonly token?: string;
  readonly timeoutMs: number;
}

export const defaultAdminUrl = 'http://127.0.0.1:15014';

export function createAdminClient({ url, token, timeoutMs }: AdminClientOptions): AdminClient {
  const base = readUrl(url);

  const send = (method: string, path: string, body?: string): Promise<Answer> =>
    exchange({ method, target: new URL(path, base), token, timeoutMs, body });

  const getJson = async (path: string): Promise<unknown> => {
    const answer = await send('GET', path);
    if (answer.status !== 200) throw refusal(answer, base);
    return readJson(answer, base);
  };

  const everyPage = async <T>(path: string, filter: Readonly<Record<string, string>>): Promise<T[]> => {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const query = new URLSearchParams({ ...filter, ...(next === undefined ? {} : { continue: next }) });
      const page = (await getJson(`${path}?${query}`)) as { items: T[]; continue?: string };
      for (const item of page.items) items.push(item);
      next = page.continue;
    } while (next !== undefined);
    return items;
  };

  const debugOf = (what: string, namespace: string, name: string): string =>
    `/debug/${what}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

  const write = async (
    method: string,
    path: string,
    good: ReadonlySet<number>,
    body?: string,
  ): Promise<WriteReport> => {
    const answer = await send(method, path, body);
    const parsed = good.has(answer.status) ? readJson(answer, base) : undefined;
    if (typeof parsed === 'object' && parsed !== null && 'results' in parsed) return parsed as WriteReport;
    throw refusal(answer, base);
  };

  return {
    url: base.origin,
    list: (kind, filter) => everyPage<ReportByKind[typeof kind]>(`/api/v1/${kind}`, { ...filter }),
    objects: (plural, filter) => everyPage<ObjectReport>(`/api/v1/${plural}`, { ...filter }),
    findings: (filter) => everyPage<Finding>('/debug/findings', { ...filter }),
    describeService: async (namespace, name) =>
      (await getJson(debugOf('services', namespace, name))) as ServiceDescription,
    describePod: async (namespace, name) => (await getJson(debugOf('pods', namespace, name))) as PodDescription,
    async inspectRule(namespace, name, filter, limit) {
      const path = debugOf('rules', namespace, name);
      const query = new URLSearchParams({ ...filter, ...(limit === undefined ? {} : { limit: String(limit) }) });
      const first = (await getJson(`${path}?${query}`)) as RuleInspection;
      const { continue: next, ...inspection } = first;
      if (next === undefined || limit !== undefined) return first;
      const rest = await everyPage<RuleHolding>(path, { ...filter, continue: next });
      return { ...inspection, items: [...inspection.items, ...rest] };
    },
    async requestPath(proxy, host, port, request) {
      const query = new URLSearchParams({ as: proxy, host, port: String(port) });
      if (request !== undefined) {
        query.set('method', request.method);
        query.set('path', request.path);
        for (const [name, value] of request.headers) query.append('header', `${name}: ${value}`);
      }
      return (await getJson(`/debug/endpoints?${query}`)) as ProxyRequestPath;
    },
    async drainPlan({ cluster, zone, services, force }) {
      const query = new URLSearchParams(services.map((service) => ['service', service] as [string, string]));
      if (cluster !== '') query.set('cluster', cluster);
      if (zone !== '') query.set('zone', zone);
      query.set('force', String(force));
      return (await getJson(`/api/v1/drainplan?${query}`)) as DrainPlan;
    },
    version: async () => (await getJson('/api/v1/version')) as VersionReport,
    settings: async () => (await getJson('/api/v1/settings')) as Readonly<Record<string, unknown>>,
    async ready() {
      const answer = await send('GET', '/readyz?verbose');
      if (answer.status !== 200 && answer.status !== 503) throw refusal(answer, base);
      return { ok: answer.status === 200, text: answer.text };
    },
    async history(kind, namespace, name) {
      const answer = await send('GET', `/api/v1/history?${new URLSearchParams({ kind, namespace, name })}`);
      if (answer.status === 200) return readJson(answer, base) as ObjectHistory;
      if (answer.status === 404 && answer.text.includes('FW-API-032')) return undefined;
      throw refusal(answer, base);
    },
    apply: (yaml, { dryRun }) => write('POST', `/api/v1/apply?dryRun=${dryRun}`, new Set([200, 422]), yaml),
    async preview(yaml) {
      const answer = await send('POST', '/api/v1/preview', yaml);
      if (answer.status !== 200 && answer.status !== 422) throw refusal(answer, base);
      return readJson(answer, base) as PreviewReport;
    },
    delete: (plural, namespace, name, { dryRun }) => {
      const place = namespace === '' ? '' : `${encodeURIComponent(namespace)}/`;
      const path = `/api/v1/${plural}/${place}${encodeURIComponent(name)}?dryRun=${dryRun}`;
      return write('DELETE', path, new Set([200, 404]));
    },
  };
}

/** @throws CommandFailure FW-CLI-005 */
function readUrl(text: string): URL {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '') return url;
  throw usageError({
    code: 'FW-CLI-005',
    message: `--admin ${JSON.stringify(text)} is not the address of an admin API`,
    hint: `Give a URL such as ${defaultAdminUrl}, with --admin or FAIRWAY_ADMIN; a token goes into --admin-token-file`,
  });
}

/** From --admin-token-file, else FAIRWAY_ADMIN_TOKEN. @throws CommandFailure FW-CLI-006 */
export function readAdminToken(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (file === undefined) return env.FAIRWAY_ADMIN_TOKEN === '' ? undefined : env.FAIRWAY_ADMIN_TOKEN;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usageError(
      {
        code: 'FW-CLI-006',
        message: `the admin token cannot be read: ${errorMessage(error)}`,
        where: { file },
        hint: 'Give a file that holds the token which the pilot was started with',
      },
      { cause: error },
    );
  }
}
