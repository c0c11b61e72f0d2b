/**
 * One type on one stream, as a state machine without clock or I/O: requests and differences in, drafts of messages out.
 *
 * What the client holds is not stored but implied: it holds what the replica has of its subscription, except for the names in `behind`
 * (it holds something else, or nothing) and in `extra` (it holds what the replica does not have). A stream that is in step costs no memory
 * per resource. Always: at most one message is in flight; the next one is drafted from the newest state when it can be sent.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import { type Draft, type Held, type Outcome, same } from './draft.ts';
import type { Replica, TypeDiff, TypeReplica } from './replica.ts';
import type { XdsRequest } from './request.ts';
import { Subscription, type SubscriptionChange } from './subscription.ts';
import { mentions, sameNames, split } from './suspects.ts';

interface Behind {
  readonly held: Held | undefined;
  /** Send it, or say that it is not there, even if the client should have it. */
  readonly force: boolean;
}

interface InFlight {
  readonly nonce: string;
  readonly draft: Draft;
  /** What `behind` said of the names in the message, to go back to on a NACK. */
  readonly undo: ReadonlyMap<string, Behind>;
  readonly heldNothing: boolean;
  readonly isolating: boolean;
}

export interface TypeMachineOptions {
  readonly typeUrl: string;
  readonly transport: 'sotw' | 'delta';
  readonly impliedWildcard: boolean;
  readonly maxResponseBytes: number;
}

const namedOnly: ReadonlySet<string> = new Set([types.endpoint, types.route, types.virtualHost, types.secret]);
/** Types that others lead to: what was removed goes only after those. */
const lingering: ReadonlySet<string> = new Set([types.cluster, types.endpoint, types.secret]);

/** Whether a first request without names means all of a type, if the view does not say. */
export function impliesWildcard(typeUrl: string): boolean {
  return !namedOnly.has(typeUrl);
}

export class TypeMachine {
  readonly typeUrl: string;
  readonly #options: TypeMachineOptions;
  readonly #subscription: Subscription;
  /** SotW: a response says all that there is; what it leaves out is deleted. */
  readonly #wholeSet: boolean;
  readonly #lingers: boolean;
  #replica: Replica;
  #type: TypeReplica;
  #behind = new Map<string, Behind>();
  readonly #extra = new Map<string, Held>();
  /** The client holds nothing yet, or what `#claims` says; `behind` is filled when the first answer is drafted. */
  #unsettled = true;
  #claims = new Map<string, string>();
  #answerDue = true;
  #resumes = false;
  #requested = false;
  #lastNonce = '';
  #inFlight: InFlight | undefined;
  /** After a NACK: nothing is sent until something changes. */
  #silent = false;
  /** Resources or subscription changed after the message in flight was drafted. */
  #newSinceDraft = false;
  #error = '';
  /** name → version that the client refused on its own; not sent again while it is current. */
  readonly #rejected = new Map<string, string>();
  #rejectedWhole = false;
  /** Parts of a refused message, each to be sent by itself to find the culprit. */
  #suspects: string[][] = [];
  #sentRevision = 0;
  #ackedRevision = 0;

  constructor(options: TypeMachineOptions, replica: Replica) {
    this.typeUrl = options.typeUrl;
    this.#options = options;
    this.#subscription = new Subscription(options.impliedWildcard);
    this.#wholeSet =
      options.transport === 'sotw' && (options.typeUrl === types.cluster || options.typeUrl === types.listener);
    this.#lingers = lingering.has(options.typeUrl) && (options.transport === 'delta' || this.#wholeSet);
    this.#replica = replica;
    this.#type = replica.type(options.typeUrl);
  }

  // ---- what is known -------------------------------------------------------------------------------------------------------------

  get wildcard(): boolean {
    return this.#subscription.wildcard;
  }

  get names(): ReadonlySet<string> {
    return this.#subscription.names;
  }

