/**
 * One line of a watch: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */

import { errorMessage } from '../../core/errors.ts';
import { ApiError, statusError } from './api-error.ts';

export type WatchEvent =
  | { readonly type: 'put' | 'delete'; readonly object: unknown; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Throws an ApiError: `expired` for an ERROR event with 410, `malformed` for what is no event. */
export function parseWatchEvent(line: string): WatchEvent {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new ApiError('malformed', `a watch event is not JSON: ${errorMessage(error)}`);
  }
  const type = typeof event === 'object' && event !== null ? event.type : undefined;
  const object =
    typeof event?.object === 'object' && event.object !== null ? (event.object as Record<string, unknown>) : {};
  if (type === 'ERROR') {
    const code = object['code'];
    throw statusError(typeof code === 'number' ? code : 500, object);
  }
  const metadata = object['metadata'];
  const version =
    typeof metadata === 'object' && metadata !== null
      ? (metadata as Record<string, unknown>)['resourceVersion']
      : undefined;
  if (typeof version !== 'string' || version === '')
    throw new ApiError('malformed', 'a watch event has no resourceVersion');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', object, resourceVersion: version };
    case 'DELETED':
      return { type: 'delete', object, resourceVersion: version };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion: version };
    default:
      throw new ApiError('malformed', `a watch event has the unknown type ${JSON.stringify(type)?.slice(0, 50)}`);
  }
}
