/**
 * Objects that a person applies, deletes and lists through a kubeconfig: the command line's way to Kubernetes.
 *
 * Every call throws a FairwayError (FW-KUBE-021…) that says what the API said. Kinds are found through the API's own discovery, so any kind
 * that is installed can be written.
 */

import { type Clock, systemClock } from '../../core/clock.ts';
import { FairwayError, type Finding } from '../../core/errors.ts';
import type { Access } from './access.ts';
import { ApiClient, type ApiRequest } from './api-client.ts';
import { type ApiError, networkError } from './api-error.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface KubeObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  /** '' for the default namespace of namespaced kinds; ignored for others. */
  readonly namespace: string;
  readonly name: string;
}

export interface ApplyOptions {
  /** The API does all but store it. */
  readonly dryRun: boolean;
  /** Take over fields that another manager set. */
  readonly force: boolean;
}

export interface AppliedObject {
  readonly action: 'created' | 'configured' | 'unchanged';
  readonly object: KubeObject;
}

interface KindPlace {
  readonly plural: string;
  readonly namespaced: boolean;
}

export const cliFieldManager = 'fairway-cli';

export class KubeObjects {
  readonly #access: Access;
  readonly #api: ApiClient;
  readonly #places = new Map<string, Promise<ReadonlyMap<string, KindPlace>>>();

  constructor(access: Access, clock: Clock = systemClock) {
    this.#access = access;
    this.#api = new ApiClient(access, clock);
  }

  /** The kubeconfig's context, for people. */
  get context(): string {
    return this.#access.context;
  }

  close(): void {
    this.#api.close();
  }