  /** The client held something of this type when it opened the stream. */
  get resumes(): boolean {
    return this.#resumes;
  }

  get inFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  get error(): string {
    return this.#error;
  }

  get sentRevision(): number {
    return this.#sentRevision;
  }

  /** Something that the client refused is current. */
  get isRejected(): boolean {
    return this.#rejectedWhole || this.#silent || this.#rejected.size > 0 || this.#suspects.length > 0;
  }

  /** The client holds all that it should, as far as it was willing. */
  isSettled(): boolean {
    return this.#inFlight === undefined && !this.isRejected && this.#replica.ready && !this.#needsAnything();
  }

  ackedRevision(): number {
    return this.isSettled() ? this.#replica.revision : this.#ackedRevision;
  }

  /** Resources that the client does not have and that wait to be sent. */
  hasAdditions(): boolean {
    if (this.#silent) return false;
    if (this.#unsettled) return this.#requested && this.#type.resources.size > 0;
    for (const [name, entry] of this.#behind) {
      // What the host gave for something missing is as good as nothing, and what a client brings along from elsewhere may be just that.
      if (entry.held !== undefined && 'body' in entry.held && !this.#extra.has(name)) continue;
      const current = this.#type.resources.has(name) ? this.#current(name) : undefined;
      if (current !== undefined && this.#isWanted(entry, current)) return true;
    }
    return false;
  }

  /** Resources that the client has and that should go, once nothing leads to them any more. */
  hasRemovals(): boolean {
    if (this.#unsettled || this.#silent) return false;
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current === undefined ? this.#lingers && entry.held !== undefined : this.#isLeaving(entry, current))
        return true;
    }
    return false;
  }

  isSubscribed(name: string): boolean {
    return this.#subscription.has(name, this.#type.resources.get(name));
  }

  /** name → what the client holds, as far as it was sent or told us. */
  *held(): Generator<[string, Held]> {
    if (this.#unsettled) {
      for (const [name, version] of this.#claims) yield [name, { version }];
      return;
    }
    for (const [name, resource] of this.#subscribedResources()) {
      if (!this.#behind.has(name)) yield [name, resource];
    }
    for (const [name, held] of this.#extra) if (!this.#behind.has(name)) yield [name, held];
    for (const [name, entry] of this.#behind) if (entry.held !== undefined) yield [name, entry.held];
  }

  heldCount(): number {
    let count = 0;
    if (this.#unsettled) return this.#claims.size;
    if (this.#subscription.wildcard) count = this.#type.resources.size;
    else for (const _ of this.#subscribedResources()) count++;
    for (const name of this.#extra.keys()) if (!this.#behind.has(name)) count++;
    for (const [name, entry] of this.#behind) {
      const current = this.#type.resources.get(name);
      const counted = current !== undefined && this.#subscription.has(name, current);
      if (counted && entry.held === undefined) count--;
      if (!counted && entry.held !== undefined) count++;
    }
    return count;
  }

  /** Names whose newest state the client does not have: to be sent, in flight, or refused. */
  *outOfStep(): Generator<string> {
    yield* this.#behind.keys();
    for (const resource of this.#inFlight?.draft.resources ?? []) yield resource.name;
  }

  // ---- what happens --------------------------------------------------------------------------------------------------------------

  request(request: XdsRequest): Outcome {
    return this.#options.transport === 'sotw' ? this.#sotwRequest(request) : this.#deltaRequest(request);
  }

  #sotwRequest(request: XdsRequest): Outcome {
    const answered = this.#lastNonce !== '';
    // Before the first response of a stream, any nonce is one of an earlier stream and says nothing.
    if (answered && request.nonce !== '' && request.nonce !== this.#lastNonce) {
      this.#subscription.doubt(request.subscribe);
      return { kind: 'stale' };
    }
    let outcome: Outcome = { kind: 'accepted' };
    if (answered && request.nonce !== '' && this.#inFlight !== undefined) outcome = this.#answer(request.error);
    // A client that has accepted something and then names no nonce starts again.
    const restarts = answered && request.nonce === '' && this.#inFlight === undefined;
    if (!this.#requested) this.#resumes = request.resumes;
    this.#requested = true;
    if (restarts) this.#forget();
    const doubts = this.#subscription.settleDoubts();
    for (const name of doubts.dropped) this.#dropped(name, false);
    if (doubts.wildcardLost) this.#forgetUnsubscribed();
    const added = request.subscribe.filter((name) => !this.#subscription.names.has(name));
    this.#apply(added, false, () => this.#subscription.replace(request.subscribe));
    return outcome;
  }

  #deltaRequest(request: XdsRequest): Outcome {
    let outcome: Outcome = { kind: 'accepted' };
    if (request.nonce !== '' && this.#requested) {
      outcome = request.nonce === this.#inFlight?.nonce ? this.#answer(request.error) : { kind: 'stale' };
    }
    const first = !this.#requested;
    this.#requested = true;
    if (first) {
      this.#resumes = request.resumes;
      this.#claims = new Map(request.initialVersions);
      this.#answerDue = request.initialVersions.size === 0;
    }
    this.#apply(request.subscribe, first, () => this.#subscription.edit(request.subscribe, request.unsubscribe, first));
    return outcome;
  }

  /** Takes note of what changed in the replica. */
  mark(diff: TypeDiff): void {
    if (this.#unsettled) {
      this.#somethingNew();
      return;
    }
    for (const [name, before] of diff) {
      const wasSubscribed = before !== undefined && this.#subscription.has(name, before);
      if (!wasSubscribed && !this.#subscription.has(name, this.#type.resources.get(name))) continue;
      this.#somethingNew();
      if (this.#behind.has(name)) continue;
      this.#behind.set(name, { held: this.#extra.get(name) ?? (wasSubscribed ? before : undefined), force: false });
    }
  }

  /** Has `name` sent again if the client is subscribed to it, even if it holds it (Envoy #13009: a cluster was sent, so its endpoints must be). */
  force(name: string): void {
    if (this.#unsettled || !this.isSubscribed(name) || this.#current(name) === undefined) return;
    this.#somethingNew();
    this.#behind.set(name, { held: this.#heldOf(name), force: true });
  }

  /** Names of the subscription, for `force` after a complete set was sent. */
  *subscribedNames(): Generator<string> {
    for (const [name] of this.#subscribedResources()) yield name;
  }

  /** The client is to see another view. What it holds stays what it was; only the differences will be sent. */
  rebase(replica: Replica): void {
    const held = this.#unsettled ? undefined : new Map(this.held());
    const forced = [...this.#behind].filter(([, entry]) => entry.force).map(([name]) => name);
    this.#replica = replica;
    this.#type = replica.type(this.typeUrl);
    this.#somethingNew();
    if (held === undefined) return;
    this.#behind.clear();
    this.#extra.clear();
    for (const [name, resource] of this.#subscribedResources()) {
      const before = held.get(name);
      if (before !== undefined && same(before, resource)) continue;
      this.#behind.set(name, { held: before, force: false });
    }
    for (const [name, before] of held) {
      if (!this.#type.resources.has(name)) this.#behind.set(name, { held: before, force: false });
    }
    for (const name of forced) this.#behind.set(name, { held: held.get(name), force: true });
  }

  // ---- what to send --------------------------------------------------------------------------------------------------------------

  /**
   * The next message of resources to add or change, and of answers; undefined if there is none or one is in flight.
   * Removals of clusters, endpoints and secrets are left for `draftRemovals`.
   */
  draft(): Draft | undefined {
    if (!this.#canSend()) return undefined;
    this.#settle();
    if (this.#wholeSet) return this.#draftWholeSet();
    if (this.#unsettled) return this.#draftFirst();
    return this.#draftPartial();
  }

  /** What the client should no longer hold, once nothing leads to it. */
  draftRemovals(): Draft | undefined {
    if (!this.#canSend() || !this.hasRemovals()) return undefined;
    if (this.#wholeSet) return this.#wholeSetDraft([]);
    const removed: string[] = [];
    const emptied: EncodedResource[] = [];
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current !== undefined) {
        if (this.#isLeaving(entry, current)) emptied.push(current);
      } else if (entry.held !== undefined && this.#lingers) removed.push(name);
    }
    return this.#draftOf(emptied, removed, true);
  }

  /** A message without bodies that keeps the TTL of `names` alive; undefined if the client holds none of them in step. */
  draftHeartbeat(names: readonly string[]): Draft | undefined {
    if (!this.#canSend() || this.#unsettled) return undefined;
    const resources: EncodedResource[] = [];
    for (const name of names) {
      const resource = this.#current(name);
      if (resource?.ttlMs !== undefined && !this.#behind.has(name)) resources.push(resource);
    }
    if (resources.length === 0) return undefined;
    return { ...this.#draftOf(resources, [], false), heartbeat: true, added: [], changed: [] };
  }

  /** `draft` was sent under `nonce`: from here on the client is taken to hold it, until it says otherwise. */
  commit(draft: Draft, nonce: string): void {
    const undo = new Map<string, Behind>();
    const heldNothing = this.#unsettled;
    const settle = (name: string): void => {
      const entry = this.#behind.get(name);
      if (entry === undefined) return;
      undo.set(name, entry);
      this.#behind.delete(name);
    };
    if (!draft.heartbeat) {
      if (this.#unsettled) {
        this.#unsettled = false;
        this.#claims = new Map();
      }
      for (const resource of draft.resources) {
        const gone = this.#current(resource.name) === undefined;
        // A removed cluster that goes along until its removal is due stays known as such.
        if (gone) continue;
        settle(resource.name);
        for (const alias of resource.aliases ?? []) this.#extra.delete(alias);
        if (this.#type.resources.has(resource.name)) this.#extra.delete(resource.name);
        else this.#extra.set(resource.name, resource);
        this.#rejected.delete(resource.name);
      }
      for (const name of draft.removed) {
        settle(name);
        this.#extra.delete(name);
        this.#rejected.delete(name);
      }
      if (this.#wholeSet) {
        const sent = new Set(draft.resources.map((resource) => resource.name));
        for (const name of [...this.#behind.keys()]) {
          if (sent.has(name)) continue;
          settle(name);
          this.#extra.delete(name);
        }
      }
      this.#answerDue = false;
    }
    const isolating = this.#suspects.length > 0 && sameNames(this.#suspects[0] ?? [], draft.resources);
    if (isolating) this.#suspects.shift();
    this.#lastNonce = nonce;
    this.#sentRevision = draft.revision;
    this.#newSinceDraft = false;
    this.#inFlight = { nonce, draft, undo, heldNothing, isolating };
  }

  // ---- inside --------------------------------------------------------------------------------------------------------------------

  #canSend(): boolean {
    return this.#requested && this.#inFlight === undefined && !this.#silent && this.#replica.ready;
  }

  #draftWholeSet(): Draft | undefined {
    let needed = this.#answerDue || this.#unsettled;
    const lingering: EncodedResource[] = [];
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current !== undefined) {
        if (this.#isWanted(entry, current)) needed = true;
        else this.#behind.delete(name);
      } else if (entry.held === undefined) {
        if (entry.force) needed = true;
        else this.#behind.delete(name);
      } else if (this.#lingers && 'body' in entry.held) lingering.push(entry.held);
      else needed = true;
    }
    return needed ? this.#wholeSetDraft(lingering) : undefined;
  }

  #wholeSetDraft(lingering: readonly EncodedResource[]): Draft {
    const resources = [...this.#subscribedResources()].map(([, resource]) => resource);
    const seen = new Set<string>(resources.map((resource) => resource.name));
    for (const name of this.#subscription.names) {
      const ghost = seen.has(name) ? undefined : this.#current(this.#canonical(name));
      if (ghost === undefined || seen.has(ghost.name)) continue;
      seen.add(ghost.name);
      resources.push(ghost);
    }
    const plain =
      this.#subscription.wildcard && resources.length === this.#type.resources.size && lingering.length === 0;
    const all = [...resources, ...lingering];
    return {
      ...this.#draftOf(all, [], lingering.length === 0),
      complete: true,
      version: lingering.length === 0 ? this.#type.version : `${this.#type.version}+${lingering.length}`,
      cacheKey: plain ? this.#editionKey() : undefined,
    };
  }

  /** The answer to a first wildcard request: everything, at once if it fits. */
  #draftFirst(): Draft | undefined {
    if (this.#type.bytes > this.#options.maxResponseBytes) {
      this.#unsettled = false;
      for (const [name] of this.#subscribedResources()) {
        if (!this.#behind.has(name)) this.#behind.set(name, { held: undefined, force: false });
      }
      return this.#draftPartial();
    }
    const resources = [...this.#type.resources.values()];
    const removed: string[] = [];
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current === undefined) {
        if (entry.force && this.#options.transport === 'delta') removed.push(name);
      } else if (!this.#type.resources.has(name)) resources.push(current);
    }
    if (this.#options.transport === 'sotw' && resources.length === 0) {
      // Nothing to say, and no way to say so.
      this.#unsettled = false;
      return undefined;
    }
    const plain = removed.length === 0 && resources.length === this.#type.resources.size;
    return {
      ...this.#draftOf(resources, removed, true),
      complete: true,
      added: resources.map((resource) => resource.name),
      changed: resources.map((resource) => resource.name),
      cacheKey: plain ? this.#editionKey() : undefined,
    };
  }

  #draftPartial(): Draft | undefined {
    for (const [name, version] of this.#rejected) {
      if (this.#current(name)?.version !== version) this.#rejected.delete(name);
    }
    const suspects = new Set(this.#suspects.flat());
    const resources: EncodedResource[] = [];
    const removed: string[] = [];
    let bytes = 0;
    let exhaustive = suspects.size === 0;
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current !== undefined) {
        if (!this.#isWanted(entry, current)) {
          if (entry.held !== undefined && same(entry.held, current)) this.#drop(name, entry.held);
          else exhaustive = false;
          continue;
        }
        if (suspects.has(name)) continue;
        if (this.#isLeaving(entry, current)) {
          exhaustive = false;
          continue;
        }
        if (bytes + current.body.length > this.#options.maxResponseBytes && resources.length > 0) {
          exhaustive = false;
          continue;
        }
        bytes += current.body.length;
        resources.push(current);
      } else if (this.#options.transport === 'sotw') {
        // Left out means unchanged: there is no way to say that it is gone.
        this.#behind.delete(name);
        if (entry.held !== undefined) this.#extra.set(name, entry.held);
      } else if (entry.held === undefined) {
        if (entry.force) removed.push(name);
        else this.#behind.delete(name);
      } else if (this.#lingers) exhaustive = false;
      else removed.push(name);
    }
    if (resources.length > 0 || removed.length > 0 || this.#mustAnswerEmpty())
      return this.#draftOf(resources, removed, exhaustive);
    return this.#draftSuspects();
  }

  /** Delta: whoever asks for nothing by name is told so at once, since it may wait for a first answer. */
  #mustAnswerEmpty(): boolean {
    const due = this.#answerDue && this.#options.transport === 'delta';
    return due && (this.#subscription.wildcard || this.#subscription.names.size === 0);
  }

  #draftSuspects(): Draft | undefined {
    while (this.#suspects.length > 0) {
      const group: EncodedResource[] = [];
      for (const name of this.#suspects[0] ?? []) {
        const entry = this.#behind.get(name);
        const current = this.#current(name);
        if (entry !== undefined && current !== undefined && this.#isWanted(entry, current)) group.push(current);
      }
      if (group.length > 0) {
        this.#suspects[0] = group.map((resource) => resource.name);
        return this.#draftOf(group, [], this.#suspects.length === 1);
      }
      this.#suspects.shift();
    }
    return undefined;
  }

  #draftOf(resources: readonly EncodedResource[], removed: readonly string[], exhaustive: boolean): Draft {
    const added: string[] = [];
    const changed: string[] = [];
    for (const { name } of resources) {
      const entry = this.#behind.get(name);
      if (entry === undefined && !this.#unsettled) continue;
      if (this.#current(name) === undefined) continue;
      changed.push(name);
      if (entry?.held === undefined) added.push(name);
    }
    return {
      typeUrl: this.typeUrl,
      complete: false,
      resources,
      removed,
      heartbeat: false,
      version: this.#type.version,
      revision: this.#replica.revision,
      cacheKey: undefined,
      added,
      changed,
      exhaustive,
    };
  }

  #editionKey(): string {
    return `${this.#replica.id}:${this.#type.edition}`;
  }

  #answer(error: string | undefined): Outcome {
    const sent = this.#inFlight;
    if (sent === undefined) return { kind: 'stale' };
    this.#inFlight = undefined;
    if (error === undefined) {
      this.#rejectedWhole = false;
      if (sent.draft.exhaustive) this.#ackedRevision = Math.max(this.#ackedRevision, sent.draft.revision);
      if (!this.isRejected) this.#error = '';
      return { kind: 'acked' };
    }
    return this.#refused(sent, error);
  }

  #refused(sent: InFlight, error: string): Outcome {
    this.#error = error === '' ? 'refused without a reason' : error;
    for (const [name, entry] of sent.undo) {
      const held = entry.held !== undefined && 'body' in entry.held ? entry.held : undefined;
      const current = this.#type.resources.get(name);
      if (!this.#subscription.has(name, current) && !this.#subscription.has(name, held)) continue;
      this.#extra.delete(name);
      this.#behind.set(name, { held: entry.held, force: this.#behind.get(name)?.force ?? false });
    }
    const names = sent.draft.resources.map((resource) => resource.name);
    if (sent.heldNothing) {
      // Nothing of a first answer was taken.
      if (this.#wholeSet) {
        this.#unsettled = true;
        this.#behind.clear();
      } else for (const name of names) this.#behind.set(name, { held: undefined, force: false });
    }
    const pointed = names.filter((name) => mentions(error, name));
    const ordered = [...pointed, ...names.filter((name) => !pointed.includes(name))];
    if (this.#wholeSet) this.#rejectedWhole = true;
    else if (names.length === 1) {
      const [only] = sent.draft.resources;
      if (only !== undefined) this.#rejected.set(only.name, only.version);
    } else if (names.length > 1) this.#suspects.push(...split(names, pointed));
    // While the culprit is looked for, every NACK halves what is left, so this ends. Any other NACK is followed by silence, unless there is
    // something that the refused message did not know of.
    this.#silent = !sent.isolating && !this.#newSinceDraft;
    return {
      kind: 'nacked',
      revision: sent.draft.revision,
      error: this.#error,
      names: ordered,
      suspects: pointed.length,
    };
  }

  /** What a client gave up or asked for again after it had claimed to hold it, it may hold in no version that counts. */
  #correctClaims(change: SubscriptionChange, first: boolean): void {
    if (first || this.#claims.size === 0) return;
    const doubt = (name: string): void => {
      if (this.#claims.has(name)) this.#claims.set(name, '');
    };
    for (const name of [...change.added, ...change.dropped]) doubt(this.#canonical(name));
    if (change.wildcard !== 'lost') return;
    for (const name of this.#claims.keys()) if (!this.isSubscribed(name)) doubt(name);
  }

  #somethingNew(): void {
    this.#silent = false;
    this.#newSinceDraft = true;
  }

  #apply(candidates: readonly string[], first: boolean, edit: () => SubscriptionChange): void {
    const delta = this.#options.transport === 'delta';
    const heldBefore = new Map<string, Held | undefined>();
    if (!this.#unsettled) {
      for (const name of candidates) heldBefore.set(this.#canonical(name), this.#heldOf(this.#canonical(name)));
    }
    const change = edit();
    const changes = change.added.length > 0 || change.dropped.length > 0 || change.wildcard !== 'same';
    if (changes) this.#somethingNew();
    if (this.#unsettled) {
      this.#correctClaims(change, first);
      return;
    }
    for (const name of change.dropped) this.#dropped(name, delta);
    if (change.wildcard === 'lost') this.#forgetUnsubscribed();
    for (const name of change.added) {
      const canonical = this.#canonical(name);
      const held = heldBefore.get(canonical);
      // A SotW client keeps what it holds under another name or by the wildcard; delta's contract is an answer to every subscribe.
      if (!delta && held !== undefined) continue;
      this.#rejected.delete(canonical);
      this.#behind.set(canonical, { held, force: true });
    }
    if (change.wildcard === 'gained') this.#wildcardGained();
    if (delta && (change.added.length > 0 || change.wildcard === 'gained')) this.#recallInFlight();
  }

  /** What was given up while it was in flight and is wanted again: the client may take it when it arrives, or may not have. */
  #recallInFlight(): void {
    for (const resource of this.#inFlight?.draft.resources ?? []) {
      const { name } = resource;
      if (!this.#subscription.has(name, resource)) continue;
      const entry = this.#behind.get(name);
      const unknown =
        entry === undefined ? !this.#type.resources.has(name) && !this.#extra.has(name) : entry.held === undefined;
      if (unknown) this.#behind.set(name, { held: resource, force: true });
    }
  }

  #wildcardGained(): void {
    const { names } = this.#subscription;
    for (const [name, resource] of this.#type.resources) {
      const named = names.has(name) || (resource.aliases?.some((alias) => names.has(alias)) ?? false);
      if (!named && !this.#behind.has(name)) this.#behind.set(name, { held: undefined, force: false });
    }
    this.#answerDue = true;
  }

  #dropped(name: string, delta: boolean): void {
    const canonical = this.#canonical(name);
    if (this.#subscription.wildcard) {
      // The client cannot tell whether the wildcard includes it, so it is told.
      if (delta) {
        this.#behind.set(canonical, { held: this.#heldOf(canonical), force: true });
        this.#rejected.delete(canonical);
      } else if (!this.#type.resources.has(canonical)) this.#extra.delete(canonical);
      return;
    }
    if (this.#isWantedBySubscription(canonical)) return;
    this.#behind.delete(canonical);
    this.#extra.delete(canonical);
    this.#extra.delete(name);
    this.#rejected.delete(canonical);
  }

  /** By its name, or by an alias of what there is or of what the client holds. */
  #isWantedBySubscription(name: string): boolean {
    if (this.#subscription.has(name, this.#type.resources.get(name))) return true;
    const held = this.#behind.get(name)?.held;
    return held !== undefined && 'body' in held && this.#subscription.has(name, held);
  }

  #forgetUnsubscribed(): void {
    for (const map of [this.#behind, this.#extra, this.#rejected]) {
      for (const name of map.keys()) {
        if (!this.#isWantedBySubscription(name)) map.delete(name);
      }
    }
  }

  #forget(): void {
    this.#unsettled = true;
    this.#claims = new Map();
    this.#answerDue = true;
    this.#behind.clear();
    this.#extra.clear();
    this.#rejected.clear();
    this.#rejectedWhole = false;
    this.#suspects = [];
    this.#silent = false;
    this.#error = '';
  }

  /** Compares what the client claims to hold, or that it holds nothing, with what it should hold. */
  #settle(): void {
    if (!this.#unsettled) return;
    for (const name of this.#subscription.names) {
      const canonical = this.#canonical(name);
      if (!this.#claims.has(canonical)) this.#behind.set(canonical, { held: undefined, force: true });
    }
    if (this.#claims.size === 0) {
      if (!this.#subscription.wildcard && !this.#wholeSet) this.#unsettled = false;
      return;
    }
    this.#unsettled = false;
    for (const [name, resource] of this.#subscribedResources()) {
      const claim = this.#claims.get(name);
      if (claim === resource.version) continue;
      const held = claim === undefined ? undefined : { version: claim };
      this.#behind.set(name, { held, force: this.#behind.get(name)?.force ?? false });
    }
    for (const [name, version] of this.#claims) {
      const resource = this.#type.resources.get(name);
      if (resource !== undefined && this.#subscription.has(name, resource)) continue;
      if (resource === undefined) this.#behind.set(name, { held: { version }, force: false });
    }
    this.#claims = new Map();
  }

  #needsAnything(): boolean {
    if (!this.#requested) return false;
    if (this.#unsettled || this.#mustAnswerEmpty()) return true;
    for (const [name, entry] of this.#behind) {
      const current = this.#current(name);
      if (current !== undefined) {
        if (this.#isWanted(entry, current)) return true;
      } else if (this.#wholeSet || this.#options.transport === 'delta') {
        if (entry.held !== undefined || entry.force) return true;
      }
    }
    return false;
  }

  #isWanted(entry: Behind, current: EncodedResource): boolean {
    // What it refused is not tried again, and does not drag others down, until it is another or the client itself asks again.
    if (this.#rejected.get(current.name) === current.version) return false;
    return entry.force || entry.held === undefined || !same(entry.held, current);
  }

  /** The host's answer for what is not there takes the place of something real: as with a removal, only once nothing leads to it. */
  #isLeaving(entry: Behind, current: EncodedResource): boolean {
    if (entry.held === undefined || !lingering.has(this.typeUrl)) return false;
    return !this.#type.resources.has(current.name) && this.#isWanted(entry, current) && !same(entry.held, current);
  }

  /** The client holds `held` again what is current: nothing to do. */
  #drop(name: string, held: Held): void {
    this.#behind.delete(name);
    this.#rejected.delete(name);
    if (!this.#type.resources.has(name)) this.#extra.set(name, held);
  }

  #heldOf(name: string): Held | undefined {
    const entry = this.#behind.get(name);
    if (entry !== undefined) return entry.held;
    const extra = this.#extra.get(name);
    if (extra !== undefined) return extra;
    const resource = this.#type.resources.get(name);
    return resource !== undefined && this.#subscription.has(name, resource) ? resource : undefined;
  }

  /** What the client should hold under `name`; undefined if nothing. */
  #current(name: string): EncodedResource | undefined {
    const resource = this.#type.resources.get(name);
    if (resource !== undefined) return this.#subscription.has(name, resource) ? resource : undefined;
    if (!this.#subscription.names.has(name) || this.#type.names.has(name)) return undefined;
    return this.#replica.view.missing?.(this.typeUrl, name);
  }

  #canonical(name: string): string {
    return this.#type.resources.has(name) ? name : (this.#type.names.get(name) ?? name);
  }

  *#subscribedResources(): Generator<[string, EncodedResource]> {
    if (this.#subscription.wildcard) {
      yield* this.#type.resources;
      return;
    }
    const seen = new Set<string>();
    for (const name of this.#subscription.names) {
      const canonical = this.#canonical(name);
      const resource = this.#type.resources.get(canonical);
      if (resource === undefined || seen.has(canonical)) continue;
      seen.add(canonical);
      yield [canonical, resource];
    }
  }
}
