/**
 * The admin API over HTTP: health, metrics, reports, debugging, and the writing of rules where there is no Kubernetes. An AdminSource, a
 * RuleWriter and metrics come in; JSON goes out. Who may call is decided in guard.ts, what a list holds in report-query.ts.
 *
 * What always holds: every error is `{code, message, hint, where}`; bodies, headers, connections and time per request are bounded; it knows
 * nothing of how the pilot works.
 */

import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.ts';
import { errorMessage, FairwayError } from '../core/errors.ts';
import { type Logger, type LogLevel, logLevels } from '../core/logger.ts';
import type { WriteReport } from '../model/report.ts';
import type { AdminSource, LogLevelSwitch, ReportedKind, RuleWriter } from './admin-source.ts';
import { serveDrainPlan } from './drain-routes.ts';
import { checkHost, checkSameOrigin, checkToken, isLoopbackHost, requireCredentialBeyondLoopback } from './guard.ts';
import { healthPaths, serveHealth } from './health.ts';
import { type ReadHistory, serveHistory } from './history-route.ts';
import { HttpError, toErrorResponse } from './http-error.ts';
import { serveInspection } from './inspection-routes.ts';
import type { Metrics } from './metrics.ts';
import { type Previewer, servePreview } from './preview-route.ts';
import { listObjects, listReports, readQuery, reportKinds } from './report-query.ts';
import { isVerbose, pathOf, queryOf } from './request-url.ts';

export interface AdminLimits {
  readonly bodyBytes: number;
  readonly connections: number;
  /** For a whole request to arrive. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** How long answers under way may take once `stop` was called. */
  readonly stopMs: number;
}

export const adminLimits: AdminLimits = {
  bodyBytes: 1024 * 1024,
  connections: 256,
  requestMs: 30_000,
  keepAliveMs: 60_000,
  stopMs: 2000,
};

export interface AdminServerOptions {
  readonly source: AdminSource;
  readonly writer: RuleWriter;
  /** Left out: this pilot keeps no objects of its own. */
  readonly history?: ReadHistory;
  /** Left out: what a change would do cannot be asked. */
  readonly previewer?: Previewer;
  readonly metrics: Metrics;
  readonly logLevel: LogLevelSwitch;
  readonly clock: Clock;
  readonly logger: Logger;
  /** '' for every address. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The bearer token in force; required beyond loopback, and then also asked for on loopback. */
  readonly token?: () => string;
  readonly limits?: AdminLimits;
}

export interface AdminServer {
  /** Where it listens, once `start` resolved. */
  readonly address: { readonly host: string; readonly port: number };
  /** Answers what is under way, for `stopMs` at most, then closes every connection. */
  stop(): Promise<void>;
}

/**
 * Listens, and resolves once it does.
 * @throws FairwayError FW-API-001 without a credential beyond loopback; FW-API-008 when the address cannot be listened on.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  requireCredentialBeyondLoopback(options.host, options.token !== undefined);
  const app = createApp(options);
  try {
    await app.listen({ host: options.host === '' ? '::' : options.host, port: options.port });
  } catch (error) {
    await app.close();
    throw new FairwayError(
      {
        code: 'FW-API-008',
        message: `the admin API cannot listen on ${options.host}:${options.port}: ${errorMessage(error)}`,
        where: {},
        hint: 'Choose another address with --admin HOST:PORT, or end the process that holds this one',
      },
      { cause: error },
    );
  }
  const bound = app.server.address();
  const address =
    typeof bound === 'object' && bound !== null
      ? { host: bound.address, port: bound.port }
      : { host: options.host, port: options.port };
  const limits = options.limits ?? adminLimits;
  const stop = async (): Promise<void> => {
    const deadline = options.clock.after(limits.stopMs, () => app.server.closeAllConnections());
    await app.close();
    deadline.cancel();
  };
  return { address, stop };
}

function createApp(options: AdminServerOptions): FastifyInstance {
  const limits = options.limits ?? adminLimits;
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    http: { maxHeaderSize: 16 * 1024 },
    routerOptions: { maxParamLength: 512 },
  });
  app.server.maxConnections = limits.connections;
  readBodiesAsText(app);
  answerErrorsAsJson(app, options.logger);
  guardRequests(app, options);
  serveHealth(app, options.source, options.metrics);
  serveReports(app, options);
  serveWrites(app, options);
  serveDebug(app, options);
  serveInspection(app, options.source.inspection);
  if (options.previewer !== undefined) servePreview(app, options.previewer);
  serveHistory(app, options.history);
  serveDrainPlan(app, options.source.drainPlan);
  return app;
}

/** Bodies stay text: the writer reads them with positions, and nothing is parsed before the caller was checked. */
function readBodiesAsText(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml'],
    { parseAs: 'string' },
    (_request, text, done) => done(null, text),
  );
}

function answerErrorsAsJson(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toErrorResponse(error);
    if (status >= 500) {
      logger.error('an admin request failed', { code: body.code, path: pathOf(request), err: errorMessage(error) });
    } else {
      logger.debug('an admin request was refused', { code: body.code, path: pathOf(request), err: body.message });
    }
    if (status === 401) void reply.header('www-authenticate', 'Bearer realm="fairway"');
    void reply.code(status).send(body);
  });
  app.setNotFoundHandler((request) => {
    throw new HttpError(
      404,
      'FW-API-009',
      `there is no ${request.method} ${pathOf(request)} here`,
      'See docs/cli.md for the paths of the admin API',
    );
  });
}

const changingMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function guardRequests(app: FastifyInstance, options: AdminServerOptions): void {
  const onLoopback = isLoopbackHost(options.host);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    void reply.header('x-content-type-options', 'nosniff');
    if (onLoopback) checkHost(request.headers.host);
    if (changingMethods.has(request.method)) checkSameOrigin(request.headers);
    // Probes of a kubelet hold no credential; what they get says no more than yes or no.
    const isBareHealth = healthPaths.has(pathOf(request)) && !isVerbose(request);
    if (options.token !== undefined && !isBareHealth) checkToken(request.headers.authorization, options.token());
  });
}

function serveReports(app: FastifyInstance, { source }: AdminServerOptions): void {
  for (const kind of reportKinds) {
    app.get(`/api/v1/${kind}`, async (request) => listReports(source, kind, readQuery(queryOf(request))));
  }
  for (const { kind, plural } of source.kinds) {
    app.get(`/api/v1/${plural}`, async (request) => listObjects(source, kind, readQuery(queryOf(request))));
  }
  app.get('/api/v1/version', async () => source.version());
  app.get('/api/v1/settings', async () => source.settings());
}

function serveWrites(app: FastifyInstance, { source, writer, logger }: AdminServerOptions): void {
  app.post('/api/v1/apply', async (request, reply) => {
    const dryRun = readDryRun(request);
    if (typeof request.body !== 'string' || request.body.trim() === '') {
      throw new HttpError(400, 'FW-API-014', 'the request has no body', 'Send the objects to apply as YAML or JSON');
    }
    const report = await writer.apply(request.body, 'the request', { dryRun });
    logWrite(logger, 'apply', report, dryRun);
    const isRejected = report.results.some((result) => result.action === 'invalid');
    return reply.code(isRejected ? 422 : 200).send(report);
  });
  for (const { kind, plural, namespaced } of [ruleKind, ...source.kinds]) {
    const path = `/api/v1/${plural}/${namespaced ? ':namespace/' : ''}:name`;
    app.delete<{ Params: { namespace?: string; name: string } }>(path, async (request, reply) => {
      const dryRun = readDryRun(request);
      const { namespace = '', name } = request.params;
      const report = await writer.delete(kind, namespace, name, { dryRun });
      logWrite(logger, 'delete', report, dryRun);
      const isMissing = report.results.every((result) => result.action === 'not-found');
      return reply.code(isMissing ? 404 : 200).send(report);
    });
  }
}

const ruleKind: ReportedKind = { kind: 'TrafficRule', plural: 'rules', namespaced: true };

function logWrite(logger: Logger, verb: string, report: WriteReport, dryRun: boolean): void {
  const objects = report.results.map(({ kind, namespace, name, action }) => `${kind} ${namespace}/${name} ${action}`);
  logger.info(`${verb} over the admin API`, { dry_run: dryRun, objects: objects.slice(0, 50), count: objects.length });
}

function serveDebug(app: FastifyInstance, { source, logLevel, logger }: AdminServerOptions): void {
  for (const kind of ['clusters', 'rules', 'proxies'] as const) {
    app.get(`/debug/${kind}`, async (request) => listReports(source, kind, readQuery(queryOf(request))));
  }
  app.get('/debug/catalog', async (_request, reply) => reply.type('application/json').send(toJson(source.catalog())));
  app.get('/debug/config_dump', async (request, reply) => {
    const node = queryOf(request).get('node');
    if (node === null || node === '') {
      throw new HttpError(
        400,
        'FW-API-015',
        'which proxy is meant was not said',
        'Add ?node=NODE-ID; `fairway get proxies -o name` lists the ids',
      );
    }
    const dump = source.configDump(node);
    if (dump === undefined) {
      throw new HttpError(
        404,
        'FW-API-016',
        `no proxy ${JSON.stringify(node)} is connected`,
        'Take an id from `fairway get proxies -o name`; another replica of the pilot may hold its stream',
      );
    }
    return reply.type('application/json').send(toJson(dump));
  });
  app.get('/debug/log', async () => ({ level: logLevel.get() }));
  app.put('/debug/log', async (request) => {
    const level = readLevel(request);
    const before = logLevel.get();
    logLevel.set(level);
    logger.info('the log level was changed', { from: before, to: level });
    return { level };
  });
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

/** From `?level=debug` or the body `{"level":"debug"}`. */
function readLevel(request: FastifyRequest): LogLevel {
  let wanted: unknown = queryOf(request).get('level');
  if (wanted === null && typeof request.body === 'string') {
    try {
      const parsed: unknown = JSON.parse(request.body);
      wanted = typeof parsed === 'object' && parsed !== null && 'level' in parsed ? parsed.level : undefined;
    } catch {
      wanted = undefined;
    }
  }
  const level = logLevels.find((candidate) => candidate === wanted);
  if (level === undefined) {
    throw new HttpError(
      400,
      'FW-API-017',
      `${JSON.stringify(wanted ?? '')} is not a log level`,
      `Give ?level= or {"level": …} with one of ${logLevels.join(', ')}`,
    );
  }
  return level;
}

function readDryRun(request: FastifyRequest): boolean {
  const value = queryOf(request).get('dryRun');
  if (value === null || value === 'false') return false;
  if (value === '' || value === 'true' || value.toLowerCase() === 'all') return true;
  throw new HttpError(400, 'FW-API-018', `dryRun=${value} is not understood`, 'Give dryRun=true or dryRun=false');
}
