/**
 * One type on one stream, as a state machine without clock or I/O: requests and differences in, drafts of messages out. This file is the
 * conversation: nonces, answers, silence after a refusal. What the client asked for is in subscription.ts, what it should hold of that in
 * selection.ts, what it holds in holdings.ts, what it refused in refusals.ts, what is due to it in dues.ts, and how that is said in drafting.ts.
 *
 * Always: at most one message is in flight; the next one is drafted from the newest state when it can be sent.
 */

import type { EncodedResource } from '../core/resource.ts';
import type { Draft, Held, Outcome } from './draft.ts';
import { Drafting } from './drafting.ts';
import { Dues } from './dues.ts';
import { type Behind, Holdings } from './holdings.ts';
import { mark, markTurned } from './marking.ts';
import { noneTurned, type Turned } from './meant-by-all.ts';
import { PassedOver } from './passed-over.ts';
import { Refusals } from './refusals.ts';
import type { Replica } from './replica.ts';
import type { XdsRequest } from './request.ts';
import { correctClaims, dropped, heldBefore, resubscribed, wildcardLost } from './resubscription.ts';
import { Selection } from './selection.ts';
import { Subscription, type SubscriptionChange } from './subscription.ts';
import type { TypeDiff } from './type-replica.ts';
import { type TypeTraits, traitsOf } from './type-traits.ts';

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
  /** What the client had asked for before it came back with nothing in hand. */
  readonly remembered?: (typeUrl: string) => readonly string[];
  /** What is not sent, though the client counts as holding it, for it is forced once the client can take it. */
  readonly isEarly?: (resource: EncodedResource) => boolean;
}

export class TypeMachine {
  readonly #traits: TypeTraits;
  readonly #remembered: (typeUrl: string) => readonly string[];
  /** Also what src/xds/resubscription.ts takes: the parts of this machine that a change of the subscription concerns. */
  readonly transport: 'sotw' | 'delta';
  readonly selection: Selection;
  readonly holdings: Holdings;
  readonly refusals = new Refusals();
  readonly #subscription: Subscription;
  readonly #dues: Dues;
  readonly #drafting: Drafting;
  #requested = false;
  #resumes = false;
  /** The client waits for a first answer, or for one to a wildcard that it has just asked for. */
  #answerDue = true;
  #lastNonce = '';
  #inFlight: InFlight | undefined;
  /** Asked for beyond the limits; to be told that there is no such host. */
  readonly #passedOver = new PassedOver();
  /** Resources or subscription changed after the message in flight was drafted. */
  #newSinceDraft = false;
  #sentRevision = 0;
  #ackedRevision = 0;

  constructor(options: TypeMachineOptions, replica: Replica) {
    const { typeUrl, transport, impliedWildcard, maxResponseBytes } = options;
    this.#traits = traitsOf(typeUrl, transport, maxResponseBytes);
    this.transport = transport;
    this.#remembered = options.remembered ?? (() => []);
    this.#subscription = new Subscription(impliedWildcard, (name) => this.selection.all?.has(name) ?? true);
    this.selection = new Selection(typeUrl, this.#subscription, replica);
    this.holdings = new Holdings(this.selection);
    this.#dues = new Dues(this.#traits, this.selection, this.holdings, this.refusals);
    this.#drafting = new Drafting(
      this.#traits,
      this.selection,
      this.holdings,
      this.refusals,
      this.#dues,
      options.isEarly,
    );
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
    return this.refusals.error;
  }

  get sentRevision(): number {
    return this.#sentRevision;
  }

  /** Something that the client refused is current. */
  get isRejected(): boolean {
    return this.refusals.any;
  }

