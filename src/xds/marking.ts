/**
 * What a change of the replica means for what a client holds of a type. In: the names that changed, and those that a wildcard means otherwise.
 * Out: `behind` of its holdings (holdings.ts) has every name of which the client does not hold any more what it should.
 *
 * Costs what changed, and nothing that is kept.
 */

import { same } from './draft.ts';
import type { Holdings } from './holdings.ts';
import type { Turned } from './meant-by-all.ts';
import type { Selection } from './selection.ts';
import type { TypeDiff } from './type-replica.ts';

/** Takes note of what changed in the replica. `turned`: where a wildcard meant something else then. Whether any of it concerns the client. */
export function mark(holdings: Holdings, selection: Selection, diff: TypeDiff, turned: Turned): boolean {
  if (holdings.unsettled) return true;
  let concerned = false;
  const { subscription } = selection;
  for (const [name, before] of diff) {
    if (before?.aliases !== undefined && aliasesLost(holdings, selection, before.aliases)) concerned = true;
    const wasSubscribed = before !== undefined && subscription.has(name, before, turned.get(name));
    if (!wasSubscribed && !subscription.has(name, selection.type.resources.get(name))) continue;
    concerned = true;
    if (holdings.behind.has(name)) continue;
    holdings.fallsBehind(name, holdings.extra.get(name) ?? (wasSubscribed ? before : undefined), false);
  }
  const { all } = selection;
  const standsInAnew =
    all !== undefined && diff.keys().some((name) => all.has(name)) && reviewGhosts(holdings, selection);
  return concerned || standsInAnew;
}

/**
 * Takes note of the names that a wildcard means now and did not before, or the other way round, once `mark` has all that changed: the others
 * of them have the resource that they had. What the client holds of those that were meant it goes on wanting, for it may use it, and does
 * not ask for what it has. Whether any of it concerns the client.
 */
export function markTurned(holdings: Holdings, selection: Selection, turned: Turned): boolean {
  const { subscription, type } = selection;
  if (holdings.unsettled) return true;
  if (!subscription.wildcard) return false;
  let concerned = false;
  for (const [name, wasMeant] of turned) {
    const resource = type.resources.get(name);
    if (resource === undefined) continue;
    if (wasMeant) {
      if (holdings.behind.get(name)?.held !== undefined || !holdings.behind.has(name)) subscription.assume([name]);
    } else if (
      !holdings.behind.has(name) &&
      !subscription.has(name, resource, false) &&
      subscription.has(name, resource)
    ) {
      holdings.fallsBehind(name, holdings.extra.get(name), false);
      concerned = true;
    }
  }
  return concerned;
}

/**
 * Names that a client asked for and that go nowhere any more: it is told what the host says of them, for it may not ask again (Envoy remembers
 * which names were answered).
 */
function aliasesLost(holdings: Holdings, selection: Selection, aliases: readonly string[]): boolean {
  let lost = false;
  const { subscription, type } = selection;
  for (const alias of aliases) {
    if (!subscription.asks(alias) || type.names.has(alias) || type.resources.has(alias)) continue;
    if (holdings.behind.has(alias) || selection.current(alias) === undefined) continue;
    holdings.fallsBehind(alias, holdings.extra.get(alias), false);
    lost = true;
  }
  return lost;
}

/** What everybody gets is another, so what the host says for names that are not there may be too. */
function reviewGhosts(holdings: Holdings, selection: Selection): boolean {
  let differs = false;
  for (const [name, held] of holdings.extra) {
    if (holdings.behind.has(name)) continue;
    const current = selection.current(name);
    if (current === undefined || same(held, current)) continue;
    holdings.fallsBehind(name, held, false);
    differs = true;
  }
  return differs;
}
