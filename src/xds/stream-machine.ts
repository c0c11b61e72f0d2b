/**
 * One stream over all its types: which message goes out next. Pure but for the time that callers hand in.
 *
 * Always: no prefix of what was sent has a dangling reference (make before break).
 * - Clusters, then their endpoints, then listeners, routes and virtual hosts, which wait for clusters that are warming (warming.ts).
 * - Removed clusters, endpoints and secrets last, when nothing leads to them any more (removals.ts). A client that names its clusters one by one is
 *   told before of what its next table leads to (announcements.ts).
 * - A client that asks for virtual hosts and clusters one by one is given what its next virtual hosts lead to, before these, as if it had asked: had
 *   it to ask while a request waits, that could be gone before the answer.
 * - Virtual hosts after the route table that they belong to, and again if a table is sent to a client that did not have it: Envoy listens for
 *   a table's hosts once it has the table, asks for none of them by itself if it has others, and forgets those that came before.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl as types } from '../core/type-urls.ts';
import { type Announcement, Announcements } from './announcements.ts';
import type { Draft, Held, Outcome } from './draft.ts';
import { Heartbeats } from './heartbeats.ts';
import type { AskedOf } from './passed-over.ts';
import { Removals } from './removals.ts';
import { type LogEntry, type Replica, turnedSince } from './replica.ts';
import type { XdsRequest } from './request.ts';
import { referrers, type StreamType, StreamTypes } from './stream-types.ts';
import { TypeMachine } from './type-machine.ts';
import { impliesWildcard } from './type-traits.ts';
import type { StreamTypeStatus } from './view.ts';
import { Warming } from './warming.ts';

export interface StreamMachineOptions {
  readonly transport: 'sotw' | 'delta';
  readonly maxResponseBytes: number;
  readonly warmingWaitMaxMs: number;
  readonly removalLingerMs: number;
  readonly removalGraceMs: number;
  /** False on the service of one type: nothing on this stream leads to anything else. */
  readonly aggregated: boolean;
  /** The client declared `xds.config.supports-resource-ttl`. */
  readonly supportsTtl: boolean;
  /** What the client had asked for before it came back with nothing in hand. */
  readonly remembered?: (typeUrl: string) => readonly string[];
}

const noNames: ReadonlySet<string> = new Set();

export class StreamMachine {
  readonly #options: StreamMachineOptions;
  readonly #types = new StreamTypes();
  #replica: Replica;
  #seen: LogEntry;
  readonly #warming: Warming;
  readonly #removals: Removals;
  readonly #announcements: Announcements;
  /** The client came back with something in hand; until then its other types may not have been asked for yet (monotonic ms). */
  #resumesUntil: number | undefined;
  #wakeAt: number | undefined;
  /** There was nothing to say, and nothing has happened since. Most turns end here: after a write, after an ACK. */
  #idle = false;
  /** Something has happened since `note` looked. */
  #unnoted = true;
  /** Whether the view was ready then. */
  #notedReady = false;

  constructor(options: StreamMachineOptions, replica: Replica) {
    this.#options = options;
    this.#announcements = new Announcements(options.warmingWaitMaxMs);
    const wake = (atMs: number): void => this.#wake(atMs);
    const endpoints = (): ReadonlyMap<string, EncodedResource> => this.#replica.type(types.endpoint).resources;
    this.#warming = new Warming(this.#types, options, endpoints, wake);
    this.#removals = new Removals(this.#types, options, wake);
    this.#replica = replica;
    this.#seen = replica.tail;
  }

  get replica(): Replica {
    return this.#replica;
  }

  get typeCount(): number {
    return this.#types.size;
  }

  knows(typeUrl: string): boolean {
    return this.#types.get(typeUrl) !== undefined;
  }

  askedOf(typeUrl: string): AskedOf {
    const { names, resources } = this.#replica.type(typeUrl);
    const subscription = this.#types.machine(typeUrl)?.selection.subscription;
    const meaning = this.#replica.view.meaningOf?.(typeUrl);
    const meant = (name: string): string => meaning?.(name) ?? name;
    const exists = (name: string): boolean => {
      const asked = meant(name);
      if (asked !== name && subscription?.asks(asked) === true) return false;
      return resources.has(asked) || names.has(asked);
    };
    return { names: subscription?.names ?? noNames, exists, meant };
  }