  /** The client holds all that it should, as far as it was willing; it may hold more, which waits to be removed. */
  isSettled(): boolean {
    if (this.#inFlight !== undefined || this.isRejected || !this.selection.replica.ready) return false;
    return !this.#requested || !this.#dues.any(this.#answerDue);
  }

  ackedRevision(): number {
    return this.isSettled() ? this.selection.replica.revision : this.#ackedRevision;
  }

  /** Resources that the client does not have and that wait to be sent. */
  hasAdditions(): boolean {
    return this.#requested && !this.refusals.silent && this.#dues.additions();
  }

  /** Resources that the client has and that should go, once nothing leads to them any more. */
  hasRemovals(): boolean {
    return !this.refusals.silent && this.#dues.removals();
  }

  /** The names of these. What can be removed by its name alone is kept by that alone. */
  leaving(): readonly string[] {
    const names = [...this.#dues.leaving()];
    if (!this.#traits.wholeSet) for (const name of names) this.holdings.keepVersion(name);
    return names;
  }

  leaves(name: string): boolean {
    return this.#dues.leaves(name);
  }

  /** Names that it asked for one by one, and that are there. */
  askedNames(): readonly string[] {
    const { subscription, type } = this.selection;
    const meant = new Set(subscription.names.values().map((name) => subscription.meant(name)));
    return [...meant].filter((name) => type.resources.has(name) || type.names.has(name));
  }

  /** The client was sent it, or says that it has it. */
  wasSent(name: string): boolean {
    const { unsettled, claims } = this.holdings;
    return unsettled ? claims.versionOf(name) !== undefined : this.holdings.heldOf(name) !== undefined;
  }

  /** The client asked for it, and has accepted what it was sent last. */
  holds(name: string): boolean {
    return this.#inFlight === undefined && this.isSubscribed(name) && this.holdings.heldOf(name) !== undefined;
  }

  isSubscribed(name: string): boolean {
    return this.selection.includes(name);
  }

  /** name → what the client holds, as far as it was sent or told us. */
  held(): Iterable<[string, Held]> {
    return this.holdings.held();
  }

  heldCount(): number {
    return this.holdings.heldCount();
  }

  /** Names whose newest state the client does not have: to be sent, in flight, or refused. */
  *outOfStep(): Generator<string> {
    yield* this.holdings.behind.keys();
    for (const resource of this.#inFlight?.draft.resources ?? []) yield resource.name;
  }

  // ---- what happens --------------------------------------------------------------------------------------------------------------

  request(request: XdsRequest): Outcome {
    return this.transport === 'sotw' ? this.#sotwRequest(request) : this.#deltaRequest(request);
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
    if (!this.#requested && request.resumes) this.#assumeHeld(request.subscribe);
    this.#requested = true;
    if (restarts) this.#forget();
    const doubts = this.#subscription.settleDoubts();
    for (const name of doubts.dropped) dropped(this, name);
    if (doubts.wildcardLost) wildcardLost(this);
    const added = this.#subscription.unknown(request.subscribe, request.subscribeSet);
    this.#apply(added, false, () => this.#subscription.replace(request.subscribe, request.subscribeSet));
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
      this.holdings.claims.take(request.initialVersions);
      this.#answerDue = request.initialVersions.size === 0;
    }
    const { subscribe, unsubscribe, subscribeSet } = request;
    this.#apply(subscribe, first, () => this.#subscription.edit(subscribe, unsubscribe, first, subscribeSet));
    if (first && this.selection.all !== undefined) this.#assumeWants(subscribe);
    if (request.passedOver !== undefined) this.#passOver(request.passedOver);
    return outcome;
  }

  /**
   * Over SotW a client that comes back says that it holds something, not what. What the host would say in place of what is not there does not
   * take the place of something that the client may still use, as little as if the stream had gone on.
   */
  #assumeHeld(names: readonly string[]): void {
    this.#resumes = true;
    if (!this.#traits.ledTo || this.#traits.wholeSet) return;
    const { view } = this.selection.replica;
    const held = names.filter((name) => view.missing?.(this.selection.typeUrl, name) !== undefined);
    if (held.length > 0) this.holdings.claims.take(new Map(held.map((name) => [name, ''])));
  }

  /**
   * What a client holds it goes on wanting, whether it asked for it or was given it; what it asked for before it lost everything it is given.
   */
  #assumeWants(subscribe: readonly string[]): void {
    const claims = [...this.holdings.claims.entries()].map(([name]) => name);
    if (claims.length > 0) this.#subscription.assume(claims.filter((name) => !this.selection.includes(name)));
    else if (subscribe.length === 0) this.#subscription.assume(this.#remembered(this.selection.typeUrl));
  }

  #passOver(names: readonly string[]): void {
    this.#passedOver.add(names);
    this.#somethingNew();
  }

  #apply(candidates: readonly string[], first: boolean, edit: () => SubscriptionChange): void {
    const before = heldBefore(this, candidates);
    const change = edit();
    if (change.added.length > 0 || change.dropped.length > 0 || change.wildcard !== 'same') this.#somethingNew();
    if (this.holdings.unsettled) {
      if (!first) correctClaims(this, change);
      return;
    }
    resubscribed(this, change, before, this.#inFlight?.draft.resources ?? []);
    if (change.wildcard === 'gained') this.#answerDue = true;
  }

  #answer(error: string | undefined): Outcome {
    const sent = this.#inFlight;
    if (sent === undefined) return { kind: 'stale' };
    this.#inFlight = undefined;
    if (error !== undefined) return this.#refused(sent, error);
    this.refusals.accepted();
    if (sent.draft.exhaustive) this.#ackedRevision = Math.max(this.#ackedRevision, sent.draft.revision);
    return { kind: 'acked' };
  }

  #refused({ draft, undo, heldNothing, isolating }: InFlight, error: string): Outcome {
    this.holdings.takeBack(undo);
    if (heldNothing) this.holdings.nothingTaken(draft, this.#traits.wholeSet);
    const { names, pointed } = this.refusals.refused(draft.resources, error, this.#traits.wholeSet);
    // While the culprit is looked for, every NACK leads to a smaller message. Any other NACK is followed by silence, unless there is something
    // that the refused message did not know of.
    this.refusals.silent = !isolating && !this.#newSinceDraft;
    return { kind: 'nacked', revision: draft.revision, error: this.refusals.error, names, suspects: pointed };
  }

  /** Takes note of what changed in the replica. `turned`: see `markTurned`, which comes after all that changed. */
  mark(diff: TypeDiff, turned: Turned = noneTurned): void {
    if (mark(this.holdings, this.selection, diff, turned)) this.#somethingNew();
  }

  /** Takes note of the names that a wildcard means or not, other than before. */
  markTurned(turned: Turned): void {
    if (markTurned(this.holdings, this.selection, turned)) this.#somethingNew();
  }

  /** Has `name` sent again if the client is subscribed to it, even if it holds it (Envoy #13009: a cluster was sent, so its endpoints must be). */
  force(name: string): void {
    if (this.holdings.unsettled || !this.isSubscribed(name) || this.selection.current(name) === undefined) return;
    this.#somethingNew();
    this.holdings.fallsBehind(name, this.holdings.heldOf(name), true);
  }

  /** What would be sent next, and perhaps more; nothing while the client has yet to answer. */
  *due(): Generator<EncodedResource> {
    if (!this.#canSend()) return;
    if (this.holdings.unsettled) for (const [, resource] of this.selection.resources()) yield resource;
    let bytes = 0;
    for (const [name, entry] of this.holdings.behind) {
      const current = this.selection.current(name);
      if (current === undefined || !this.#dues.isWanted(entry, current)) continue;
      yield current;
      bytes += current.body.length;
      if (bytes > this.#traits.maxResponseBytes) return;
    }
  }

  /** As if the client, which asks for all where that means less, had asked for these too, as far as they are there. Whether any is to be sent. */
  give(names: Iterable<string>): boolean {
    const { subscription, type } = this.selection;
    if (this.holdings.unsettled || !subscription.wildcard) return false;
    const given = [...names].filter((name) => type.resources.has(name) && !this.isSubscribed(name));
    if (given.length === 0) return false;
    const held = given.map((name) => this.holdings.heldOf(name));
    subscription.assume(given);
    for (const [index, name] of given.entries()) this.holdings.fallsBehind(name, held[index], false);
    this.#somethingNew();
    return true;
  }

  /** Has the virtual hosts of these route tables sent again, as `force` does. */
  forceHostsOf(tables: ReadonlySet<string>): void {
    if (this.holdings.unsettled || tables.size === 0) return;
    const isOfThem = (name: string): boolean => tables.has(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
    const found = new Set(this.#subscription.names.values().filter(isOfThem));
    for (const [name] of this.selection.resources()) if (isOfThem(name)) found.add(name);
    for (const name of found) this.force(this.selection.canonical(name));
  }

  /** The client is to see another view. What it holds stays what it was; only the differences will be sent. */
  rebase(replica: Replica): void {
    this.holdings.rebase(replica);
    this.#somethingNew();
    this.#drafting.reviewRefusals(this.#answerDue);
  }

  #somethingNew(): void {
    this.refusals.silent = false;
    this.#newSinceDraft = true;
  }

  #forget(): void {
    this.holdings.reset();
    this.refusals.reset();
    this.#answerDue = true;
  }

  // ---- what to send --------------------------------------------------------------------------------------------------------------

  /**
   * The next message of resources to add or change, and of answers; undefined if there is none or one is in flight.
   * Removals of clusters, endpoints and secrets are left for `draftRemovals`.
   */
  draft(): Draft | undefined {
    if (!this.#canSend()) return undefined;
    const draft = this.#drafting.next(this.#answerDue);
    if (draft !== undefined || this.#passedOver.size === 0) return draft;
    return this.#drafting.interim(this.#passedOver.takeAnswers(this.#traits.maxResponseBytes));
  }

  /** A message of what stands in for resources that are due later. */
  draftInterim(resources: readonly EncodedResource[]): Draft | undefined {
    return this.#canSend() ? this.#drafting.interim(resources) : undefined;
  }

  /** What the client should no longer hold, once nothing leads to it; of that, `ripe` alone where it is given. */
  draftRemovals(ripe?: ReadonlySet<string>): Draft | undefined {
    return this.#canSend() ? this.#drafting.removals(ripe) : undefined;
  }

  /** A message without bodies that keeps the TTL of `names` alive; undefined if the client holds none of them in step. */
  draftHeartbeat(names: readonly string[]): Draft | undefined {
    return this.#canSend() ? this.#drafting.heartbeat(names) : undefined;
  }

  /** `draft` was sent under `nonce`: from here on the client is taken to hold it, until it says otherwise. */
  commit(draft: Draft, nonce: string): void {
    const heldNothing = this.holdings.unsettled;
    // A removal that has yet to be confirmed takes nothing back of what was.
    if (this.isSettled()) this.#ackedRevision = this.ackedRevision();
    let undo: ReadonlyMap<string, Behind> = new Map();
    if (!draft.heartbeat) {
      undo = this.holdings.sent(draft, this.#traits.wholeSet);
      this.refusals.forgiveSent(draft);
      this.#answerDue = false;
    }
    const isolating = this.refusals.sent(draft.resources);
    this.#lastNonce = nonce;
    this.#sentRevision = draft.revision;
    this.#newSinceDraft = false;
    this.#inFlight = { nonce, draft, undo, heldNothing, isolating };
  }

  #canSend(): boolean {
    return this.#requested && this.#inFlight === undefined && !this.refusals.silent && this.selection.replica.ready;
  }
}
