/**
 * The next message of one type to one client, drafted from what it holds, what it should hold and what it refused. In: holdings and
 * refusals. Out: a draft, or undefined if there is nothing to say. Whether a message may be sent at all is the machine's to know.
 */

import type { EncodedResource } from '../core/resource.ts';
import { type Draft, same } from './draft.ts';
import type { Dues } from './dues.ts';
import type { Holdings } from './holdings.ts';
import type { Refusals } from './refusals.ts';
import type { Selection } from './selection.ts';
import type { TypeTraits } from './type-traits.ts';

export class Drafting {
  readonly #traits: TypeTraits;
  readonly #selection: Selection;
  readonly #holdings: Holdings;
  readonly #refusals: Refusals;
  readonly #dues: Dues;
  readonly #isEarly: (resource: EncodedResource) => boolean;

  /** `isEarly`: the client would forget it, and is sent it again when it will not (`TypeMachineOptions.isEarly`). */
  constructor(
    traits: TypeTraits,
    selection: Selection,
    holdings: Holdings,
    refusals: Refusals,
    dues: Dues,
    isEarly: (resource: EncodedResource) => boolean = () => false,
  ) {
    this.#isEarly = isEarly;
    this.#traits = traits;
    this.#selection = selection;
    this.#holdings = holdings;
    this.#refusals = refusals;
    this.#dues = dues;
  }

  // ---- drafts --------------------------------------------------------------------------------------------------------------------

