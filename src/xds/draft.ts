/** What passes between the machine of one type and whoever writes its messages: drafts out, outcomes of requests back. Data only. */

import type { EncodedResource } from '../core/resource.ts';
import { sameAliases } from './type-replica.ts';

/** What a client holds of a name: the resource itself, or only its version where it was told to us on a reconnect. */
export type Held = EncodedResource | { readonly version: string };

/** A message about to be sent. */
export interface Draft {
  readonly typeUrl: string;
  /** The complete set of a type (CDS and LDS over SotW; the first answer to a wildcard), or only what differs. */
  readonly complete: boolean;
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
  /** What the client asked for by name, aliases as it gave them: of a resource's aliases it is told these alone. Left out: of all. */
  readonly asked?: ReadonlySet<string> | undefined;
  /** Names in `resources` that go out without a body, to keep their TTL alive. */
  readonly heartbeat: boolean;
  readonly version: string;
  readonly revision: number;
  /** Set where the content follows from the replica's edition alone, so that it needs no listing to be found in a cache. */
  readonly cacheKey: string | undefined;
  /** Names that the client did not hold before, and those of them or others whose content it did not have. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Nothing of this type was left for a later message. */
  readonly exhaustive: boolean;
}

export type Outcome =
  | { readonly kind: 'accepted' | 'stale' }
  | { readonly kind: 'acked' }
  | {
      readonly kind: 'nacked';
      readonly revision: number;
      readonly error: string;
      readonly names: readonly string[];
      readonly suspects: number;
    };

/** The aliases that a message names. What has no body is told from a mistake by its alias, so there it always stands. */
export function toldAliases({ aliases, body }: EncodedResource, { asked }: Pick<Draft, 'asked'>): readonly string[] {
  if (aliases === undefined) return noAliases;
  return asked === undefined || body.length === 0 ? aliases : aliases.filter((alias) => asked.has(alias));
}

const noAliases: readonly string[] = [];

/** Whether a client that holds the one needs not be sent the other. */
export function same(held: Held, current: EncodedResource): boolean {
  if (held.version !== current.version) return false;
  return !('body' in held) || (held.ttlMs === current.ttlMs && sameAliases(held.aliases, current.aliases));
}
