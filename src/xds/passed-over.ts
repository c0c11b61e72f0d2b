/**
 * Virtual hosts that a client asks for beyond its limits. A sidecar in on-demand mode asks for whatever Host its application writes into a request,
 * remembers the name, and says it again on every stream: ended for that, it would never again be told anything.
 *
 * In: a request, and what its stream asks for already. Out: the request without such names, and the names, to be told that there is no such host.
 * What always holds: a name that there is something of is taken; what is passed over is not remembered here.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import type { XdsLimits } from './limits.ts';
import type { XdsRequest } from './request.ts';

/** What a stream asks for by name already, and what there is. */
export interface AskedOf {
  readonly names: ReadonlySet<string>;
  /**
   * By its name, or by an alias. What is spelled otherwise counts once: spellings have no bound, so of those beyond the first each takes up room
   * as if there were nothing.
   */
  readonly exists: (name: string) => boolean;
  readonly meant: (name: string) => string;
}

/** Whether names of such a request that are too long or too many are passed over, and not its stream's end. */
export function isLenient(transport: 'sotw' | 'delta', typeUrl: string): boolean {
  return transport === 'delta' && typeUrl === types.virtualHost;
}

/** The very same request where all of it is within the limits. */
export function withinLimits(request: XdsRequest, of: AskedOf, limits: XdsLimits): XdsRequest {
  const { subscribe, initialVersions } = request;
  const { maxNamesPerType, maxNameLength } = limits;
  const fits = (name: string): boolean => name.length <= maxNameLength;
  const few = Math.max(of.names.size + subscribe.length, initialVersions.size) <= maxNamesPerType;
  if (few && subscribe.every(fits)) return request;
  const taken = new Set<string>();
  const passedOver = new Set<string>();
  /** What is meant by names that are taken because there is something of them. */
  const met = new Set<string>();
  const isFirst = (name: string): boolean => {
    if (!fits(name) || !of.exists(name)) return false;
    const meant = of.meant(name);
    return meant === name || (!met.has(meant) && met.add(meant).has(meant));
  };
  let room = maxNamesPerType - of.names.size;
  for (const name of subscribe) {
    if (of.names.has(name) || isFirst(name)) taken.add(name);
    else if (taken.has(name) || passedOver.has(name)) continue;
    else if (fits(name) && room > 0) {
      room -= 1;
      taken.add(name);
    } else passedOver.add(name);
  }
  const claims = new Map<string, string>();
  for (const [name, version] of initialVersions) {
    if (passedOver.has(name) || !fits(name)) continue;
    if (taken.has(name) || of.exists(name) || claims.size < maxNamesPerType) claims.set(name, version);
  }
  const { subscribeSet: _, ...rest } = request;
  return { ...rest, subscribe: [...taken], initialVersions: claims, passedOver: [...passedOver] };
}

/** Names that wait to be answered; those that wait longest are dropped where a client does not take answers. */
export class PassedOver {
  readonly #waiting = new Set<string>();
  #length = 0;

  get size(): number {
    return this.#waiting.size;
  }

  add(names: readonly string[]): void {
    for (const name of names) {
      if (this.#waiting.has(name)) continue;
      this.#waiting.add(name);
      this.#length += name.length;
    }
    for (const oldest of this.#waiting) {
      if (this.#length <= waitingMaxLength) break;
      this.#take(oldest);
    }
  }

  /** As many as one message holds; they wait no more. */
  takeAnswers(maxBytes: number): readonly EncodedResource[] {
    const answers: EncodedResource[] = [];
    let bytes = 0;
    for (const name of this.#waiting) {
      bytes += 2 * name.length;
      if (answers.length > 0 && bytes > maxBytes) break;
      this.#take(name);
      answers.push(noSuchHost(name));
    }
    return answers;
  }

  #take(name: string): void {
    this.#waiting.delete(name);
    this.#length -= name.length;
  }
}

/** Of all names of a stream together, in characters. */
const waitingMaxLength = 4 * 1024 * 1024;

/** The alias is how Envoy tells it from a mistake. */
function noSuchHost(name: string): EncodedResource {
  return { name, version: 'none', body: nothing, aliases: [name] };
}

const nothing = Buffer.alloc(0);
