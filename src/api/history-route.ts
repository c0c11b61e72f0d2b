/** `GET /api/v1/history?kind=TrafficRule&namespace=shop&name=reviews`: the forms that an object had, oldest first. */

import type { FastifyInstance } from 'fastify';
import type { ObjectHistory } from '../model/history.ts';
import { HttpError } from './http-error.ts';
import { queryOf } from './request-url.ts';

/** undefined: nothing is known of such an object. */
export type ReadHistory = (kind: string, namespace: string, name: string) => Promise<ObjectHistory | undefined>;

/** `read`: undefined where the pilot keeps no objects of its own. */
export function serveHistory(app: FastifyInstance, read: ReadHistory | undefined): void {
  app.get('/api/v1/history', async (request) => {
    if (read === undefined) {
      throw new HttpError(
        404,
        'FW-API-031',
        'this pilot keeps no rules of its own, and so no history of them',
        'Ask the primary cluster: fairway rule history --kubeconfig FILE --context PRIMARY …',
      );
    }
    const query = queryOf(request);
    const [kind, namespace, name] = ['kind', 'namespace', 'name'].map((field) => query.get(field) ?? '');
    const history = await read(kind || 'TrafficRule', namespace ?? '', name ?? '');
    if (history !== undefined) return history;
    throw new HttpError(
      404,
      'FW-API-032',
      `there is no history of ${kind || 'TrafficRule'} ${namespace ? `${namespace}/` : ''}${name}`,
      'List what there is with `fairway get rules`; a history begins when the pilot first sees the object',
    );
  });
}
