/**
 * Requests as they come off the wire: bytes in, plain bounded data out. What is malformed is an XdsError, which ends the stream with
 * INVALID_ARGUMENT; nothing else throws here.
 */

import { errorMessage, FairwayError } from '../core/errors.ts';
import { Interned } from './interned.ts';
import type { XdsLimits } from './limits.ts';
import { NameLists } from './name-lists.ts';
import { decodeNode } from './node.ts';
import { isLenient } from './passed-over.ts';
import { discoveryProtos } from './protos.ts';
import { VersionLists } from './version-lists.ts';
import type { XdsNode } from './view.ts';

export interface XdsRequest {
  /** Empty where the client left it out. */
  readonly typeUrl: string;
  readonly node: XdsNode | undefined;
  readonly nonce: string;
  /** The client's words; present, perhaps empty, means NACK. */
  readonly error: string | undefined;
  /** SotW: the whole subscription. Delta: the names added to it. */
  readonly subscribe: readonly string[];
  /** The same names where many requests share them; never written to. */
  readonly subscribeSet?: ReadonlySet<string>;
  /** Delta only. */
  readonly unsubscribe: readonly string[];
  /** Delta, first request of a type: what the client holds from an earlier stream. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** The client says that it holds something of this type already. */
  readonly resumes: boolean;
  /** Asked for beyond the limits (passed-over.ts). */
  readonly passedOver?: readonly string[];
}

type NameLimits = Pick<XdsLimits, 'maxNamesPerType' | 'maxNameLength'>;

/** But those of a request's bytes. */
const noLimits: NameLimits = {
  maxNamesPerType: Number.POSITIVE_INFINITY,
  maxNameLength: Number.POSITIVE_INFINITY,
};

const noNames: readonly string[] = [];
const noVersions: ReadonlyMap<string, string> = new Map();
const maxErrorLength = 4096;

interface RawRequest {
  type_url: string;
  version_info?: string;
  node?: unknown;
  response_nonce: string;
  error_detail?: { message: string } | null;
  resource_names?: string[];
  resource_locators?: { name: string }[];
  resource_names_subscribe?: string[];
  resource_names_unsubscribe?: string[];
  resource_locators_subscribe?: { name: string }[];
  resource_locators_unsubscribe?: { name: string }[];
  initial_resource_versions?: Record<string, string>;
}

/** Reads requests of one transport. */
export class RequestDecoder {
  readonly #transport: 'sotw' | 'delta';
  readonly #limits: XdsLimits;
  readonly #lists: NameLists;
  readonly #versions: VersionLists;
  readonly #texts: Interned;

  constructor(transport: 'sotw' | 'delta', limits: XdsLimits) {
    this.#transport = transport;
    this.#limits = limits;
    this.#lists = new NameLists(limits.nameListBytes);
    this.#texts = new Interned(limits.nameListBytes);
    // Reading the .proto files takes a tenth of a second, which the first client should not wait for.
    discoveryProtos();
    this.#versions = new VersionLists(limits.nameListBytes, limits.maxNamesPerType, limits.maxNameLength);
  }

  /** Throws a FairwayError FW-XDS-004 (not a request), FW-XDS-005 (bounds). */
  decode(bytes: Buffer): XdsRequest {
    const held = this.#transport === 'delta' ? this.#versions.take(bytes) : undefined;
    if (held === undefined) return this.#decodeNames(bytes);
    const request = this.#decodeNames(held.rest);
    // Versions in two places; no encoder does that, but it is allowed.
    if (request.initialVersions.size > 0) return this.#decodeNames(bytes);
    return { ...request, initialVersions: held.versions, resumes: true };
  }