  /** Server-side apply. `unchanged`: the API stored nothing new. */
  async apply(object: KubeObject, options: ApplyOptions): Promise<AppliedObject> {
    const ref = refOf(object);
    const path = await this.#path(ref);
    const before = await this.#get(path, ref);
    const { managedFields: _, ...metadata } = object.metadata;
    const applied = (await this.#call(ref, {
      method: 'PATCH',
      path,
      query: {
        fieldManager: cliFieldManager,
        fieldValidation: 'Strict',
        force: String(options.force),
        ...(options.dryRun ? { dryRun: 'All' } : {}),
      },
      contentType: 'application/apply-patch+yaml',
      body: { ...object, metadata },
    })) as KubeObject;
    const action = before === undefined ? 'created' : sameContent(before, applied) ? 'unchanged' : 'configured';
    return { action, object: applied };
  }

  /** `patch`: a merge patch of nothing but nulls, for the object in this version alone: nobody comes to manage a field by it. */
  async removeFields(ref: KubeObjectRef, patch: object, resourceVersion: string): Promise<KubeObject> {
    return (await this.#call(ref, {
      method: 'PATCH',
      path: await this.#path(ref),
      query: { fieldManager: cliFieldManager },
      contentType: 'application/merge-patch+json',
      body: { ...patch, metadata: { resourceVersion } },
    })) as KubeObject;
  }

  /** The first of these apiVersions in which the API has the kind; the first of all where it has it in none. */
  async servedVersion(apiVersions: readonly [string, ...string[]], kind: string): Promise<string> {
    for (const apiVersion of apiVersions) {
      const places = this.#places.get(apiVersion) ?? this.#discover({ apiVersion, kind, namespace: '', name: '' });
      this.#places.set(apiVersion, places);
      places.catch(() => this.#places.delete(apiVersion));
      if ((await places).has(kind)) return apiVersion;
    }
    return apiVersions[0];
  }

  async delete(ref: KubeObjectRef, options: { readonly dryRun: boolean }): Promise<'deleted' | 'not-found'> {
    const path = await this.#path(ref);
    const query = options.dryRun ? { dryRun: 'All' } : {};
    return (await this.#unlessAbsent(ref, { method: 'DELETE', path, query })) === undefined ? 'not-found' : 'deleted';
  }

  async get(ref: KubeObjectRef): Promise<KubeObject | undefined> {
    return this.#get(await this.#path(ref), ref);
  }

  /** '' lists all namespaces. Sorted by namespace and name, as the API does. */
  async list(apiVersion: string, kind: string, namespace: string, labelSelector = ''): Promise<readonly KubeObject[]> {
    const path = await this.#path({ apiVersion, kind, namespace, name: '' }, true);
    const objects: KubeObject[] = [];
    let token = '';
    do {
      const selected = labelSelector === '' ? {} : { labelSelector };
      const query = { limit: '500', ...selected, ...(token === '' ? {} : { continue: token }) };
      const page = (await this.#call({ apiVersion, kind, namespace, name: '' }, { path, query })) as {
        readonly items?: readonly KubeObject[];
        readonly metadata?: { readonly continue?: string };
      };
      for (const item of page.items ?? []) objects.push({ ...item, apiVersion, kind });
      token = page.metadata?.continue ?? '';
    } while (token !== '');
    return objects;
  }

  async #get(path: string, ref: KubeObjectRef): Promise<KubeObject | undefined> {
    return (await this.#unlessAbsent(ref, { path })) as KubeObject | undefined;
  }

  async #path(ref: KubeObjectRef, allNamespaces = false): Promise<string> {
    const place = await this.#place(ref);
    const root = rootOf(ref.apiVersion);
    const namespace = ref.namespace === '' && !allNamespaces ? 'default' : ref.namespace;
    const folder = place.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${root}${folder}/${place.plural}${ref.name === '' ? '' : `/${encodeURIComponent(ref.name)}`}`;
  }

  async #place(ref: KubeObjectRef): Promise<KindPlace> {
    const { apiVersion, kind } = ref;
    const kinds = this.#places.get(apiVersion) ?? this.#discover(ref);
    this.#places.set(apiVersion, kinds);
    kinds.catch(() => this.#places.delete(apiVersion));
    const place = (await kinds).get(kind);
    if (place !== undefined) return place;
    this.#places.delete(apiVersion);
    throw new FairwayError({
      code: 'FW-KUBE-021',
      message: `the API has no ${kind} in ${apiVersion}`,
      where: { cluster: this.context, object: objectName(ref) },
      hint: 'Install its CRD first (kubectl apply -f deploy/crds), or check apiVersion and kind.',
    });
  }

  async #discover(ref: KubeObjectRef): Promise<ReadonlyMap<string, KindPlace>> {
    const list = (await this.#unlessAbsent(ref, { path: rootOf(ref.apiVersion) })) as
      | {
          readonly resources?: readonly {
            readonly name: string;
            readonly kind: string;
            readonly namespaced: boolean;
          }[];
        }
      | undefined;
    const kinds = new Map<string, KindPlace>();
    for (const { name, kind, namespaced } of list?.resources ?? []) {
      if (!name.includes('/')) kinds.set(kind, { plural: name, namespaced });
    }
    return kinds;
  }

  async #unlessAbsent(ref: KubeObjectRef, request: ApiRequest): Promise<unknown> {
    try {
      return await this.#api.json(request);
    } catch (error) {
      const known = networkError(error);
      if (known.kind === 'not-found') return undefined;
      throw this.#coded(known, ref);
    }
  }

  async #call(ref: KubeObjectRef, request: ApiRequest): Promise<unknown> {
    try {
      return await this.#api.json(request);
    } catch (error) {
      throw this.#coded(networkError(error), ref);
    }
  }

  #coded(error: ApiError, ref: KubeObjectRef): FairwayError {
    const where = { cluster: this.context, object: objectName(ref) };
    return new FairwayError({ ...adviceOf(error), where }, { cause: error });
  }
}

/** A server-side apply of a field that the schema does not have is answered with 500, though the object is to blame. */
const unknownField = /failed to create (manager for .*|typed patch object)/;

function adviceOf(error: ApiError): Pick<Finding, 'code' | 'message' | 'hint'> {
  const said = error.message;
  const kind = error.kind === 'server' && unknownField.test(said) ? 'invalid' : error.kind;
  switch (kind) {
    case 'invalid':
      return {
        code: 'FW-KUBE-022',
        message: `the API does not accept it: ${said}`,
        hint: 'Correct the object as the message says.',
      };
    case 'not-found':
      return {
        code: 'FW-KUBE-022',
        message: `the API has no place for it: ${said}`,
        hint: 'Check that the namespace exists.',
      };
    case 'conflict':
      return {
        code: 'FW-KUBE-023',
        message: `somebody else manages a field of it: ${said}`,
        hint: 'Leave the field out, or take it over with --force.',
      };
    case 'forbidden':
      return {
        code: 'FW-KUBE-006',
        message: `it is not allowed: ${said}`,
        hint: 'Ask for a Role that allows it; see with: kubectl auth can-i --list.',
      };
    case 'unauthorized':
      return {
        code: 'FW-KUBE-005',
        message: `the credential is not accepted: ${said}`,
        hint: 'Log in again, or choose another context.',
      };
    case 'untrusted':
      return {
        code: 'FW-KUBE-016',
        message: `the API's certificate is not trusted: ${said}`,
        hint: 'Give the certificate authority of that API in the kubeconfig (certificate-authority-data).',
      };
    case 'credential':
      return {
        code: 'FW-KUBE-004',
        message: said,
        hint: 'Check the files or the credential plugin that the kubeconfig names.',
      };
    default:
      return {
        code: 'FW-KUBE-007',
        message: `the API cannot be used: ${said}`,
        hint: 'Check that the API is up and can be reached from here.',
      };
  }
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function refOf({ apiVersion, kind, metadata }: KubeObject): KubeObjectRef {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

function objectName({ kind, namespace, name }: KubeObjectRef): string {
  return name === '' ? kind : `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** A dry run gives the same resourceVersion whatever it would change; so the content is compared, without the API's bookkeeping. */
function sameContent(a: KubeObject, b: KubeObject): boolean {
  const essence = ({ metadata, status: _, ...rest }: KubeObject): string => {
    const { managedFields: __, resourceVersion: ___, generation: ____, ...meta } = metadata;
    return JSON.stringify(sorted({ ...rest, metadata: meta }));
  };
  return essence(a) === essence(b);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
