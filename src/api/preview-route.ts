/**
 * `POST /api/v1/preview`: objects as for apply, and what applying them would do. Guarded and bounded as every other request; it changes nothing.
 */

import type { FastifyInstance } from 'fastify';
import { FairwayError } from '../core/errors.ts';
import type { PreviewReport } from '../model/preview.ts';
import { HttpError } from './http-error.ts';
import { queryOf } from './request-url.ts';

/** `text`: YAML or JSON. `origin` names the sender, for findings' `where.file`. Throws a coded error when it cannot look at it now. */
export type Previewer = (text: string, origin: string, defaultNamespace: string) => Promise<PreviewReport>;

export function servePreview(app: FastifyInstance, previewer: Previewer): void {
  app.post('/api/v1/preview', async (request, reply) => {
    const namespace = queryOf(request).get('namespace') ?? 'default';
    if (typeof request.body !== 'string' || request.body.trim() === '') {
      throw new HttpError(400, 'FW-API-014', 'the request has no body', 'Send the objects to apply as YAML or JSON');
    }
    const report = await previewer(request.body, 'the request', namespace).catch(refuse);
    const isInvalid = report.objects.some(({ action }) => action === 'invalid');
    return reply.code(isInvalid ? 422 : 200).send(report);
  });
}

function refuse(error: unknown): never {
  if (!(error instanceof FairwayError) || error.code !== 'FW-PREVIEW-002') throw error;
  throw new HttpError(429, error.code, error.message, error.hint);
}
