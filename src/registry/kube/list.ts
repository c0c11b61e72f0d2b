/**
 * One complete list of one resource, page by page.
 *
 * In: a resource and how to read its items. Out: all of them with the version to watch from, or an ApiError; never a part. A page that
 * fails, or that has become too old to go on with (410), spoils the whole list: the caller asks again from the start.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */

import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';

export interface Resource {
  /** For people and RBAC: `endpointslices`. */
  readonly name: string;
  /** '' is the core group. */
  readonly group: string;
  /** `/api/v1/services`, or one namespace's. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListLimits {
  /** Items per page. */
  readonly page: number;
  /** Items in all; those after them, in the API's own order, are left out and the list says so. */
  readonly items: number;
}

export interface ReadItem<T> {
  readonly key: string;
  readonly value: T;
}

export interface CompleteList<T> {
  readonly items: ReadonlyMap<string, T>;
  readonly resourceVersion: string;
  /** The list was longer than the limit. */
  readonly truncated: boolean;
}

interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly continueToken: string;
}

/** `page` is called for every page that came, so that the caller knows that the API is alive. */
export async function listAll<T>(
  api: ApiClient,
  resource: Resource,
  read: (raw: unknown) => ReadItem<T>,
  limits: ListLimits,
  signal: AbortSignal,
  paged: () => void = () => undefined,
): Promise<CompleteList<T>> {
  const items = new Map<string, T>();
  let continueToken = '';
  for (;;) {
    // No resourceVersion: the most recent state, so that a list from another replica never goes back in time.
    const query: Record<string, string> = { limit: String(limits.page) };
    if (resource.labelSelector !== undefined) query['labelSelector'] = resource.labelSelector;
    if (resource.fieldSelector !== undefined) query['fieldSelector'] = resource.fieldSelector;
    if (continueToken !== '') query['continue'] = continueToken;
    const page = readPage(await api.json({ path: resource.path, query, signal }), resource);
    paged();
    for (const raw of page.items) {
      if (items.size >= limits.items) return { items, resourceVersion: page.resourceVersion, truncated: true };
      const { key, value } = read(raw);
      items.set(key, value);
    }
    if (page.continueToken === '') return { items, resourceVersion: page.resourceVersion, truncated: false };
    if (page.items.length === 0 || page.continueToken === continueToken) {
      throw new ApiError('malformed', `the list of ${resource.name} goes on without getting on`);
    }
    continueToken = page.continueToken;
  }
}

/** Anything that is not plainly a list is an error: taken for an empty one, it would remove everything. */
function readPage(body: unknown, resource: Resource): Page {
  const list = body as { kind?: unknown; metadata?: Record<string, unknown>; items?: unknown } | null;
  const kind = typeof list === 'object' && list !== null ? list.kind : undefined;
  const metadata = typeof kind === 'string' && kind.endsWith('List') ? list?.metadata : undefined;
  const resourceVersion = typeof metadata === 'object' && metadata !== null ? metadata['resourceVersion'] : undefined;
  // Go writes an empty list as null where nothing made one.
  const items = list?.items ?? [];
  if (
    metadata === undefined ||
    typeof resourceVersion !== 'string' ||
    resourceVersion === '' ||
    !Array.isArray(items)
  ) {
    throw new ApiError('malformed', `the answer to listing ${resource.name} is not a list`, { status: 200 });
  }
  const continueToken = metadata['continue'];
  return { items, resourceVersion, continueToken: typeof continueToken === 'string' ? continueToken : '' };
}
