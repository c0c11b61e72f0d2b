/**
 * What a change of the subscription means for what the client holds and is owed. In: the change, and what was held before it. Out: holdings
 * and refusals brought up to date.
 */

import type { EncodedResource } from '../core/resource.ts';
import type { Held } from './draft.ts';
import type { Holdings } from './holdings.ts';
import type { Refusals } from './refusals.ts';
import type { Selection } from './selection.ts';
import type { SubscriptionChange } from './subscription.ts';

export interface Resubscriber {
  readonly transport: 'sotw' | 'delta';
  readonly selection: Selection;
  readonly holdings: Holdings;
  readonly refusals: Refusals;
}

/** What is held of `names`, under the names that the replica has for them; to be taken before the subscription changes. */
export function heldBefore(
  { selection, holdings }: Resubscriber,
  names: readonly string[],
): ReadonlyMap<string, Held | undefined> {
  if (holdings.unsettled) return new Map();
  return new Map(
    names.map((name) => {
      const canonical = selection.canonical(name);
      return [canonical, holdings.heldOf(canonical)];
    }),
  );
}

/** The subscription has changed. `inFlight`: resources of the message that the client has not answered yet. */
export function resubscribed(
  client: Resubscriber,
  change: SubscriptionChange,
  before: ReadonlyMap<string, Held | undefined>,
  inFlight: readonly EncodedResource[],
): void {
  const { selection, holdings, refusals, transport } = client;
  for (const name of change.dropped) dropped(client, name);
  if (change.wildcard === 'lost') wildcardLost(client);
  for (const name of change.added) {
    const canonical = selection.canonical(name);
    const held = before.get(canonical);
    // A SotW client keeps what it holds under another name or by the wildcard; delta's contract is an answer to every subscribe.
    if (transport === 'sotw' && held !== undefined) continue;
    refusals.forgive(canonical);
    holdings.fallsBehind(canonical, held, true);
  }
  if (change.wildcard === 'gained') wildcardGained(client);
  if (transport === 'delta' && (change.added.length > 0 || change.wildcard === 'gained')) recall(client, inFlight);
}

/** As `resubscribed`, before it is settled what the client holds: only its claims can be wrong. */
export function correctClaims({ selection, holdings }: Resubscriber, change: SubscriptionChange): void {
  holdings.claims.doubt([...change.added, ...change.dropped].map((name) => selection.canonical(name)));
  if (change.wildcard === 'lost') holdings.claims.doubtUnless((name) => selection.includes(name));
}

/** The client gave up `name`. */
export function dropped({ transport, selection, holdings, refusals }: Resubscriber, name: string): void {
  const canonical = selection.canonical(name);
  if (selection.subscription.wildcard) {
    // The client cannot tell whether the wildcard includes it, so it is told.
    if (transport === 'delta') {
      holdings.fallsBehind(canonical, holdings.heldOf(canonical), true);
      refusals.forgive(canonical);
    } else if (!selection.type.resources.has(canonical)) holdings.forgetExtra(canonical);
    return;
  }
  if (holdings.isAskedFor(canonical)) return;
  holdings.forget(canonical);
  holdings.forgetExtra(selection.subscription.meant(name));
  refusals.forgive(canonical);
}

export function wildcardLost({ holdings, refusals }: Resubscriber): void {
  holdings.forgetUnsubscribed();
  refusals.forgiveUnless((name) => holdings.isAskedFor(name));
}

function wildcardGained({ selection, holdings }: Resubscriber): void {
  const { subscription } = selection;
  for (const [name, resource] of selection.type.resources) {
    const named = subscription.has(name, resource, false);
    if (!named && selection.includes(name) && !holdings.behind.has(name)) holdings.fallsBehind(name, undefined, false);
  }
}

/** What was given up while it was in flight and is wanted again: the client may take it when it arrives, or may not have. */
function recall({ selection, holdings }: Resubscriber, inFlight: readonly EncodedResource[]): void {
  for (const resource of inFlight) {
    const { name } = resource;
    if (!selection.subscription.has(name, resource)) continue;
    const entry = holdings.behind.get(name);
    const unknown =
      entry === undefined ? !selection.type.resources.has(name) && !holdings.extra.has(name) : entry.held === undefined;
    if (unknown) holdings.fallsBehind(name, resource, true);
  }
}