  /** When `next` may have something to say though nothing happened (monotonic ms); undefined: never. Valid after `next` said there is nothing. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  request(request: XdsRequest, wallMs: number, nowMs: number): Outcome {
    this.catchUp();
    this.#happened();
    if (request.resumes && this.#options.aggregated && this.#types.size === 0)
      this.#resumesUntil = nowMs + this.#options.warmingWaitMaxMs;
    return this.#stateOf(request.typeUrl, wallMs).machine.request(request);
  }

  /** Reads what the view's log has to say. Cheap if there is nothing. */
  catchUp(): void {
    if (this.#seen.next === undefined) return;
    this.#happened();
    const turned = turnedSince(this.#seen);
    while (this.#seen.next !== undefined) {
      this.#seen = this.#seen.next;
      for (const [typeUrl, diff] of this.#seen.diffs) {
        this.#types.machine(typeUrl)?.mark(diff, turned.get(typeUrl));
        this.#removals.changed(typeUrl, diff.keys());
      }
    }
    for (const [typeUrl, names] of turned) this.#types.machine(typeUrl)?.markTurned(names);
  }

  /** The client is to see another view from now on. */
  rebase(replica: Replica): void {
    if (replica === this.#replica) return;
    this.catchUp();
    this.#replica = replica;
    this.#happened();
    this.#removals.rebased();
    for (const { machine } of this.#types.ordered) machine.rebase(replica);
    this.#seen = replica.tail;
  }

  /** The next message to write, or undefined. The caller must `sent` it before it asks again. */
  next(nowMs: number): Draft | undefined {
    this.catchUp();
    if (this.#idle) return undefined;
    this.#wakeAt = undefined;
    if (!this.#replica.ready) return undefined;
    this.#unnoted = true;
    const draft = this.#nextAddition(nowMs) ?? this.#nextRemoval(nowMs) ?? this.#nextHeartbeat(nowMs);
    this.#idle = draft === undefined && this.#wakeAt === undefined;
    return draft;
  }

  #nextAddition(nowMs: number): Draft | undefined {
    const gated = this.#warming.referrersWait(nowMs);
    for (const { typeUrl, machine, isReferrer } of this.#types.ordered) {
      if (gated && isReferrer) continue;
      const announcement =
        typeUrl === types.route && this.#mayDropItself(nowMs) ? this.#announcement(machine, nowMs) : undefined;
      if (announcement?.kind === 'wait') {
        this.#wake(announcement.untilMs);
        continue;
      }
      // What it leads to goes first, and is waited for.
      if (typeUrl === types.virtualHost && this.#giveLedTo(machine)) return this.#nextAddition(nowMs);
      const draft = announcement === undefined ? machine.draft() : machine.draftInterim(announcement.resources);
      if (draft !== undefined) return draft;
    }
    return undefined;
  }

  /** A client that asks for Envoy clusters one by one comes to be sent those that its next virtual hosts lead to. Whether there are any. */
  #giveLedTo(hosts: TypeMachine): boolean {
    const { view } = this.#replica;
    const clusters = this.#types.machine(types.cluster);
    if (clusters?.selection.all === undefined || view.leadsTo === undefined) return false;
    const names = new Set<string>();
    for (const resource of hosts.due()) for (const name of view.leadsTo(resource)) names.add(name);
    return clusters.give(names);
  }

  #nextRemoval(nowMs: number): Draft | undefined {
    return this.#removals.next(nowMs, {
      resumesUntil: this.#isResuming(nowMs) ? this.#resumesUntil : undefined,
      dropsItself: this.#dropsItself(),
    });
  }

  #announcement(tables: TypeMachine, nowMs: number): Announcement | undefined {
    return this.#announcements.next(tables, this.#types.machine(types.endpoint), nowMs, this.#resumesUntil);
  }

  sent(draft: Draft, nonce: string, nowMs: number): void {
    const state = this.#types.get(draft.typeUrl);
    if (state === undefined) return;
    this.#happened();
    state.machine.commit(draft, nonce);
    if (this.#options.supportsTtl) state.heartbeats.sent(draft, nowMs);
    if (draft.typeUrl === types.cluster) this.#warming.clustersSent(draft, nowMs, this.#isResuming(nowMs));
    if (draft.typeUrl === types.route) this.#types.machine(types.virtualHost)?.forceHostsOf(new Set(draft.added));
    if (draft.typeUrl === types.endpoint) this.#warming.endpointsSent(draft);
  }

  /** Brings `state` and `sinceMs` of each type up to date; call after each step. */
  note(wallMs: number): void {
    const { ready } = this.#replica;
    if (!this.#unnoted && ready === this.#notedReady) return;
    this.#unnoted = false;
    this.#notedReady = ready;
    this.#types.note(wallMs);
  }

  status(wallMs: number): ReadonlyMap<string, StreamTypeStatus> {
    this.catchUp();
    this.note(wallMs);
    return this.#types.status();
  }

  ackedRevision(typeUrl: string): number {
    return this.#types.machine(typeUrl)?.ackedRevision() ?? 0;
  }

  /** The lowest acknowledged revision of those of `typeUrls` that the client asked for; undefined: of none of them. */
  ackedFloor(typeUrls: Iterable<string>): number | undefined {
    this.catchUp();
    return this.#types.ackedFloor(typeUrls);
  }

  /** Per type: names that the client asked for one by one, and that are there. */
  asked(): ReadonlyMap<string, readonly string[]> {
    return this.#types.asked();
  }

  /** Per type: name → what the client holds. */
  held(): ReadonlyMap<string, ReadonlyMap<string, Held>> {
    this.catchUp();
    return this.#types.held();
  }

  /** Per type: names whose newest state the client does not hold, or has not confirmed. */
  outOfStep(): ReadonlyMap<string, ReadonlySet<string>> {
    this.catchUp();
    return this.#types.outOfStep();
  }

  #happened(): void {
    this.#idle = false;
    this.#unnoted = true;
  }

  #stateOf(typeUrl: string, wallMs: number): StreamType {
    let state = this.#types.get(typeUrl);
    if (state === undefined) {
      const impliedWildcard = this.#replica.view.impliedWildcard?.(typeUrl) ?? impliesWildcard(typeUrl);
      const { transport, maxResponseBytes, remembered = () => [] } = this.#options;
      const isEarly = (resource: EncodedResource): boolean => typeUrl === types.virtualHost && this.#isEarly(resource);
      const options = { typeUrl, transport, impliedWildcard, maxResponseBytes, remembered, isEarly };
      const machine = new TypeMachine(options, this.#replica);
      const isReferrer = referrers.includes(typeUrl);
      state = { typeUrl, machine, isReferrer, heartbeats: new Heartbeats(), state: 'pending', sinceMs: wallMs };
      this.#types.add(state);
    }
    return state;
  }

  /**
   * What says that none of a table's virtual hosts comes by itself, before the table. It has no body: sent again as it is, once Envoy listens for it,
   * it would be taken for a heartbeat, and the listener of the table would wait for ever.
   */
  #isEarly({ name, body }: EncodedResource): boolean {
    const tables = this.#types.machine(types.route);
    return body.length === 0 && name.endsWith('/') && tables !== undefined && !tables.wasSent(name.slice(0, -1));
  }

  /**
   * The client names each cluster that it uses. Then it drops by itself what its routes no longer lead to, once it has what they lead to now:
   * gRPC's own clients accept a route table at once, and go by the one before until they have all the clusters and endpoints of the new one.
   */
  #dropsItself(): boolean {
    if (this.#options.transport !== 'sotw' || !this.#options.aggregated) return false;
    const clusters = this.#types.machine(types.cluster);
    return clusters !== undefined && !clusters.wildcard && clusters.names.size > 0;
  }

  /** Or is not known yet not to. */
  #mayDropItself(nowMs: number): boolean {
    const { transport, aggregated } = this.#options;
    if (this.#types.machine(types.cluster) !== undefined) return this.#dropsItself();
    return transport === 'sotw' && aggregated && this.#isResuming(nowMs);
  }

  #isResuming(nowMs: number): boolean {
    return this.#resumesUntil !== undefined && nowMs < this.#resumesUntil;
  }

  #nextHeartbeat(nowMs: number): Draft | undefined {
    for (const { machine, heartbeats } of this.#types.ordered) {
      if (heartbeats.size === 0) continue;
      const isSubscribed = (name: string): boolean => machine.isSubscribed(name);
      const due = heartbeats.due(nowMs, isSubscribed, (atMs) => this.#wake(atMs));
      const draft = due.length === 0 ? undefined : machine.draftHeartbeat(due);
      if (draft !== undefined) return draft;
    }
    return undefined;
  }

  #wake(atMs: number): void {
    this.#wakeAt = this.#wakeAt === undefined ? atMs : Math.min(this.#wakeAt, atMs);
  }
}
