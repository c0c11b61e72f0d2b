/** What passes between the machine of one type and whoever writes its messages: drafts out, outcomes of requests back. Data only. */

import type { EncodedResource } from '../core/resource.ts';
import type { Spellings } from './spellings.ts';
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
  /** What the client asked for by name: of a resource's aliases it is told these alone, in the spellings it gave. Left out: of all. */
  readonly asked?: Asked | undefined;
  /** Names in `resources` that go out without a body, to keep their TTL alive. */
  readonly heartbeat: boolean;
  readonly version: string;
  readonly revision: number;
  /** Set where the content follows from the replica's edition alone, so that it needs no listing to be found in a cache. */
  readonly cacheKey: string | undefined;
  /** Names that the client did not hold before, and those of them or others whose content it did not have. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Nothing of this type was left for a later message, but what waits to be removed. */
  readonly exhaustive: boolean;
}

/** Names as a client gave them. */
export interface Asked {
  readonly names: ReadonlySet<string>;
  readonly spellings: Pick<Spellings, 'size' | 'of'>;
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
export function toldAliases(resource: EncodedResource, { asked }: Pick<Draft, 'asked'>): readonly string[] {
  const { name, aliases = noAliases, body } = resource;
  if (asked === undefined) return aliases;
  const { names, spellings } = asked;
  const told = body.length === 0 ? aliases : aliases.filter((alias) => names.has(alias));
  if (spellings.size === 0) return told;
  const spelled = [name, ...aliases.filter((alias) => alias !== name)].flatMap((each) => spellings.of(each));
  return spelled.length === 0 ? told : [...told, ...spelled];
}

const noAliases: readonly string[] = [];

/** Whether a client that holds the one needs not be sent the other. */
export function same(held: Held, current: EncodedResource): boolean {
  if (held.version !== current.version) return false;
  return !('body' in held) || (held.ttlMs === current.ttlMs && sameAliases(held.aliases, current.aliases));
}
