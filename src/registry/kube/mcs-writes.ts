/**
 * Writes to one cluster's API on behalf of imports: server-side applies, statuses, deletions. In: manifests. Out: what the API holds then, in the
 * copies of what is held; throws an ApiError. What always holds: an object is deleted only as the very one that was seen (its uid).
 */

import type { McsOutcome } from '../mcs-host.ts';
import type { ApiClient } from './api-client.ts';
import { networkError } from './api-error.ts';
import { type HeldObject, type HeldObjects, readHeld } from './mcs-held.ts';
import type { Manifest } from './mcs-manifests.ts';

const fieldManager = 'fairway-mcs';

const plurals: Readonly<Record<string, string>> = {
  Service: 'services',
  EndpointSlice: 'endpointslices',
  ServiceImport: 'serviceimports',
  ServiceExport: 'serviceexports',
};

export class McsWrites {
  readonly #api: ApiClient;
  readonly #wrote: (outcome: McsOutcome) => void;
  readonly #signal: AbortSignal;

  constructor(api: ApiClient, wrote: (outcome: McsOutcome) => void, signal: AbortSignal) {
    this.#api = api;
    this.#wrote = wrote;
    this.#signal = signal;
  }

  /** `isOwn`: it is there, and ours; else a field that somebody else has set is a conflict. */
  async apply(manifest: Manifest, held: HeldObjects, isOwn: boolean): Promise<HeldObject> {
    return this.#patch(manifest, held, '', isOwn);
  }

  /** `version`: of the object whose status it is. */
  async applyStatus(
    of: HeldObject,
    apiVersion: string,
    kind: string,
    status: unknown,
    held: HeldObjects,
  ): Promise<HeldObject> {
    const { namespace, name, version } = of;
    return this.#patch(
      { apiVersion, kind, metadata: { namespace, name, resourceVersion: version }, status },
      held,
      '/status',
      true,
    );
  }

  /** One that is gone already is what was wanted. */
  async delete(object: HeldObject, apiVersion: string, kind: string, held: HeldObjects): Promise<void> {
    const path = pathOf(apiVersion, kind, object.namespace, object.name);
    try {
      await this.#api.json({
        method: 'DELETE',
        path,
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: object.uid } },
        signal: this.#signal,
      });
      this.#wrote('deleted');
    } catch (thrown) {
      if (networkError(thrown).kind !== 'not-found') throw thrown;
    }
    held.delete(object);
  }

  /** A Service that is not among those held; undefined: there is none. */
  async readService(namespace: string, name: string): Promise<HeldObject | undefined> {
    try {
      return readHeld(await this.#api.json({ path: pathOf('v1', 'Service', namespace, name), signal: this.#signal }));
    } catch (thrown) {
      if (networkError(thrown).kind === 'not-found') return undefined;
      throw thrown;
    }
  }

  async #patch(manifest: Manifest, held: HeldObjects, subresource: string, force: boolean): Promise<HeldObject> {
    const { apiVersion, kind, metadata } = manifest;
    const path = pathOf(apiVersion, kind, String(metadata['namespace']), String(metadata['name']));
    const answer = await this.#api.json({
      method: 'PATCH',
      path: `${path}${subresource}`,
      query: { fieldManager, force: String(force) },
      contentType: 'application/apply-patch+yaml',
      body: manifest,
      signal: this.#signal,
    });
    this.#wrote('applied');
    const now = readHeld(answer);
    held.put(now);
    return now;
  }
}

function pathOf(apiVersion: string, kind: string, namespace: string, name: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}/${encodeURIComponent(name)}`;
}