  /** Resources to add or change, and answers. Removals of what others lead to are left for `removals`. */
  next(answerDue: boolean): Draft | undefined {
    if (this.#dues.isInStep(answerDue)) return undefined;
    const first = this.#sharedFirst();
    if (first !== undefined) return first;
    this.#holdings.settle(this.#traits.wholeSet);
    const draft = this.#traits.wholeSet ? this.#nextWholeSet(answerDue) : this.#nextOfNames(answerDue);
    if (draft === undefined) this.reviewRefusals(answerDue);
    return draft;
  }

  /** A refusal is over, without a message, once what was refused was taken back: then the client holds what it should. */
  reviewRefusals(answerDue: boolean): void {
    if (this.#refusals.error === '') return;
    const { behind } = this.#holdings;
    this.#refusals.forgiveUnless(
      (name, version) => behind.has(name) && this.#selection.current(name)?.version === version,
    );
    if (!this.#dues.any(answerDue)) this.#refusals.nothingDue();
  }

  /** What the client should no longer hold; of that, `ripe` alone where it is given. */
  removals(ripe?: ReadonlySet<string>): Draft | undefined {
    const leaving = [...this.#dues.leaving()];
    const names = ripe === undefined ? leaving : leaving.filter((name) => ripe.has(name));
    if (names.length === 0) return undefined;
    if (this.#traits.wholeSet) return this.#wholeSet(this.#bodiesOf(new Set(leaving).difference(new Set(names))));
    const removed: string[] = [];
    const emptied: EncodedResource[] = [];
    for (const name of names) {
      const current = this.#selection.current(name);
      if (current !== undefined) emptied.push(current);
      else removed.push(name);
    }
    return this.#draftOf(emptied, removed, true);
  }

  #bodiesOf(names: Iterable<string>): readonly EncodedResource[] {
    const held = [...names].map((name) => this.#holdings.behind.get(name)?.held);
    return held.filter((each): each is EncodedResource => each !== undefined && 'body' in each);
  }

  /** These, though others by their names are due. */
  interim(resources: readonly EncodedResource[]): Draft {
    return { ...this.#draftOf(resources, [], false), version: `${this.#selection.type.version}+announced` };
  }

  /** A message without bodies that keeps the TTL of `names` alive; undefined if the client holds none of them in step. */
  heartbeat(names: readonly string[]): Draft | undefined {
    if (this.#holdings.unsettled) return undefined;
    const resources: EncodedResource[] = [];
    for (const name of names) {
      const resource = this.#selection.current(name);
      if (resource?.ttlMs !== undefined && !this.#holdings.behind.has(name)) resources.push(resource);
    }
    if (resources.length === 0) return undefined;
    return { ...this.#draftOf(resources, [], false), heartbeat: true, added: [], changed: [] };
  }

  #nextWholeSet(answerDue: boolean): Draft | undefined {
    let needed = answerDue || this.#holdings.unsettled;
    const lingering: EncodedResource[] = [];
    for (const [name, entry] of this.#holdings.behind) {
      const current = this.#selection.current(name);
      if (current !== undefined) {
        if (this.#dues.isLeaving(entry, current) && entry.held !== undefined && 'body' in entry.held)
          lingering.push(entry.held);
        else if (this.#dues.isWanted(entry, current)) needed = true;
        else this.#holdings.settled(name);
      } else if (entry.held === undefined) {
        if (entry.force) needed = true;
        else this.#holdings.settled(name);
      } else if (this.#traits.lingers && 'body' in entry.held) lingering.push(entry.held);
      else needed = true;
    }
    return needed ? this.#wholeSet(lingering) : undefined;
  }

  #nextOfNames(answerDue: boolean): Draft | undefined {
    return this.#holdings.unsettled ? this.#first(answerDue) : this.#partial(answerDue);
  }

  /** What a client that holds nothing and asks for all, or for names that others ask for too, is sent: no work per resource and stream. */
  #sharedFirst(): Draft | undefined {
    const { unsettled, claims } = this.#holdings;
    const { type } = this.#selection;
    if (!unsettled || claims.size > 0 || this.#refusals.any) return undefined;
    const { wildcard, names, sharedNames } = this.#selection.subscription;
    if (wildcard ? names.size > 0 || this.#selection.all !== undefined : sharedNames === undefined) return undefined;
    const answer = type.answers.to(wildcard ? undefined : sharedNames);
    if (answer === undefined || answer.names.length === 0) return undefined;
    if (answer.bytes > this.#traits.maxResponseBytes && !this.#traits.wholeSet) return undefined;
    return {
      ...this.#draftOf([], [], true),
      complete: wildcard || this.#traits.wholeSet,
      resources: answer.resources,
      added: answer.names,
      changed: answer.names,
      cacheKey: `${this.#editionKey()}:${answer.id}`,
    };
  }

  #wholeSet(lingering: readonly EncodedResource[]): Draft {
    const { type } = this.#selection;
    if (
      lingering.length === 0 &&
      this.#selection.all === undefined &&
      this.#selection.subscription.wildcard &&
      this.#selection.subscription.names.size === 0
    )
      return this.#wholeType();
    const resources = [...this.#selection.resources()].map(([, resource]) => resource);
    const seen = new Set<string>([...resources, ...lingering].map((resource) => resource.name));
    for (const name of this.#selection.subscription.names) {
      const ghost = seen.has(name) ? undefined : this.#selection.current(this.#selection.canonical(name));
      if (ghost === undefined || seen.has(ghost.name)) continue;
      seen.add(ghost.name);
      resources.push(ghost);
    }
    return {
      ...this.#draftOf([...resources, ...lingering], [], true),
      complete: true,
      version: lingering.length === 0 ? type.version : `${type.version}+${lingering.length}`,
    };
  }

  /** A whole set that is all there is: looks only at what differs for this client. */
  #wholeType(): Draft {
    const { unsettled, behind } = this.#holdings;
    const { type } = this.#selection;
    const all = type.answers.all();
    const changed = unsettled ? all.names : [...behind.keys()].filter((name) => type.resources.has(name));
    const added = unsettled ? all.names : changed.filter((name) => behind.get(name)?.held === undefined);
    return {
      ...this.#draftOf([], [], true),
      complete: true,
      resources: all.resources,
      added,
      changed,
      cacheKey: `${this.#editionKey()}:${all.id}`,
    };
  }

  /** The answer to a first wildcard request: everything, at once if it fits. */
  #first(answerDue: boolean): Draft | undefined {
    const { behind } = this.#holdings;
    const { type } = this.#selection;
    if (type.bytes > this.#traits.maxResponseBytes || this.#selection.all !== undefined) {
      this.#holdings.begin();
      for (const [name] of this.#selection.resources()) {
        if (!behind.has(name)) this.#holdings.fallsBehind(name, undefined, false);
      }
      return this.#partial(answerDue);
    }
    const resources = [...type.resources.values()];
    const removed: string[] = [];
    for (const [name, entry] of behind) {
      const current = this.#selection.current(name);
      if (current === undefined) {
        if (entry.force && this.#traits.transport === 'delta') removed.push(name);
      } else if (!type.resources.has(name)) resources.push(current);
    }
    if (this.#traits.transport === 'sotw' && resources.length === 0) {
      // Nothing to say, and no way to say so.
      this.#holdings.begin();
      return undefined;
    }
    const names = resources.map((resource) => resource.name);
    const plain = removed.length === 0 && resources.length === type.resources.size;
    return {
      ...this.#draftOf(resources, removed, true),
      complete: true,
      added: names,
      changed: names,
      cacheKey:
        plain && !(this.#goesByAliases() && this.#selection.subscription.names.size > 0)
          ? this.#editionKey()
          : undefined,
    };
  }

  #partial(answerDue: boolean): Draft | undefined {
    const { transport, lingers, maxResponseBytes } = this.#traits;
    const holdings = this.#holdings;
    const selection = this.#selection;
    this.#refusals.forgiveUnless((name, version) => selection.current(name)?.version === version);
    const suspects = this.#refusals.suspectNames();
    const resources: EncodedResource[] = [];
    const removed: string[] = [];
    const ghosts = new Set<string>();
    let bytes = 0;
    let exhaustive = suspects.size === 0;
    for (const [name, entry] of holdings.behind) {
      const current = selection.current(name);
      if (current !== undefined) {
        if (!this.#dues.isWanted(entry, current)) {
          if (entry.held !== undefined && same(entry.held, current)) {
            holdings.inStep(name, entry.held);
            this.#refusals.forgive(name);
          } else exhaustive = false;
          continue;
        }
        if (suspects.has(name)) continue;
        if (this.#isEarly(current)) {
          holdings.settled(name);
          continue;
        }
        if (this.#dues.isLeaving(entry, current)) continue;
        if (resources.length > 0 && bytes + current.body.length > maxResponseBytes) {
          // What is beyond is not even looked at: a host's answers for a hundred thousand names take seconds to make.
          exhaustive = false;
          break;
        }
        bytes += current.body.length;
        resources.push(current);
        if (transport === 'delta') for (const ghost of holdings.ghostsOf(current)) ghosts.add(ghost);
        // Over SotW, left out means unchanged: there is no way to say that it is gone.
      } else if (transport === 'sotw') holdings.keeps(name, entry.held);
      else if (entry.held === undefined) {
        if (entry.force) removed.push(name);
        else holdings.settled(name);
      } else if (!lingers) removed.push(name);
    }
    for (const name of removed) ghosts.delete(name);
    removed.push(...ghosts);
    if (resources.length > 0 || removed.length > 0 || this.#dues.isEmptyAnswer(answerDue))
      return this.#draftOf(resources, removed, exhaustive);
    return this.#suspects();
  }

  #suspects(): Draft | undefined {
    const group = this.#refusals.nextSuspects((name) => {
      const entry = this.#holdings.behind.get(name);
      const current = this.#selection.current(name);
      return entry !== undefined && current !== undefined && this.#dues.isWanted(entry, current) ? current : undefined;
    });
    return group === undefined ? undefined : this.#draftOf(group, [], this.#refusals.suspectParts === 1);
  }

  #draftOf(resources: readonly EncodedResource[], removed: readonly string[], exhaustive: boolean): Draft {
    const added: string[] = [];
    const changed: string[] = [];
    for (const { name } of resources) {
      const entry = this.#holdings.behind.get(name);
      if (entry === undefined && !this.#holdings.unsettled) continue;
      if (this.#selection.current(name) === undefined) continue;
      changed.push(name);
      if (entry?.held === undefined) added.push(name);
    }
    return {
      typeUrl: this.#traits.typeUrl,
      complete: false,
      resources,
      removed,
      asked: this.#goesByAliases() ? this.#selection.subscription : undefined,
      heartbeat: false,
      version: this.#selection.type.version,
      revision: this.#selection.replica.revision,
      cacheKey: undefined,
      added,
      changed,
      exhaustive,
    };
  }

  /** What the client is told depends on the names by which it asked. */
  #goesByAliases(): boolean {
    const { subscription, type } = this.#selection;
    return type.names.size + subscription.spellings.size > 0;
  }

  #editionKey(): string {
    return this.#selection.type.page;
  }
}
