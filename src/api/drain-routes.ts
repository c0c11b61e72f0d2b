/**
 * `GET /api/v1/drainplan?cluster=west&zone=eu-1a&service=shop/reviews&service=…&force=true`: what a drain would do. Nothing is changed by it.
 * A cluster or a zone must be given; `service` may be repeated.
 */

import type { FastifyInstance } from 'fastify';
import type { DrainedPlace } from '../model/drain.ts';
import type { DrainPlan } from '../model/drain-plan.ts';
import { HttpError } from './http-error.ts';
import { queryOf } from './request-url.ts';

export type DrainPlanner = (wish: {
  readonly place: DrainedPlace;
  /** [] means all. */
  readonly services: readonly string[];
  readonly force: boolean;
}) => Promise<DrainPlan>;

const known: ReadonlySet<string> = new Set(['cluster', 'zone', 'service', 'force']);

export function serveDrainPlan(app: FastifyInstance, plan: DrainPlanner): void {
  app.get('/api/v1/drainplan', async (request) => {
    const query = queryOf(request);
    const unknown = [...query.keys()].find((key) => !known.has(key));
    if (unknown !== undefined) {
      throw new HttpError(
        400,
        'FW-API-006',
        `unknown query parameter ${JSON.stringify(unknown)}`,
        `Use ${[...known].join(', ')}`,
      );
    }
    const place = { cluster: query.get('cluster') ?? '', zone: query.get('zone') ?? '' };
    if (place.cluster === '' && place.zone === '') {
      throw new HttpError(
        400,
        'FW-API-040',
        'which place is meant was not said',
        'Add ?cluster=NAME, ?zone=NAME or both',
      );
    }
    return plan({ place, services: query.getAll('service'), force: query.get('force') === 'true' });
  });
}
