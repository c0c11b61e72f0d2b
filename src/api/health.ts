/** The answers that probes and Prometheus ask for: /livez, /readyz, /healthz and /metrics. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminSource } from './admin-source.ts';
import type { Metrics } from './metrics.ts';
import { isVerbose } from './request-url.ts';

/** Paths that a kubelet's probes ask without a credential; their bare answers say no more than yes or no. */
export const healthPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/healthz']);

export function serveHealth(app: FastifyInstance, source: AdminSource, metrics: Metrics): void {
  app.get('/livez', (request, reply) => answerHealth(request, reply, 'livez', true, []));
  for (const path of ['readyz', 'healthz']) {
    app.get(`/${path}`, (request, reply) => {
      const { ready, checks } = source.readiness();
      return answerHealth(request, reply, path, ready, checks);
    });
  }
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
}

/** As kube-apiserver answers: `ok`, or with ?verbose one `[+]name ok` or `[-]name failed: why` per check. */
function answerHealth(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  ok: boolean,
  checks: ReturnType<AdminSource['readiness']>['checks'],
): FastifyReply {
  const closing = ok ? `${path} check passed` : `${path} check failed`;
  const lines = [{ name: 'ping', ok: true, message: '' }, ...checks].map((check) => {
    const detail = check.message === '' ? '' : `: ${check.message}`;
    return check.ok ? `[+]${check.name} ok${detail}` : `[-]${check.name} failed${detail}`;
  });
  const text = isVerbose(request) ? `${[...lines, closing].join('\n')}\n` : ok ? 'ok' : closing;
  return reply
    .code(ok ? 200 : 503)
    .type('text/plain; charset=utf-8')
    .send(text);
}