  #decodeNames(bytes: Buffer): XdsRequest {
    const taken = this.#sharedNames(bytes);
    if (taken === undefined) return this.#decodeAll(bytes);
    const request = this.#decodeAll(taken.rest);
    // Names in two places; no encoder does that, but it is allowed.
    if (request.subscribe.length > 0) return this.#decodeAll(bytes);
    return { ...request, subscribe: taken.list.names, subscribeSet: taken.list.set };
  }

  /** undefined, too, for names beyond the limits: whether they are the stream's end, its type says. */
  #sharedNames(bytes: Buffer): ReturnType<NameLists['take']> {
    try {
      return this.#lists.take(bytes, (list) => this.#decodeAll(list).subscribe);
    } catch (error) {
      if (error instanceof FairwayError && error.code === 'FW-XDS-005') return undefined;
      throw error;
    }
  }

  #decodeAll(bytes: Buffer): XdsRequest {
    const raw = this.#raw(bytes);
    const limits = isLenient(this.#transport, raw.type_url) ? { ...this.#limits, ...noLimits } : this.#limits;
    const sotw = this.#transport === 'sotw';
    return {
      typeUrl: this.#texts.of(checkLength(raw.type_url, 'type_url', this.#limits)),
      node: raw.node === undefined || raw.node === null ? undefined : decodeNode(raw.node),
      nonce: checkLength(raw.response_nonce, 'response_nonce', this.#limits),
      error:
        raw.error_detail === undefined || raw.error_detail === null
          ? undefined
          : raw.error_detail.message.slice(0, maxErrorLength),
      subscribe: sotw
        ? this.#names(raw.resource_names, raw.resource_locators, limits)
        : this.#names(raw.resource_names_subscribe, raw.resource_locators_subscribe, limits),
      unsubscribe: sotw
        ? noNames
        : this.#names(raw.resource_names_unsubscribe, raw.resource_locators_unsubscribe, limits),
      initialVersions: sotw ? noVersions : versions(raw.initial_resource_versions, limits),
      resumes: (raw.version_info ?? '') !== '' || Object.keys(raw.initial_resource_versions ?? {}).length > 0,
    };
  }

  #names(
    plain: readonly string[] | undefined,
    locators: readonly { name: string }[] | undefined,
    limits: NameLimits,
  ): readonly string[] {
    if ((plain?.length ?? 0) + (locators?.length ?? 0) === 0) return noNames;
    const all = [...(plain ?? noNames), ...(locators ?? []).map((locator) => locator.name)];
    if (all.length > limits.maxNamesPerType) throw tooMuch(`${all.length} resource names`, limits.maxNamesPerType);
    return all.map((name) => this.#texts.of(checkLength(name, 'a resource name', limits)));
  }

  #raw(bytes: Buffer): RawRequest {
    const { sotwRequest, deltaRequest } = discoveryProtos();
    const type = this.#transport === 'sotw' ? sotwRequest : deltaRequest;
    try {
      return type.decode(bytes) as unknown as RawRequest;
    } catch (error) {
      throw new FairwayError({
        code: 'FW-XDS-004',
        message: `the request is not a ${type.name}: ${errorMessage(error)}`,
        where: {},
        hint: 'check that the client speaks xDS v3 and uses the matching method (SotW or delta)',
      });
    }
  }
}

function versions(raw: Record<string, string> | undefined, limits: NameLimits): ReadonlyMap<string, string> {
  const entries = Object.entries(raw ?? {});
  if (entries.length === 0) return noVersions;
  if (entries.length > limits.maxNamesPerType)
    throw tooMuch(`${entries.length} initial_resource_versions`, limits.maxNamesPerType);
  for (const [name, version] of entries) {
    checkLength(name, 'a resource name', limits);
    checkLength(version, 'a resource version', limits);
  }
  return new Map(entries);
}

function checkLength(text: string, what: string, limits: NameLimits): string {
  if (text.length > limits.maxNameLength) throw tooMuch(`${what} of ${text.length} characters`, limits.maxNameLength);
  return text;
}

function tooMuch(what: string, limit: number): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-005',
    message: `the request has ${what}; at most ${limit} are taken`,
    where: {},
    hint: 'ask for fewer resources on this stream',
  });
}
